"""WorkloadDeployments, read as a host takes workloads: protobuf's JSON of wasmcloud.runtime.v2.

What this does not understand is refused, so that nothing of a manifest is left out in silence.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import yaml


class Refused(ValueError):
    """A manifest that cannot be run as it is meant."""


@dataclass
class Workload:
    """One replica."""

    id: str
    # Not to be printed: it holds the secrets.
    wire: dict = field(repr=False)
    # The ids of all replicas of its deployment.
    of_deployment: frozenset


def read(path, secrets=None):
    """The workloads of a file, each replica by itself."""
    found = []
    for document in yaml.safe_load_all(Path(path).read_text()):
        if document is None or document.get("kind") != "WorkloadDeployment":
            continue
        name, spec = document["metadata"]["name"], document["spec"]
        known(spec, f"{name}: spec", "replicas", "template")
        template = spec["template"]["spec"]
        wire = {"namespace": document["metadata"].get("namespace", "default"), "name": name, "witWorld": {}}
        known(template, f"{name}: template", "hostInterfaces", "components")
        wire["witWorld"]["hostInterfaces"] = template.get("hostInterfaces", [])
        wire["witWorld"]["components"] = [component(each, secrets) for each in template["components"]]
        # Another version of the same deployment is another workload.
        version = hashlib.sha256(json.dumps(wire, sort_keys=True).encode()).hexdigest()[:8]
        ids = [f"{name}-{version}-{number}" for number in range(spec.get("replicas", 1))]
        found += [Workload(id, wire, frozenset(ids)) for id in ids]
    if not found:
        raise Refused(f"{path} has no WorkloadDeployment")
    return found


def component(given, secrets):
    known(given, given["name"], "name", "image", "poolSize", "maxInvocations", "localResources")
    if "@sha256:" not in given["image"]:
        raise Refused(f"{given['name']}: the image is not named by its digest: {given['image']}")
    resources = dict(given.get("localResources", {}))
    where = f"{given['name']}: localResources"
    known(resources, where, "allowedHosts", "config", "environment")
    if "environment" in resources:
        known(resources["environment"], f"{where}.environment", "config", "secretFrom")
        environment = dict(resources["environment"].get("config", {}))
        for secret in resources["environment"].get("secretFrom", []):
            environment |= read_secret(secrets, secret["name"])
        resources["environment"] = environment
    return {**given, "localResources": resources}


def read_secret(folder, name):
    files = sorted((folder / name).iterdir()) if folder and (folder / name).is_dir() else []
    if not files:
        raise Refused(f"there is no secret {name}: --secrets names a folder with a folder {name} in it")
    return {each.name: each.read_text().rstrip("\n") for each in files}


def known(given, where, *names):
    if unknown := given.keys() - set(names):
        raise Refused(f"{where}: this scheduler does not understand {', '.join(sorted(unknown))}")
