// Google's clients for Node read every success of Google's that is on a cassette, as those for Python do (test_cassettes.py).
//
// Twice: as a message, which has to hold all that the answer says; and by the client itself over REST, which asks the tape in
// place of Google, and has to ask for the same.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const installed = createRequire(process.env.GCF_CLIENTS);
const functions = installed("@google-cloud/functions");
const run = installed("@google-cloud/run");
const iam = installed("@google-cloud/iam-credentials");
const serializer = installed("proto3-json-serializer");
const { protobuf } = installed("google-gax");

const CASSETTES = new URL("../cassettes/", import.meta.url);
const roots = ["functions", "run", "iam-credentials"].map((name) =>
  protobuf.Root.fromJSON(installed(`@google-cloud/${name}/build/protos/protos.json`)),
);
// What all APIs share, beside the code that is exported.
const shared = new URL("../protos/", pathToFileURL(installed.resolve("google-gax")));
for (const name of ["iam_service", "locations"]) {
  roots.push(protobuf.Root.fromJSON(JSON.parse(readFileSync(new URL(`${name}.json`, shared), "utf8"))));
}

function type(name) {
  const root = roots.find((each) => each.lookup(name));
  assert.ok(root, `there is no ${name}`);
  root.resolveAll();
  return root.lookupType(name);
}

const PLACE = "projects/[^/]+/locations/[^/]+";
const [FUNCTIONS, RUN, IAM] = ["cloudfunctions", "run", "iamcredentials"].map((api) => `https://${api}\\.googleapis\\.com`);

/** Method and URL, the message, and the call of the client that asks for it, if it has one. */
const ROUTES = [
  [`GET ${FUNCTIONS}/v2/(${PLACE})/functions`, "google.cloud.functions.v2.ListFunctionsResponse",
    (on, [, parent]) => client(functions.v2.FunctionServiceClient, on).listFunctions({ parent }, ONE_PAGE)],
  [`GET ${FUNCTIONS}/v2/(${PLACE}/functions/[^/:]+)`, "google.cloud.functions.v2.Function",
    (on, [, name]) => client(functions.v2.FunctionServiceClient, on).getFunction({ name })],
  [`GET ${FUNCTIONS}/v[12]/projects/[^/]+/locations`, "google.cloud.location.ListLocationsResponse"],
  [`POST ${FUNCTIONS}/v1/(${PLACE}/functions/[^/]+):call`, "google.cloud.functions.v1.CallFunctionResponse",
    (on, [, name]) => client(functions.v1.CloudFunctionsServiceClient, on).callFunction({ name, data: "{}" })],
  [`GET ${RUN}/v2/(${PLACE})/services`, "google.cloud.run.v2.ListServicesResponse",
    (on, [, parent]) => client(run.v2.ServicesClient, on).listServices({ parent }, ONE_PAGE)],
  [`GET ${RUN}/v2/(${PLACE}/services/[^/:]+)`, "google.cloud.run.v2.Service",
    (on, [, name]) => client(run.v2.ServicesClient, on).getService({ name })],
  [`POST (?:${RUN}|${FUNCTIONS})/v[12]/.*:testIamPermissions`, "google.iam.v1.TestIamPermissionsResponse"],
  [`POST ${IAM}/v1/(.*):generateIdToken`, "google.iam.credentials.v1.GenerateIdTokenResponse",
    (on, [, name]) => client(iam.v1.IAMCredentialsClient, on).generateIdToken({ name, audience: "x" })],
  [`POST ${IAM}/v1/(.*):generateAccessToken`, "google.iam.credentials.v1.GenerateAccessTokenResponse",
    (on, [, name]) => client(iam.v1.IAMCredentialsClient, on).generateAccessToken({ name, scope: ["x"] })],
];
const ONE_PAGE = { autoPaginate: false };
// Google has no client in this form for what answers here.
const OTHERS = /^https:\/\/((oauth2|sts|www|cloudbilling|cloudresourcemanager)\.googleapis\.com\/|run\.googleapis\.com\/v1\/)/;

/** A client that is answered with one body, whatever it asks; what it asks is kept. */
function client(Kind, on) {
  return new Kind({ fallback: true, projectId: "demo-project", auth: on });
}

