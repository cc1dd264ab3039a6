#!/usr/bin/env python3
"""Makes discovery.json, the table that the strict Google answers by, from Google's discovery documents.

    pip download --no-deps google-api-python-client==VERSION && unzip google_api_python_client-*.whl -d FOLDER
    tests/google/discovery.py VERSION FOLDER/googleapiclient/discovery_cache/documents

Google's client for Python carries the documents of all APIs; its version says which. The table keeps methods,
parameters, scopes and the shapes that they send and receive; descriptions are left out. A shape is the name of another one, an object of
fields (`*` stands for any name), an array with the shape of its items, or a scalar; `enum A B` is one of these words.
"""

import json
import pathlib
import re
import sys

# The methods that are kept of each document, by the beginning of their ids.
KEPT = {
    "cloudfunctions.v1": ["cloudfunctions.projects.locations"],
    "cloudfunctions.v2": ["cloudfunctions.projects.locations"],
    "cloudresourcemanager.v3": ["cloudresourcemanager.projects.get", "cloudresourcemanager.projects.testIamPermissions"],
    "iamcredentials.v1": ["iamcredentials.projects.serviceAccounts"],
    "logging.v2": ["logging.entries.list", "logging.projects.logs"],
    "run.v1": ["run.projects.locations.list", "run.projects.locations.services", "run.projects.locations.revisions"],
    "run.v2": ["run.projects.locations.services"],
    "sts.v1": ["sts.token"],
}

SCALARS = {
    ("string", None): "string",
    ("string", "byte"): "bytes",
    ("string", "int64"): "int64",
    ("string", "uint64"): "int64",
    ("string", "google-datetime"): "datetime",
    ("string", "google-duration"): "duration",
    ("string", "google-fieldmask"): "string",
    ("integer", "int32"): "integer",
    ("integer", "uint32"): "integer",
    ("number", "double"): "number",
    ("number", "float"): "number",
    ("boolean", None): "boolean",
    ("any", None): "any",
}


class Document:
    def __init__(self, name, text):
        self.name, self.document = name, json.loads(text)
        self.reached = set()

    def shape(self, schema):
        """A schema in the language of the shapes."""
        if "$ref" in schema:
            self.reached.add(schema["$ref"])
            return f"{self.name}/{schema['$ref']}"
        if schema.get("type") == "array":
            return [self.shape(schema["items"])]
        if schema.get("type") == "object":
            fields = {name: self.shape(field) for name, field in schema.get("properties", {}).items()}
            if "additionalProperties" in schema:
                fields["*"] = self.shape(schema["additionalProperties"])
            return fields
        if "enum" in schema:
            return "enum " + " ".join(schema["enum"])
        return SCALARS[schema["type"], schema.get("format")]

    def methods(self):
        for method in walk(self.document):
            if any(method["id"].startswith(kept) for kept in KEPT[self.name]):
                yield self.method(method)

    def method(self, method):
        def pattern(match):
            # What Google matches the parameter with, where it says so; a segment otherwise.
            found = method["parameters"][match[1]].get("pattern", "[^/]+")
            return found.removeprefix("^").removesuffix("$")

        path = re.sub(r"\{\+?([^}]+)\}", pattern, re.sub(r"\.(?!\*)", "[.]", method["path"]))
        parameters = method.get("parameters", {}).items()
        shape = lambda part: self.shape(method[part]) if part in method else None
        return {
            "id": f"{self.name} {method['id']}",
            "verb": method["httpMethod"],
            "url": re.escape(self.document["rootUrl"]).replace("\\.", "[.]").replace("\\-", "-") + path,
            "query": {
                name: [self.parameter(p)] if p.get("repeated") else self.parameter(p)
                for name, p in parameters if p["location"] == "query"
            },
            "scopes": method.get("scopes", []),
            "request": shape("request"),
            "response": shape("response"),
        }

    def parameter(self, parameter):
        return self.shape({key: value for key, value in parameter.items() if key in ("type", "format", "enum")})

    def shapes(self):
        done = {}
        while self.reached - done.keys():
            for name in sorted(self.reached - done.keys()):
                done[name] = self.shape(self.document["schemas"][name])
        return {f"{self.name}/{name}": shape for name, shape in done.items()}

    def required(self):
        """The fields of a shape that Google's words say must be given; discovery has no other mark for it."""
        for name in sorted(self.reached):
            fields = self.document["schemas"][name].get("properties", {})
            # "Required. Output only." there is, too.
            given = [f for f, s in fields.items() if s.get("description", "").startswith("Required.") and not s.get("readOnly")]
            if given:
                yield f"{self.name}/{name}", given


def walk(resource):
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from walk(inner)


def lines(table, opening, closing):
    """A line for each entry, so that a new revision shows what has changed."""
    each = [json.dumps(k) + ": " + json.dumps(v) for k, v in table.items()] if isinstance(table, dict) else map(json.dumps, table)
    return opening + "\n    " + ",\n    ".join(each) + "\n  " + closing


def main(version, folder):
    documents = [Document(name, (pathlib.Path(folder) / f"{name}.json").read_text()) for name in KEPT]
    methods = [method for document in documents for method in document.methods()]
    shapes = {name: shape for document in documents for name, shape in document.shapes().items()}
    required = {name: fields for document in documents for name, fields in document.required()}
    common = {
        name: documents[0].parameter(parameter) for name, parameter in sorted(documents[0].document["parameters"].items())
    }
    revisions = {document.name: document.document["revision"] for document in documents}
    source = f"https://pypi.org/project/google-api-python-client/{version}/, googleapiclient/discovery_cache/documents"
    text = (
        "{\n"
        f'  "source": {json.dumps(source)},\n'
        f'  "revisions": {json.dumps(revisions)},\n'
        f'  "query": {lines(common, "{", "}")},\n'
        f'  "methods": {lines(methods, "[", "]")},\n'
        f'  "required": {lines(required, "{", "}")},\n'
        f'  "shapes": {lines(dict(sorted(shapes.items())), "{", "}")}\n'
        "}\n"
    )
    json.loads(text)
    (pathlib.Path(__file__).parent / "discovery.json").write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
