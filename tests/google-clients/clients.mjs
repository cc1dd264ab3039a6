// Google's clients for Node, with one answer in place of Google.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const installed = createRequire(process.env.GCF_CLIENTS);
const functions = installed("@google-cloud/functions");
const run = installed("@google-cloud/run");
const iam = installed("@google-cloud/iam-credentials");
export const serializer = installed("proto3-json-serializer");
const { protobuf } = installed("google-gax");

const roots = ["functions", "run", "iam-credentials"].map((name) =>
  protobuf.Root.fromJSON(installed(`@google-cloud/${name}/build/protos/protos.json`)),
);
// What all APIs share, beside the code that is exported.
const shared = new URL("../protos/", pathToFileURL(installed.resolve("google-gax")));
for (const name of ["iam_service", "locations"]) {
  roots.push(protobuf.Root.fromJSON(JSON.parse(readFileSync(new URL(`${name}.json`, shared), "utf8"))));
}

export function type(name) {
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
export const OTHERS = /^https:\/\/((oauth2|sts|www|cloudbilling|cloudresourcemanager)\.googleapis\.com\/|run\.googleapis\.com\/v1\/)/;

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

/** The route of a request: its pattern, the message that answers it, and the call of the client that asks for it. */
export function routeOf({ method, url }) {
  const wanted = `${method} ${url.split("?")[0]}`;
  const found = ROUTES.filter(([route]) => new RegExp(`^${route}$`).test(wanted));
  assert.equal(found.length, 1, wanted);
  return found[0];
}

/** The body as a client reads it, and the request that the client has made. */
export async function byClient({ method, url }, body) {
  const [route, , call] = routeOf({ method, url });
  const on = tape(body);
  const [answer] = await call(on, new RegExp(`^${route}$`).exec(`${method} ${url.split("?")[0]}`));
  return { answer, asked: on.asked };
}
