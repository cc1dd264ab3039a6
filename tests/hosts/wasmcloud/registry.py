"""An OCI registry on loopback that hands out the components of a folder, over TLS: as much of the distribution specification
as it takes to pull (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pull).

A component is an artifact with one layer, as the specification of the Bytecode Alliance has it
(https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/).
"""

import hashlib
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Registry:
    """Runs until the end of the `with`; `pushed` says under which name and digest a component can be pulled."""

    def __init__(self, certificate, key):
        self.blobs, self.manifests = {}, {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.address = f"127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def pushed(self, name, component):
        layer = self.blob("application/wasm", component)
        config = {"architecture": "wasm", "os": "wasip2", "layerDigests": [layer["digest"]], "component": {"exports": [], "imports": []}}
        config = self.blob("application/vnd.wasm.config.v0+json", json.dumps(config).encode())
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
        manifest = json.dumps(manifest).encode()
        self.manifests[digest(manifest)] = manifest
        return f"{self.address}/gcf/{name}@{digest(manifest)}"

    def blob(self, media_type, content):
        self.blobs[digest(content)] = content
        return {"mediaType": media_type, "digest": digest(content), "size": len(content)}

    def handler(registry):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                parts = self.path.split("/")
                kept, content_type = registry.blobs, "application/octet-stream"
                if parts[-2:-1] == ["manifests"]:
                    kept, content_type = registry.manifests, MANIFEST
                content = b"" if self.path == "/v2/" else kept.get(parts[-1])
                self.send_response(404 if content is None else 200)
                self.send_header("content-type", content_type)
                self.send_header("content-length", str(len(content or b"")))
                if content:
                    self.send_header("docker-content-digest", digest(content))
                self.end_headers()
                if self.command == "GET" and content:
                    self.wfile.write(content)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        return Handler
