"""The time that connecting takes: DNS, TCP and TLS together, with fakes of the system's, and a clock that moves by itself."""

import socket
import threading
import unittest
from unittest import mock

import network
from host import Limits
from network import CONNECT_SECONDS, Network, NotSent
from wasi_http import Request, Timeouts

HOST = "run.googleapis.com"
# Of Google's own: addresses that are public.
FIRST, SECOND, THIRD = "142.250.74.10", "142.250.74.42", "2a00:1450:4001:810::200a"


class ConnectingTest(unittest.TestCase):
    def setUp(self):
        self.now, self.addresses, self.slow, self.dialled = 0.0, [FIRST], {}, []
        self.resolve = lambda *_, **__: [(None, None, None, None, (address, 443)) for address in self.addresses]

    def clock(self):
        return self.now

    def dial(self, address, timeout):
        """Takes as long as `slow` has it, or until the end of the time; nobody is there who has no such time."""
        self.dialled.append((address[0], timeout))
        if address[0] not in self.slow:
            raise ConnectionRefusedError
        took = self.slow[address[0]]
        self.now += min(took, timeout)
        if took > timeout:
            raise TimeoutError
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        # A handshake with it ends at once, and badly.
        theirs.close()
        return ours

    def code(self, first_byte=60, net=None):
        net = net or Network(resolve=self.resolve, dial=self.dial, clock=self.clock)
        with self.assertRaises(NotSent) as caught:
            net.send(Request("GET", HOST, "/v2", (), b""), Timeouts(first_byte, 60), Limits(60))
        return caught.exception.code

    def test_each_address_has_its_share_of_what_is_left(self):
        self.addresses = [FIRST, SECOND, THIRD]
        # Who refuses at once leaves its share to the others; who is silent does not use up theirs.
        self.slow = {SECOND: 100}
        self.assertEqual(self.code(), "connection-refused")
        self.assertEqual(self.dialled, [(FIRST, CONNECT_SECONDS / 3), (SECOND, CONNECT_SECONDS / 2), (THIRD, CONNECT_SECONDS / 2)])

    def test_the_handshake_has_what_is_left(self):
        self.slow = {FIRST: CONNECT_SECONDS - 1}
        with mock.patch.object(network, "within", side_effect=TimeoutError) as within:
            self.assertEqual(self.code(), "connection-timeout")
        self.assertEqual(within.call_args.args[0], 1)

    def test_nothing_begins_when_the_time_is_over(self):
        def resolve(*_, **__):
            self.now += CONNECT_SECONDS
            return [(None, None, None, None, (FIRST, 443))]

        self.resolve = resolve
        self.assertEqual((self.code(), self.dialled), ("connection-timeout", []))

    def test_no_handshake_begins_when_the_time_is_over(self):
        self.slow = {FIRST: CONNECT_SECONDS}
        with mock.patch.object(network, "within") as within:
            self.assertEqual(self.code(), "connection-timeout")
        within.assert_not_called()

    def test_a_resolver_that_does_not_answer_is_left_behind(self):
        ended = threading.Event()
        self.addCleanup(ended.set)

        def resolve(*_, **__):
            ended.wait(10)
            raise socket.gaierror("the test is over")

        self.resolve = resolve
        self.assertEqual(self.code(first_byte=0.01), "connection-timeout")

    def test_a_resolver_that_never_answers_has_eight_threads_at_most(self):
        asked, begun, ended = [], threading.Semaphore(0), threading.Event()
        net = Network(dial=self.dial, clock=self.clock)
        self.addCleanup(ended.set)

        def resolve(*_, **__):
            asked.append(threading.current_thread())
            begun.release()
            ended.wait(10)
            return [(None, None, None, None, (FIRST, 443))]

        net.resolve = resolve
        self.assertEqual([self.code(0.01, net) for _ in range(20)], 20 * ["connection-timeout"])
        self.assertTrue(all(begun.acquire(timeout=10) for _ in range(8)))
        self.assertEqual(len(asked), 8)
        # Who has been answered leaves its place to others.
        ended.set()
        for thread in asked[:]:
            thread.join()
        self.assertEqual(self.code(net=net), "connection-refused")
        self.assertEqual(len(asked), 9)

    def test_what_the_resolver_says_is_told(self):
        def resolve(*_, **__):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")

        self.resolve = resolve
        self.assertEqual(self.code(), "DNS-error")
        self.resolve = lambda *_, **__: [(None, None, None, None, ("10.0.0.1", 443))]
        self.assertEqual((self.code(), self.dialled), ("destination-IP-prohibited", []))
