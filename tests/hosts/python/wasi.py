"""The part of WASI 0.2 that the connector imports, written in Python; wasi_http.py has its HTTP.

Every function is registered under its name in the WIT. What is not here cannot be reached.
"""

import http.client
import secrets
import sys
import time
from dataclasses import dataclass

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
    """A stream that waits for its next piece when it is read; an empty one ends it."""

    next_piece: object

    def read(self, length):
        try:
            piece = self.next_piece(length)
        except (OSError, http.client.HTTPException) as error:
            return Err(("last-operation-failed", IoError(str(error))))
        return Ok(piece) if piece or not length else Err(("closed", None))


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


def waiting(at_most):
    """The functions that wait: no longer than `at_most` lets them, which raises when the call is over."""

    def poll(pollables):
        while True:
            if ready := [index for index, pollable in enumerate(pollables) if pollable.ready()]:
                return ready
            timers = [pollable.at for pollable in pollables if pollable.at is not None]
            if not timers:
                raise RuntimeError("the guest waits for something that cannot happen")
            time.sleep(at_most(max(0.0, min(timers) - time.monotonic())))

    return {"poll": poll, "[method]pollable.block": lambda pollable: poll([pollable])}


@implements("wasi:io/streams", "[method]output-stream.write")
@implements("wasi:io/streams", "[method]output-stream.blocking-write-and-flush")
def write(stream, data):
    return stream.write(data)


# ---------------------------------------------------------------- wasi:clocks, wasi:random, wasi:cli

CLOCK = "wasi:clocks/monotonic-clock"
implements(CLOCK, "now")(time.monotonic_ns)
implements(CLOCK, "resolution")(lambda: 1)
implements(CLOCK, "subscribe-instant")(lambda when: Pollable(at=when / 1e9))
implements(CLOCK, "subscribe-duration")(lambda nanos: Pollable(at=time.monotonic() + nanos / 1e9))
implements("wasi:clocks/wall-clock", "resolution")(lambda: {"seconds": 0, "nanoseconds": 1})
implements("wasi:random/random", "get-random-bytes")(secrets.token_bytes)
implements("wasi:random/random", "get-random-u64")(lambda: secrets.randbits(64))


@implements("wasi:cli/stderr", "get-stderr")
def get_stderr():
    """A panic of the guest is printed here, and nothing else."""

    def write(data):
        sys.stderr.buffer.write(data)
        return Ok()

    return OutputStream(write)


@implements("wasi:clocks/wall-clock", "now")
def wall_clock():
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return {"seconds": seconds, "nanoseconds": nanoseconds}
