"""The actions as tools of wassette: the JSON of the catalog to what its tools take, and back.

wassette makes schemas of the types by itself. A variant is `{"tag", "val"}` there, bytes are lists of numbers, and every field
has to be given; the catalog has defaults.
"""

import base64
import itertools
import json
import subprocess

CONTRACT = "gcf_connector_{}_0_1_0_{}"


class Tools:
    """wassette over its standard streams."""

    def __init__(self, command, log):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self.numbers, self.changes = itertools.count(1), 0
        try:
            self.begin()
        except BaseException:
            self.stop()
            raise

    def begin(self):
        client = {"name": "gcf-tests", "version": "0"}
        self.ask("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)
        self.send(method="notifications/initialized")
        # Components are loaded meanwhile, and the list may change before the answer that does not have it yet is read.
        changes = self.changes
        while not (tools := self.ask("tools/list")["tools"]):
            while self.changes == changes:
                self.read()
            changes = self.changes
        self.tools = {tool["name"]: tool for tool in tools}
        self.catalog = json.loads(self.tool("catalog/describe", {}))

    def send(self, **message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def read(self):
        """The next message. That the list of tools has changed is counted, whatever is waited for."""
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"wassette has ended, with {self.process.wait()}")
        message = json.loads(line)
        if message.get("method") == "notifications/tools/list_changed":
            self.changes += 1
        return message

    def ask(self, method, **params):
        number = next(self.numbers)
        self.send(id=number, method=method, params=params)
        # Notifications, and requests of the server's own, have another id or none.
        while (message := self.read()).get("id") != number or "method" in message:
            pass
        assert "result" in message, message
        return message["result"]

    def tool(self, action, arguments):
        answer = self.ask("tools/call", name=CONTRACT.format(*action.split("/")), arguments=arguments)
        assert not answer["isError"], answer
        return answer["structuredContent"]["result"] if "structuredContent" in answer else answer["content"][0]["text"]

    def call(self, action, body=None, connection=None, deadline_ms=None):
        schema = self.tools[CONTRACT.format(*action.split("/"))]
        [described] = [each["input"] for each in self.catalog["actions"] if each["name"] == action.replace("/", ".")]
        # The fields of a request stand by themselves in the catalog; so do parameters that have no fields.
        body = body or {}
        given = {"connection": connection, "id": connection, "deadline-ms": deadline_ms, "request": body, **body}
        arguments = {
            name: self.given(type_, described if name == "request" else {}, given.get(name))
            for name, type_ in schema["inputSchema"]["properties"].items()
        }
        return self.tool(action, arguments), schema["outputSchema"]["properties"]["result"]["oneOf"]

    def done(self, action, body=None, **query):
        if action == "catalog/describe":
            return json.dumps(self.catalog)
        answer, [ok, _] = self.call(action, body, **query)
        assert "ok" in answer, (action, answer)
        return taken(ok["properties"].get("ok", {}), answer["ok"])

    def failed(self, action, body=None, **query):
        answer, [_, error] = self.call(action, body, **query)
        assert "err" in answer, (action, answer)
        return taken(error["properties"]["err"], answer["err"])

    def given(self, type_, described, value):
        """A value by the catalog, as the tool takes it."""
        while "$ref" in described:
            described = self.catalog["$defs"][described["$ref"].rsplit("/", 1)[1]]
        if "anyOf" in type_:
            return None if value is None else self.given(type_["anyOf"][1], described, value)
        if "oneOf" in type_:
            [(tag, inner)] = value.items() if isinstance(value, dict) else [(value, None)]
            [case] = [each["properties"] for each in type_["oneOf"] if each["properties"]["tag"]["const"] == tag]
            return {"tag": tag, **({"val": self.given(case["val"], self.case(described, tag), inner)} if "val" in case else {})}
        if type_["type"] == "object":
            fields, described = type_["properties"], described.get("properties", {})
            return {name: self.field(inner, described.get(name, {}), value.get(name)) for name, inner in fields.items()}
        if type_["type"] == "array" and isinstance(value, str):
            return list(base64.b64decode(value))
        return value

    def field(self, type_, described, value):
        if value is None and "anyOf" not in type_:
            value = described.get("default", {"array": [], "boolean": False, "string": ""}.get(type_.get("type")))
        return self.given(type_, described, value)

    @staticmethod
    def case(described, tag):
        cases = [each["properties"] for each in described.get("oneOf", []) if tag in each.get("properties", {})]
        return cases[0][tag] if cases else {}

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.terminate()
        self.process.wait()


def taken(type_, value):
    """The result of a tool, as the catalog has it."""
    if "anyOf" in type_:
        return None if value is None else taken(type_["anyOf"][1], value)
    if "oneOf" in type_:
        [case] = [each["properties"] for each in type_["oneOf"] if each["properties"]["tag"]["const"] == value["tag"]]
        return {value["tag"]: taken(case["val"], value["val"])} if "val" in case else value["tag"]
    if type_.get("type") == "object":
        return {name: taken(type_["properties"][name], inner) for name, inner in value.items()}
    if type_.get("type") == "array" and type_.get("items", {}).get("type") == "number":
        return base64.b64encode(bytes(value)).decode()
    if type_.get("type") == "array" and "items" in type_:
        return [taken(type_["items"], each) for each in value]
    return value
