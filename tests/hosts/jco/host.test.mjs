// The shipping component, unmodified, in Node: transpiled by jco, in the host that connector.js begins.
//
//     node --test host.test.mjs    (run.sh says with what around it)

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, afterEach, before, test } from "node:test";

import { http } from "@bytecodealliance/preview2-shim";

import { CallTimeout, Connector, ConnectorError, FieldError } from "./connector.js";
import { Denied, Policy } from "./egress.js";
import { MapStore } from "./store.js";

const { GCF_GOOGLE: PROGRAM, GCF_KEY: KEY_FILE, GCF_PROJECT: PROJECT, GCF_TABLE: TABLE_FILE } = process.env;
const KEY = readFileSync(KEY_FILE, "utf8");
const ACCOUNT = JSON.parse(KEY).client_email;
const HELLO = { named: { name: "hello-gen2", region: "europe-west1" } };
const TABLE = JSON.parse(readFileSync(TABLE_FILE, "utf8"));
const COMPONENT = new URL("./out/connector.js", import.meta.url);

let google;
let port;
let store;
let connector;

before(async () => {
  google = spawn(PROGRAM, [KEY_FILE], { stdio: ["pipe", "pipe", "inherit"] });
  google.stdin.write(readFileSync(PROJECT));
  [port] = await once(createInterface(google.stdout), "line");
  store = new MapStore();
  connector = await open();
});

after(async () => {
  await connector.close();
  const unknown = await control("unknown");
  google.stdin.end();
  assert.deepEqual(unknown, [], "Google has no such calls");
});

afterEach(() => store.entries.clear());

function open(options) {
  return Connector.open(COMPONENT, { store, instead: `127.0.0.1:${port}`, ...options });
}

/** Node's fetch chooses the host header itself; the first part of the path says the same. */
async function control(what) {
  const response = await fetch(`http://127.0.0.1:${port}/control/${what}`, { method: "POST", body: "{}" });
  return response.json();
}

async function connect() {
  const request = { nickname: "demo", project: "demo-project", credential: { "google-json": KEY } };
  return (await connector.call("connections.connect", request)).connection.id;
}

function invocation(data = new Uint8Array()) {
  return { function: HELLO, body: { bytes: { "content-type": "application/octet-stream", data } } };
}

function refusal(words) {
  return (error) => error instanceof Denied && words.test(error.message);
}

/** The error of the contract that a call fails with. */
async function refused(call) {
  const error = await call.then(() => assert.fail("it is not refused"), (caught) => caught);
  assert.ok(error instanceof ConnectorError, error);
  return error.error;
}

test("connects and keeps the key apart", async () => {
  const id = await connect();
  const [listed] = await connector.call("connections.list");
  assert.deepEqual([listed.id, listed.kind, listed.account], [id, "service-account", ACCOUNT]);
  const line = JSON.parse(KEY).private_key.split("\n")[1];
  const holding = [...store.entries].filter(([, entry]) => entry.value.includes(line)).map(([key]) => key);
  assert.deepEqual(holding, [`keys/${id}`]);
});

test("lists every generation", async () => {
  const connection = await connect();
  const { functions, unreachable } = await connector.call("functions.list", {}, { connection });
  assert.deepEqual(functions.map(({ name, generation }) => `${name} ${generation}`).sort(), [
    "hello-gen1 gen1",
    "hello-gen2 gen2",
    "hello-run cloud-run",
  ]);
  assert.deepEqual(unreachable, ["asia-east1"]);
});

test("invokes with an ID token, and bodies arrive whole", async () => {
  const connection = await connect();
  for (const size of [0, 4096, 4097, 1_500_000]) {
    const body = Uint8Array.from({ length: size }, (_, at) => at % 256);
    const answer = await connector.call("functions.invoke", invocation(body), { connection });
    assert.deepEqual([answer.status, answer.token, answer.principal], [418, "id-token", ACCOUNT]);
    assert.deepEqual([...answer.body.bytes], Array.from({ length: 256 }, (_, at) => at));
    const received = answer.headers.find(({ name }) => name === "x-received").value;
    assert.equal(Buffer.from(received).toString(), createHash("sha256").update(body).digest("hex"));
  }
});

