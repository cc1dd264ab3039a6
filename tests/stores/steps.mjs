// Calls an export of the conformance component, as jco has made it JavaScript, and prints what it returned: call and answer
// as `wasmtime run --invoke` has them.
//
//     node steps.mjs MODULE CALL
import { pathToFileURL } from "node:url";

const [module, call] = process.argv.slice(2);
const [, name, text] = /^([a-z-]+)\((.*)\)$/.exec(call);
const component = await import(pathToFileURL(module));
const step = component[name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())];
const values = JSON.parse(`[${text}]`);

// What JavaScript does not tell apart: numbers of 32 and of 64 bits; nothing, and none.
const isLease = name === "lease";
const option = (value) => (value === undefined ? "none" : `some(${JSON.stringify(value)})`);

try {
  const value = isLease ? step(values[0], BigInt(values[1])) : step(...values);
  console.log(isLease ? `ok(${option(value)})` : value === undefined ? "ok" : `ok(${value})`);
} catch (error) {
  if (error.payload === undefined) throw error;
  console.log(`err(${JSON.stringify(error.payload)})`);
}
process.exit();
