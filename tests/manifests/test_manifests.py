"""The manifests of examples/, held against what the systems that take them say of them, and against the connector's own manifest."""

import copy
import json
import re
import tomllib
import unittest
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
SCHEMAS = json.loads(Path(__file__).with_name("schemas.json").read_text())
TAKES = {
    "fleet/fleet.yaml": "runtime.wasmcloud.dev/v1alpha1 WorkloadDeployment",
    "serverless/knative.yaml": "serving.knative.dev/v1 Service",
    "serverless/cloud-run.yaml": "run.googleapis.com Service",
}
# What is not to be seen by whoever reads a manifest, and what may be. Each variable that PAGES name stands in one of the two.
SECRETS = ["GCF_FRONT_TOKEN", "GCF_STORE_KEY", "GCF_ETCD_PASSWORD", "GCF_ETCD_TOKEN", "GCF_VAULT_TOKEN"]
OPEN = [
    *["GCF_FRONT_OPEN", "GCF_FRONT_MAX_REPLY", "GCF_FILES_DIR", "GCF_STORE_UNSEALED", "GCF_STORE_CLEAR_TEXT_HTTP"],
    *["GCF_ETCD_URL", "GCF_ETCD_PREFIX", "GCF_ETCD_USER"],
    *["GCF_VAULT_URL", "GCF_VAULT_NAMESPACE", "GCF_VAULT_MOUNT", "GCF_VAULT_PREFIX", "GCF_VAULT_TRANSIT"],
]
PAGES = ["docs/guide/stores.md", "docs/guide/hosts.md"]


def strict(schema):
    """Refuses fields that the schema does not name, as `kubectl --validate=strict` does. `metadata` is Kubernetes' own."""
    if not isinstance(schema, dict):
        return schema
    strict_ = {}
    for name, value in schema.items():
        inner = name in ["properties", "$defs"]
        strict_[name] = {each: strict(one) for each, one in value.items()} if inner else strict(value)
    open_ = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if schema.get("type") == "object" and "properties" in schema and not open_:
        strict_["additionalProperties"] = False
    return strict_


def read(name):
    return [each for each in yaml.safe_load_all((EXAMPLES / name).read_text()) if each]


def faults(name, document):
    validator = Draft202012Validator(strict(SCHEMAS[TAKES[name]]["schema"]))
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(document)]


def connectors_hosts():
    """The hosts that the connector sends requests to, by its catalog, as lists of hosts have them."""
    egress = json.loads((ROOT / "component/catalog/catalog.json").read_text())["egress"]
    return {f"https://{rule['host']}" if "host" in rule else f"https://*{rule['host-suffix']}" for rule in egress}


def secrets_in(part):
    """The names of secrets that stand in a manifest with a value beside them: as a field, as an entry of `env`, in a word."""
    if isinstance(part, dict):
        named = part.get("name")
        if named in SECRETS and part.get("value") is not None:
            yield named
        for name, value in part.items():
            if name in SECRETS and not isinstance(value, (dict, list)):
                yield name
            yield from secrets_in(value)
    elif isinstance(part, list):
        for each in part:
            yield from secrets_in(each)
    elif isinstance(part, str):
        yield from (name for name in SECRETS if f"{name}=" in part)


def variables_of(text):
    return set(re.findall(r"\bGCF_[A-Z_]*[A-Z]\b", text))