test("a large answer arrives whole, however the host divides it", async () => {
  const connection = await connect();
  for (const size of [65_536, 262_144, 262_145, 1_500_000]) {
    const body = Uint8Array.from({ length: size }, (_, at) => at % 251);
    const answer = await connector.call("functions.invoke", { ...invocation(body), path: "/echo" }, { connection });
    assert.equal(Buffer.compare(answer.body.bytes, body), 0, `${size} bytes`);
  }
});

test("asks for one token, and finds it again", async () => {
  const connection = await connect();
  await connector.call("functions.invoke", invocation(), { connection });
  const asked = async () => (await control("seen")).filter(([host]) => host === "oauth2.googleapis.com").length;
  const before = await asked();
  await connector.call("functions.invoke", invocation(), { connection });
  assert.equal(await asked(), before);
});

test("makes any other call, offers options, and plans", async () => {
  const connection = await connect();
  const path = "/v2/projects/demo-project/locations/us-central1/functions";
  const answer = await connector.call("api.custom-api", { method: "GET", path }, { connection });
  assert.deepEqual([answer.status, answer.token], [200, "access-token"]);
  assert.match(JSON.parse(answer.body.json).functions[0].name, /\/hello-gen1$/);
  const offered = await connector.call("functions.options", { field: "regions", prefix: "bel" }, { connection });
  assert.equal(offered.options[0].value, "europe-west1");
  const action = { "functions-invoke": invocation() };
  const plan = await connector.call("planning.plan", { action }, { connection });
  assert.equal(plan.requests.at(-1).token, "id-token");
});

test("says whose an error is", async () => {
  const unknown = await refused(connector.call("functions.list", {}, { connection: "none" }));
  assert.deepEqual([unknown.kind, unknown.origin], ["connection-not-found", "connection"]);
  const missing = { function: { named: { name: "missing", region: "us-central1" } } };
  const error = await refused(connector.call("functions.get", missing, { connection: await connect() }));
  assert.deepEqual([error.kind, error["http-status"]], ["not-found", 404]);
});

test("names the field that does not fit, before anything runs", async () => {
  const credential = { "google-json": "canary" };
  const table = [
    ["connections.connect", { nickname: 7, credential }, "request.nickname", "a string"],
    ["connections.connect", { nickname: "n", nicknam: "canary", credential }, "request.nicknam", "there are nickname"],
    ["connections.connect", { nickname: "n" }, "request.credential", "missing"],
    ["connections.connect", { nickname: "n", credential: { "gogle-json": "canary" } }, "request.credential", "google-json"],
    ["connections.connect", { nickname: "n", credential: { "google-json": null } }, "request.credential.google-json", "not null"],
    ["connections.connect", { nickname: "n", credential: ["canary"] }, "request.credential", "an object of one field"],
    ["connections.conect", {}, "connections.conect", "no such action"],
    ["functions.list", { regions: "canary" }, "request.regions", "an array"],
    ["functions.list", { regions: ["r", 1] }, "request.regions[1]", "a string"],
    ["functions.list", { "page-size": 0 }, "request.page-size", "1 to 1000"],
    ["functions.get", { function: { named: { name: {} } } }, "function.named.name", "a string"],
    ["functions.invoke", { ...invocation(), auth: "canary" }, "request.auth", "id-token"],
    ["functions.invoke", { ...invocation("canary") }, "request.body.bytes.data", "a Uint8Array"],
    ["functions.invoke", { ...invocation(), idempotent: 1 }, "request.idempotent", "true or false"],
  ];
  for (const [action, input, field, words] of table) {
    const error = await connector.call(action, input, { connection: "none" }).catch((caught) => caught);
    assert.ok(error instanceof FieldError, `${field}: ${error}`);
    assert.equal(error.field, field);
    assert.ok(error.message.includes(words) && !error.message.includes("canary"), error.message);
  }
  await assert.rejects(connector.call("functions.list"), { field: "connection" });
  await assert.rejects(connector.call("functions.list", {}, { connection: "none", deadlineMs: -1 }), { field: "deadline-ms" });
});

test("leaves the event loop free while a call waits, and ends it at its deadline", async () => {
  const connection = await connect();
  await control("stall");
  let ticks = 0;
  const timer = setInterval(() => ticks++, 10);
  try {
    const error = await refused(connector.call("functions.list", {}, { connection, deadlineMs: 700 }));
    assert.equal(error.kind, "deadline-exceeded");
    assert.ok(ticks >= 10, `the timer ticked ${ticks} times`);
  } finally {
    clearInterval(timer);
    await control("resume");
  }
});

