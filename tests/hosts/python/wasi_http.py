"""`wasi:http`, as far as the connector imports it, over any function that sends a request."""

import http.client
import time
from dataclasses import dataclass, field, replace

from egress import Denied
from network import NotSent
from values import Err, Ok
from wasi import InputStream, OutputStream, Pollable, implements, resource

HTTP = "wasi:http/types"
# Timeouts that the guest does not set.
DEFAULT_SECONDS = 60
# What is kept of the body of a request until all of it is there. The connector sends no more than half of that.
MAX_BODY = 64 * 1024 * 1024


@resource("fields", "headers", "trailers")
@dataclass
class Fields:
    """Headers in their order, repeated ones included."""

    # Among them is the token.
    entries: list = field(default_factory=list, repr=False)

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

    def copy(self):
        return Fields(list(self.entries))


implements(HTTP, "[constructor]fields")(Fields)
implements(HTTP, "[static]fields.from-list")(lambda entries: Ok(Fields(list(entries))))
implements(HTTP, "[method]fields.get")(Fields.values)
implements(HTTP, "[method]fields.has")(lambda fields, name: bool(fields.values(name)))
implements(HTTP, "[method]fields.set")(Fields.set)
implements(HTTP, "[method]fields.append")(Fields.append)
implements(HTTP, "[method]fields.delete")(Fields.delete)
implements(HTTP, "[method]fields.entries")(lambda fields: list(fields.entries))
implements(HTTP, "[method]fields.clone")(Fields.copy)


@resource("outgoing-body")
class OutgoingBody:
    def __init__(self):
        self.data = bytearray()
        self.finished = False

    def write(self, data):
        if self.finished or len(self.data) + len(data) > MAX_BODY:
            return Err(("closed", None))
        self.data += data
        return Ok()


@resource("outgoing-request")
class OutgoingRequest:
    def __init__(self, headers):
        self.headers = headers
        self.body = OutgoingBody()
        self.method, self.scheme = ("get", None), ("HTTPS", None)
        self.authority = self.path_with_query = None


def sets(attribute):
    """A function that sets one part of a request, or one of its timeouts."""

    def set_part(thing, value):
        setattr(thing, attribute, value)
        return Ok()

    return set_part


@resource("request-options")
@dataclass
class RequestOptions:
    """Timeouts in nanoseconds. How long connecting may take is this host's to say: the connector does not."""

    first_byte: int | None = None
    between_bytes: int | None = None


implements(HTTP, "[constructor]outgoing-request")(OutgoingRequest)
implements(HTTP, "[method]outgoing-request.set-method")(sets("method"))
implements(HTTP, "[method]outgoing-request.set-scheme")(sets("scheme"))
implements(HTTP, "[method]outgoing-request.set-authority")(sets("authority"))
implements(HTTP, "[method]outgoing-request.set-path-with-query")(sets("path_with_query"))
implements(HTTP, "[method]outgoing-request.headers")(lambda request: request.headers.copy())
implements(HTTP, "[method]outgoing-request.body")(lambda request: Ok(request.body))
implements(HTTP, "[method]outgoing-body.write")(lambda body: Ok(OutputStream(body.write)))
implements(HTTP, "[constructor]request-options")(RequestOptions)
implements(HTTP, "[method]request-options.set-first-byte-timeout")(sets("first_byte"))
implements(HTTP, "[method]request-options.set-between-bytes-timeout")(sets("between_bytes"))


@implements(HTTP, "[static]outgoing-body.finish")
def finish_body(body, _trailers):
    body.finished = True
    return Ok()


@resource("incoming-body")
@dataclass
class IncomingBody:
    exchange: object


@resource("incoming-response")
@dataclass
class IncomingResponse:
    exchange: object


@resource("future-trailers")
class FutureTrailers:
    pass


implements(HTTP, "[method]incoming-response.status")(lambda response: response.exchange.status)
implements(HTTP, "[method]incoming-response.headers")(lambda response: Fields(list(response.exchange.headers)))
implements(HTTP, "[method]incoming-response.consume")(lambda response: Ok(IncomingBody(response.exchange)))
implements(HTTP, "[method]incoming-body.stream")(lambda body: Ok(InputStream(body.exchange.read)))
implements(HTTP, "[method]future-trailers.subscribe")(lambda _: Pollable())
implements(HTTP, "[method]future-trailers.get")(lambda _: Ok(Ok(None)))


@implements(HTTP, "[static]incoming-body.finish")
def finish_response(body):
    body.exchange.close()
    return FutureTrailers()


@dataclass(frozen=True)
class Request:
    """A request that has passed the policy: it goes to `host`, on port 443."""

    method: str
    host: str
    # Both of a function's own making may hold a credential, and the headers hold the token.
    path: str = field(repr=False)
    headers: tuple = field(repr=False)
    body: bytes = field(repr=False)


@dataclass
class Timeouts:
    """In seconds."""

    first_byte: float
    between_bytes: float


@resource("future-incoming-response")
class FutureResponse:
    """A response that is fetched when it is first asked for: that keeps this host free of threads."""

    def __init__(self, head, body, timeouts, send):
        self.head, self.body, self.timeouts, self.send = head, body, timeouts, send
        self.began = time.monotonic()

    def get(self):
        return Ok(self.fetch()) if self.body.finished else None

    def subscribe(self):
        return Pollable(is_ready=lambda: self.body.finished)

    def fetch(self):
        # It counts from when the guest handed the request over, as if it had been sent then.
        timeouts = replace(self.timeouts, first_byte=self.timeouts.first_byte - (time.monotonic() - self.began))
        try:
            return Ok(IncomingResponse(self.send(Request(*self.head, bytes(self.body.data)), timeouts)))
        except NotSent as error:
            return Err((error.code, {} if error.code == "DNS-error" else None))
        except TimeoutError:
            return Err(("connection-read-timeout", None))
        except OSError:
            return Err(("connection-terminated", None))
        except http.client.HTTPException:
            return Err(("HTTP-protocol-error", None))


implements(HTTP, "[method]future-incoming-response.get")(FutureResponse.get)
implements(HTTP, "[method]future-incoming-response.subscribe")(FutureResponse.subscribe)


def outgoing_handler(policy, send):
    """`wasi:http/outgoing-handler`: the one door out. The policy is asked before anything else happens."""

    def handle(request, options):
        case, other = request.method
        method = other or case.upper()
        scheme, path = (request.scheme[1] or request.scheme[0]).lower(), request.path_with_query or "/"
        # What is judged here is what is sent, whatever becomes of the guest's own meanwhile.
        headers = tuple(request.headers.entries)
        try:
            host = policy().check(method, scheme, request.authority, path, headers)
        except Denied:
            return Err(("HTTP-request-denied", None))
        given = options or RequestOptions()
        seconds = (given.first_byte, given.between_bytes)
        timeouts = Timeouts(*[DEFAULT_SECONDS if nanos is None else nanos / 1e9 for nanos in seconds])
        head = (method, host, path, headers)
        return Ok(FutureResponse(head, request.body, timeouts, send))

    return {"handle": handle}