class ManifestTest(unittest.TestCase):
    def test_each_is_what_its_system_takes(self):
        for name in TAKES:
            for document in read(name):
                with self.subTest(name):
                    self.assertEqual(faults(name, document), [])

    def test_a_field_that_nobody_knows_is_a_fault(self):
        for name, path in [
            ("fleet/fleet.yaml", ["spec", "template", "spec", "components", 0, "localResources"]),
            ("serverless/knative.yaml", ["spec", "template", "spec", "containers", 0]),
            ("serverless/cloud-run.yaml", ["spec", "template", "spec", "containers", 0]),
        ]:
            document = copy.deepcopy(read(name)[0])
            place = document
            for step in path:
                place = place[step]
            place["allowedhosts"] = ["*"]
            with self.subTest(name):
                self.assertTrue(any("allowedhosts" in fault for fault in faults(name, document)))

    def test_a_host_that_is_a_url_is_a_fault(self):
        document = copy.deepcopy(read("fleet/fleet.yaml")[0])
        component = document["spec"]["template"]["spec"]["components"][0]
        component["localResources"]["allowedHosts"] = ["https://run.googleapis.com/v2"]
        self.assertTrue(faults("fleet/fleet.yaml", document))

    def test_every_manifest_is_checked(self):
        there = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.yaml")}
        self.assertEqual(there, set(TAKES))

    def test_every_image_is_named_by_its_digest(self):
        for name in TAKES:
            images = re.findall(r"^\s*-?\s*image: (\S+)$", (EXAMPLES / name).read_text(), re.MULTILINE)
            self.assertTrue(images)
            for image in images:
                self.assertRegex(image, r"^[a-z0-9./-]+@sha256:[0-9a-f]{64}$")

    def test_the_connector_may_reach_what_its_catalog_names_and_the_fronts_nothing(self):
        components = read("fleet/fleet.yaml")[0]["spec"]["template"]["spec"]["components"]
        lists = {each["name"]: each["localResources"].get("allowedHosts", []) for each in components}
        self.assertEqual(set(lists.pop("connector")), connectors_hosts())
        self.assertEqual(lists.pop("store"), ["https://etcd.example.com:2379"])
        self.assertEqual({tuple(hosts) for hosts in lists.values()}, {()})

    def test_of_each_variable_of_the_guide_it_is_known_whether_it_is_a_secret(self):
        self.assertEqual(variables_of("| `GCF_NEW_KEY`, `GCF_X` | `GCF_…` |"), {"GCF_NEW_KEY", "GCF_X"})
        named = set().union(*(variables_of((ROOT / page).read_text()) for page in PAGES))
        self.assertEqual(named, {*SECRETS, *OPEN})
        self.assertEqual({*SECRETS} & {*OPEN}, set())

    def test_no_secret_stands_in_a_manifest(self):
        for name in TAKES:
            for document in read(name):
                self.assertEqual(list(secrets_in(document)), [], name)
        self.assertEqual(list(secrets_in(tomllib.loads((EXAMPLES / "spin/spin.toml").read_text()))), [])

    def test_a_secret_in_a_manifest_is_found(self):
        for name, path, planted in [
            ("fleet/fleet.yaml", ["components", 1, "localResources", "environment", "config"], {"GCF_STORE_KEY": "planted"}),
            ("fleet/fleet.yaml", ["components", 1, "localResources", "config"], {"GCF_ETCD_PASSWORD": "planted"}),
            ("fleet/fleet.yaml", ["components", 2, "localResources", "environment", "config"], {"GCF_FRONT_TOKEN": "planted"}),
            ("serverless/knative.yaml", ["containers", 0, "env"], [{"name": "GCF_FRONT_TOKEN", "value": "planted"}]),
            ("serverless/cloud-run.yaml", ["containers", 0, "env"], [{"value": "planted", "name": "GCF_STORE_KEY"}]),
            ("serverless/cloud-run.yaml", ["containers", 0, "args"], ["--env", "GCF_ETCD_TOKEN=planted"]),
        ]:
            document = copy.deepcopy(read(name)[0])
            place = document["spec"]["template"]["spec"]
            for step in path[:-1]:
                place = place[step] if isinstance(step, int) else place.setdefault(step, {})
            there = place.get(path[-1])
            place[path[-1]] = planted if there is None else there | planted if isinstance(there, dict) else there + planted
            with self.subTest(name, planted=planted):
                [found] = secrets_in(document)
                self.assertIn(found, json.dumps(planted))
        spin = tomllib.loads((EXAMPLES / "spin/spin.toml").read_text())
        spin["component"]["gcf"]["environment"] = {"GCF_VAULT_TOKEN": "planted"}
        self.assertEqual(list(secrets_in(spin)), ["GCF_VAULT_TOKEN"])

    def test_spin_has_the_connectors_hosts_and_the_database(self):
        [component] = tomllib.loads((EXAMPLES / "spin/spin.toml").read_text())["component"].values()
        database = {"https://etcd.example.com:2379"}
        self.assertEqual(set(component["allowed_outbound_hosts"]), connectors_hosts() | database)


if __name__ == "__main__":
    unittest.main(verbosity=2)
