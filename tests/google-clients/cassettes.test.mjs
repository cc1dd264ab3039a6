// Google's clients for Node read every success of Google's that is on a cassette, as those for Python do (test_cassettes.py).
//
// Twice: as a message, which has to hold all that the answer says; and by the client itself over REST, which asks the tape in
// place of Google, and has to ask for the same.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { OTHERS, byClient, routeOf, serializer, type } from "./clients.mjs";

const CASSETTES = new URL("../cassettes/", import.meta.url);

/** Place, request and body of every success of Google's that is JSON. */
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
    const [, message, call] = routeOf(request);
    assert.deepEqual(lost(message, body), [], where);
    read++;
    if (!call) continue;
    const { answer, asked } = await byClient(request, body);
    assert.deepEqual(asked, [`${request.method} ${request.url.split("?")[0]}`], where);
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
