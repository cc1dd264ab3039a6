// The shipping component, unmodified, in Node: transpiled by jco, with a store and a list of hosts in JavaScript.
//
//     node --test host.test.mjs    (run.sh says with what around it)

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, beforeEach, test } from "node:test";

import { allow, sendTo } from "./network.js";
import { entries } from "./store.js";
import { api, catalog, connections, functions, planning } from "./out/connector.js";

const { GCF_GOOGLE: PROGRAM, GCF_KEY: KEY_FILE, GCF_PROJECT: PROJECT } = process.env;
const KEY = readFileSync(KEY_FILE, "utf8");
const ACCOUNT = JSON.parse(KEY).client_email;
const HELLO = { tag: "named", val: { name: "hello-gen2", region: "europe-west1" } };
const MANIFEST = JSON.parse(catalog.describe()).egress;

let google;
let port;

// The strict Google is another process: the shim blocks this one while it waits.
before(async () => {
  google = spawn(PROGRAM, [KEY_FILE], { stdio: ["pipe", "pipe", "inherit"] });
  google.stdin.write(readFileSync(PROJECT));
  [port] = await once(createInterface(google.stdout), "line");
  sendTo(`127.0.0.1:${port}`);
});

after(async () => {
  const unknown = await control("unknown");
  google.stdin.end();
  assert.deepEqual(unknown, [], "Google has no such calls");
});

beforeEach(() => {
  entries.clear();
  allow(MANIFEST);
});

/** Node's fetch chooses the host header itself; the first part of the path says the same. */
async function control(what) {
  const response = await fetch(`http://127.0.0.1:${port}/control/${what}`, { method: "POST", body: "{}" });
  return response.json();
}

function connect() {
  const request = { nickname: "demo", project: "demo-project", credential: { tag: "google-json", val: KEY } };
  return connections.connect(request, undefined).connection.id;
}

function invocation(body) {
  return {
    function: HELLO,
    method: "POST",
    path: "",
    headers: [],
    body: { tag: "bytes", val: { contentType: "application/octet-stream", data: body } },
    auth: "id-token",
    serverlessAuthorization: false,
    idempotent: false,
    raiseForStatus: false,
  };
}

/** The error of the contract that a call fails with. */
function refused(call) {
  try {
    call();
  } catch (error) {
    assert.ok(error.payload, error);
    return error.payload;
  }
  assert.fail("it is not refused");
}

test("connects and keeps the key apart", () => {
  const id = connect();
  const [listed] = connections.list();
  assert.deepEqual([listed.id, listed.kind, listed.account], [id, "service-account", ACCOUNT]);
  const line = JSON.parse(KEY).private_key.split("\n")[1];
  const holding = [...entries].filter(([, entry]) => entry.value.includes(line)).map(([key]) => key);
  assert.deepEqual(holding, [`keys/${id}`]);
});

test("lists every generation", () => {
  const { functions: found, unreachable } = functions.list(connect(), { regions: [] }, undefined);
  assert.deepEqual(found.map(({ name, generation }) => `${name} ${generation}`).sort(), [
    "hello-gen1 gen1",
    "hello-gen2 gen2",
    "hello-run cloud-run",
  ]);
  assert.deepEqual(unreachable, ["asia-east1"]);
});

test("invokes with an ID token, and bodies arrive whole", () => {
  const id = connect();
  for (const size of [0, 4096, 4097, 1_500_000]) {
    const body = Uint8Array.from({ length: size }, (_, at) => at % 256);
    const answer = functions.invoke(id, invocation(body), undefined);
    assert.deepEqual([answer.status, answer.token, answer.principal], [418, "id-token", ACCOUNT]);
    assert.deepEqual([...answer.body.val], Array.from({ length: 256 }, (_, at) => at));
    const received = answer.headers.find(({ name }) => name === "x-received").value;
    assert.equal(Buffer.from(received).toString(), createHash("sha256").update(body).digest("hex"));
  }
});

test("asks for one token, and finds it again", async () => {
  const id = connect();
  functions.invoke(id, invocation(new Uint8Array()), undefined);
  const asked = async () => (await control("seen")).filter(([host]) => host === "oauth2.googleapis.com").length;
  const before = await asked();
  functions.invoke(id, invocation(new Uint8Array()), undefined);
  assert.equal(await asked(), before);
});

test("makes any other call", () => {
  const path = "/v2/projects/demo-project/locations/us-central1/functions";
  const answer = api.customApi(connect(), { method: "GET", path, headers: [] }, undefined);
  assert.deepEqual([answer.status, answer.token], [200, "access-token"]);
  assert.match(JSON.parse(answer.body.val).functions[0].name, /\/hello-gen1$/);
});

test("offers options, and plans", () => {
  const id = connect();
  const [region] = functions.options(id, { field: { tag: "regions" }, prefix: "bel" }, undefined).options;
  assert.equal(region.value, "europe-west1");
  const action = { tag: "functions-invoke", val: invocation(new Uint8Array()) };
  assert.equal(planning.plan(id, action, undefined).requests.at(-1).token, "id-token");
});

test("says whose an error is", () => {
  const unknown = refused(() => functions.list("none", { regions: [] }, undefined));
  assert.deepEqual([unknown.kind, unknown.origin], ["connection-not-found", "connection"]);
  const missing = { tag: "named", val: { name: "missing", region: "us-central1" } };
  assert.equal(refused(() => functions.get(connect(), missing, undefined)).kind, "not-found");
});

test("ends a call that nobody answers at its deadline", async () => {
  const id = connect();
  await control("stall");
  try {
    const error = refused(() => functions.list(id, { regions: [] }, 700));
    assert.equal(error.kind, "deadline-exceeded");
  } finally {
    await control("resume");
  }
});

test("sends nothing to a host that is not in the manifest", async () => {
  const id = connect();
  allow(MANIFEST.filter((rule) => rule.host !== "run.googleapis.com" && rule["host-suffix"] !== ".run.app"));
  const seen = (await control("seen")).length;
  const error = refused(() => functions.invoke(id, { ...invocation(new Uint8Array()), function: { tag: "url", val: "https://hello-gen2-x7f3k2q9aa-ew.a.run.app" } }, undefined));
  assert.deepEqual([error.kind, error.origin], ["egress-denied", "host"]);
  const sent = (await control("seen")).slice(seen).map(([host]) => host);
  assert.ok(!sent.some((host) => host.endsWith(".run.app")), sent);
});

test("disconnects, and leaves nothing", () => {
  connections.disconnect(connect(), undefined);
  assert.equal(entries.size, 0);
});
