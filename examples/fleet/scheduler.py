"""Keeps workloads running on wasmCloud hosts, without Kubernetes: an example, small enough to read.

    python scheduler.py [--secrets FOLDER] [--stop] MANIFEST

MANIFEST holds WorkloadDeployments, as wasmCloud's operator takes them. Each host gets one replica of a deployment at most,
so of three replicas on two hosts one waits. A host is gone when nobody listens to its requests any more, or when it has been
silent for three heartbeats; what ran there is started elsewhere, and a host that comes back empty gets what is missing.

Nothing is kept: which host runs what is asked of the hosts, again and again, and what runs there is taken over, whoever started it.
Two schedulers at once would each start what is missing.
Where NATS is, and who this is, stands in the environment: NATS_URL, NATS_CA, NATS_CERT, NATS_KEY. What happens is printed
as lines of JSON.
"""

import argparse
import asyncio
import json
import os
import signal
import ssl
import time
from pathlib import Path

import nats
import nats.errors

from manifest import read

HEARTBEATS = "runtime.operator.heartbeat.>"
# A host sends one each 15 seconds.
SILENCE = 45
# A start fetches images and compiles them.
START_TIMEOUT = 120
ASK_TIMEOUT = 5
# How long `--stop` waits for what it has stopped to end.
STOP_TIMEOUT = 60
# What a host has not ended yet. It knows nothing of what has been stopped.
ALIVE = {f"WORKLOAD_STATE_{state}" for state in ["STARTING", "RUNNING", "STOPPING"]}
# Nobody listens, or nothing came back in time.
UNANSWERED = (nats.errors.Error, TimeoutError)
# Until the next look, if nothing happens; and before a start that failed is tried again.
PAUSE, AFTER_FAILURE = 1, 5


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


class Scheduler:
    def __init__(self, connection, workloads):
        self.nats, self.workloads = connection, workloads
        # When each host was heard last, with the port of its HTTP; and the ids of what runs on those that have answered.
        self.heard, self.hosts = {}, {}
        # What is being started: the host, and the task that waits for it.
        self.starting = {}
        self.not_before = {}
        self.look, self.stopping = asyncio.Event(), False

    async def ask(self, host, command, timeout=ASK_TIMEOUT, **said):
        reply = await self.nats.request(f"runtime.host.{host}.{command}", json.dumps(said).encode(), timeout=timeout)
        return json.loads(reply.data)

    async def on_heartbeat(self, message):
        heartbeat = json.loads(message.data)
        self.heard[heartbeat["id"]] = time.monotonic(), heartbeat.get("httpPort")
        self.look.set()

    async def look_at_all(self):
        await asyncio.gather(*map(self.look_at, list(self.heard)))

    async def state(self, host, workload):
        answer = await self.ask(host, "workload.status", workloadId=workload.id)
        return answer["workloadStatus"].get("workloadState")

    async def look_at(self, host):
        """Asks what runs there, and takes it over: this scheduler may be new, a start may have come through after the time that
        was given to it, and what runs may end."""
        known = set(self.hosts.get(host, ()))
        try:
            states = await asyncio.gather(*(self.state(host, workload) for workload in self.workloads))
        except nats.errors.NoRespondersError:
            # NATS knows at once that nobody listens.
            return self.lose(host)
        except UNANSWERED:
            # A host does one thing at a time: what it is starting comes first.
            busy = any(at == host for at, _ in self.starting.values())
            return None if busy or time.monotonic() - self.heard[host][0] < SILENCE else self.lose(host)
        wanted = {"WORKLOAD_STATE_RUNNING"} if not self.stopping else ALIVE
        running = {workload.id for workload, state in zip(self.workloads, states) if state in wanted}
        if host not in self.hosts:
            self.hosts[host] = running
            say("host", host=host, http_port=self.heard[host][1], runs=sorted(running))
        # What is being started there says so itself.
        starting = {id for id, (at, _) in self.starting.items() if at == host}
        for found in sorted(running - self.hosts[host] - starting):
            self.hosts[host].add(found)
            say("adopted", workload=found, host=host)
        for ended in sorted(known - running):
            self.hosts[host].discard(ended)
            say("ended", workload=ended, host=host)

    def lose(self, host):
        # What ran on a silent host may run on. So who stops does not forget it: it has not answered.
        if not self.stopping:
            del self.heard[host]
        if host in self.hosts:
            say("gone", host=host, ran=sorted(self.hosts.pop(host)))
        for at, task in self.starting.values():
            if at == host:
                task.cancel()

    def place(self, workload):
        """The host with the fewest workloads of those that may run this one."""
        busy = [host for host, _ in self.starting.values()]
        taken = {host for host, running in self.hosts.items() if running & workload.of_deployment}
        taken |= {host for other, (host, _) in self.starting.items() if other in workload.of_deployment}
        free = [host for host in self.hosts if host not in taken]
        return min(free, key=lambda host: (len(self.hosts[host]) + busy.count(host), host), default=None)

    def start_what_is_missing(self):
        running = set().union(*self.hosts.values()) | self.starting.keys()
        for workload in self.workloads:
            if workload.id in running or self.not_before.get(workload.id, 0) > time.monotonic():
                continue
            if host := self.place(workload):
                self.starting[workload.id] = host, asyncio.create_task(self.start(workload, host))

    async def start(self, workload, host):
        began = time.monotonic()
        try:
            said = {"workloadId": workload.id, "workload": workload.wire}
            status = (await self.ask(host, "workload.start", START_TIMEOUT, **said))["workloadStatus"]
            if status.get("workloadState") == "WORKLOAD_STATE_RUNNING":
                self.hosts.get(host, set()).add(workload.id)
                say("started", workload=workload.id, host=host, seconds=round(time.monotonic() - began, 2))
                return
            self.failed(workload, host, status.get("message"))
            # A host keeps the id of what did not start, until it is told to stop it.
            await self.ask(host, "workload.stop", workloadId=workload.id)
        except UNANSWERED as error:
            self.failed(workload, host, f"{type(error).__name__}: {error}")
        finally:
            del self.starting[workload.id]
            self.look.set()

    def failed(self, workload, host, message):
        self.not_before[workload.id] = time.monotonic() + AFTER_FAILURE
        say("failed", workload=workload.id, host=host, message=message)

    async def stop(self):
        """Stops all that the manifest names, wherever it runs, and waits until it has ended. Returns whether it has."""
        self.stopping, ends = True, time.monotonic() + STOP_TIMEOUT
        while True:
            await self.look_at_all()
            # Of a host that does not answer, nobody knows what runs there.
            silent = sorted(self.heard.keys() - self.hosts.keys())
            left = [(host, id) for host, running in sorted(self.hosts.items()) for id in sorted(running)]
            if not left and not silent:
                return True
            if time.monotonic() >= ends:
                say("left", workloads=left, unanswered=silent)
                return False
            await asyncio.gather(*(self.tell_to_stop(host, id) for host, id in left))
            await asyncio.sleep(PAUSE)

    async def tell_to_stop(self, host, id):
        say("stopping", workload=id, host=host)
        try:
            await self.ask(host, "workload.stop", workloadId=id)
        except UNANSWERED:
            # The next look says what has become of it.
            pass

    async def run(self):
        while True:
            await self.look_at_all()
            self.start_what_is_missing()
            self.look.clear()
            try:
                await asyncio.wait_for(self.look.wait(), PAUSE)
            except TimeoutError:
                pass


