"""The secret store of wit/secret-store.wit: a dict. A real one is encrypted, and outlives the process."""

from values import Err, Ok


class DictStore:
    """Keys to values with their versions."""

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
