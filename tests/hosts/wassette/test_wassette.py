"""Connector and store in wassette: every action as a tool, under a policy that grants what they need and no more.

python test_wassette.py WASSETTE COMPOSED
"""

import json
import subprocess
import sys
import tempfile
import unittest
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from front import KEY, STORE_KEY, FakeGoogle, FlowTest  # noqa: E402
from tools import Tools  # noqa: E402

PROGRAM, COMPOSED = sys.argv[1:3]
COMPONENT = Path(COMPOSED).stem


class Wassette:
    """wassette with the component loaded; `network` is what it may reach."""

    def __init__(self, google, network):
        self.google, self.network = google, network

    def __enter__(self):
        # What has been started ends with it, also if the rest cannot be.
        with ExitStack() as ending:
            self.begin(ending, Path(ending.enter_context(tempfile.TemporaryDirectory())))
            self.ending = ending.pop_all()
        return self

    def __exit__(self, *_):
        self.ending.close()

    def begin(self, ending, folder):
        self.kept, store, self.home = folder / "components", folder / "store", folder
        store.mkdir(mode=0o700)
        variables = {"GCF_STORE_KEY": STORE_KEY, "GCF_FILES_DIR": str(store), "GCF_REROUTE_TO": f"127.0.0.1:{self.google.port}"}
        self.run("component", "load", f"file://{Path(COMPOSED).resolve()}")
        self.grant("storage", f"fs://{store}", "--access", "read,write")
        for name in variables:
            self.grant("environment-variable", name)
        for host in self.network:
            self.grant("network", host)
        given = folder / "env"
        given.touch(mode=0o600)
        given.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        log = ending.enter_context(open(folder / "log", "w"))
        command = ["run", "--disable-builtin-tools", "--component-dir", self.kept, "--env-file", given]
        self.tools = Tools([PROGRAM, *command], log)
        ending.callback(self.tools.stop)

    def run(self, *command):
        options = {"env": {"HOME": str(self.home), "PATH": "/usr/bin:/bin"}, "capture_output": True, "text": True}
        done = subprocess.run([PROGRAM, *command, "--component-dir", self.kept], **options)
        assert done.returncode == 0, done.stderr

    def grant(self, kind, what, *options):
        self.run("permission", "grant", kind, COMPONENT, what, *options)


class WassetteTest(FlowTest, unittest.TestCase):
    @classmethod
    def start(cls, google):
        cls.wassette = cls.enterClassContext(Wassette(google, ["127.0.0.1"]))
        return cls.wassette.tools

    def test_every_action_is_a_tool(self):
        tools = self.wassette.tools
        actions = {action["name"] for action in tools.catalog["actions"]} | {"catalog.describe"}
        names = {name.removeprefix("gcf_connector_").replace("_0_1_0_", ".") for name in tools.tools}
        self.assertEqual(names, actions)
        print(f"{len(names)} tools, {len(json.dumps(list(tools.tools.values()))) // 1000} KB of JSON", flush=True)

    def test_what_was_not_granted_is_not_reached(self):
        with FakeGoogle(json.loads(KEY)) as google:
            wassette = self.enterContext(Wassette(google, []))
            request = {"nickname": "shut", "project": "demo-project", "credential": {"google-json": KEY}}
            error = wassette.tools.failed("connections/connect", request)
            self.assertEqual((error["kind"], error["origin"]), ("egress-denied", "host"))
            self.assertEqual(google.seen, [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
