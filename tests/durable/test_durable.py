"""The flow of examples/durable, whose process is killed: between two steps, and in the middle of one.

python test_durable.py RESTATE WASMTIME COMPOSED
"""

import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from unittest import mock

import restate

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "examples/durable"), *(str(ROOT / "tests/hosts" / part) for part in [".", "python", "wasmtime"])]
import flow  # noqa: E402
from etcd import answers, free_ports  # noqa: E402
from fake_google import GEN2  # noqa: E402
from front import KEY, STORE_KEY, TOKEN, FakeGoogle, Front  # noqa: E402
from serving import Serving  # noqa: E402

RESTATE, WASMTIME, COMPOSED = sys.argv[1:4]
WITHIN = 60
# Where Restate's nodes, its ingress and its administration listen, in the guide.
PORTS = ["5122", "8080", "9070"]
# As /proc/net/tcp has them: a socket that listens, and 127.0.0.1 on a machine of little endian.
LISTEN, LOOPBACK = "0A", "0100007F"


def of_the_guide():
    """The variables that docs/guide/fleet.md starts Restate's server with."""
    page = (ROOT / "docs/guide/fleet.md").read_text()
    [said] = re.findall(r"^export (RESTATE_.+)$", page, re.MULTILINE)
    return dict(each.split("=", 1) for each in said.split())


def ask(url, given=None, **headers):
    data = None if given is None else json.dumps(given).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


class Restate:
    """Its server, with all that it keeps in a folder."""

    def __init__(self, folder):
        ports = dict(zip(PORTS, free_ports(len(PORTS))))
        ingress, admin = ports["8080"], ports["9070"]
        variables = {
            **{name: re.sub(r":(\d+)$", lambda port: f":{ports[port[1]]}", value) for name, value in of_the_guide().items()},
            "RESTATE_BASE_DIR": folder,
            "RESTATE_DEFAULT_NUM_PARTITIONS": "1",
            "RESTATE_DEFAULT_RETRY_POLICY__MAX_INTERVAL": "500ms",
        }
        with open(Path(folder) / "log", "wb") as log:
            options = {"env": {"PATH": os.environ["PATH"], **variables}, "stdout": log, "stderr": log}
            self.process = subprocess.Popen([RESTATE, "--no-logo"], **options)
        self.ingress, self.admin = f"http://127.0.0.1:{ingress}", f"http://127.0.0.1:{admin}"
        try:
            answers(f"{self.admin}/health", self.process)
            answers(f"{self.ingress}/restate/health", self.process)
        except BaseException:
            self.stop()
            raise

    def listens(self):
        """The addresses that its process listens on."""
        sockets = {os.readlink(each) for each in Path(f"/proc/{self.process.pid}/fd").iterdir() if each.is_symlink()}
        for table in ["tcp", "tcp6"]:
            for line in Path(f"/proc/{self.process.pid}/net/{table}").read_text().splitlines()[1:]:
                _, local, _, state, *_, inode = line.split()[:10]
                if state == LISTEN and f"socket:[{inode}]" in sockets:
                    yield local.split(":")[0]

    def stop(self):
        self.process.kill()
        self.process.wait()


