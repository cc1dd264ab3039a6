"""etcd on loopback, for the stores of hosts: on ports that the system picks, with a folder that goes with it."""

import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path


def free_ports(count):
    """Ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def answers(url, process, within=60):
    """Waits until something answers there, or the process has ended."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        assert process.poll() is None, f"it has ended, with {process.returncode}"
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing answers at {url}")


class Etcd:
    def __enter__(self):
        # In memory where there is such a folder: what it writes is awaited, and a busy disk takes seconds.
        memory = Path("/dev/shm")
        self.folder = tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None)
        client, peer = (f"http://127.0.0.1:{port}" for port in free_ports(2))
        listen = ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer]
        known = ["--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}"]
        command = ["etcd", "--data-dir", self.folder.name, "--log-level", "error", *listen, *known]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url = client
        try:
            answers(f"{client}/health", self.process)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()