function tape(body) {
  const asked = [];
  const fetch = async (url, { method }) => {
    // An @ may be escaped, and need not be.
    asked.push(`${method} ${decodeURIComponent(String(url).replace(":443/", "/").split("?")[0])}`);
    return new Response(JSON.stringify(body), { headers: { "content-type": "application/json; charset=UTF-8" } });
  };
  return { asked, fetch, getRequestHeaders: async () => new Headers(), getUniverseDomain: async () => "googleapis.com" };
}

/** Where, request and body of every success of Google's that is JSON. */
function* bodies() {
  for (const name of readdirSync(CASSETTES).filter((each) => each.endsWith(".json")).sort()) {
    const { interactions } = JSON.parse(readFileSync(new URL(name, CASSETTES), "utf8"));
    for (const [number, { request, response }] of interactions.entries()) {
      const body = response?.body;
      const isGoogle = new URL(request.url).host.endsWith(".googleapis.com");
      if (isGoogle && response?.status >= 200 && response.status < 300 && typeof body === "object" && body) {
        yield [`${name}, interactions[${number}]`, request, Object.keys(body).join() === "json" ? body.json : body];
      }
    }
  }
}

/** Reads an answer as a message, and writes it again: what is in neither is what the message has no place for. */
function lost(name, json) {
  const message = serializer.fromProto3JSON(type(name), json);
  return missing(json, serializer.toProto3JSON(message), "");
}

function missing(before, after, at) {
  if (Array.isArray(before)) {
    return before.flatMap((item, index) => missing(item, after?.[index], `${at}[${index}]`));
  }
  if (typeof before === "object" && before !== null) {
    return Object.entries(before).flatMap(([name, value]) => missing(value, after?.[name], `${at}.${name}`));
  }
  // Times and durations may be written in another way; 64 bits are text in JSON.
  const isSame = before === after || String(before) === String(after) || sameTime(before, after);
  // What is the default of its type is not written.
  const isDefault = after === undefined && (before === false || before === 0 || before === "");
  return isSame || isDefault ? [] : [`${at}: ${JSON.stringify(after)}`];
}

function sameTime(before, after) {
  if (typeof before !== "string" || typeof after !== "string") return false;
  if (/^[\d.]+s$/.test(before)) return parseFloat(before) === parseFloat(after);
  return /^\d{4}-\d\d-\d\dT/.test(before) && Date.parse(before) === Date.parse(after);
}

/** Of a list its names, of a resource its own, and of anything else nothing. */
function names(answer) {
  if (Array.isArray(answer)) return answer.map(({ name }) => name);
  const items = answer.functions ?? answer.services ?? (Object.keys(answer).length ? undefined : []);
  return items ? names(items) : [answer.name ?? ""];
}

test("every success is read", async () => {
  let read = 0;
  let called = 0;
  for (const [where, request, body] of bodies()) {
    if (OTHERS.test(request.url)) continue;
    const wanted = `${request.method} ${request.url.split("?")[0]}`;
    const found = ROUTES.filter(([route]) => new RegExp(`^${route}$`).test(wanted));
    assert.equal(found.length, 1, `${where}: ${wanted}`);
    const [[route, message, call]] = found;
    assert.deepEqual(lost(message, body), [], where);
    read++;
    if (!call) continue;
    const on = tape(body);
    const [answer] = await call(on, new RegExp(`^${route}$`).exec(wanted));
    assert.deepEqual(on.asked, [wanted], where);
    const isEmptyList = message.includes(".List") && !Object.keys(body).length;
    assert.deepEqual(names(answer), isEmptyList ? [] : names(body), where);
    called++;
  }
  console.log(`${read} answers are messages of Google's, ${called} of them were read by its clients for Node`);
  assert.ok(read > 60 && called > 40, `${read}, ${called}`);
});

test("what Google does not have is not read", () => {
  const table = [
    ["google.cloud.functions.v2.Function", { nam: "f" }],
    ["google.cloud.functions.v2.Function", { serviceConfig: { urii: "x" } }],
    ["google.cloud.functions.v2.Function", { state: "RUNNING" }],
    ["google.cloud.run.v2.Service", { updateTime: "yesterday" }],
    ["google.cloud.functions.v2.ListFunctionsResponse", { functions: {} }],
  ];
  for (const [name, json] of table) {
    let isRead;
    try {
      isRead = !lost(name, json).length;
    } catch {
      isRead = false;
    }
    assert.ok(!isRead, JSON.stringify(json));
  }
});
