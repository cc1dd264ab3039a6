"""Makes schemas.json anew: what the systems that take our manifests say of them, without their descriptions.

    python schemas.py WASMCLOUD.yaml KNATIVE.yaml RUN.json

The first two are CustomResourceDefinitions, from where `SOURCES` says; the third is a discovery document of Google's.
"""

import json
import sys
from pathlib import Path

import yaml

SOURCES = {
    "runtime.wasmcloud.dev/v1alpha1 WorkloadDeployment": "https://github.com/wasmCloud/wasmCloud at 7cd553cc57cfb5a64717d76b11ddeea2cd8c0a8b (2.7.0), runtime-operator/config/crd/bases/runtime.wasmcloud.dev_workloaddeployments.yaml, Apache-2.0",
    "serving.knative.dev/v1 Service": "https://github.com/knative/serving at 98e5ef90aa7033797aa0a61ef97f3ff7e49a3944, config/core/300-resources/service.yaml, Apache-2.0",
    "run.googleapis.com Service": "https://pypi.org/project/google-api-python-client/2.202.0/, googleapiclient/discovery_cache/documents/run.v1.json, Apache-2.0",
}


def bare(schema):
    """Without descriptions: a property may be called `description`, so only where a schema stands."""
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for name, value in schema.items():
        if name == "properties":
            kept[name] = {each: bare(inner) for each, inner in value.items()}
        elif name in ["items", "additionalProperties"]:
            kept[name] = bare(value)
        elif name not in ["description", "example"]:
            kept[name] = value
    return kept


def of_definition(path):
    document = yaml.safe_load(Path(path).read_text())
    [version] = [each for each in document["spec"]["versions"] if each["storage"]]
    return bare(version["schema"]["openAPIV3Schema"])


def of_discovery(path, name):
    """Discovery documents are older than JSON Schema as it is now: 64-bit numbers are strings, and references are names."""
    schemas, known = json.loads(Path(path).read_text())["schemas"], {}

    def convert(schema):
        if "$ref" in schema:
            take(schema["$ref"])
            return {"$ref": f"#/$defs/{schema['$ref']}"}
        kept = {"type": schema["type"]} if schema["type"] != "any" else {}
        if "properties" in schema:
            kept["properties"] = {each: convert(inner) for each, inner in schema["properties"].items()}
        for inner in ["items", "additionalProperties"]:
            if inner in schema:
                kept[inner] = convert(schema[inner])
        if "enum" in schema:
            kept["enum"] = schema["enum"]
        return kept

    def take(name):
        if name not in known:
            known[name] = {}
            known[name] = convert(schemas[name])

    take(name)
    return {"$ref": f"#/$defs/{name}", "$defs": known}


def main(wasmcloud, knative, run):
    made = dict(zip(SOURCES, [of_definition(wasmcloud), of_definition(knative), of_discovery(run, "Service")]))
    written = {name: {"source": SOURCES[name], "schema": schema} for name, schema in made.items()}
    lines = [f"{json.dumps(name)}: {json.dumps(each, separators=(',', ':'))}" for name, each in written.items()]
    Path(__file__).with_name("schemas.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
