// A host for the connector in Node, by jco: what a host grants, and how it calls.
//
//     jco transpile gcf-connector.wasm --name connector --out-dir out --instantiation async
//
//     const connector = await Connector.open(new URL("./out/connector.js", import.meta.url), { store: new MapStore() });
//     const { functions } = await connector.call("functions.list", { regions: [] }, { connection });
//
// It is meant to be read, and to be copied. The component runs in worker.js, so that the event loop of this thread goes on;
// egress.js says where requests may go; values.js turns the catalog's JSON into the component's values; store.js is the
// secret store, to be replaced by your own.

import { MessageChannel, Worker } from "node:worker_threads";

import { FieldError, lift, lowerArguments } from "./values.js";

export { FieldError };

// Around a whole call; the connector keeps its own, shorter deadlines.
const CALL_SECONDS = 120;
// For a thread that compiles the component, on a busy machine.
const START_SECONDS = 60;
// Beyond the deadline that a caller gives, which the connector keeps by itself as long as it is let.
const GRACE_SECONDS = 5;

/** The connector's answer when a call fails; `error` is the record of the contract. */
export class ConnectorError extends Error {
  constructor(error) {
    super(`${error.kind}: ${error.message}${error.fix ? ` (${error.fix})` : ""}`);
    this.name = "ConnectorError";
    this.error = error;
  }
}

/** A call that has not ended in time. Its thread has been ended. */
export class CallTimeout extends Error {
  constructor(action) {
    super(`${action} did not end in time`);
    this.name = "CallTimeout";
  }
}

/** The component in a thread of its own, for one call at a time: others wait for their turn. */
export class Connector {
  #component;
  #options;
  #worker;
  #thread;
  #last = Promise.resolve();

  /**
   * Starts the component that `jco transpile` has made.
   *
   * `store` is a store as in store.js. `allow` is an egress manifest of yours, within which the component's own holds.
   * `seconds` is how long a call may take. `instead` is for tests: the authority of a server on loopback, which then gets all
   * requests.
   */
  static async open(component, { store, allow, instead, seconds = CALL_SECONDS }) {
    const connector = new Connector();
    connector.#component = component;
    connector.#options = { store, allow, instead, seconds };
    await connector.#started();
    return connector;
  }

  /**
   * Calls an action by its name in the catalog, with the JSON that the catalog describes, bytes as Uint8Array.
   *
   * Throws a `ConnectorError` with the connector's own error; a `FieldError` if the input does not fit, before anything
   * runs; and a `CallTimeout` if the call does not end in time.
   */
  async call(name, input = {}, { connection, deadlineMs } = {}) {
    const worker = await this.#started();
    const { catalog } = worker;
    const action = catalog.actions.find((each) => each.name === name);
    if (!action) {
      throw new FieldError(name, `there is no such action; there are ${catalog.actions.map((each) => each.name).join(", ")}`);
    }
    if (deadlineMs !== undefined && !(Number.isInteger(deadlineMs) && deadlineMs >= 0 && deadlineMs < 2 ** 32)) {
      throw new FieldError("deadline-ms", "a number from 0 to 4294967295 belongs here");
    }
    if (connection === undefined && action.parameters.some((each) => each === "connection" || each === "id")) {
      throw new FieldError("connection", "this action is one of a connection");
    }
    const values = lowerArguments(catalog, action, input, { connection, id: connection, "deadline-ms": deadlineMs });
    const turn = this.#last.then(() => this.#run(name, values, deadlineMs));
    this.#last = turn.catch(() => {});
    const { value, error, fault } = await turn;
    if (fault !== undefined) throw new Error(`${name} failed in the host or in the component: ${fault}`);
    if (error) throw new ConnectorError(lift(catalog, catalog.error, error));
    return action.output === undefined ? undefined : lift(catalog, action.output, value);
  }

  /** The document of the component about itself. */
  async catalog() {
    return (await this.#started()).catalog;
  }

  /** Ends the thread, and with it the call that runs. */
  async close() {
    await this.#worker?.then(({ thread }) => thread.terminate());
    this.#worker = undefined;
  }

  async #run(name, values, deadlineMs) {
    const { thread } = await this.#started();
    const [interfaceName, exported] = name.split(".");
    const seconds = Math.min(this.#options.seconds, (deadlineMs ?? Infinity) / 1000 + GRACE_SECONDS);
    thread.ref();
    try {
      const answered = answer(thread);
      thread.postMessage([interfaceName, exported.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase()), values]);
      return await within(seconds, answered, () => new CallTimeout(name));
    } catch (error) {
      // A thread that did not answer is not asked again; the next call has a new one.
      await this.close();
      throw error;
    } finally {
      thread.unref();
    }
  }

  #started() {
    this.#worker ??= this.#start().catch((error) => {
      this.#worker = undefined;
      throw error;
    });
    return this.#worker;
  }

  async #start() {
    const { store, allow, instead } = this.#options;
    const { port1: ours, port2: storePort } = new MessageChannel();
    const signal = new Int32Array(new SharedArrayBuffer(4));
    ours.on("message", async ([name, values]) => {
      ours.postMessage(await outcome(() => store[name](...values)));
      Atomics.store(signal, 0, 1);
      Atomics.notify(signal, 0);
    });
    ours.unref();
    const thread = new Worker(new URL("./worker.js", import.meta.url), {
      workerData: { component: String(this.#component), storePort, signal, allow, instead },
      transferList: [storePort],
    });
    // One that ends between two calls is nobody's error; the next call has a new one.
    thread.on("error", () => {});
    thread.once("exit", () => {
      if (this.#thread === thread) this.#worker = undefined;
    });
    this.#thread = thread;
    try {
      const { catalog } = await within(START_SECONDS, answer(thread), () => new CallTimeout("the start"));
      thread.unref();
      return { thread, catalog };
    } catch (error) {
      await thread.terminate();
      throw error;
    }
  }
}

/** The next message of the thread; or that it has ended. */
function answer(thread) {
  return new Promise((resolve, reject) => {
    const listeners = {
      message: (message) => settle(resolve, message),
      error: (error) => settle(reject, error),
      exit: () => settle(reject, new Error("the thread of the component has ended")),
    };
    const settle = (how, value) => {
      for (const [event, listener] of Object.entries(listeners)) thread.off(event, listener);
      how(value);
    };
    for (const [event, listener] of Object.entries(listeners)) thread.on(event, listener);
  });
}

async function within(seconds, promise, late) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(late()), seconds * 1000);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** The result of a function of the store. What is no error of the contract is told to nobody: it may hold anything. */
async function outcome(ask) {
  try {
    return { value: await ask() };
  } catch (error) {
    return { error: typeof error?.tag === "string" ? error : { tag: "unavailable", val: "the store of the host failed" } };
  }
}
