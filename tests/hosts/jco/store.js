// A secret store in the memory of this process: wit/secret-store.wit, in JavaScript. A real one keeps its entries somewhere
// else, and may take its time: each of these may be async. What it promises stays the same.

import { randomUUID, sign as signWith } from "node:crypto";

export class MapStore {
  /** Key to { value, version }. */
  entries = new Map();
  #leases = new Map();
  #writes = 0;

  #fits(key, expected) {
    const there = this.entries.get(key);
    switch (expected.tag) {
      case "anything":
        return true;
      case "absent":
        return there === undefined;
      case "version":
        return there?.version === expected.val;
    }
  }

  async get(key) {
    return this.entries.get(key);
  }

  /** An error of the contract is thrown as the case that it is. */
  async put(key, value, expected) {
    if (!this.#fits(key, expected)) throw { tag: "version-mismatch" };
    const version = String(++this.#writes);
    this.entries.set(key, { value, version });
    return version;
  }

  async delete(key, expected) {
    if (!this.#fits(key, expected)) throw { tag: "version-mismatch" };
    this.entries.delete(key);
  }

  async keys(prefix) {
    return [...this.entries.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  async acquireLease(name, ttlMs) {
    const now = performance.now();
    const held = this.#leases.get(name);
    if (held && held.ends > now) return { tag: "held", val: BigInt(Math.ceil(held.ends - now)) };
    const token = randomUUID();
    this.#leases.set(name, { token, ends: now + Number(ttlMs) });
    return { tag: "granted", val: token };
  }

  async releaseLease(name, token) {
    if (this.#leases.get(name)?.token === token) this.#leases.delete(name);
  }

  /** Signs outside of the component, which then never reads the key. */
  async sign(key, _algorithm, message) {
    const entry = this.entries.get(key);
    if (!entry) throw { tag: "unsupported" };
    return new Uint8Array(signWith("RSA-SHA256", message, entry.value));
  }
}
