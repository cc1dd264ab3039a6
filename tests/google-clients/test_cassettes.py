"""Google's clients read every success of Google's that is on a cassette.

Twice: as a message, in which no field may be unknown; and by the client itself over REST, which asks the tape in place of
Google.
"""

import json
import sys
import unittest
from pathlib import Path

from clients import OTHERS, by_client, plus, route
from google.cloud import functions_v2, run_v2
from google.protobuf import json_format

CASSETTES = Path(__file__).resolve().parents[1] / "cassettes"


def bodies():
    """Cassette, request and body of every success of Google's that is JSON."""
    for path in sorted(CASSETTES.glob("*.json")):
        for number, exchange in enumerate(json.loads(path.read_text())["interactions"]):
            request, response = exchange["request"], exchange.get("response") or {}
            body = response.get("body")
            host = request["url"].split("/")[2]
            if host.endswith(".googleapis.com") and 200 <= response.get("status", 0) < 300 and isinstance(body, dict):
                yield f"{path.name}, interactions[{number}]", request, body


def content(body):
    """The JSON of a recorded body."""
    return body["json"] if set(body) == {"json"} else body


def names(answer):
    """Of a list its names, of a resource its own, and of anything else nothing: in JSON, and as a client gives it."""
    if isinstance(answer, dict):
        items = answer.get("functions", answer.get("services", [] if not answer else None))
        return [item["name"] for item in items] if items is not None else [answer.get("name", "")]
    if hasattr(answer, "__iter__"):
        return [item.name for item in answer]
    return [getattr(answer, "name", "")]


class Clients(unittest.TestCase):
    def test_every_success_is_read(self):
        read = called = 0
        for where, request, body in bodies():
            if OTHERS.match(request["url"]):
                continue
            with self.subTest(where):
                message, call = route(request)
                text = json.dumps(content(body))
                json_format.Parse(text, type(message)(), ignore_unknown_fields=False)
                read += 1
                if call:
                    self.assertEqual(names(by_client(text.encode(), call, request)), names(content(body)))
                    called += 1
        print(f"{read} answers are messages of Google's, {called} of them were read by its clients")
        self.assertGreater(read, 60)
        self.assertGreater(called, 40)

    def test_what_google_does_not_have_is_not_read(self):
        for message, text in [
            (plus(functions_v2.Function), '{"nam": "f"}'),
            (plus(functions_v2.Function), '{"state": "RUNNING"}'),
            (plus(run_v2.Service), '{"updateTime": "yesterday"}'),
            (plus(functions_v2.ListFunctionsResponse), '{"functions": {}}'),
        ]:
            with self.subTest(text), self.assertRaises(json_format.ParseError):
                json_format.Parse(text, message, ignore_unknown_fields=False)


if __name__ == "__main__":
    sys.exit(not unittest.main(exit=False, verbosity=2).result.wasSuccessful())
