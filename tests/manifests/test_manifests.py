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
    """Where the connector sends requests, by its catalog, as lists of hosts have it."""
    egress = json.loads((ROOT / "component/catalog/catalog.json").read_text())["egress"]
    return {f"https://{rule['host']}" if "host" in rule else f"https://*{rule['host-suffix']}" for rule in egress}


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

    def test_no_secret_stands_in_a_manifest(self):
        for name in TAKES:
            text = (EXAMPLES / name).read_text()
            self.assertIsNone(re.search(r"GCF_(FRONT_TOKEN|STORE_KEY|ETCD_PASSWORD): ", text))

    def test_spin_has_the_connectors_hosts_and_the_database(self):
        [component] = tomllib.loads((EXAMPLES / "spin/spin.toml").read_text())["component"].values()
        database = {"https://etcd.example.com:2379"}
        self.assertEqual(set(component["allowed_outbound_hosts"]), connectors_hosts() | database)


if __name__ == "__main__":
    unittest.main(verbosity=2)
