// `gcf connect` and `gcf invoke` against Google's Functions Framework, for Node and for Python; started by run.sh.
const assert = require("node:assert/strict");
const { execFile, spawn } = require("node:child_process");
const { createHash } = require("node:crypto");
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { createServer, request: send } = require("node:http");
const { tmpdir } = require("node:os");
const { join, resolve } = require("node:path");
const { after, before, describe, test } = require("node:test");

const { controlPlane } = require("./google.js");

const KEY = resolve(__dirname, "../fixtures/demo-key.json");
const EVENT_TYPE = "google.cloud.storage.object.v1.finalized";
const account = JSON.parse(readFileSync(KEY, "utf8"));
const folder = mkdtempSync(join(tmpdir(), "gcf-functions-framework-"));
const file = (name, content) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

// Each framework serves two functions, in a process each: that is how Google runs them.
const python = (target) => [process.env.PYTHON, ["-m", "functions_framework", "--source", join(__dirname, "function.py"), "--target", target]];
const node = (target, signature) => [
  process.execPath,
  [join(process.env.NODE_PATH, "@google-cloud/functions-framework/build/src/main.js"), "--source", __dirname, "--target", target, "--signature-type", signature],
];
const frameworks = {
  node: { hello: node("hello", "http"), event: node("event", "cloudevent") },
  ...(process.env.PYTHON && { python: { hello: python("hello"), event: python("event") } }),
};
const functions = {};
for (const name of Object.keys(frameworks)) {
  functions[`hello-${name}`] = { uri: `https://hello-${name}-abc123-uc.a.run.app` };
  functions[`event-${name}`] = { uri: `https://event-${name}-abc123-uc.a.run.app`, event: EVENT_TYPE };
}

let maps;
let google;
const children = [];
const printed = {};

const listening = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));