async def connect(known, inbox, **options):
    """NATS, as somebody with a certificate. The inbox is a name of its own, so that nobody else reads what comes back."""
    context = ssl.create_default_context(cafile=known["NATS_CA"])
    context.load_cert_chain(known["NATS_CERT"], known["NATS_KEY"])
    return await nats.connect(known["NATS_URL"], tls=context, inbox_prefix=inbox, max_reconnect_attempts=-1, **options)


async def main():
    options = argparse.ArgumentParser(description="keeps workloads running on wasmCloud hosts")
    options.add_argument("manifest", type=Path)
    options.add_argument("--secrets", type=Path, help="a folder with a folder for each Secret, and a file for each of its keys")
    options.add_argument("--stop", action="store_true", help="stops what the manifest names, on each host that is heard, and waits until it has ended")
    given = options.parse_args()
    workloads = read(given.manifest, given.secrets)
    connection = await connect(os.environ, "_INBOX.scheduler")
    scheduler = Scheduler(connection, workloads)
    await connection.subscribe(HEARTBEATS, cb=scheduler.on_heartbeat)
    await connection.flush()
    say("listening")
    if given.stop:
        # Each host is heard once in this time.
        await asyncio.sleep(SILENCE / 3)
        if not scheduler.heard:
            raise SystemExit(f"no host was heard within {SILENCE // 3} s: nothing is stopped; see whether NATS_URL is where the hosts are")
        if not await scheduler.stop():
            raise SystemExit(f"not all has ended within {STOP_TIMEOUT} s: run this again, or end the hosts that the last line names")
        await connection.close()
        return
    ended = asyncio.Event()
    for number in [signal.SIGINT, signal.SIGTERM]:
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    keeping = asyncio.create_task(scheduler.run())
    await asyncio.wait([keeping, asyncio.create_task(ended.wait())], return_when=asyncio.FIRST_COMPLETED)
    if keeping.done():
        keeping.result()
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
