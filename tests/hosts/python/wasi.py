"""The part of WASI 0.2 that the connector imports, written in Python: one request at a time.

Every function is registered under its name in the WIT. What is not here cannot be reached.
"""

import http.client
import secrets
import sys
import time
from dataclasses import dataclass, field

from wasmtime.component import ResourceType

from values import Err, Ok

# WIT interface, without its version -> name of the function in it -> Python function.
FUNCTIONS = {}
# Name of a resource -> its type. Interfaces that `use` a resource may know it by another name.
RESOURCES = {}


def implements(interface, name):
    """Registers a function as an import of the guest."""

    def register(function):
        FUNCTIONS.setdefault(interface, {})[name] = function
        return function

    return register


def resource(*names):
    """Registers a class as a resource of the guest."""

    def register(cls):
        cls.resource_id = len(RESOURCES) + 1
        RESOURCES.update(dict.fromkeys(names, ResourceType.host(cls.resource_id)))
        return cls

    return register


# ---------------------------------------------------------------- wasi:io


@resource("error", "io-error")
@dataclass
class IoError:
    message: str


@resource("pollable")
@dataclass
class Pollable:
    """Ready at a time of the monotonic clock, or when something else says so."""

    at: float | None = None
    is_ready: object = lambda: True

    def ready(self):
        return self.is_ready() if self.at is None else time.monotonic() >= self.at


@resource("input-stream")
@dataclass
class InputStream:
    data: bytes

    def read(self, length):
        if not self.data:
            return Err(("closed", None))
        chunk, self.data = self.data[:length], self.data[length:]
        return Ok(chunk)


@resource("output-stream")
@dataclass
class OutputStream:
    write: object


implements("wasi:io/error", "[method]error.to-debug-string")(lambda error: error.message)
implements("wasi:io/poll", "[method]pollable.ready")(Pollable.ready)
implements("wasi:io/streams", "[method]input-stream.read")(InputStream.read)
implements("wasi:io/streams", "[method]input-stream.blocking-read")(InputStream.read)
implements("wasi:io/streams", "[method]input-stream.subscribe")(lambda _: Pollable())
implements("wasi:io/streams", "[method]output-stream.check-write")(lambda _: Ok(1 << 20))
implements("wasi:io/streams", "[method]output-stream.flush")(lambda _: Ok())
implements("wasi:io/streams", "[method]output-stream.blocking-flush")(lambda _: Ok())
implements("wasi:io/streams", "[method]output-stream.subscribe")(lambda _: Pollable())


@implements("wasi:io/poll", "poll")
def poll(pollables):
    while True:
        if ready := [index for index, pollable in enumerate(pollables) if pollable.ready()]:
            return ready
        timers = [pollable.at for pollable in pollables if pollable.at is not None]
        if not timers:
            raise RuntimeError("the guest waits for something that cannot happen")
        time.sleep(max(0.0, min(timers) - time.monotonic()))


@implements("wasi:io/poll", "[method]pollable.block")
def block(pollable):
    poll([pollable])


@implements("wasi:io/streams", "[method]output-stream.write")
@implements("wasi:io/streams", "[method]output-stream.blocking-write-and-flush")
def write(stream, data):
    stream.write(data)
    return Ok()


# ---------------------------------------------------------------- wasi:clocks, wasi:random, wasi:cli

CLOCK = "wasi:clocks/monotonic-clock"
implements(CLOCK, "now")(time.monotonic_ns)
implements(CLOCK, "resolution")(lambda: 1)
implements(CLOCK, "subscribe-instant")(lambda when: Pollable(at=when / 1e9))
implements(CLOCK, "subscribe-duration")(lambda nanos: Pollable(at=time.monotonic() + nanos / 1e9))
implements("wasi:clocks/wall-clock", "resolution")(lambda: {"seconds": 0, "nanoseconds": 1})
implements("wasi:random/random", "get-random-bytes")(secrets.token_bytes)
implements("wasi:random/random", "get-random-u64")(lambda: secrets.randbits(64))
# A panic of the guest is printed here, and nothing else.
implements("wasi:cli/stderr", "get-stderr")(lambda: OutputStream(sys.stderr.buffer.write))


@implements("wasi:clocks/wall-clock", "now")
def wall_clock():
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return {"seconds": seconds, "nanoseconds": nanoseconds}


# ---------------------------------------------------------------- wasi:http

HTTP = "wasi:http/types"


@resource("fields", "headers", "trailers")
@dataclass
class Fields:
    """Headers in their order, repeated ones included."""

    entries: list = field(default_factory=list)

    def values(self, name):
        return [value for key, value in self.entries if key.lower() == name.lower()]

    def delete(self, name):
        self.entries = [entry for entry in self.entries if entry[0].lower() != name.lower()]
        return Ok()

    def set(self, name, values):
        self.delete(name)
        self.entries += [(name, value) for value in values]
        return Ok()

    def append(self, name, value):
        self.entries.append((name, value))
        return Ok()


