"""The example's scheduler, and what hosts say to it: with hosts that are none, and a clock that moves as they are asked."""

import contextlib
import io
import json
import sys
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[3] / "examples/fleet"))
import nats.errors  # noqa: E402
import scheduler  # noqa: E402
from manifest import Workload  # noqa: E402


class Hosts:
    """NATS with hosts behind it: `states` has the state of each workload on each, and `asked` what they were asked."""

    def __init__(self, clock):
        self.clock, self.states, self.asked = clock, {}, []
        self.on_stop, self.silent = (lambda host, id: self.states[host].pop(id, None)), set()
        self.refused, self.on_refusal = nats.errors.TimeoutError, lambda: None

    async def request(self, subject, data, timeout):
        _, _, host, _, command = subject.split(".")
        said = json.loads(data)
        self.asked.append((host, command, said["workloadId"]))
        self.clock.now += 1
        if host in self.silent:
            self.on_refusal()
            raise self.refused
        if command == "stop":
            self.on_stop(host, said["workloadId"])
        state = self.states[host].get(said["workloadId"], "NOT_FOUND")
        if command == "start":
            state = self.states[host][said["workloadId"]] = "RUNNING"
        answer = {"workloadStatus": {"workloadState": f"WORKLOAD_STATE_{state}"}}
        return SimpleNamespace(data=json.dumps(answer).encode())


class SchedulerTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.clock = SimpleNamespace(now=0, monotonic=lambda: self.clock.now)
        self.enterContext(mock.patch.multiple(scheduler, time=self.clock, PAUSE=0))
        self.said = self.enterContext(contextlib.redirect_stdout(io.StringIO()))

    async def asyncSetUp(self):
        self.hosts = Hosts(self.clock)
        ids = frozenset({"gcf-0", "gcf-1"})
        self.scheduler = scheduler.Scheduler(self.hosts, [Workload(id, {}, ids) for id in sorted(ids)])

    async def heard(self, **states):
        self.hosts.states = states
        for host in states:
            message = SimpleNamespace(data=json.dumps({"id": host}).encode())
            await self.scheduler.on_heartbeat(message)

    def events(self, event):
        said = [json.loads(line) for line in self.said.getvalue().splitlines()]
        return [{name: value for name, value in each.items() if name != "event"} for each in said if each["event"] == event]

    def started(self):
        return [(host, id) for host, command, id in self.hosts.asked if command == "start"]

    async def look_and_start(self):
        await self.scheduler.look_at_all()
        self.scheduler.start_what_is_missing()
        while self.scheduler.starting:
            await next(task for _, task in self.scheduler.starting.values())

    async def test_what_already_runs_is_taken_over_at_the_first_look(self):
        await self.heard(a={"gcf-0": "RUNNING"}, b={})
        await self.look_and_start()
        self.assertEqual(self.started(), [("b", "gcf-1")])
        self.assertIn({"host": "a", "http_port": None, "runs": ["gcf-0"]}, self.events("host"))

    async def test_what_is_found_running_later_is_taken_over_and_not_started_again(self):
        await self.heard(a={}, b={})
        await self.scheduler.look_at_all()
        # A start of before came through after all.
        self.hosts.states["b"]["gcf-0"] = "RUNNING"
        await self.look_and_start()
        self.assertEqual(self.events("adopted"), [{"workload": "gcf-0", "host": "b"}])
        self.assertEqual(self.started(), [("a", "gcf-1")])
        await self.look_and_start()
        self.assertEqual((len(self.events("adopted")), len(self.started())), (1, 1))

    async def test_what_is_being_started_is_not_taken_over_from_itself(self):
        await self.heard(a={})
        await self.scheduler.look_at_all()
        self.scheduler.starting["gcf-0"] = "a", None
        self.hosts.states["a"]["gcf-0"] = "RUNNING"
        await self.scheduler.look_at_all()
        self.assertEqual(self.events("adopted"), [])

    async def test_what_has_ended_is_started_again(self):
        await self.heard(a={"gcf-0": "RUNNING"}, b={"gcf-1": "RUNNING"})
        await self.look_and_start()
        del self.hosts.states["a"]["gcf-0"]
        await self.look_and_start()
        self.assertEqual(self.events("ended"), [{"workload": "gcf-0", "host": "a"}])
        self.assertEqual(self.started(), [("a", "gcf-0")])

    async def test_stopping_waits_until_all_has_ended(self):
        await self.heard(a={"gcf-0": "RUNNING"}, b={"gcf-1": "STARTING"})
        times = {}

        def slowly(host, id):
            times[id] = times.get(id, 0) + 1
            if times[id] == 1:
                # It may have heard that, or not.
                raise nats.errors.TimeoutError
            self.hosts.states[host][id] = "STOPPING"
            if times[id] == 3:
                del self.hosts.states[host][id]

        self.hosts.on_stop = slowly
        self.assertTrue(await self.scheduler.stop())
        self.assertEqual((times, self.hosts.states), ({"gcf-0": 3, "gcf-1": 3}, {"a": {}, "b": {}}))
        self.assertEqual({each["workload"] for each in self.events("ended")}, {"gcf-0", "gcf-1"})

    async def test_stopping_does_not_wait_for_ever(self):
        await self.heard(a={"gcf-0": "RUNNING"})
        self.hosts.on_stop = lambda *_: None
        self.assertFalse(await self.scheduler.stop())
        self.assertEqual(self.events("left"), [{"workloads": [["a", "gcf-0"]], "unanswered": []}])
        self.assertGreaterEqual(self.clock.now, scheduler.STOP_TIMEOUT)
        self.assertLess(self.clock.now, 2 * scheduler.STOP_TIMEOUT)

    async def test_a_host_that_does_not_answer_is_not_taken_for_an_empty_one(self):
        # Long enough for it to be given up meanwhile.
        self.assertLess(scheduler.SILENCE, scheduler.STOP_TIMEOUT)
        for refused in [nats.errors.TimeoutError, nats.errors.NoRespondersError]:
            with self.subTest(refused.__name__):
                await self.asyncSetUp()
                await self.heard(a={}, b={"gcf-1": "RUNNING"})
                self.hosts.silent, self.hosts.refused = {"b"}, refused
                self.assertFalse(await self.scheduler.stop())
                self.assertEqual(self.events("left")[-1], {"workloads": [], "unanswered": ["b"]})

    async def test_a_host_that_is_lost_while_it_stops_is_not_taken_for_an_empty_one(self):
        await self.heard(a={}, b={"gcf-1": "RUNNING"})
        self.hosts.refused = nats.errors.NoRespondersError
        self.hosts.on_stop = lambda host, id: self.hosts.silent.add(host)
        self.assertFalse(await self.scheduler.stop())
        self.assertEqual(self.events("gone"), [{"host": "b", "ran": ["gcf-1"]}])
        self.assertEqual(self.events("left"), [{"workloads": [], "unanswered": ["b"]}])

    async def test_a_host_that_answers_again_is_stopped(self):
        await self.heard(b={"gcf-1": "RUNNING"})
        await self.scheduler.look_at_all()
        self.hosts.refused, self.hosts.silent = nats.errors.NoRespondersError, {"b"}
        self.hosts.on_refusal = self.hosts.silent.clear
        self.assertTrue(await self.scheduler.stop())
        self.assertEqual(len(self.events("gone")), 1)
        self.assertEqual(self.hosts.states, {"b": {}})
