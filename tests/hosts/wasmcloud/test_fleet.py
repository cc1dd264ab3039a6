"""What a fleet is for: one store for all hosts; and who may do what in it."""

import asyncio
import json
import logging
import sys
import unittest

from fleet import EXAMPLE, KEY, SHUT, WITHIN, FakeGoogle, Fleet, free_ports

sys.path.insert(0, str(EXAMPLE))
import nats.errors  # noqa: E402
from scheduler import connect  # noqa: E402

# It warns at each end of a connection over TLS, of what its caller may not change.
logging.getLogger("asyncio").setLevel(logging.ERROR)


class FleetTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.google = cls.enterClassContext(FakeGoogle(json.loads(KEY)))
        cls.fleet = cls.enterClassContext(Fleet(cls.google))
        cls.scheduler = cls.fleet.schedule(cls.fleet.stand_in(), cls.fleet.connector(), cls.fleet.shut())
        for deployment, replicas in [("google", 2), ("gcf", 2), ("shut", 1)]:
            cls.scheduler.running(deployment, replicas)

    def connect(self, host=0):
        request = {"nickname": self.id(), "project": "demo-project", "credential": {"google-json": KEY}}
        return self.fleet.hosts[host].front().done("connections/connect", request)["connection"]["id"]

    def test_a_connection_made_on_one_host_is_there_on_the_other(self):
        connection = self.connect(host=0)
        front = self.fleet.hosts[1].front()
        self.assertEqual(len(front.done("functions/list", connection=connection)["functions"]), 3)
        front.done("connections/disconnect", connection=connection)
        status, error = self.fleet.hosts[0].front().call("functions/list", connection=connection)
        self.assertEqual((status, error["kind"]), (404, "connection-not-found"))

    def test_a_component_reaches_only_what_its_list_names(self):
        [host] = self.scheduler.running("shut", 1)
        sent = len(self.google.seen)
        request = {"nickname": self.id(), "project": "demo-project", "credential": {"google-json": KEY}}
        status, error = self.fleet.at(host).front(SHUT).call("connections/connect", request)
        self.assertEqual((error["kind"], error["origin"]), ("egress-denied", "host"), error)
        self.assertEqual(len(self.google.seen), sent)


class AccountsTest(unittest.IsolatedAsyncioTestCase):
    """Who may do what, by the example's nats.conf."""

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
        for name, subject in [("caller", "gcf.>"), ("caller", "_INBOX.>"), ("scheduler", "gcf.>"), ("host", "gcf.>")]:
            with self.subTest(name=name, subject=subject):
                connection, refused = await self.as_somebody(name)
                await connection.subscribe(subject)
                self.assertIn("permissions violation", await asyncio.wait_for(refused.get(), WITHIN))

    async def test_a_certificate_that_names_nobody_is_not_let_in(self):
        with self.assertRaises(nats.errors.Error) as refused:
            await self.as_somebody("server", allow_reconnect=False)
        self.assertIn("authorization violation", str(refused.exception).lower())
