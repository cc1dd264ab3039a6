"""The cost of an invocation: in a program's own process, in `wasmtime serve`, and on the fleet. In turns, against one Google.

    python measure.py BENCH WASMTIME COMPOSED    (measure.sh says with what around it)
"""

import asyncio
import json
import logging
import os
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from fleet import EXAMPLE, KEY, NAME, STORE_KEY, TOKEN, FakeGoogle, Fleet

sys.path[:0] = [str(EXAMPLE), str(Path(__file__).parents[1] / "wasmtime")]
from scheduler import connect  # noqa: E402
from serving import Serving  # noqa: E402

# It warns at each end of a connection over TLS, of what its caller may not change.
logging.getLogger("asyncio").setLevel(logging.ERROR)

BENCH, WASMTIME, COMPOSED = sys.argv[1:4]
ROUNDS, ONE_BY_ONE, AT_ONCE, CALLERS = 5, 40, 160, 16
REQUEST = {
    "function": {"named": {"name": "hello-gen2", "region": "europe-west1"}},
    "body": {"text": "x" * 256},
    "auth": "id-token",
}


class InProcess:
    name = "Rust, in process"

    def __init__(self, google):
        rules = [f"{origin}={address}" for origin, address in google.origins().items()]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([BENCH, "in-process", *rules], **pipes)

    def run(self, pieces, callers):
        self.process.stdin.write(f"{pieces} {callers}\n")
        self.process.stdin.flush()
        return [float(word) for word in self.process.stdout.readline().split()]

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Http:
    """The HTTP front, over connections that are kept."""

    def __init__(self, name, address, connection, host=None):
        self.name, self.address, self.connection, self.kept = name, address, connection, threading.local()
        self.headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"} | ({"host": host} if host else {})

    def run(self, pieces, callers):
        with ThreadPoolExecutor(callers) as pool:
            return list(pool.map(lambda _: self.one(), range(pieces)))

    def one(self):
        if not hasattr(self.kept, "http"):
            self.kept.http = HTTPConnection(self.address, timeout=60)
        began = time.monotonic()
        target = f"/gcf:connector/functions/invoke?connection={self.connection}"
        self.kept.http.request("POST", target, json.dumps(REQUEST), self.headers)
        answer = self.kept.http.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        return time.monotonic() - began


class Messages:
    name = "wasmCloud, NATS, two hosts"

    def __init__(self, loop, nats, connection):
        self.loop, self.nats = loop, nats
        self.message = json.dumps({"connection": connection, "input": REQUEST}).encode()

    def run(self, pieces, callers):
        return self.loop.run_until_complete(self.all(pieces, asyncio.Semaphore(callers)))

    async def all(self, pieces, at_once):
        async def one():
            async with at_once:
                began = time.monotonic()
                answer = json.loads((await self.nats.request("gcf.functions.invoke", self.message, timeout=60)).data)
                assert "ok" in answer, answer
                return time.monotonic() - began

        return await asyncio.gather(*(one() for _ in range(pieces)))


def memory(pid):
    """The memory that a process holds, in MB."""
    [line] = [each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS:")]
    return int(line.split()[1]) // 1000


def main():
    with FakeGoogle(json.loads(KEY)) as google, Fleet(google) as fleet, ExitStack() as ending:
        scheduler = fleet.schedule(fleet.stand_in(), fleet.connector())
        scheduler.running("google", 2)
        scheduler.running("gcf", 2)
        front = fleet.hosts[0].front()
        made = {"nickname": "measured", "project": "demo-project", "credential": {"google-json": KEY}}
        connection = front.done("connections/connect", made)["connection"]["id"]
        # The store is the same, so the connection is there too.
        variables = {"GCF_FRONT_TOKEN": TOKEN, "GCF_STORE_KEY": STORE_KEY, "GCF_ETCD_URL": fleet.etcd.url}
        variables["GCF_REROUTE_TO"] = f"127.0.0.1:{google.port}"
        serving = Serving.of(WASMTIME, COMPOSED, fleet.folder, variables)
        ending.callback(serving.stop)
        loop = asyncio.new_event_loop()
        ending.callback(loop.close)
        nats = loop.run_until_complete(connect(fleet.known("caller"), "_INBOX.caller"))
        ending.callback(lambda: loop.run_until_complete(nats.close()))
        inside = InProcess(google)
        ending.callback(inside.stop)
        ways = [
            inside,
            Http("wasmtime serve, HTTP", urlsplit(serving.address).netloc, connection),
            Http("wasmCloud, HTTP, one host", front.address, connection, NAME),
            Messages(loop, nats, connection),
        ]
        alone, together, rates = ({way.name: [] for way in ways} for _ in range(3))
        for round in range(ROUNDS + 1):
            for way in ways:
                took = way.run(ONE_BY_ONE, 1)
                began = time.monotonic()
                crowd = way.run(AT_ONCE, CALLERS)
                # The first round warms up.
                if round:
                    alone[way.name] += took
                    together[way.name] += crowd
                    rates[way.name].append(AT_ONCE / (time.monotonic() - began))
        held = {inside.name: memory(inside.process.pid), ways[1].name: memory(serving.process.pid)}
        held |= {way.name: memory(fleet.hosts[0].process.pid) for way in ways[2:]}
        print(f"| way | p50 | p99 | p50, {CALLERS} at once | per second | memory |\n|---|--:|--:|--:|--:|--:|")
        for way in ways:
            one, crowd = sorted(alone[way.name]), statistics.median(together[way.name])
            p99 = one[int(len(one) * 0.99)]
            figures = [f"{1000 * each:.1f} ms" for each in [statistics.median(one), p99, crowd]]
            print("|", " | ".join([way.name, *figures, f"{statistics.median(rates[way.name]):.0f}", f"{held[way.name]} MB"]), "|")
        print(f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