test("ends a call that sets itself no deadline, and goes on with another thread", async () => {
  const impatient = await open({ seconds: 3 });
  const connection = await connect();
  await control("stall");
  const stalled = impatient.call("functions.list", {}, { connection });
  // Whoever waits for a turn gets it.
  const waiting = impatient.call("connections.list");
  await assert.rejects(stalled, CallTimeout);
  await control("resume");
  assert.equal((await waiting).length, 1);
  assert.equal((await impatient.call("connections.get", {}, { connection })).id, connection);
  await impatient.close();
});

test("a store that fails fails the call, and says nothing of its own", async () => {
  const broken = { ...Object.fromEntries(["put", "delete", "keys"].map((name) => [name, async () => []])) };
  broken.get = broken.keys = async () => {
    throw new Error("canary");
  };
  const unable = await open({ store: broken });
  const error = await refused(unable.call("connections.list"));
  assert.deepEqual([error.kind, JSON.stringify(error).includes("canary")], ["secret-store", false]);
  await unable.close();
});

test("lets through what the manifest allows, and nothing else", () => {
  const policy = new Policy(TABLE.manifest);
  const isAllowed = (url, headers) => {
    const [, scheme, authority, path] = /^(\w+):\/\/([^/?]*)(.*)$/.exec(url);
    try {
      return Boolean(policy.check("GET", scheme, authority, path, headers));
    } catch (error) {
      assert.ok(error instanceof Denied && !error.message.includes("canary"), error);
      return false;
    }
  };
  let judged = 0;
  for (const { what, allowed, urls, headers } of TABLE.requests) {
    for (const url of urls) {
      for (const each of headers) {
        assert.equal(isAllowed(url, each), allowed, `${what}: ${url} ${JSON.stringify(each)}`);
        judged++;
      }
    }
  }
  assert.ok(judged > 300);
  for (const manifest of [...TABLE["refused-manifests"], {}]) {
    // By its words: an error of the language's own is a TypeError, too.
    assert.throws(() => new Policy(manifest), { name: "TypeError", message: /^(the )?egress manifest/ }, JSON.stringify(manifest));
  }
});

test("lets no method and no path make it another request", () => {
  const policy = new Policy(TABLE.manifest);
  const check = (method, path) => () => policy.check(method, "https", "fn-abcdef-uc.a.run.app", path, []);
  assert.equal(check("PATCH", "/a?b=%20c")(), "fn-abcdef-uc.a.run.app");
  for (const method of TABLE["refused-methods"]) assert.throws(check(method, "/"), refusal(/method/), JSON.stringify(method));
  for (const path of TABLE["refused-paths"]) assert.throws(check("GET", path), refusal(/path/), JSON.stringify(path));
});

/** Node's part of the rule that a body is as long as is announced: what is judged is what is sent. */
test("holds a body to the length that is announced", () => {
  const { Fields, OutgoingBody, OutgoingRequest } = http.types;
  const announced = () => new OutgoingRequest(Fields.fromList([["content-length", Buffer.from("3")]])).body();
  assert.throws(() => announced().write().write(Buffer.from("four")), { tag: "last-operation-failed" });
  assert.throws(() => OutgoingBody.finish(announced()), { tag: "HTTP-request-body-size" });
});

test("sends nothing that the operator of the host does not allow", async () => {
  const manifest = (await connector.catalog()).egress;
  const allow = manifest.filter((rule) => rule.host !== "run.googleapis.com" && rule["host-suffix"] !== ".run.app");
  const narrow = await open({ allow });
  const connection = await connect();
  const seen = (await control("seen")).length;
  const url = { ...invocation(), function: { url: "https://hello-gen2-x7f3k2q9aa-ew.a.run.app" } };
  const error = await refused(narrow.call("functions.invoke", url, { connection }));
  assert.deepEqual([error.kind, error.origin], ["egress-denied", "host"]);
  const sent = (await control("seen")).slice(seen).map(([host]) => host);
  assert.ok(!sent.some((host) => host.endsWith(".run.app")), sent);
  await narrow.close();
});

test("disconnects, and leaves nothing", async () => {
  const connection = await connect();
  await connector.call("connections.disconnect", {}, { connection });
  assert.equal(store.entries.size, 0);
});
