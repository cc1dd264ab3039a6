"""The way to the network: https with certificates checked, one request at a time, nothing added and nothing followed."""

import http.client
import ipaddress
import queue
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from time import monotonic
from urllib.parse import urlsplit

from egress import OF_THE_HOST

# DNS, TCP and TLS together. Nothing of Google's takes longer, and then works.
CONNECT_SECONDS = 10
# How many wait for the resolver at once, in all calls together.
QUESTIONS = 8
PIECE = 64 * 1024

GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Prohibited(OSError):
    """A name that leads to no public address, but to this machine or into somebody's own network."""


class NotSent(OSError):
    """A request of which nothing has left this machine. `code` is the case of `wasi:http/types.error-code`."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


# By the code, the connector tells what may be repeated, and says what to do. The first that fits counts.
CODES = [
    (Prohibited, "destination-IP-prohibited"),
    (socket.gaierror, "DNS-error"),
    (ConnectionRefusedError, "connection-refused"),
    (TimeoutError, "connection-timeout"),
    (ssl.SSLCertVerificationError, "TLS-certificate-error"),
    (ssl.SSLError, "TLS-protocol-error"),
    (OSError, "destination-unavailable"),
]


class Network:
    """Sends requests to the hosts that they are for.

    `context` says whose certificates are trusted; by default that is what this system trusts. The others are for tests:
    `instead`, the servers on loopback, http or https, that stand in for https origins, and with it no other origin is reached;
    and the system's resolver, its connections and its clock.
    """

    def __init__(self, context=None, instead=None, resolve=socket.getaddrinfo, dial=socket.create_connection, clock=monotonic):
        self.context = context or ssl.create_default_context()
        self.instead = instead
        self.resolve, self.dial, self.clock = resolve, dial, clock
        self._questions = threading.BoundedSemaphore(QUESTIONS)

    def send(self, request, timeouts, limits):
        """Returns an `Exchange` once the head of the response is there.

        `timeouts` has seconds for `first_byte`, connecting included, and for `between_bytes`; the `limits` of the call hold for
        both.
        """
        began = self.clock()
        try:
            sock = self._connect(request.host, limits.at_most(min(timeouts.first_byte, CONNECT_SECONDS)))
        except OSError as error:
            raise NotSent(next(code for kind, code in CODES if isinstance(error, kind))) from error
        try:
            with within(limits.at_most(timeouts.first_byte - (self.clock() - began)), sock):
                return Exchange(sock, request, lambda: limits.at_most(timeouts.between_bytes))
        except BaseException:
            sock.close()
            raise

    def _connect(self, host, seconds):
        """A connection to the host, encrypted: DNS, TCP and TLS together within so many seconds."""
        ends = self.clock() + seconds

        def rest():
            left = ends - self.clock()
            if left <= 0:
                raise TimeoutError("connecting takes too long")
            return left

        addresses, port, is_tls = self._addresses(host, rest)
        sock, failure = None, None
        for index, address in enumerate(addresses):
            # A share of what is left, so that one that is silent does not use up the time of those after it.
            share = rest() / (len(addresses) - index)
            try:
                sock = self.dial((address, port), timeout=share)
                break
            except OSError as error:
                failure = error
        if sock is None:
            raise failure
        if not is_tls:
            return sock
        try:
            # The socket of before is another one now, and the one to end.
            sock = self.context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
            with within(rest(), sock):
                sock.do_handshake()
        except BaseException:
            sock.close()
            raise
        return sock

    def _addresses(self, host, rest):
        """The addresses of a host that may be connected to, the port, and whether TLS is spoken there."""
        if self.instead is not None:
            server = urlsplit(self.instead.get(f"https://{host}", ""))
            if server.hostname != "127.0.0.1":
                raise Prohibited(f"nothing on loopback stands in for {host}")
            return [server.hostname], server.port, server.scheme == "https"
        found = [entry[4][0] for entry in self._resolved(host, rest)]
        public = [address for address in found if is_public(address)]
        if not public:
            raise Prohibited(f"{host} has no public address")
        return public, 443, True

    def _resolved(self, host, rest):
        """The answer of the system's resolver. It takes no limit: a thread waits for it, and is left behind if it is late."""
        answers = queue.SimpleQueue()
        # Those that were left behind wait on: without a bound, a resolver that never answers would fill the machine with them.
        if not self._questions.acquire(timeout=rest()):
            raise TimeoutError("the resolver has not answered those who asked before")

        def ask():
            try:
                answers.put((self.resolve(host, 443, type=socket.SOCK_STREAM), None))
            except Exception as error:
                answers.put((None, error))
            finally:
                self._questions.release()

        try:
            threading.Thread(target=ask, daemon=True).start()
        except BaseException:
            self._questions.release()
            raise
        try:
            found, error = answers.get(timeout=rest())
        except queue.Empty:
            raise TimeoutError("the resolver takes too long") from None
        if error:
            raise error
        return found


class Exchange:
    """One request that has been sent, and the response as it arrives."""

    def __init__(self, sock, request, patience):
        self._sock, self._patience = sock, patience
        connection = http.client.HTTPConnection(request.host)
        connection.sock = sock
        connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("host", request.host)
        # Whoever receives it takes the body to be as long as it is, whatever the guest has announced.
        if request.body or any(name.lower() == "content-length" for name, _ in request.headers):
            connection.putheader("content-length", str(len(request.body)))
        for name, value in request.headers:
            if name.lower() not in OF_THE_HOST:
                connection.putheader(name, value)
        connection.endheaders(request.body or None)
        self._response = connection.getresponse()
        self.status = self._response.status
        self.headers = [(name.lower(), value.encode("latin-1")) for name, value in self._response.getheaders()]

    def read(self, most):
        """The next piece of the body; nothing at its end."""
        if self._response.isclosed():
            return b""
        with within(self._patience(), self._sock):
            return self._response.read1(min(most, PIECE))

    def close(self):
        self._response.close()
        self._sock.close()


@contextmanager
def within(seconds, sock):
    """Ends what is read and written meanwhile after so many seconds, however slowly it still moves."""
    late = threading.Event()

    def end():
        late.set()
        with suppress(OSError):
            # Not that of an SSLSocket, which goes on without TLS.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    sock.settimeout(None)
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        if late.is_set():
            raise TimeoutError("the other side takes too long") from error
        raise
    finally:
        timer.cancel()
    if late.is_set():
        raise TimeoutError("the other side takes too long")


def is_public(address):
    """Tells whether an address is one of the public internet, also if it stands for one of IPv4."""
    address = ipaddress.ip_address(address)
    if address.version == 6:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None
        inner = inner or address.ipv4_mapped or address.sixtofour
        if not inner and address not in GLOBAL_UNICAST:
            return False
        address = inner or address
    return address.is_global and not address.is_multicast
