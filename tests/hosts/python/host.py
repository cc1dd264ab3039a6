"""A host for gcf-connector.wasm in Python: what a host grants, and how it calls.

    connector = Connector("gcf-connector.wasm", DictStore(), cache="/var/cache/my-app/gcf")
    connector.call("connections", "list")

It is meant to be read, and to be copied. This file holds the call itself; `egress.py` says where requests may go, and
`network.py` sends them; `compiled.py` keeps the machine code; `store.py` is the secret store, to be replaced by your own;
`values.py` turns component-model values into plain Python; `wasi.py` and `wasi_http.py` are the part of WASI that the
connector imports. Nothing else is granted, so nothing else can be reached.
"""

import json
import threading
import time

from wasmtime import Config, Engine, Store
from wasmtime.component import FuncType, Linker, ResourceType

import compiled
import wasi
import wasi_http
from egress import Policy
from network import Network
from values import Err, FieldError, Ok, Resources, decode, encode

PACKAGE, VERSION = "gcf:connector", "0.1.0"
MEMORY_BYTES = 128 * 1024 * 1024
# Around a whole call, compilation aside; the connector keeps its own, shorter deadlines.
CALL_SECONDS = 120
CALL_REQUESTS = 256
# Beyond the deadline that a caller gives. The connector ends at that by itself, but while something of it arrives.
GRACE_SECONDS = 2


class ConnectorError(Exception):
    """The connector's answer when a call fails; `error` is the WIT record as a dict."""

    def __init__(self, error):
        fix = f" ({error['fix']})" if error["fix"] else ""
        super().__init__(f"{error['kind']}: {error['message']}{fix}")
        self.error = error


class Limits:
    """The time and the requests that one call has left."""

    def __init__(self, seconds):
        self.ends, self.requests = time.monotonic() + seconds, CALL_REQUESTS

    def at_most(self, seconds):
        """So many seconds, or what is left, if that is less."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the call has taken all of its time")
        return max(0.0, min(seconds, left))

    def end_within(self, seconds):
        self.ends = min(self.ends, time.monotonic() + seconds)

    def take_request(self):
        if self.requests == 0:
            raise ConnectionError("the call has sent all of its requests")
        self.requests -= 1


class Connector:
    """The compiled component, for one call at a time: callers from several threads wait for each other.

    `cache` is a folder for its machine code, `egress` a manifest of yours within which its own holds. Each call runs in a
    fresh instance, which shares nothing with the last one but the store.
    """

    def __init__(self, path, store, network=None, *, cache=None, egress=None, seconds=CALL_SECONDS):
        config = Config()
        config.epoch_interruption = True
        self.engine = Engine(config)
        self.component, self.was_cached = compiled.load(self.engine, path, cache)
        self.seconds, self.network = seconds, network or Network()
        self.limits, self.exchanges = None, []
        self.lock, self.resources, self.linker = threading.Lock(), Resources(), Linker(self.engine)
        functions = {
            **wasi.FUNCTIONS,
            "wasi:http/outgoing-handler": wasi_http.outgoing_handler(lambda: self.policy, self._send),
            f"{PACKAGE}/secret-store": store.functions(),
        }
        waiting = wasi.waiting(lambda seconds: self.limits.at_most(seconds))
        functions["wasi:io/poll"] = {**functions["wasi:io/poll"], **waiting}
        self._link(functions)
        # Nothing is sent before the component has said where to.
        self.policy = Policy([])
        self.policy = Policy(json.loads(self.call("catalog", "describe"))["egress"], within=egress)

    def call(self, interface, function, *arguments):
        """Calls an export, and returns what `result` holds when it is good.

        Raises `ConnectorError` with the connector's own error; `FieldError` if an argument does not fit, before anything
        runs; and `TimeoutError` if the call does not end in time.
        """
        with self.lock:
            store = Store(self.engine)
            store.set_limits(memory_size=MEMORY_BYTES)
            store.set_epoch_deadline(1)
            self.limits = Limits(self.seconds)
            alarm = threading.Timer(self.seconds, self.engine.increment_epoch)
            alarm.daemon = True
            alarm.start()
            try:
                result = self._run(store, interface, function, arguments)
            except Exception as error:
                # Whatever the guest makes of its end.
                if time.monotonic() >= self.limits.ends:
                    raise TimeoutError(f"{interface}.{function} did not end in time") from error
                raise
            finally:
                alarm.cancel()
                # It may be at it just now, and would end the next call.
                alarm.join()
                for exchange in self.exchanges:
                    exchange.close()
                self.exchanges.clear()
                self.resources.clear()
        if isinstance(result, Err):
            raise ConnectorError(result.value)
        return result.value if isinstance(result, Ok) else result

    def _run(self, store, interface, function, arguments):
        instance = self.linker.instantiate(store, self.component)
        exports = instance.get_export_index(store, f"{PACKAGE}/{interface}@{VERSION}")
        index = exports and instance.get_export_index(store, function, exports)
        if index is None:
            raise FieldError(f"{interface}.{function}", "there is no such function")
        callee = instance.get_func(store, index)
        kind = callee.type(store)
        names = [name for name, _ in kind.params]
        if len(arguments) != len(names):
            raise FieldError(f"{interface}.{function}", f"takes {', '.join(names) or 'nothing'}")
        deadline_ms = dict(zip(names, arguments, strict=True)).get("deadline-ms")
        given = [
            encode(of, argument, self.resources, name)
            for (name, of), argument in zip(kind.params, arguments, strict=True)
        ]
        if deadline_ms is not None:
            self.limits.end_within(deadline_ms / 1000 + GRACE_SECONDS)
        return decode(store, kind.result, callee(store, *given), self.resources)

    def _send(self, request, timeouts):
        self.limits.take_request()
        exchange = self.network.send(request, timeouts, self.limits)
        self.exchanges.append(exchange)
        return exchange

    def imports(self):
        """The interfaces of which the component imports a function."""
        interfaces = self.component.type.imports(self.engine)
        return {
            name.split("@")[0]
            for name, interface in interfaces.items()
            if any(
                isinstance(item_type(extern), FuncType) for extern in item_type(interface).exports(self.engine).values()
            )
        }

    def _link(self, functions):
        """Defines exactly what the component imports, from the Python functions of the same names.

        What has no Python function stays undefined, and instantiation fails with its name.
        """
        imports = self.component.type.imports(self.engine)
        with self.linker.root() as root:
            for name, interface in imports.items():
                known = functions.get(name.split("@")[0], {})
                with root.add_instance(name) as instance:
                    for item, extern in item_type(interface).exports(self.engine).items():
                        kind = item_type(extern)
                        if isinstance(kind, ResourceType) and item in wasi.RESOURCES:
                            instance.add_resource(item, wasi.RESOURCES[item], self.resources.drop)
                        elif isinstance(kind, FuncType) and item in known:
                            instance.add_func(item, self._lifted(item, kind, known[item]))

    def _lifted(self, name, kind, function):
        """A Python function on plain values, as a component function."""
        params, result = [of for _, of in kind.params], kind.result

        def lifted(store, *arguments):
            plain = [
                decode(store, of, argument, self.resources) for of, argument in zip(params, arguments, strict=True)
            ]
            value = function(*plain)
            return None if result is None else encode(result, value, self.resources, name)

        return lifted


def item_type(item):
    """The type of an import or export: wasmtime 46 hands it out as it is, later ones inside something."""
    return getattr(item, "ty", item)
