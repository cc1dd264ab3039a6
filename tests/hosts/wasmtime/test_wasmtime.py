"""The composed component in `wasmtime serve`.

python test_wasmtime.py WASMTIME COMPOSED
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from openapi_spec_validator import validate

sys.path.insert(0, str(Path(__file__).parents[1]))
from front import STORE_KEY, TOKEN, Front, FrontTest  # noqa: E402

PROGRAM, COMPOSED = sys.argv[1:3]


class Serving:
    """`wasmtime serve` on a port that the system picks."""

    def __init__(self, folder, variables):
        options = ["-S", "cli", "--addr", "127.0.0.1:0", "--dir", f"{folder}::/store"]
        for name, value in variables.items():
            options += ["--env", f"{name}={value}"]
        self.process = subprocess.Popen([PROGRAM, "serve", *options, COMPOSED], stderr=subprocess.PIPE, text=True)
        # "Serving HTTP on http://127.0.0.1:40123/"
        line = self.process.stderr.readline()
        self.address = line.split()[-1] if "http://" in line else ""
        assert self.address, line + self.process.stderr.read()

    def stop(self):
        self.process.terminate()
        self.process.communicate()


class WasmtimeTest(FrontTest, unittest.TestCase):
    @classmethod
    def start(cls, google):
        cls.folder = tempfile.TemporaryDirectory()
        reroute = {"GCF_REROUTE_TO": f"127.0.0.1:{google.port}"}
        variables = {"GCF_FRONT_TOKEN": TOKEN, "GCF_STORE_KEY": STORE_KEY, **reroute}
        cls.serving = Serving(cls.folder.name, variables)
        return Front(cls.serving.address)

    @classmethod
    def stop(cls):
        cls.serving.stop()
        cls.folder.cleanup()

    def test_the_description_is_openapi(self):
        _, document = self.front.ask("GET", "/openapi.json")
        validate(document)

    def test_without_a_token_nobody_is_answered(self):
        serving = Serving(self.folder.name, {})
        try:
            for method, target in [("GET", "/healthz"), ("POST", "/gcf:connector/connections/list")]:
                status, error = Front(serving.address).ask(method, target)
                self.assertEqual((status, error["origin"]), (503, "host"))
        finally:
            serving.stop()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
