"""The reasons for a fleet: one store for all hosts, one token for all calls, and a host that dies without a call being lost."""

import asyncio
import base64
import collections
import hashlib
import json
import logging
import sys
import time
import unittest

from fleet import EXAMPLE, KEY, SHUT, TOKEN_ORIGIN, WITHIN, FakeGoogle, Fleet, free_ports

sys.path.insert(0, str(EXAMPLE))
import nats.errors  # noqa: E402
from fake_google import GEN2  # noqa: E402
from scheduler import connect  # noqa: E402

# It warns at each end of a connection over TLS, of what its caller may not change.
logging.getLogger("asyncio").setLevel(logging.ERROR)

# How long a caller waits before it asks again.
PATIENCE = 3
CALLS, AT_ONCE, BEFORE_THE_END = 200, 16, 60


class FleetTest(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.google = cls.enterClassContext(FakeGoogle(json.loads(KEY)))
        cls.fleet = cls.enterClassContext(Fleet(cls.google))
        cls.scheduler = cls.fleet.schedule(cls.fleet.stand_in(), cls.fleet.connector(), cls.fleet.shut())
        for deployment, replicas in [("google", 2), ("gcf", 2), ("shut", 1)]:
            cls.scheduler.running(deployment, replicas)

    async def as_somebody(self, name, **options):
        connection = await connect(self.fleet.known(name), f"_INBOX.{name}", **options)
        self.addAsyncCleanup(connection.close)
        return connection

    def where_shut_runs(self):
        started = [each for each in self.scheduler.events if each["event"] == "started"]
        return [each for each in started if each["workload"].startswith("shut-")][-1]

    def connect(self, host=0):
        request = {"nickname": self.id(), "project": "demo-project", "credential": {"google-json": KEY}}
        return self.fleet.hosts[host].front().done("connections/connect", request)["connection"]["id"]

    async def call(self, caller, action, connection, given, timeout=60):
        message = json.dumps({"connection": connection, "input": given}).encode()
        answer = json.loads((await caller.request(f"gcf.{action}", message, timeout=timeout)).data)
        self.assertIn("ok", answer)
        return answer["ok"]

    async def invoke(self, caller, connection, body, **options):
        request = {
            "function": {"named": {"name": "hello-gen2", "region": "europe-west1"}},
            "body": {"bytes": {"content-type": "text/plain", "data": base64.b64encode(body).decode()}},
            "auth": "id-token",
        }
        answer = await self.call(caller, "functions.invoke", connection, request, **options)
        [received] = [each["value"] for each in answer["headers"] if each["name"] == "x-received"]
        self.assertEqual(base64.b64decode(received).decode(), hashlib.sha256(body).hexdigest())

    def received(self):
        """The bodies that the function was called with."""
        return collections.Counter(body for _, _, _, body in self.google.sent_to(GEN2))

    def test_a_connection_made_on_one_host_is_there_on_the_other(self):
        connection = self.connect(host=0)
        front = self.fleet.hosts[1].front()
        self.assertEqual(len(front.done("functions/list", connection=connection)["functions"]), 3)
        front.done("connections/disconnect", connection=connection)
        status, error = self.fleet.hosts[0].front().call("functions/list", connection=connection)
        self.assertEqual((status, error["kind"]), (404, "connection-not-found"))

    def test_a_component_reaches_only_what_its_list_names(self):
        host = self.where_shut_runs()["host"]
        sent = len(self.google.seen)
        request = {"nickname": self.id(), "project": "demo-project", "credential": {"google-json": KEY}}
        status, error = self.fleet.at(host).front(SHUT).call("connections/connect", request)
        self.assertEqual((error["kind"], error["origin"]), ("egress-denied", "host"), error)
        self.assertEqual(len(self.google.seen), sent)

    async def test_sixty_four_cold_invocations_ask_for_one_token(self):
        connection = self.connect()
        caller = await self.as_somebody("caller")
        asked, began = len(self.google.sent_to(TOKEN_ORIGIN)), time.monotonic()
        await asyncio.gather(*(self.invoke(caller, connection, f"cold {n}".encode()) for n in range(64)))
        took = time.monotonic() - began
        received = self.received()
        self.assertEqual({received[f"cold {n}"] for n in range(64)}, {1})
        requests = len(self.google.sent_to(TOKEN_ORIGIN)) - asked
        print(f"64 cold invocations on two hosts: {requests} token request, {took:.1f} s", flush=True)
        self.assertEqual(requests, 1)

    async def test_who_may_only_invoke_lists_and_invokes(self):
        connection = self.connect()
        invoker = await self.as_somebody("invoker")
        self.assertEqual(len((await self.call(invoker, "functions.list", connection, {}))["functions"]), 3)
        await self.invoke(invoker, connection, self.id().encode())

    async def test_what_ends_is_started_again(self):
        started = self.where_shut_runs()
        id, host, events = started["workload"], started["host"], len(self.scheduler.events)
        scheduler = await self.as_somebody("scheduler")
        message = json.dumps({"workloadId": id}).encode()
        await scheduler.request(f"runtime.host.{host}.workload.stop", message, timeout=WITHIN)
        await asyncio.to_thread(self.scheduler.wait, "ended", after=events, workload=id)
        await asyncio.to_thread(self.scheduler.wait, "started", after=events, workload=id)

    async def test_a_host_that_dies_loses_no_call_and_gets_its_work_back(self):
        connection = self.connect()
        caller = await self.as_somebody("caller")
        await self.invoke(caller, connection, b"warm")
        dying = self.where_shut_runs()["host"]
        host, events = self.fleet.at(dying), len(self.scheduler.events)
        before, repeats, at_once = self.received(), collections.Counter(), asyncio.Semaphore(AT_ONCE)
        answered, stalled = 0, asyncio.Event()

        async def one(number):
            nonlocal answered
            async with at_once:
                while True:
                    try:
                        await self.invoke(caller, connection, f"call {number}".encode(), timeout=PATIENCE)
                        break
                    except (nats.errors.TimeoutError, nats.errors.NoRespondersError):
                        repeats[number] += 1
                answered += 1
                if answered == BEFORE_THE_END:
                    await asyncio.to_thread(self.google.stall)
                    stalled.set()

        async def kill():
            await stalled.wait()
            # Until as many wait for Google as may, on either host.
            while sum((await asyncio.to_thread(self.received) - before).values()) < answered + AT_ONCE:
                pass
            await asyncio.to_thread(host.kill)
            await asyncio.to_thread(self.google.resume)

        began = time.monotonic()
        await asyncio.wait_for(asyncio.gather(kill(), *map(one, range(CALLS))), WITHIN)
        took = time.monotonic() - began

        times = self.received() - before
        again = {number for number in range(CALLS) if times[f"call {number}"] > 1}
        self.assertTrue(all(times[f"call {number}"] >= 1 for number in range(CALLS)))
        self.assertLessEqual(again, repeats.keys())
        self.assertTrue(all(times[f"call {number}"] <= 1 + repeats[number] for number in range(CALLS)))
        # The dead host had calls in hand, and they were made.
        self.assertTrue(again)
        print(f"{CALLS} invocations, a host killed: all answered, {len(again)} made twice, {took:.1f} s", flush=True)

        await asyncio.to_thread(self.has_its_work_back, dying, host, events)

    def has_its_work_back(self, dead, host, events):
        gone = self.scheduler.wait("gone", after=events, host=dead)
        self.assertEqual(len(gone["ran"]), 3)
        # What is to run once runs elsewhere.
        [elsewhere] = self.scheduler.running("shut", 1, after=events)
        self.assertNotEqual(elsewhere, dead)
        began = time.monotonic()
        self.fleet.hosts[self.fleet.hosts.index(host)] = again = self.fleet.host(host.port)
        empty = self.scheduler.wait("host", after=events, http_port=host.port)
        self.assertEqual(empty["runs"], [])
        for deployment in ["google", "gcf"]:
            self.assertEqual(self.scheduler.running(deployment, 1, after=events), [empty["host"]])
        print(f"a host started again: its work is back after {time.monotonic() - began:.1f} s", flush=True)
        self.assertEqual(again.front().ask("GET", "/healthz", authorization=None)[0], 200)


class AccountsTest(unittest.IsolatedAsyncioTestCase):
    """The rights of each account, by the example's nats.conf."""

    @classmethod
    def setUpClass(cls):
        cls.fleet = cls.enterClassContext(Fleet(None))

    async def as_somebody(self, name, **options):
        refused = asyncio.Queue()

        async def on_error(error):
            refused.put_nowait(str(error).lower())

        connection = await connect(self.fleet.known(name), f"_INBOX.{name}", error_cb=on_error, **options)
        self.addAsyncCleanup(connection.close)
        return connection, refused

    async def heard(self):
        """The id of a host, from its heartbeat; and the scheduler's connection."""
        scheduler, _ = await self.as_somebody("scheduler")
        heartbeats = await scheduler.subscribe("runtime.operator.heartbeat.>")
        await scheduler.flush()
        [port] = free_ports(1)
        self.fleet.host(port)
        return json.loads((await heartbeats.next_msg(WITHIN)).data)["id"], scheduler

    async def test_only_the_scheduler_starts_workloads(self):
        host, scheduler = await self.heard()
        subject = f"runtime.host.{host}"
        workload = {"namespace": "default", "name": "theirs", "witWorld": {"components": [], "hostInterfaces": []}}
        message = json.dumps({"workloadId": "theirs", "workload": workload}).encode()
        for name in ["caller", "worker", "host"]:
            with self.subTest(name):
                connection, refused = await self.as_somebody(name)
                await connection.publish(f"{subject}.workload.start", message)
                self.assertIn("permissions violation", await asyncio.wait_for(refused.get(), WITHIN))
        # The host answers in order: had one of them arrived, it would be there now.
        asked = await scheduler.request(f"{subject}.workload.status", b'{"workloadId": "theirs"}', timeout=WITHIN)
        self.assertEqual(json.loads(asked.data)["workloadStatus"]["workloadState"], "WORKLOAD_STATE_NOT_FOUND")

    async def test_nobody_reads_the_calls_and_answers_of_others(self):
        for name, subject in [
            ("caller", "gcf.>"),
            ("caller", "gcf.*.*"),
            ("caller", "_INBOX.>"),
            ("invoker", "_INBOX.caller.>"),
            ("scheduler", "gcf.>"),
            ("host", "gcf.>"),
        ]:
            with self.subTest(name=name, subject=subject):
                connection, refused = await self.as_somebody(name)
                await connection.subscribe(subject)
                self.assertIn("permissions violation", await asyncio.wait_for(refused.get(), WITHIN))

    async def test_who_may_only_invoke_publishes_nothing_else(self):
        for subject in ["gcf.connections.disconnect", "gcf.functions.connections.disconnect", "gcf.functions.list.a", "gcf.functions"]:
            with self.subTest(subject):
                connection, refused = await self.as_somebody("invoker")
                await connection.publish(subject, b"{}")
                self.assertIn("permissions violation", await asyncio.wait_for(refused.get(), WITHIN))

    async def test_a_certificate_that_names_nobody_is_not_let_in(self):
        with self.assertRaises(nats.errors.Error) as refused:
            await self.as_somebody("server", allow_reconnect=False)
        self.assertIn("authorization violation", str(refused.exception).lower())
