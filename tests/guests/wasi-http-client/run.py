"""Runs the probe of docs/decisions/0001 in wasmtime against a server on loopback, and prints what happens.

    cargo build --release --target wasm32-wasip2
    python run.py target/wasm32-wasip2/release/wasi-http-client-probe.wasm

Needs the package wasmtime, 46 or newer. Exits with 1 if a result is not the recorded one.
"""

import multiprocessing
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from wasmtime import Config, Engine, Store, WasiConfig, WasmtimeError
from wasmtime.component import Component, Linker

# A guest that has not ended by then waits for something that never comes.
PATIENCE_S = 10

# Arguments (URL goes in second), and what is expected: the beginning of the result, the bytes received.
CASES = [
    (["post", "/", "0"], "status 200", 0),
    (["post", "/", "4096"], "status 200", 4096),
    (["post", "/", "4097"], "trap", None),
    (["pieces", "/", "4096"], "status 200", 4096),
    (["pieces", "/", "8192"], "hangs", None),
    (["get", "/two-cookies"], 'status 200, set-cookie Some("b=2")', 0),
    (["get", "/latin-1"], "error: incomplete utf-8 byte sequence", 0),
]


class Received(BaseHTTPRequestHandler):
    """Counts the bytes of a request body, chunked or not."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        if "chunked" in self.headers.get("transfer-encoding", ""):
            size = 0
            while chunk := int(self.rfile.readline(), 16):
                size += len(self.rfile.read(chunk))
                self.rfile.readline()
            self.rfile.readline()
        else:
            size = len(self.rfile.read(int(self.headers.get("content-length", 0))))
        self.server.received.append(size)
        self.send_response(200)
        if self.path == "/two-cookies":
            self.send_header("set-cookie", "a=1")
            self.send_header("set-cookie", "b=2")
        if self.path == "/latin-1":
            self.send_header("x-name", "caf\u00e9")
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_):
        pass


def guest(path, arguments, outcome):
    """In a process of its own, for a guest that hangs cannot be stopped from its own thread."""
    engine = Engine(Config())
    linker = Linker(engine)
    linker.add_wasip2()
    linker.add_wasi_http()
    component = Component.from_file(engine, path)
    with TemporaryDirectory() as folder:
        out = Path(folder, "out")
        wasi = WasiConfig()
        wasi.argv = ["probe", *arguments]
        wasi.stdout_file = str(out)
        store = Store(engine)
        store.set_wasi(wasi)
        store.set_wasi_http()
        instance = linker.instantiate(store, component)
        run = instance.get_export_index(store, "run", instance.get_export_index(store, "wasi:cli/run@0.2.0"))
        try:
            instance.get_func(store, run)(store)
            outcome.put(out.read_text().strip())
        except WasmtimeError as error:
            outcome.put("trap: " + str(error).strip().splitlines()[-1].strip())


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Received)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    print(f"wasmtime {version('wasmtime')}")
    wrong = 0
    for (mode, path, *rest), expected, expected_bytes in CASES:
        server.received = []
        outcome = multiprocessing.Queue()
        process = multiprocessing.Process(target=guest, args=(sys.argv[1], [mode, origin + path, *rest], outcome))
        process.start()
        process.join(PATIENCE_S)
        if process.is_alive():
            process.kill()
            result = f"hangs: no request and no answer after {PATIENCE_S} s"
        else:
            result = outcome.get(timeout=1)
        received = server.received[0] if server.received else None
        ok = result.startswith(expected) and received == expected_bytes
        wrong += not ok
        print(f"{'ok ' if ok else 'NOT'} {mode:<6} {' '.join(rest) or path:<12} received {received!s:<5} {result}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
