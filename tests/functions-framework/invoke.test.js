// `gcf connect` and `gcf invoke` against Google's Functions Framework; started by run.sh.
const assert = require("node:assert/strict");
const { execFile } = require("node:child_process");
const { createHash } = require("node:crypto");
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join, resolve } = require("node:path");
const { after, before, test } = require("node:test");
const { promisify } = require("node:util");

const { getTestServer } = require("@google-cloud/functions-framework/testing");
require("./function.js");
const { controlPlane, verifiedIdToken } = require("./google.js");

const KEY = resolve(__dirname, "../fixtures/demo-key.json");
const URI = "https://hello-abc123-uc.a.run.app";
const account = JSON.parse(readFileSync(KEY, "utf8"));
const folder = mkdtempSync(join(tmpdir(), "gcf-functions-framework-"));
const servers = [controlPlane({ account, uri: URI }), getTestServer("hello")];
let maps;

async function gcf(...args) {
  const all = [...args, "--store", join(folder, "store"), ...maps];
  // A body that the test would print in full if it were wrong may be long.
  const { stdout } = await promisify(execFile)(process.env.GCF, all, { maxBuffer: 64 << 20 });
  return stdout;
}

const invoke = async (...args) => JSON.parse(await gcf("invoke", "hello", "--region", "us-central1", "--json", ...args));

const values = ({ headers }, wanted) => headers.filter(({ name }) => name === wanted).map(({ value }) => value);

before(async () => {
  const origins = await Promise.all(
    servers.map((server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(`http://127.0.0.1:${server.address().port}`)))),
  );
  const [google, framework] = origins;
  maps = [
    ["https://oauth2.googleapis.com", google],
    ["https://cloudfunctions.googleapis.com", google],
    [URI, framework],
  ].flatMap(([origin, target]) => ["--map", `${origin}=${target}`]);
  await gcf("connect", "--nickname", "framework", "--project", account.project_id, "--credentials", KEY);
});

after(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(folder, { recursive: true });
});

test("method, query, headers and body arrive; the ID token is for this function and nobody else", async () => {
  const data = JSON.stringify({ name: "Grüße" });
  const answer = await invoke("--method", "PUT", "--query", "q=a b&c", "--header", "x-trace: 1234", "--data", data);
  assert.equal(answer.status, 200);
  assert.equal(answer.audience, URI);
  assert.equal(answer.principal, account.client_email);
  const { json: seen } = answer.body;
  assert.equal(seen.method, "PUT");
  assert.deepEqual(seen.query, { q: "a b&c" });
  assert.equal(seen.headers["x-trace"], "1234");
  assert.equal(seen.headers["content-type"].split(";")[0], "application/json");
  assert.equal(seen.start, Buffer.from(data).toString("latin1"));
  const claims = verifiedIdToken(seen.headers.authorization.replace(/^Bearer /, ""));
  assert.equal(claims.aud, URI);
  assert.equal(claims.email, account.client_email);
});

test("two cookies stay two headers", async () => {
  const answer = await invoke("--query", "do=cookies");
  assert.equal(answer.status, 200);
  assert.deepEqual(values(answer, "set-cookie"), ["a=1; Path=/", "b=2; Path=/; HttpOnly"]);
  assert.deepEqual(answer.body, { text: "two cookies" });
});

test("a status outside 2xx with a binary body is data", async () => {
  const answer = await invoke("--query", "do=teapot");
  assert.equal(answer.status, 418);
  assert.deepEqual(values(answer, "content-type"), ["application/octet-stream"]);
  assert.deepEqual([...Buffer.from(answer.body.base64, "base64")], Array.from({ length: 256 }, (_, i) => i));
});

for (const size of [0, 4_096, 4_097, 1 << 20, 10 << 20]) {
  test(`a body of ${size} bytes arrives whole`, async () => {
    // Not UTF-8, and no power of two repeats: a lost or doubled piece changes the digest.
    const body = Buffer.from(Array.from({ length: size }, (_, i) => i % 251));
    const file = join(folder, `body-${size}`);
    writeFileSync(file, body);
    const answer = await invoke("--method", "POST", "--content-type", "application/octet-stream", "--data", `@${file}`);
    assert.equal(answer.status, 200);
    assert.equal(answer.body.json.size, size);
    assert.equal(answer.body.json.sha256, createHash("sha256").update(body).digest("hex"));
  });
}
