"""A host for gcf-connector.wasm in Python: what a host grants, and how it calls.

    connector = Connector("gcf-connector.wasm", DictStore(), Loopback({"https://…": "http://127.0.0.1:8080"}))
    connector.call("connections", "list")

It is meant to be read. `values.py` turns component-model values into plain Python, `wasi.py` is the
part of WASI that the connector imports, and this file holds the rest: the secret store, the way to
the network, and the call itself. Nothing else is granted, so nothing else can be reached.
"""

import http.client
import threading
from urllib.parse import urlsplit

from wasmtime import Config, Engine, Store
from wasmtime.component import Component, FuncType, Linker, ResourceType

import wasi
from values import Err, Ok, Resources, decode, encode

PACKAGE, VERSION = "gcf:connector", "0.1.0"
MEMORY_BYTES = 128 * 1024 * 1024
# Around a whole call, compilation aside; the connector keeps its own, shorter deadlines.
CALL_SECONDS = 120


class ConnectorError(Exception):
    """What the connector answers when a call fails; `error` is the WIT record as a dict."""

    def __init__(self, error):
        fix = f" ({error['fix']})" if error["fix"] else ""
        super().__init__(f"{error['kind']}: {error['message']}{fix}")
        self.error = error


class Connector:
    """The compiled component, for one call at a time.

    Each call runs in a fresh instance, which shares nothing with the last one.
    """

    def __init__(self, path, store, network):
        config = Config()
        config.epoch_interruption = True
        self.engine = Engine(config)
        self.component = Component.from_file(self.engine, path)
        self.resources = Resources()
        self.linker = Linker(self.engine)
        self._link(
            {
                **wasi.FUNCTIONS,
                "wasi:http/outgoing-handler": wasi.outgoing_handler(network.send, network.allows),
                f"{PACKAGE}/secret-store": store.functions(),
            }
        )

    def call(self, interface, function, *arguments):
        """Calls an export. Returns what `result` holds when it is good, and raises `ConnectorError` otherwise."""
        store = Store(self.engine)
        store.set_limits(memory_size=MEMORY_BYTES)
        store.set_epoch_deadline(1)
        alarm = threading.Timer(CALL_SECONDS, self.engine.increment_epoch)
        alarm.start()
        try:
            instance = self.linker.instantiate(store, self.component)
            exports = instance.get_export_index(store, f"{PACKAGE}/{interface}@{VERSION}")
            callee = instance.get_func(store, instance.get_export_index(store, function, exports))
            kind = callee.type(store)
            raw = callee(
                store,
                *[
                    encode(of, argument, self.resources)
                    for (_, of), argument in zip(kind.params, arguments, strict=True)
                ],
            )
            result = decode(store, kind.result, raw, self.resources)
        finally:
            alarm.cancel()
            self.resources.clear()
        if isinstance(result, Err):
            raise ConnectorError(result.value)
        return result.value if isinstance(result, Ok) else result

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
                            instance.add_func(item, self._lifted(kind, known[item]))

    def _lifted(self, kind, function):
        """A Python function on plain values, as a component function."""
        params, result = [of for _, of in kind.params], kind.result

        def lifted(store, *arguments):
            plain = [
                decode(store, of, argument, self.resources) for of, argument in zip(params, arguments, strict=True)
            ]
            value = function(*plain)
            return None if result is None else encode(result, value, self.resources)

        return lifted


def item_type(item):
    """The type of an import or export: wasmtime 46 hands it out as it is, later ones inside something."""
    return getattr(item, "ty", item)


class DictStore:
    """The secret store: a dict. A real one would be encrypted, and outlive the process."""

    def __init__(self):
        self.entries = {}
        self.writes = 0

    def functions(self):
        """`gcf:connector/secret-store`."""
        return {
            "get": self.get,
            "put": self.put,
            "delete": self.delete,
            "keys": lambda prefix: Ok(sorted(key for key in self.entries if key.startswith(prefix))),
            # One call at a time, so nobody else can hold a lease.
            "acquire-lease": lambda _name, _ttl_ms: Ok(("granted", "")),
            "release-lease": lambda _name, _token: Ok(),
            # The connector then reads the key, and signs inside the sandbox.
            "sign": lambda _key, _algorithm, _message: Err(("unsupported", None)),
        }

    def get(self, key):
        return Ok(self.entries.get(key))

    def put(self, key, value, expected):
        if not self._holds(key, expected):
            return Err(("version-mismatch", None))
        self.writes += 1
        self.entries[key] = {"value": value, "version": str(self.writes)}
        return Ok(str(self.writes))

    def delete(self, key, expected):
        if not self._holds(key, expected):
            return Err(("version-mismatch", None))
        self.entries.pop(key, None)
        return Ok()

    def _holds(self, key, expected):
        entry = self.entries.get(key)
        match expected:
            case ("anything", _):
                return True
            case ("absent", _):
                return entry is None
            case ("version", version):
                return entry is not None and entry["version"] == version


class Loopback:
    """Sends what is meant for an https origin to a server on this machine instead, and knows no other."""

    def __init__(self, servers):
        self.servers = servers

    def allows(self, origin):
        return origin in self.servers

    def send(self, method, url, headers, body, seconds):
        """One request: no redirect is followed, nothing is repeated, no credential is added."""
        url = urlsplit(url)
        server = urlsplit(self.servers[f"{url.scheme}://{url.netloc}"])
        connection = http.client.HTTPConnection(server.hostname, server.port, timeout=seconds)
        try:
            target = url.path + (f"?{url.query}" if url.query else "")
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            connection.putheader("host", url.netloc)
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            received = [(name.lower(), value.encode("latin-1")) for name, value in response.getheaders()]
            return response.status, received, response.read()
        finally:
            connection.close()
