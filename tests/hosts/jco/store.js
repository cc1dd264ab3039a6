// A secret store in the memory of this process: wit/secret-store.wit, in JavaScript. A real one keeps its entries somewhere
// else; what it promises stays the same.

import { randomUUID, sign as signWith } from "node:crypto";

/** Key to { value, version }. */
export const entries = new Map();
const leases = new Map();
let writes = 0;

function fits(key, expected) {
  const there = entries.get(key);
  switch (expected.tag) {
    case "anything":
      return true;
    case "absent":
      return there === undefined;
    case "version":
      return there?.version === expected.val;
  }
}

export function get(key) {
  return entries.get(key);
}

/** An error of the contract is thrown as the case that it is. */
export function put(key, value, expected) {
  if (!fits(key, expected)) throw { tag: "version-mismatch" };
  const version = String(++writes);
  entries.set(key, { value, version });
  return version;
}

function remove(key, expected) {
  if (!fits(key, expected)) throw { tag: "version-mismatch" };
  entries.delete(key);
}
export { remove as delete };

export function keys(prefix) {
  return [...entries.keys()].filter((key) => key.startsWith(prefix)).sort();
}

export function acquireLease(name, ttlMs) {
  const now = performance.now();
  const held = leases.get(name);
  if (held && held.ends > now) return { tag: "held", val: BigInt(Math.ceil(held.ends - now)) };
  const token = randomUUID();
  leases.set(name, { token, ends: now + Number(ttlMs) });
  return { tag: "granted", val: token };
}

export function releaseLease(name, token) {
  if (leases.get(name)?.token === token) leases.delete(name);
}

/** Signs outside of the component, which then never reads the key. */
export function sign(key, _algorithm, message) {
  const entry = entries.get(key);
  if (!entry) throw { tag: "unsupported" };
  return new Uint8Array(signWith("RSA-SHA256", message, entry.value));
}