class Flow:
    """A process that runs the flow's code."""

    def __init__(self, port, variables):
        command = [sys.executable, "-m", "hypercorn", "flow:app", "--bind", f"127.0.0.1:{port}"]
        options = {"env": {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **variables}, "cwd": ROOT / "examples/durable"}
        # hypercorn starts others, which would outlive it.
        options |= {"start_new_session": True, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen(command, **options)
        try:
            answers(f"http://127.0.0.1:{port}/health", self.process)
        except BaseException:
            self.kill()
            raise

    def says(self, event):
        for line in self.process.stdout:
            if line.startswith("{") and json.loads(line)["event"] == event:
                return
        raise AssertionError(f"it has ended, and did not say {event}")

    def kill(self):
        if self.process.stdout.closed:
            return
        # The group: its children outlive it if it has ended by itself.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.stdout.close()
        self.process.wait()


class DurableTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.google = cls.enterClassContext(FakeGoogle(json.loads(KEY)))
        store, kept = (cls.enterClassContext(tempfile.TemporaryDirectory()) for _ in range(2))
        reroute = {"GCF_REROUTE_TO": f"127.0.0.1:{cls.google.port}"}
        serving = Serving.of(WASMTIME, COMPOSED, store, {"GCF_FRONT_TOKEN": TOKEN, "GCF_STORE_KEY": STORE_KEY, **reroute})
        cls.addClassCleanup(serving.stop)
        front = Front(serving.address)
        request = {"nickname": "orders", "project": "demo-project", "credential": {"google-json": KEY}}
        connection = front.done("connections/connect", request)["connection"]["id"]
        # From here on, where the function is and the token for it are known: the next request is the call.
        hello = {"function": {"named": {"name": "hello-gen2", "region": "europe-west1"}}, "auth": "id-token"}
        front.done("functions/invoke", hello, connection=connection)
        cls.variables = {"GCF_FRONT": serving.address.rstrip("/"), "GCF_FRONT_TOKEN": TOKEN, "GCF_CONNECTION": connection}
        cls.variables |= {"FLOW_FUNCTION": "hello-gen2"}
        cls.restate = Restate(kept)
        cls.addClassCleanup(cls.restate.stop)
        [cls.port] = free_ports(1)
        # Restate asks it once what it has.
        process = Flow(cls.port, cls.variables)
        cls.addClassCleanup(process.kill)
        ask(f"{cls.restate.admin}/deployments", {"uri": f"http://127.0.0.1:{cls.port}"})
        process.kill()

    def begin(self, **variables):
        process = Flow(self.port, {**self.variables, **variables})
        self.addCleanup(process.kill)
        return process

    def calls(self, key):
        """The steps of an order that the function was called for."""
        bodies = [json.loads(body) for _, _, _, body in self.google.sent_to(GEN2) if body]
        return [body["step"] for body in bodies if body["order"] == key]

    def until(self, true):
        """Asks again and again: each time is a request."""
        end = time.monotonic() + WITHIN
        while not true():
            assert time.monotonic() < end, f"not in {WITHIN} s"

    def order(self, key, handler, given):
        return ask(f"{self.restate.ingress}/order/{key}/{handler}", given)

    def result(self, key):
        return ask(f"{self.restate.ingress}/restate/workflow/order/{key}/attach")

    def test_restate_listens_on_loopback_alone(self):
        self.assertEqual(set(self.restate.listens()), {LOOPBACK})

    def test_killed_between_two_steps_each_is_made_once(self):
        process = self.begin()
        # What the flow says itself, a caller cannot say in its place.
        self.order("7", "run/send", {"item": "tea", "step": "theirs", "order": "theirs"})
        process.says("waiting")
        process.kill()
        self.assertEqual(self.calls("7"), ["reserve"])
        self.begin()
        self.order("7", "approve", True)
        result = self.result("7")
        # What the function of the strict Google answers.
        self.assertEqual(result, {"reserved": {"status": 418}, "confirmed": {"status": 418}})
        self.assertEqual(self.calls("7"), ["reserve", "confirm"])
        # Whoever asks again gets what is written down.
        self.assertEqual(self.result("7"), result)
        self.assertEqual(len(self.calls("7")), 2)

    def test_killed_in_a_step_that_step_is_made_again(self):
        process = self.begin()
        self.google.stall()
        self.order("8", "run/send", {"item": "tea"})
        self.until(lambda: self.calls("8") == ["reserve"])
        process.kill()
        self.google.resume()
        self.begin().says("waiting")
        self.order("8", "approve", False)
        self.assertEqual(self.result("8"), {"reserved": {"status": 418}, "confirmed": None})
        self.assertEqual(self.calls("8"), ["reserve", "reserve"])

    def test_what_cannot_be_mended_by_asking_again_ends_the_flow(self):
        self.begin(GCF_CONNECTION="none")
        self.order("9", "run/send", {"item": "tea"})
        with self.assertRaises(urllib.error.HTTPError) as failed:
            self.result("9")
        self.assertIn("there is no connection of this id", failed.exception.read().decode())
        failed.exception.close()
        self.assertEqual(self.calls("9"), [])


class AskTest(unittest.TestCase):
    """The front's errors, as the flow takes them."""

    def fails(self, status, **said):
        error = urllib.error.HTTPError("http://front/", status, "", None, io.BytesIO(json.dumps(said).encode()))
        variables = {"GCF_FRONT": "http://front", "GCF_FRONT_TOKEN": TOKEN, "GCF_CONNECTION": "demo"}
        with mock.patch.dict(os.environ, variables), mock.patch("urllib.request.urlopen", side_effect=error):
            with self.assertRaises(Exception) as caught:
                flow.ask("functions/invoke", {})
        return caught.exception

    def test_what_cannot_be_mended_ends_the_flow_in_the_connectors_words(self):
        for said, words in [
            ({"message": "no such function", "fix": "name another one"}, "no such function; name another one"),
            ({"message": "no such function", "fix": None}, "no such function"),
        ]:
            error = self.fails(404, **said)
            self.assertIsInstance(error, restate.TerminalError)
            self.assertEqual(error.message, words)

    def test_what_may_be_better_later_is_asked_again(self):
        for status in [429, 502, 503, 504]:
            error = self.fails(status, message="busy", fix=None)
            self.assertNotIsInstance(error, restate.TerminalError)
            self.assertEqual(str(error), "busy")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
