"""The component as machine code, kept on disk, so that only the first start compiles it.

What is kept will be run, with the rights of this process. So it is read only where nobody but this user can have put it, and
only if it is whole; otherwise it is made anew.
"""

import hashlib
import os
import platform
import stat
import tempfile
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from wasmtime import WasmtimeError
from wasmtime.component import Component


def load(engine, path, folder=None):
    """The component in the file `path`, and whether it came out of `folder`."""
    wasm = Path(path).read_bytes()
    if folder is None:
        return Component(engine, wasm), False
    folder = Path(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # What the engine was set to is not in the name: wasmtime compares that itself, with the processor and its version.
    digest = hashlib.sha256(wasm).hexdigest()
    entry = folder / f"{digest}-{version('wasmtime')}-{platform.machine()}.cwasm"
    code = _read(entry)
    if code is not None:
        with suppress(WasmtimeError):
            return Component.deserialize(engine, code), True
    component = Component(engine, wasm)
    if _is_private(folder, stat.S_ISDIR):
        _write(entry, bytes(component.serialize()))
    return component, False


def _read(entry):
    """The code in an entry, unless somebody else can have written it, or it is damaged."""
    if not (_is_private(entry.parent, stat.S_ISDIR) and _is_private(entry, stat.S_ISREG)):
        return None
    digest, _, code = entry.read_bytes().partition(b"\n")
    return code if hashlib.sha256(code).hexdigest().encode() == digest else None


def _is_private(path, is_kind):
    """Tells whether `path` is there, no link, ours, and nobody else's to write to."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return is_kind(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022


def _write(entry, code):
    # Made with mode 0600 under another name, so that nobody reads half of it.
    handle, name = tempfile.mkstemp(dir=entry.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(hashlib.sha256(code).hexdigest().encode() + b"\n" + code)
    os.replace(name, entry)
