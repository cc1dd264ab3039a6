"""A fleet on one machine: NATS with the accounts of the example, a registry, hosts of wasmCloud, and the example's scheduler.

Everything listens on loopback, on ports that the system picks, and is waited for by what it says.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

import yaml
from registry import Registry

HOSTS = Path(__file__).parents[1]
sys.path[:0] = [str(HOSTS), str(HOSTS / "python")]
from etcd import Etcd, answers, free_ports  # noqa: E402
from fake_google import TARGET, TOKEN_ORIGIN  # noqa: E402
from front import KEY, STORE_KEY, TOKEN, FakeGoogle, Front, FrontTest  # noqa: E402

WASH, NATS_SERVER = os.environ["GCF_WASH"], os.environ["GCF_NATS_SERVER"]
# The components by their names in the manifests.
BUILT = {
    "connector": "gcf-connector",
    "store": "gcf-store-etcd",
    "front": "gcf-front-http",
    "messages": "gcf-front-messages",
    "relay": "gcf-relay",
}

EXAMPLE = Path(__file__).parents[3] / "examples/fleet"
# As the manifest of the example has it.
NAME = "gcf.example.com"
SHUT = "shut.example.com"
# What a start and an end may take on a machine with two busy cores.
WITHIN = 120


class Certificates:
    """An authority, and a certificate for everybody whom NATS knows by name."""

    def __init__(self, folder):
        self.folder, self.authority = folder, folder / "ca.crt"
        self.openssl("req", "-x509", *self.new("ca"), "-subj", "/CN=fleet", "-out", self.authority)
        for name in ["server", "scheduler", "host", "worker", "caller", "invoker"]:
            signed = ["-CA", self.authority, "-CAkey", folder / "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"]
            signed += ["-addext", "subjectAltName=IP:127.0.0.1"] if name == "server" else []
            self.openssl("req", "-x509", *self.new(name), *signed, "-subj", f"/CN={name}", "-out", self.certificate(name))

    def new(self, name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2", "-keyout", self.key(name)]

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def certificate(self, name):
        return self.folder / f"{name}.crt"

    def key(self, name):
        return self.folder / f"{name}.key"


class Process:
    """A program whose log goes to a file, which is shown if it ends by itself."""

    def __init__(self, log, command, variables=(), out=None):
        self.log = log
        known = {"PATH": os.environ["PATH"], "HOME": str(log.parent), **dict(variables)}
        with open(log, "wb") as file:
            self.process = subprocess.Popen(
                command, env=known, stdin=subprocess.DEVNULL, stdout=out or file, stderr=file, text=bool(out)
            )

    def answers(self, url):
        try:
            answers(url, self.process, WITHIN)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.end_of_log()}") from None

    def end_of_log(self):
        return self.log.read_text(errors="replace")[-4000:]

    def end(self):
        self.process.terminate()
        self.process.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()


class Scheduler(Process):
    """The example's scheduler, and what it says."""

    def __init__(self, folder, variables, manifest, secrets):
        self.events, self.said = [], threading.Condition()
        program = [sys.executable, EXAMPLE / "scheduler.py", "--secrets", secrets, manifest]
        variables = {"PYTHONDONTWRITEBYTECODE": "1", **variables}
        super().__init__(folder / "scheduler.log", program, variables, subprocess.PIPE)
        self.listening = threading.Thread(target=self.listen, daemon=True)
        self.listening.start()

    def listen(self):
        with self.process.stdout as said:
            for line in said:
                with self.said:
                    self.events.append(json.loads(line))
                    self.said.notify_all()

    def end(self):
        super().end()
        self.listening.join()

    def until(self, found, what):
        """Waits until `found` finds something in the events, and returns that."""
        with self.said:
            self.said.wait_for(found, WITHIN)
            assert found(), f"{what}: not in {WITHIN} s\n{self.events}\n{self.end_of_log()}"
            return found()

    def wait(self, event, after=0, **facts):
        """The first such event after so many others."""
        wanted = {"event": event, **facts}.items()
        found = lambda: [each for each in self.events[after:] if each.items() >= wanted]  # noqa: E731
        return self.until(found, f"{event} {facts}")[0]

    def running(self, deployment, replicas, after=0):
        """Waits until so many replicas have been started, and says on which hosts."""
        def started():
            found = [each for each in self.events[after:] if each["event"] == "started"]
            hosts = {each["workload"]: each["host"] for each in found if each["workload"].startswith(f"{deployment}-")}
            return hosts if len(hosts) >= replicas else None

        return list(self.until(started, f"{replicas} of {deployment}").values())


class Host(Process):
    """A host, known by the port of its HTTP."""

    def __init__(self, fleet, port):
        certificates = fleet.certificates
        options = ["--http-addr", f"127.0.0.1:{port}", "--http-local-routing", "--oci-ca-path", certificates.authority]
        # The store and Google's stand-in are on loopback, here; nowhere else does a component go there.
        options += ["--deny-special-ranges=false", "--non-interactive", "--oci-cache-dir", fleet.folder / f"oci-{port}"]
        for plane, name in [("scheduler", "host"), ("data", "worker")]:
            options += [f"--{plane}-nats-url", fleet.nats_url, f"--{plane}-nats-tls-ca", certificates.authority]
            options += [f"--{plane}-nats-tls-cert", certificates.certificate(name)]
            options += [f"--{plane}-nats-tls-key", certificates.key(name)]
        self.port = port
        super().__init__(fleet.folder / f"host-{port}.log", [WASH, "host", *options])

    def front(self, name=NAME, token=TOKEN):
        return Front(f"http://127.0.0.1:{self.port}", token, host=name)