async function start(name, [program, args]) {
  const free = createServer();
  const port = await listening(free);
  await new Promise((done) => free.close(done));
  const env = { ...process.env, PORT: `${port}`, FUNCTION_SOURCE: "", PYTHONUNBUFFERED: "1", HOST: "127.0.0.1", NODE_ENV: "production" };
  const child = spawn(program, args, { cwd: __dirname, env, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  printed[name] = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (printed[name] += data));
  for (let attempt = 0; ; attempt++) {
    const up = await new Promise((done) => {
      const probe = send({ port, host: "127.0.0.1", method: "OPTIONS" }, (response) => response.resume().on("end", () => done(true)));
      probe.on("error", () => done(false)).end();
    });
    if (up) return `http://127.0.0.1:${port}`;
    if (attempt === 300 || child.exitCode !== null) throw new Error(`${name} does not start:\n${printed[name]}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Runs gcf; what it printed, as bytes, and its exit code. */
function run(args, all = [...args, "--store", join(folder, "store"), ...maps]) {
  return new Promise((done) => {
    // A body that the test would print in full if it were wrong may be long.
    execFile(process.env.GCF, all, { maxBuffer: 64 << 20, encoding: "buffer" }, (error, stdout, stderr) =>
      done({ code: error ? error.code : 0, stdout, stderr: stderr.toString() }));
  });
}

async function gcf(...args) {
  const { code, stdout, stderr } = await run(args);
  assert.equal(code, 0, stderr);
  return stdout;
}

const values = ({ headers }, wanted) => headers.filter(({ name }) => name === wanted).map(({ value }) => value);

before(async () => {
  google = await controlPlane({ account, functions }, KEY);
  const plane = `http://127.0.0.1:${google.port}`;
  const started = Object.entries(frameworks).flatMap(([name, parts]) =>
    Object.entries(parts).map(async ([part, command]) => [functions[`${part}-${name}`].uri, await start(`${part}-${name}`, command)]));
  maps = [["https://oauth2.googleapis.com", plane], ["https://cloudfunctions.googleapis.com", plane], ...(await Promise.all(started))]
    .flatMap(([origin, target]) => ["--map", `${origin}=${target}`]);
  await gcf("connect", "--nickname", "framework", "--project", account.project_id, "--credentials", KEY);
});

after(async () => {
  for (const child of children) child.kill();
  rmSync(folder, { recursive: true });
  assert.deepEqual(await google.unknown(), [], "Google has no such calls");
  google.close();
});

for (const name of Object.keys(frameworks)) {
  const hello = ["invoke", `hello-${name}`, "--region", "us-central1"];
  const event = ["invoke", `event-${name}`, "--region", "us-central1"];
  const invoke = async (...args) => JSON.parse(await gcf(...hello, "--json", ...args));

  describe(`the framework for ${name}`, { concurrency: 4 }, () => {
    test("method, query, headers and body arrive; the ID token is for this function and nobody else", async () => {
      const data = JSON.stringify({ name: "Grüße" });
      const answer = await invoke("--method", "PUT", "--path", "/a/b", "--query", "q=a b&c", "--header", "x-trace: 1234", "--data", data);
      assert.equal(answer.status, 200);
      assert.equal(answer.audience, functions[`hello-${name}`].uri);
      assert.equal(answer.principal, account.client_email);
      const { json: seen } = answer.body;
      assert.equal(seen.method, "PUT");
      assert.equal(seen.path, "/a/b");
      assert.deepEqual(seen.query, { q: "a b&c" });
      assert.equal(seen.headers["x-trace"], "1234");
      assert.equal(seen.headers["content-type"].split(";")[0], "application/json");
      assert.equal(seen.start, Buffer.from(data).toString("latin1"));
      const claims = google.verifiedIdToken(seen.headers.authorization.replace(/^Bearer /, ""));
      assert.equal(claims.aud, answer.audience);
      assert.equal(claims.email, account.client_email);
    });

    test("nobody is told who calls, and the caller's own Authorization arrives", async () => {
      const open = await invoke("--auth", "auto");
      assert.deepEqual([open.token, open.body.json.headers.authorization], ["none", undefined]);
      const own = await invoke("--authorization-file", file(`own-${name}`, "Basic of-the-caller\n"));
      assert.equal(own.body.json.headers.authorization, "Basic of-the-caller");
      google.verifiedIdToken(own.body.json.headers["x-serverless-authorization"].replace(/^Bearer /, ""));
    });

    test("two cookies stay two headers", async () => {
      const answer = await invoke("--query", "do=cookies");
      assert.deepEqual(values(answer, "set-cookie"), ["a=1; Path=/", "b=2; Path=/; HttpOnly"]);
      assert.deepEqual(answer.body, { text: "two cookies" });
      const shown = (await gcf(...hello, "-i", "--query", "do=cookies")).toString();
      assert.match(shown, /^HTTP 200 OK\n/);
      assert.equal(shown.match(/^set-cookie: /gm).length, 2);
    });

    test("a binary body under any status is data, byte for byte", async () => {
      const answer = await invoke("--query", "do=binary");
      assert.equal(answer.status, 418);
      const bytes = Array.from({ length: 256 }, (_, i) => i);
      assert.deepEqual([...Buffer.from(answer.body.base64, "base64")], bytes);
      assert.deepEqual([...(await gcf(...hello, "--query", "do=binary"))], bytes);
    });

    test("a stream is read to its end, and nothing is nothing", async () => {
      assert.equal((await gcf(...hello, "--query", "do=stream")).toString(), "one two three");
      assert.equal((await invoke("--query", "do=nothing")).status, 204);
      assert.equal((await gcf(...hello, "--query", "do=nothing")).length, 0);
      const head = await invoke("--method", "HEAD", "--query", "do=stream");
      assert.equal(head.status, 200);
    });

    test("the function's own 404 and 500 are its answers, and --fail is 22", async () => {
      const missing = await invoke("--query", "do=missing");
      assert.deepEqual([missing.status, missing.body.json, missing.diagnosis], [404, { error: "no such thing here" }, null]);
      const broken = await invoke("--query", "do=broken");
      assert.equal(broken.status, 500);
      assert.equal(broken.trace.filter(({ url }) => url.includes("run.app")).length, 1);
      assert.equal((await run([...hello, "--query", "do=broken", "--fail"])).code, 22);
    });

    test("a form and files arrive", async () => {
      const form = await invoke("--form", "a b=ü", "--form", "c=&");
      assert.equal(form.body.json.headers["content-type"], "application/x-www-form-urlencoded");
      const path = file(`part-${name}.csv`, "x,y\r\n\0");
      const parts = (await invoke("--form", "field=v", "--file", `upload=@${path};type=text/csv`)).body.json;
      assert.match(parts.headers["content-type"], /^multipart\/form-data; boundary=/);
      if (name === "python") {
        assert.deepEqual(form.body.json.form, { "a b": ["ü"], c: ["&"] });
        assert.deepEqual(parts.form, { field: ["v"] });
        assert.deepEqual(parts.files, { upload: [`part-${name}.csv`, "text/csv", "x,y\r\n\0"] });
      } else {
        assert.equal(form.body.json.start, "a+b=%C3%BC&c=%26");
      }
    });

    test("a function that events start takes a CloudEvent, and nothing else", async () => {
      const data = { n: 1, text: "Grüße" };
      const cloudEvent = { specversion: "1.0", id: `id-${name}`, source: "//storage.googleapis.com/b", type: EVENT_TYPE, subject: "a ü%", time: "2026-03-01T12:00:00Z", data };
      const answer = JSON.parse(await gcf(...event, "--json", "--event", file(`event-${name}.json`, JSON.stringify(cloudEvent))));
      assert.ok([200, 204].includes(answer.status), JSON.stringify(answer));
      const line = printed[`event-${name}`].split("\n").find((line) => line.startsWith("event ") && line.includes(cloudEvent.id));
      const seen = JSON.parse(line.slice("event ".length));
      assert.deepEqual(seen.data, data);
      // Neither framework undoes the percent-encoding that the HTTP binding (3.1.3.2) asks for.
      assert.equal(seen.subject, "a%20%C3%BC%25");
      for (const attribute of ["id", "source", "type", "specversion"]) assert.equal(seen[attribute], cloudEvent[attribute]);
      const broken = file(`broken-${name}.json`, JSON.stringify({ ...cloudEvent, type: "com.example.broken" }));
      assert.equal(JSON.parse(await gcf(...event, "--json", "--event", broken)).status, 500);
      const refused = await run([...event, "--data", "{}"]);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /started by events/);
    });

    for (const size of [0, 4_096, 4_097, 1 << 20, ...(name === "node" ? [10 << 20] : [])]) {
      test(`a body of ${size} bytes arrives whole`, async () => {
        // Not UTF-8, and no power of two repeats: a lost or doubled piece changes the digest.
        const body = Buffer.from(Array.from({ length: size }, (_, i) => i % 251));
        const path = file(`body-${name}-${size}`, body);
        const answer = await invoke("--method", "POST", "--content-type", "application/octet-stream", "--data", `@${path}`);
        assert.equal(answer.status, 200);
        assert.equal(answer.body.json.size, size);
        assert.equal(answer.body.json.sha256, createHash("sha256").update(body).digest("hex"));
      });
    }
  });
}
