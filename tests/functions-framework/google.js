// The strict Google of tests/google on loopback: a token endpoint that verifies assertions, and Cloud Functions with functions of
// 2nd gen. It is a program of its own, which `cargo xtask test` builds; target/debug/strict-google, or STRICT_GOOGLE=path.
const { createPublicKey, createVerify } = require("node:crypto");
const { spawn } = require("node:child_process");
const { readFileSync } = require("node:fs");
const { request } = require("node:http");
const { resolve } = require("node:path");

const canaries = JSON.parse(readFileSync(resolve(__dirname, "../fixtures/canaries.json"), "utf8"));
const program = process.env.STRICT_GOOGLE || resolve(process.env.CARGO_TARGET_DIR || resolve(__dirname, "../../target"), "debug/strict-google");

/** Laid over a function with every field that Google's has. */
const resource = ({ uri, event }) => ({
  environment: "GEN_2",
  state: "ACTIVE",
  buildConfig: { runtime: "nodejs22", entryPoint: "hello" },
  eventTrigger: event ? { eventType: event } : null,
  serviceConfig: { uri, timeoutSeconds: 60, availableMemory: "256Mi", ingressSettings: "ALLOW_ALL" },
});

/** Starts the program with `functions` by their names; where it listens, and how to end it. */
async function controlPlane({ account, functions }, keyFile) {
  const child = spawn(program, [keyFile], { stdio: ["pipe", "pipe", "inherit"] });
  const project = {
    id: account.project_id,
    access_token: canaries["service-access-token"],
    functions: Object.entries(functions).map(([name, made]) => ["us-central1", name, resource(made)]),
    viewers: [account.client_email],
  };
  child.stdin.write(`${JSON.stringify(project)}\n`);
  const port = await new Promise((done, fail) => {
    child.stdout.once("data", (line) => done(Number(line)));
    child.once("error", fail).once("exit", (code) => fail(new Error(`strict-google ended with ${code}`)));
  });
  const ask = (host, path) =>
    new Promise((done, fail) => {
      request({ port, host: "127.0.0.1", path, headers: { host } }, async (response) => {
        const parts = [];
        for await (const part of response) parts.push(part);
        done(JSON.parse(Buffer.concat(parts)));
      }).on("error", fail).end();
    });
  const { keys } = await ask("www.googleapis.com", "/oauth2/v3/certs");
  const key = createPublicKey({ key: keys[0], format: "jwk" });
  return {
    port,
    unknown: () => ask("control", "/unknown"),
    verifiedIdToken: (jwt) => verified(jwt, key),
    close: () => child.stdin.end(),
  };
}

/** The claims of a JWT that `key` has signed with RS256 and that has not expired; throws otherwise. */
function verified(jwt, key) {
  const [header, claims, signature] = jwt.split(".");
  const { alg } = JSON.parse(Buffer.from(header, "base64url"));
  if (alg !== "RS256" || !createVerify("RSA-SHA256").update(`${header}.${claims}`).verify(key, signature, "base64url")) {
    throw new Error("invalid signature");
  }
  const parsed = JSON.parse(Buffer.from(claims, "base64url"));
  if (parsed.exp <= Date.now() / 1000) throw new Error("expired");
  return parsed;
}

module.exports = { controlPlane };