class Fleet:
    """`google` is the strict one; the programs stand in the environment."""

    def __init__(self, google):
        self.google = google

    def __enter__(self):
        # What has been started ends with it, also if the rest cannot be.
        with ExitStack() as ending:
            self.ending = ending
            self.begin()
            self.ending = ending.pop_all()
        return self

    def begin(self):
        self.folder = Path(self.ending.enter_context(tempfile.TemporaryDirectory()))
        self.certificates = Certificates(self.folder)
        certificate, key = self.certificates.certificate("server"), self.certificates.key("server")
        self.registry = self.ending.enter_context(Registry(certificate, key))
        self.etcd = self.ending.enter_context(Etcd())
        [port, monitor] = free_ports(2)
        self.nats_url = f"tls://127.0.0.1:{port}"
        where = ["--addr", "127.0.0.1", "--port", str(port), "--http_port", str(monitor)]
        nats = Process(self.folder / "nats.log", [NATS_SERVER, "--config", EXAMPLE / "nats.conf", *where], self.known("server"))
        self.ending.callback(nats.end)
        nats.answers(f"http://127.0.0.1:{monitor}/healthz")

    def __exit__(self, *_):
        self.ending.close()

    def known(self, name):
        """The environment of somebody whom NATS knows."""
        files = {"CA": self.certificates.authority, "CERT": self.certificates.certificate(name), "KEY": self.certificates.key(name)}
        return {"NATS_URL": self.nats_url, **{f"NATS_{what}": str(path) for what, path in files.items()}}

    def host(self, port):
        host = Host(self, port)
        self.ending.callback(host.end)
        return host

    def schedule(self, *documents):
        """Starts two hosts, and has the scheduler run the manifests on them. Returns the scheduler."""
        secrets = self.folder / "secrets"
        for secret, name, value in [("gcf-store", "GCF_STORE_KEY", STORE_KEY), ("gcf-front", "GCF_FRONT_TOKEN", TOKEN)]:
            (secrets / secret).mkdir(parents=True, exist_ok=True)
            (secrets / secret / name).write_text(value)
        manifest = self.folder / "manifest.yaml"
        manifest.write_text(yaml.safe_dump_all(documents))
        self.scheduler = Scheduler(self.folder, self.known("scheduler"), manifest, secrets)
        self.ending.callback(self.scheduler.end)
        # A host that is heard from its beginning need not be waited for: it sends the next heartbeat after 15 seconds.
        self.scheduler.wait("listening")
        self.hosts = [self.host(port) for port in free_ports(2)]
        return self.scheduler

    def at(self, host):
        """The host that the scheduler calls so."""
        [heard] = {each["http_port"] for each in self.scheduler.events if each["event"] == "host" and each["host"] == host}
        [found] = [each for each in self.hosts if each.port == heard]
        return found

    def connector(self):
        """The example, with the images and the database of this machine in it."""
        document = yaml.safe_load((EXAMPLE / "fleet.yaml").read_text())
        for component in document["spec"]["template"]["spec"]["components"]:
            component["image"] = self.image(component["name"])
        [store] = [each for each in document["spec"]["template"]["spec"]["components"] if each["name"] == "store"]
        store["localResources"]["environment"]["config"]["GCF_ETCD_URL"] = self.etcd.url
        store["localResources"]["allowedHosts"] = [self.etcd.url]
        return document

    def stand_in(self, replicas=2):
        """Google's names, on each host: the strict one answers to them."""
        names = [origin.removeprefix("https://") for origin in self.google.origins()]
        here = f"127.0.0.1:{self.google.port}"
        resources = {"environment": {"config": {"GCF_REROUTE_TO": here}}, "allowedHosts": [here]}
        config = {"host": "google.invalid", "localRoute": ",".join(names)}
        http = {"namespace": "wasi", "package": "http", "interfaces": ["incoming-handler"], "config": config}
        component = {"name": "relay", "image": self.image("relay"), "localResources": resources}
        spec = {"hostInterfaces": [http], "components": [component]}
        return {
            "apiVersion": "runtime.wasmcloud.dev/v1alpha1",
            "kind": "WorkloadDeployment",
            "metadata": {"name": "google"},
            "spec": {"replicas": replicas, "template": {"spec": spec}},
        }

    def shut(self):
        """A connector that may reach nothing, once."""
        document = self.connector()
        document["metadata"]["name"] = "shut"
        spec = document["spec"]
        spec["replicas"] = 1
        spec["template"]["spec"]["hostInterfaces"] = [
            {"namespace": "wasi", "package": "http", "interfaces": ["incoming-handler"], "config": {"host": SHUT}}
        ]
        components = spec["template"]["spec"]["components"]
        spec["template"]["spec"]["components"] = [each for each in components if each["name"] != "messages"]
        components[0]["localResources"]["allowedHosts"] = []
        return document

    def image(self, name):
        return self.registry.pushed(name, (TARGET / f"{BUILT[name]}.wasm").read_bytes())


__all__ = ["EXAMPLE", "KEY", "NAME", "SHUT", "STORE_KEY", "TOKEN", "TOKEN_ORIGIN", "WITHIN", "FakeGoogle", "Fleet", "FrontTest", "free_ports"]
