// The same requests by `gcf invoke` and by curl, to servers that look at the media type before they look at the body: Flask's
// `get_json()` and Fastify. They must be told the same, and answer the same.
const assert = require("node:assert/strict");
const { execFile } = require("node:child_process");
const { after, before, describe, test } = require("node:test");
const { join } = require("node:path");

const { Servers, folder, remove, write } = require("./servers.js");

const servers = new Servers();
const targets = {
  fastify: [process.execPath, [join(__dirname, "fastify.js")]],
  ...(process.env.PYTHON && {
    flask: [process.env.PYTHON, ["-m", "functions_framework", "--source", join(__dirname, "function.py"), "--target", "strict"]],
  }),
};
const url = (name) => `https://${name}-abc123-uc.a.run.app`;
const json = write("body.json", '{"a": [1, "Grüße"]}\r\n');
const marked = write("marked.json", '\ufeff{"a": 1}');

// What goes over the wire is the same by both.
const BODIES = {
  "no body": { gcf: [], curl: [] },
  "JSON": { gcf: ["--data", `@${json}`], curl: ["-H", "content-type: application/json", "--data-binary", `@${json}`] },
  "JSON as Windows writes it": { gcf: ["--data", `@${marked}`], curl: ["-H", "content-type: application/json", "--data-binary", '{"a": 1}'] },
  "text": { gcf: ["--data", "hello"], curl: ["-H", "content-type: text/plain; charset=utf-8", "--data-binary", "hello"] },
  "a form": { gcf: ["--form", "a=b c"], curl: ["--data", "a=b+c"] },
  "a media type of nothing": { gcf: ["--header", "content-type: application/json"], curl: ["-H", "content-type: application/json"] },
};
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

const origins = {};
let maps;

const run = (program, args) =>
  new Promise((done, failed) => {
    execFile(program, args, (error, stdout, stderr) => (error?.code === "ENOENT" ? failed(error) : done({ stdout, stderr })));
  });

/** Status and answer, as the server gave them. */
async function byCurl(origin, method, { curl }) {
  const how = method === "HEAD" ? ["--head"] : ["--request", method];
  const { stdout } = await run("curl", ["--silent", ...how, ...curl, "--write-out", "\n%{http_code}", `${origin}/a`]);
  const at = stdout.lastIndexOf("\n");
  return { status: Number(stdout.slice(at + 1)), answer: method === "HEAD" ? "" : stdout.slice(0, at) };
}

async function byGcf(name, method, { gcf }) {
  const args = ["invoke", `${url(name)}/a`, "--auth", "none", "--method", method, "--json", ...gcf, "--store", join(folder, "store"), ...maps];
  const { stdout, stderr } = await run(process.env.GCF, args);
  assert.notEqual(stdout, "", stderr);
  const { status, body } = JSON.parse(stdout);
  return { status, answer: body?.json ? JSON.stringify(body.json) : (body?.text ?? "") };
}

// What a server says of the request, without what may differ: `content-length: 0` is sent by curl with no method, and
// has to be sent with those that anticipate content (RFC 9110, section 8.6), for there are servers that answer 411.
function heard(answer, method) {
  let said;
  try {
    said = JSON.parse(answer);
  } catch {
    return answer.length > 0;
  }
  if (!("length" in said)) return { ...said, message: undefined };
  const anticipated = !["GET", "HEAD"].includes(method);
  return { ...said, length: anticipated && said.length === "0" ? null : said.length };
}

before(async () => {
  for (const [name, command] of Object.entries(targets)) origins[name] = await servers.start(name, command);
  const google = await servers.google();
  maps = [["https://oauth2.googleapis.com", google], ...Object.entries(origins).map(([name, origin]) => [url(name), origin])]
    .flatMap(([origin, target]) => ["--map", `${origin}=${target}`]);
  const connect = ["connect", "--nickname", "curl", "--project", servers.project, "--credentials", servers.key];
  const { stderr } = await run(process.env.GCF, [...connect, "--store", join(folder, "store"), ...maps]);
  assert.doesNotMatch(stderr, /^error/m);
});

after(() => {
  servers.stop();
  remove();
});

for (const name of Object.keys(targets)) {
  describe(`${name} is told the same by gcf and by curl`, { concurrency: 4 }, () => {
    for (const method of METHODS) {
      for (const [what, body] of Object.entries(BODIES)) {
        // A GET with a body is no request that Google's front end lets through.
        if (["GET", "HEAD"].includes(method) && !["no body", "a media type of nothing"].includes(what)) continue;
        test(`${method} with ${what}`, async () => {
          const [curl, gcf] = await Promise.all([byCurl(origins[name], method, body), byGcf(name, method, body)]);
          assert.equal(gcf.status, curl.status, `${gcf.answer}\n${curl.answer}`);
          assert.deepEqual(heard(gcf.answer, method), heard(curl.answer, method));
          if (what === "no body") assert.equal(gcf.status, 200);
        });
      }
    }
  });
}
