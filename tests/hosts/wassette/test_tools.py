"""The wait for the list of tools, whatever the order in which wassette says what it says."""

import io
import json
import unittest
from types import SimpleNamespace
from unittest import mock

from tools import CONTRACT, Tools

DESCRIBE = CONTRACT.format("catalog", "describe")
CHANGED = {"method": "notifications/tools/list_changed"}
NONE, ONE = {"tools": []}, {"tools": [{"name": DESCRIBE}]}
DESCRIBED = {"isError": False, "content": [{"text": "{}"}]}


class ToolsTest(unittest.TestCase):
    def begin(self, *said):
        """Tools that hear this after the answer to `initialize`; a result is the answer to the request whose number it has."""
        said = [{"id": 1, "result": {}}, *said]
        heard = io.StringIO("".join(json.dumps({"jsonrpc": "2.0", **each}) + "\n" for each in said))
        self.asked = io.StringIO()
        process = SimpleNamespace(stdin=self.asked, stdout=heard, wait=lambda: 0, terminate=lambda: None)
        self.asked.close = heard.close = lambda: None
        with mock.patch("tools.subprocess.Popen", return_value=process):
            return Tools([], None)

    def methods(self):
        return [json.loads(line)["method"] for line in self.asked.getvalue().splitlines()]

    def test_the_list_may_be_there_at_once(self):
        tools = self.begin({"id": 2, "result": ONE}, {"id": 3, "result": DESCRIBED})
        self.assertEqual(list(tools.tools), [DESCRIBE])

    def test_it_is_asked_for_again_when_it_has_changed(self):
        self.begin({"id": 2, "result": NONE}, CHANGED, {"id": 3, "result": ONE}, {"id": 4, "result": DESCRIBED})
        self.assertEqual(self.methods().count("tools/list"), 2)

    def test_also_when_it_has_changed_before_the_answer(self):
        self.begin(CHANGED, {"id": 2, "result": NONE}, {"id": 3, "result": ONE}, {"id": 4, "result": DESCRIBED})
        self.assertEqual(self.methods().count("tools/list"), 2)

    def test_each_change_is_good_for_one_question_more(self):
        two = [{"id": 2, "result": NONE}, CHANGED, {"id": 3, "result": NONE}, CHANGED, {"id": 4, "result": ONE}]
        self.begin(*two, {"id": 5, "result": DESCRIBED})
        self.assertEqual(self.methods().count("tools/list"), 3)

    def test_a_request_of_the_server_is_no_answer(self):
        # Either side numbers its own.
        theirs = {"id": 2, "method": "ping"}
        tools = self.begin(theirs, CHANGED, {"id": 2, "result": ONE}, theirs, {"id": 3, "result": DESCRIBED})
        self.assertEqual((list(tools.tools), tools.catalog), ([DESCRIBE], {}))

    def test_a_server_that_ends_is_not_waited_for(self):
        with self.assertRaisesRegex(AssertionError, "has ended"):
            self.begin({"id": 2, "result": NONE})


if __name__ == "__main__":
    unittest.main(verbosity=2)
