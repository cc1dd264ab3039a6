// Each function that gcf shows is as Google's clients for Node read in the same answers, as those for Python do
// (test_gcf.py, which says more).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { byClient } from "./clients.mjs";

const PLAYED = JSON.parse(readFileSync(process.env.GCF_PLAYED, "utf8"));
const { words, switched } = JSON.parse(readFileSync(new URL("same.json", import.meta.url), "utf8"));

const TRIGGER_TYPE = "cloudfunctions.googleapis.com/trigger-type";
const RUNTIME = "goog-cloudfunctions-runtime";

const word = (kind, google) => words[kind][google] ?? google;
const orNull = (value) => value || null;

/** The name of an enum's value, but for the one that stands for none. */
const setEnum = (name) => (!name || name.endsWith("_UNSPECIFIED") ? null : name);

/** RFC 3339. */
function time(stamp) {
  if (!stamp) return null;
  const seconds = new Date(Number(stamp.seconds) * 1000).toISOString().slice(0, 19);
  return moment(`${seconds}.${String(stamp.nanos).padStart(9, "0")}Z`);
}

/** A time without the zeros at its end, which say nothing: Google writes them, and its clients don't. */
const moment = (text) => (text?.includes(".") ? text.replace(/\.?0+Z$/, "Z") : text);

function ofFunction(message) {
  const config = message.serviceConfig ?? {};
  return {
    generation: word("generation", message.environment),
    trigger: message.eventTrigger ? message.eventTrigger.eventType : "http",
    state: message.state,
    // Of 2nd gen that of the service, at which it is called; of 1st gen the only one.
    url: orNull(config.uri || message.url),
    runtime: orNull(message.buildConfig?.runtime),
    "service-account": orNull(config.serviceAccountEmail),
    ingress: setEnum(config.ingressSettings),
    "timeout-seconds": orNull(config.timeoutSeconds),
    memory: orNull(config.availableMemory),
  };
}

function ofService(message) {
  const template = message.template ?? {};
  const image = message.buildConfig?.baseImage?.split("/runtimes/").at(-1);
  const limits = (template.containers ?? []).map((container) => container.resources?.limits?.memory);
  return {
    generation: "cloud-run",
    trigger: word("trigger", template.annotations?.[TRIGGER_TYPE] ?? ""),
    state: word("state", message.terminalCondition?.state),
    url: orNull(message.uri),
    runtime: orNull(image || message.labels[RUNTIME]),
    "service-account": orNull(template.serviceAccount),
    ingress: setEnum(message.ingress),
    "timeout-seconds": orNull(Number(template.timeout?.seconds ?? 0)),
    memory: orNull(limits.find((limit) => limit)),
  };
}

/** The function that gcf has to show for a function or service that the client has read. */
function shown(kind, message) {
  const [, project, , region, , name] = message.name.split("/");
  return {
    name,
    region,
    project,
    ...(kind === "functions" ? ofFunction(message) : ofService(message)),
    labels: { ...message.labels },
    updated: time(message.updateTime),
  };
}

/** The functions that gcf has to show of an answer. */
async function read({ request, kind }, body) {
  const { answer } = await byClient(request, body);
  return (Array.isArray(answer) ? answer : [answer]).map((message) => shown(kind, message));
}

/** In the order of what tells each from all others; a time is a moment, however it is written. */
function byPlace(functions) {
  const place = ({ region, name, generation }) => [region, name, generation].join();
  const sorted = functions.toSorted((one, other) => (place(one) < place(other) ? -1 : 1));
  return sorted.map((each) => ({ ...each, updated: moment(each.updated) }));
}

function switchOne(body, path, value) {
  const copy = structuredClone(body);
  const last = path.at(-1);
  path.slice(0, -1).reduce((at, step) => at[step], copy)[last] = value;
  return copy;
}

test("gcf shows what Google's clients for Node read", async () => {
  let answers = 0;
  let functions = 0;
  for (const play of PLAYED) {
    const expected = [];
    for (const answer of play.answers) expected.push(...(await read(answer, answer.body)));
    assert.deepEqual(byPlace(play.functions), byPlace(expected), play.where);
    answers += play.answers.length;
    functions += expected.length;
  }
  console.log(`gcf shows ${functions} functions of ${answers} answers as Google's clients for Node read them`);
  assert.ok(answers > 30 && functions > 90, `${answers}, ${functions}`);
});

test("each field that is switched is seen", async () => {
  for (const [kind, switches] of Object.entries(switched)) {
    const name = { functions: "hello-http", services: "slack-bot" }[kind];
    const plays = PLAYED.filter((play) => play.where.includes(" get "));
    const play = plays.find((each) => each.answers[0].kind === kind && each.functions[0].name === name);
    const [answer] = play.answers;
    const [said] = play.functions;
    for (const [field, path, value] of switches) {
      const [other] = await read(answer, switchOne(answer.body, path, value));
      const differ = Object.keys(said).filter((each) => JSON.stringify(said[each]) !== JSON.stringify(other[each]));
      assert.deepEqual(differ, [field], `${kind}: ${field}`);
    }
  }
});
