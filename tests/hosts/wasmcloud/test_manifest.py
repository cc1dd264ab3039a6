"""The manifest as the example's scheduler reads it: all of it, or not at all."""

import copy
import sys
import tempfile
import unittest
from pathlib import Path

import yaml

EXAMPLE = Path(__file__).parents[3] / "examples/fleet"
sys.path.insert(0, str(EXAMPLE))
from manifest import Refused, read  # noqa: E402


class ManifestTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.document = yaml.safe_load((EXAMPLE / "fleet.yaml").read_text())
        for secret, name in [("gcf-store", "GCF_STORE_KEY"), ("gcf-front", "GCF_FRONT_TOKEN")]:
            (self.folder / secret).mkdir()
            (self.folder / secret / name).write_text("kept apart\n")

    def read(self, document, secrets=True):
        file = self.folder / "fleet.yaml"
        file.write_text(yaml.safe_dump(document))
        return read(file, self.folder if secrets else None)

    def test_the_example_is_two_replicas_with_their_secrets(self):
        first, second = self.read(self.document)
        self.assertEqual({first.id, second.id}, first.of_deployment)
        self.assertEqual(first.wire, second.wire)
        environment = {each["name"]: each["localResources"].get("environment") for each in first.wire["witWorld"]["components"]}
        self.assertEqual(environment["front"], {"GCF_FRONT_TOKEN": "kept apart"})
        self.assertEqual(environment["store"], {"GCF_ETCD_URL": "https://etcd.example.com:2379", "GCF_STORE_KEY": "kept apart"})
        self.assertIsNone(environment["connector"])

    def test_no_secret_is_printed_with_a_workload(self):
        workloads = self.read(self.document)
        self.assertIn(workloads[0].id, repr(workloads))
        self.assertNotIn("kept apart", f"{workloads} {workloads[0]}")

    def test_another_version_of_a_deployment_is_another_workload(self):
        changed = copy.deepcopy(self.document)
        changed["spec"]["template"]["spec"]["components"][0]["poolSize"] = 4
        ids = {each.id for each in self.read(self.document)} | {each.id for each in self.read(changed)}
        self.assertEqual(len(ids), 4)

    def test_what_it_does_not_understand_is_refused(self):
        spec = ["spec", "template", "spec"]
        component = [*spec, "components", 0]
        for path, name in [
            (["spec"], "artifacts"),
            (spec, "service"),
            (component, "imagePullSecret"),
            ([*component, "localResources"], "volumeMounts"),
        ]:
            document = copy.deepcopy(self.document)
            place = document
            for step in path:
                place = place[step]
            place[name] = {}
            with self.subTest(name), self.assertRaisesRegex(Refused, name):
                self.read(document)

    def test_an_image_that_somebody_can_move_is_refused(self):
        self.document["spec"]["template"]["spec"]["components"][0]["image"] = "registry.example.com/gcf/connector:0.1.0"
        with self.assertRaisesRegex(Refused, "digest"):
            self.read(self.document)

    def test_a_secret_that_is_not_there_is_refused(self):
        with self.assertRaisesRegex(Refused, "gcf-store"):
            self.read(self.document, secrets=False)
        (self.folder / "gcf-front/GCF_FRONT_TOKEN").unlink()
        with self.assertRaisesRegex(Refused, "gcf-front"):
            self.read(self.document)
