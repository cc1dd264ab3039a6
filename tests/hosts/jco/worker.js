// The thread in which the component runs. Its imports block, and so does this thread; the one of connector.js does not.
//
// Each call runs in a fresh instance, which shares nothing with the last one but the store.

import { readFile } from "node:fs/promises";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";

import { clocks, http, io, random } from "@bytecodealliance/preview2-shim";

import { Denied, Policy } from "./egress.js";

const { component, storePort, signal, allow, instead } = workerData;
const REQUESTS_PER_CALL = 256;

const { instantiate } = await import(component);
const modules = new Map();
let policy = new Policy([]);
let requests = 0;

/** A function of the store, which lives in the other thread: this one waits for its answer. */
function ofStore(name) {
  return (...values) => {
    storePort.postMessage([name, values]);
    // The other thread may still be about to wake this one for its last answer, which is here already.
    do Atomics.wait(signal, 0, 0);
    while (Atomics.exchange(signal, 0, 0) === 0);
    const { value, error } = receiveMessageOnPort(storePort).message;
    if (error) throw error;
    return value;
  };
}

/** The one door out: the shim sends wherever it is told to, and follows nothing. */
function handle(request, options) {
  const method = request.method();
  const scheme = (request.scheme()?.val ?? request.scheme()?.tag ?? "").toLowerCase();
  const path = request.pathWithQuery() ?? "/";
  const headers = request.headers().entries().map(([name, value]) => [name, Buffer.from(value).toString("latin1")]);
  let host;
  try {
    host = policy.check(method.val ?? method.tag.toUpperCase(), scheme, request.authority(), path, headers);
  } catch (error) {
    if (error instanceof Denied) throw { tag: "HTTP-request-denied" };
    throw error;
  }
  if (++requests > REQUESTS_PER_CALL) throw { tag: "internal-error", val: "the call has sent all of its requests" };
  if (instead) {
    // For tests: everything goes there, with the host that was meant as the first part of the path.
    request.setPathWithQuery(`/${host}${path}`);
    request.setScheme({ tag: "HTTP" });
    request.setAuthority(instead);
  }
  return http.outgoingHandler.handle(request, options);
}

// What is not here cannot be reached.
const imports = {
  "gcf:connector/secret-store": Object.fromEntries(
    ["get", "put", "delete", "keys", "acquireLease", "releaseLease", "sign"].map((name) => [name, ofStore(name)]),
  ),
  "wasi:clocks/monotonic-clock": clocks.monotonicClock,
  "wasi:clocks/wall-clock": clocks.wallClock,
  "wasi:http/outgoing-handler": { handle },
  "wasi:http/types": http.types,
  "wasi:io/error": io.error,
  "wasi:io/poll": io.poll,
  "wasi:io/streams": io.streams,
  "wasi:random/random": random.random,
};

function core(path) {
  if (!modules.has(path)) modules.set(path, readFile(new URL(path, component)).then(WebAssembly.compile));
  return modules.get(path);
}

async function call([name, exported, values]) {
  requests = 0;
  const instance = await instantiate(core, imports);
  try {
    return { value: instance[name][exported](...values) };
  } catch (error) {
    // An error of the contract has a payload. Anything else is a fault: the guest's, or this host's.
    return error?.payload ? { error: error.payload } : { fault: String(error?.message ?? error) };
  }
}

// Nothing is sent before the component has said where to.
const described = await call(["catalog", "describe", []]);
if (described.fault) throw new Error(described.fault);
const catalog = JSON.parse(described.value);
policy = new Policy(catalog.egress, allow);
parentPort.on("message", async (message) => parentPort.postMessage(await call(message)));
parentPort.postMessage({ catalog });
