// A folder, servers on loopback, and a Google for them.
const { spawn } = require("node:child_process");
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { createServer, request: send } = require("node:http");
const { tmpdir } = require("node:os");
const { join, resolve } = require("node:path");

const { controlPlane } = require("./google.js");

const KEY = resolve(__dirname, "../fixtures/demo-key.json");
const account = JSON.parse(readFileSync(KEY, "utf8"));
const folder = mkdtempSync(join(tmpdir(), "gcf-functions-framework-"));

const write = (name, content) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const listening = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));

class Servers {
  key = KEY;
  project = account.project_id;
  /** The lines that each server has printed. */
  printed = {};
  #children = [];
  #google = [];

  /** Starts a program that serves at the port in PORT; its origin. */
  async start(name, [program, args]) {
    const free = createServer();
    const port = await listening(free);
    await new Promise((done) => free.close(done));
    const env = { ...process.env, PORT: `${port}`, FUNCTION_SOURCE: "", PYTHONUNBUFFERED: "1", HOST: "127.0.0.1", NODE_ENV: "production" };
    const child = spawn(program, args, { cwd: __dirname, env, stdio: ["ignore", "pipe", "pipe"] });
    this.#children.push(child);
    this.printed[name] = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (this.printed[name] += data));
    for (let attempt = 0; ; attempt++) {
      const up = await new Promise((done) => {
        const probe = send({ port, host: "127.0.0.1", method: "OPTIONS" }, (response) => response.resume().on("end", () => done(true)));
        probe.on("error", () => done(false)).end();
      });
      if (up) return `http://127.0.0.1:${port}`;
      if (attempt === 300 || child.exitCode !== null) throw new Error(`${name} does not start:\n${this.printed[name]}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  /** Starts Google's control plane for these functions; its origin. */
  async google(functions = {}) {
    const google = await controlPlane({ account, functions }, KEY);
    this.#google.push(google);
    return `http://127.0.0.1:${google.port}`;
  }

  stop() {
    for (const child of this.#children) child.kill();
    for (const google of this.#google) google.close();
  }
}

const remove = () => rmSync(folder, { recursive: true });

module.exports = { Servers, folder, remove, write };
