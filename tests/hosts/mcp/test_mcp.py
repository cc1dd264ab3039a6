"""The MCP front in `wasmtime serve`, asked by the client of the protocol's own SDK for Python.

python test_mcp.py WASMTIME COMPOSED COMMAND
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import unittest
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import jsonschema
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

HOSTS = Path(__file__).parents[1]
sys.path[:0] = [str(HOSTS), str(HOSTS / "wasmtime")]
from front import ACCOUNT, KEY, STORE_KEY, TOKEN, FakeGoogle  # noqa: E402
from serving import Serving  # noqa: E402

PROGRAM, COMPOSED, COMMAND = sys.argv[1:4]
BEARER = {"authorization": f"Bearer {TOKEN}"}
# Without a handshake, with one, and what the client finds out by itself.
MODES = ["2026-07-28", "legacy", "auto"]


class McpTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.google = cls.enterClassContext(FakeGoogle(json.loads(KEY)))
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        store = {"GCF_STORE_KEY": STORE_KEY, "GCF_REROUTE_TO": f"127.0.0.1:{cls.google.port}"}
        serving = Serving.of(PROGRAM, COMPOSED, cls.folder, {"GCF_FRONT_TOKEN": TOKEN, **store})
        cls.addClassCleanup(serving.stop)
        cls.address = serving.address + "mcp"
        cls.connection = cls.connect(store)

    @classmethod
    def connect(cls, variables):
        """Makes a connection beside the server, as no model can."""
        options = ["-S", "http", "--dir", f"{cls.folder}::/store"]
        for name, value in variables.items():
            options += ["--env", f"{name}={value}"]
        request = {"nickname": "demo", "project": "demo-project", "credential": {"google-json": KEY}}
        command = [PROGRAM, "run", *options, COMMAND, "connections.connect", "-"]
        done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["connection"]["id"]

    @asynccontextmanager
    async def client(self, mode, headers=BEARER):
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(self.address, http_client=http), mode=mode) as client,
        ):
            yield client

    def in_each_mode(self, test):
        """Runs a test with a client of each mode."""

        async def run(mode):
            async with self.client(mode) as client:
                await test(client)

        for mode in MODES:
            with self.subTest(mode):
                asyncio.run(run(mode))

    def test_the_tools_are_listed(self):
        async def test(client):
            tools = (await client.list_tools()).tools
            names = {tool.name for tool in tools}
            self.assertTrue({"connections-list", "functions-list", "functions-invoke"} <= names, names)
            self.assertNotIn("connections-connect", names)
            for tool in tools:
                jsonschema.Draft202012Validator.check_schema(tool.input_schema)
            hints = {tool.name: tool.annotations for tool in tools}
            self.assertTrue(hints["functions-list"].read_only_hint)
            self.assertTrue(hints["functions-invoke"].destructive_hint)

        self.in_each_mode(test)

    def test_functions_are_listed_and_invoked(self):
        async def test(client):
            [connection] = json.loads((await client.call_tool("connections-list", {})).content[0].text)
            self.assertEqual((connection["id"], connection["account"]), (self.connection, ACCOUNT))
            listed = await client.call_tool("functions-list", {"connection": self.connection})
            self.assertFalse(listed.is_error, listed)
            found = {function["name"] for function in listed.structured_content["functions"]}
            self.assertEqual(found, {"hello-gen1", "hello-gen2", "hello-run"})
            request = {
                "connection": self.connection,
                "function": {"named": {"name": "hello-gen2", "region": "europe-west1"}},
                "body": {"json": json.dumps({"a": 1})},
            }
            invoked = await client.call_tool("functions-invoke", request)
            self.assertFalse(invoked.is_error, invoked)
            answer = invoked.structured_content
            self.assertEqual((answer["status"], answer["token"]), (418, "id-token"))
            self.assertEqual(json.loads(invoked.content[0].text)["status"], 418)

        self.in_each_mode(test)

    def test_a_plan_sends_nothing(self):
        async def test(client):
            call = {"functions-list": {"regions": ["us-central1"]}}
            sent = len(self.google.seen)
            planned = await client.call_tool("planning-plan", {"connection": self.connection, "action": call})
            self.assertFalse(planned.is_error, planned)
            self.assertTrue(planned.structured_content["requests"])
            self.assertEqual(len(self.google.seen), sent)

        self.in_each_mode(test)

    def test_what_fails_is_told_to_the_model(self):
        async def test(client):
            failed = await client.call_tool("functions-list", {"connection": "none"})
            self.assertTrue(failed.is_error)
            error = failed.structured_content
            self.assertEqual((error["kind"], error["origin"]), ("connection-not-found", "connection"))
            for part in [error["message"], error["fix"], "connection-not-found"]:
                self.assertIn(part, failed.content[0].text)

        self.in_each_mode(test)

    def test_no_key_is_taken(self):
        async def test(client):
            with self.assertRaises(MCPError) as refused:
                await client.call_tool("connections-connect", {"nickname": "n", "credential": {"google-json": KEY}})
            # JSON-RPC: invalid params.
            self.assertEqual(refused.exception.error.code, -32602)

        self.in_each_mode(test)

    def test_only_who_has_the_token_is_answered_and_no_page_in_a_browser(self):
        message = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        with httpx2.Client() as http:
            for status, headers in [
                (202, BEARER),
                (401, {}),
                (401, {"authorization": "Bearer no"}),
                (403, BEARER | {"origin": "http://localhost:3000"}),
            ]:
                self.assertEqual(http.post(self.address, json=message, headers=headers).status_code, status)
            self.assertEqual(http.get(self.address, headers=BEARER).status_code, 405)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
