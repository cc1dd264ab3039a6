"""The composed component in `wasmtime serve`, and as a command in `wasmtime run`.

python test_wasmtime.py WASMTIME COMPOSED COMMAND
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from openapi_spec_validator import validate

sys.path.insert(0, str(Path(__file__).parents[1]))
from front import ACCOUNT, KEY, STORE_KEY, TOKEN, FakeGoogle, Front, FrontTest  # noqa: E402
from serving import Serving  # noqa: E402

PROGRAM, COMPOSED, COMMAND = sys.argv[1:4]
EXAMPLE = Path(__file__).parents[3] / "examples/serverless"


class WasmtimeTest(FrontTest, unittest.TestCase):
    @classmethod
    def start(cls, google):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        reroute = {"GCF_REROUTE_TO": f"127.0.0.1:{google.port}"}
        variables = {"GCF_FRONT_TOKEN": TOKEN, "GCF_STORE_KEY": STORE_KEY, **reroute}
        serving = Serving.of(PROGRAM, COMPOSED, cls.folder, variables)
        cls.addClassCleanup(serving.stop)
        return Front(serving.address)

    def test_the_description_is_openapi(self):
        _, document = self.front.ask("GET", "/openapi.json")
        validate(document)

    def test_a_head_is_answered_without_a_body(self):
        connection = http.client.HTTPConnection(self.front.address, timeout=60)
        connection.request("HEAD", "/healthz")
        response = connection.getresponse()
        self.assertEqual((response.status, response.read()), (200, b""))
        connection.close()

    def test_an_open_front_refuses_pages_in_browsers(self):
        serving = Serving.of(PROGRAM, COMPOSED, self.folder, {"GCF_FRONT_OPEN": "yes"})
        try:
            target, anybody = "/gcf:connector/catalog/describe", {"authorization": None}
            front = Front(serving.address)
            self.assertEqual(front.ask("POST", target, "{}", **anybody)[0], 200)
            status, error = front.ask("POST", target, "{}", **anybody, origin="http://localhost:3000")
            self.assertEqual((status, error["kind"]), (403, "forbidden"))
        finally:
            serving.stop()

    def test_the_command_of_the_container_serves(self):
        lines = (EXAMPLE / "Dockerfile").read_text().splitlines()
        words = [json.loads(line.split(" ", 1)[1]) for line in lines if line.startswith(("ENTRYPOINT", "CMD"))]
        here = {"/wasmtime": PROGRAM, "/gcf.wasm": COMPOSED, "0.0.0.0:8080": "127.0.0.1:0"}
        serving = Serving([here.get(word, word) for word in sum(words, [])], GCF_FRONT_TOKEN=TOKEN)
        try:
            front = Front(serving.address)
            self.assertEqual(front.ask("GET", "/healthz", authorization=None)[0], 200)
            self.assertEqual(front.ask("POST", "/gcf:connector/catalog/describe", "{}")[0], 200)
        finally:
            serving.stop()

    def test_without_a_token_nobody_is_answered(self):
        serving = Serving.of(PROGRAM, COMPOSED, self.folder, {})
        try:
            for method, target in [("GET", "/healthz"), ("POST", "/gcf:connector/connections/list")]:
                status, error = Front(serving.address).ask(method, target)
                self.assertEqual((status, error["origin"]), (503, "host"))
        finally:
            serving.stop()


class CommandTest(unittest.TestCase):
    """The front for hosts that only run commands."""

    def setUp(self):
        self.google = self.enterContext(FakeGoogle(json.loads(KEY)))
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def arguments(self):
        options = ["-S", "http", "--dir", f"{self.folder}::/store", "--env", f"GCF_STORE_KEY={STORE_KEY}"]
        options += ["--env", f"GCF_REROUTE_TO=127.0.0.1:{self.google.port}"]
        return ["run", *options, COMMAND]

    def run_command(self, *arguments, text=""):
        command = [PROGRAM, *self.arguments(), *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return done.returncode, json.loads(done.stdout)

    def test_an_action_is_called_by_its_name(self):
        request = {"nickname": "demo", "project": "demo-project", "credential": {"google-json": KEY}}
        code, connected = self.run_command("connections.connect", "-", text=json.dumps(request))
        self.assertEqual((code, connected["connection"]["account"]), (0, ACCOUNT))
        connection = connected["connection"]["id"]
        code, listed = self.run_command("functions-list", "--connection", connection)
        self.assertEqual((code, len(listed["functions"])), (0, 3))

    def test_nobody_who_reads_is_no_panic(self):
        reads, writes = os.pipe()
        os.close(reads)
        done = subprocess.run([PROGRAM, *self.arguments(), "catalog.describe"], stdout=writes, stderr=subprocess.PIPE)
        os.close(writes)
        self.assertEqual((done.returncode, done.stderr), (1, b""))

    def test_what_fails_says_so_by_its_code_and_in_json(self):
        for arguments, kind in [
            (["functions.list", "--connection", "none"], "connection-not-found"),
            (["functions.lst"], "invalid-input"),
            (["functions.list", "{"], "invalid-input"),
            ([], "invalid-input"),
        ]:
            code, error = self.run_command(*arguments)
            self.assertEqual((code, error["kind"]), (1, kind))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
