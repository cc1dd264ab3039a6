"""The composed component in `jco serve`: front, connector, and the store in etcd.

python test_serve.py COMPOSED    (run.sh says with what around it)
"""

import os
import signal
import subprocess
import sys
import unittest
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from etcd import Etcd, answers, free_ports  # noqa: E402
from front import STORE_KEY, TOKEN, Front, FrontTest  # noqa: E402

COMPOSED = sys.argv[1]


class JcoServeTest(FrontTest, unittest.TestCase):
    @classmethod
    def start(cls, google):
        etcd = cls.enterClassContext(Etcd())
        [port] = free_ports(1)
        # Each request has a worker of its own, as a fresh instance has elsewhere; fifty in advance are too many here.
        options = ["--host", "127.0.0.1", "--port", str(port), "--isolate-worker-pool-size", "2"]
        variables = {"GCF_FRONT_TOKEN": TOKEN, "GCF_STORE_KEY": STORE_KEY, "GCF_ETCD_URL": etcd.url}
        variables["GCF_REROUTE_TO"] = f"127.0.0.1:{google.port}"
        process = subprocess.Popen(
            ["node_modules/.bin/jco", "serve", COMPOSED, *options],
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **variables},
            stdout=subprocess.DEVNULL,
            # It starts a second one, which would outlive it.
            start_new_session=True,
        )
        cls.addClassCleanup(cls.end, process)
        answers(f"http://127.0.0.1:{port}/healthz", process)
        return Front(f"http://127.0.0.1:{port}")

    @staticmethod
    def end(process):
        # The group outlives its first process, if that has ended by itself.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