implements(HTTP, "[constructor]fields")(Fields)
implements(HTTP, "[static]fields.from-list")(lambda entries: Ok(Fields(list(entries))))
implements(HTTP, "[method]fields.get")(Fields.values)
implements(HTTP, "[method]fields.has")(lambda fields, name: bool(fields.values(name)))
implements(HTTP, "[method]fields.set")(Fields.set)
implements(HTTP, "[method]fields.append")(Fields.append)
implements(HTTP, "[method]fields.delete")(Fields.delete)
implements(HTTP, "[method]fields.entries")(lambda fields: list(fields.entries))
implements(HTTP, "[method]fields.clone")(lambda fields: Fields(list(fields.entries)))


@resource("outgoing-body")
class OutgoingBody:
    def __init__(self):
        self.data = bytearray()
        self.finished = False


@resource("outgoing-request")
class OutgoingRequest:
    def __init__(self, headers):
        self.headers = headers
        self.body = OutgoingBody()
        self.method, self.scheme = ("get", None), ("HTTPS", None)
        self.authority = self.path_with_query = None

    def method_name(self):
        case, other = self.method
        return other or case.upper()

    def url(self):
        return f"{self.origin()}{self.path_with_query or '/'}"

    def origin(self):
        case, other = self.scheme
        return f"{other or case.lower()}://{self.authority}"


def sets(attribute):
    """A function that sets one part of a request."""

    def set_part(request, value):
        setattr(request, attribute, value)
        return Ok()

    return set_part


@resource("request-options")
class RequestOptions:
    def __init__(self):
        self.seconds = None

    def set_first_byte(self, nanos):
        self.seconds = None if nanos is None else nanos / 1e9
        return Ok()


implements(HTTP, "[constructor]outgoing-request")(OutgoingRequest)
implements(HTTP, "[method]outgoing-request.set-method")(sets("method"))
implements(HTTP, "[method]outgoing-request.set-scheme")(sets("scheme"))
implements(HTTP, "[method]outgoing-request.set-authority")(sets("authority"))
implements(HTTP, "[method]outgoing-request.set-path-with-query")(sets("path_with_query"))
implements(HTTP, "[method]outgoing-request.headers")(lambda request: request.headers)
implements(HTTP, "[method]outgoing-request.body")(lambda request: Ok(request.body))
implements(HTTP, "[method]outgoing-body.write")(lambda body: Ok(OutputStream(body.data.extend)))
implements(HTTP, "[constructor]request-options")(RequestOptions)
implements(HTTP, "[method]request-options.set-first-byte-timeout")(RequestOptions.set_first_byte)
implements(HTTP, "[method]request-options.set-between-bytes-timeout")(lambda _, nanos: Ok())


@implements(HTTP, "[static]outgoing-body.finish")
def finish_body(body, _trailers):
    body.finished = True
    return Ok()


@resource("incoming-body")
@dataclass
class IncomingBody:
    data: bytes


@resource("incoming-response")
@dataclass
class IncomingResponse:
    status: int
    headers: list
    body: bytes


@resource("future-trailers")
class FutureTrailers:
    pass


implements(HTTP, "[method]incoming-response.status")(lambda response: response.status)
implements(HTTP, "[method]incoming-response.headers")(lambda response: Fields(response.headers))
implements(HTTP, "[method]incoming-response.consume")(lambda response: Ok(IncomingBody(response.body)))
implements(HTTP, "[method]incoming-body.stream")(lambda body: Ok(InputStream(body.data)))
implements(HTTP, "[static]incoming-body.finish")(lambda _: FutureTrailers())
implements(HTTP, "[method]future-trailers.subscribe")(lambda _: Pollable())
implements(HTTP, "[method]future-trailers.get")(lambda _: Ok(Ok(None)))


@resource("future-incoming-response")
class FutureResponse:
    """A response that is fetched when it is first asked for: that keeps this host free of threads."""

    def __init__(self, request, seconds, send):
        self.request, self.seconds, self.send = request, seconds, send

    def get(self):
        if not self.request.body.finished:
            return None
        return Ok(self.fetch())

    def fetch(self):
        request = self.request
        try:
            status, headers, body = self.send(
                request.method_name(),
                request.url(),
                request.headers.entries,
                bytes(request.body.data),
                self.seconds,
            )
            return Ok(IncomingResponse(status, headers, body))
        except TimeoutError:
            return Err(("connection-read-timeout", None))
        except ConnectionRefusedError:
            return Err(("connection-refused", None))
        except http.client.HTTPException:
            return Err(("HTTP-protocol-error", None))
        except OSError:
            return Err(("connection-terminated", None))

    def subscribe(self):
        return Pollable(is_ready=lambda: self.request.body.finished)


implements(HTTP, "[method]future-incoming-response.get")(FutureResponse.get)
implements(HTTP, "[method]future-incoming-response.subscribe")(FutureResponse.subscribe)


def outgoing_handler(send, allows):
    """`wasi:http/outgoing-handler`: the one door out. `allows` is asked before anything is sent."""

    def handle(request, options):
        if not allows(request.origin()):
            return Err(("HTTP-request-denied", None))
        return Ok(FutureResponse(request, options.seconds if options else None, send))

    return {"handle": handle}
