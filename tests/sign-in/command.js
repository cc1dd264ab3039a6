// The gcf command as a person has it: a store, a key for it, a browser, and words on two streams.
const { spawn } = require("node:child_process");
const { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

/** One run of a program: what it has written so far, and how it ends. */
class Run {
  stdout = "";
  stderr = "";
  #waiting = new Set();

  constructor(file, args, options) {
    this.process = spawn(file, args, options);
    for (const stream of ["stdout", "stderr"]) {
      this.process[stream].setEncoding("utf8").on("data", (text) => {
        this[stream] += text;
        for (const look of this.#waiting) look();
      });
    }
    this.ended = new Promise((resolve, reject) => {
      this.process.on("error", reject);
      this.process.on("close", (code, signal) => {
        this.code = code ?? signal;
        for (const look of this.#waiting) look();
        resolve(this);
      });
    });
    // Whoever reads an end that never came gets the error; nobody else has to.
    this.ended.catch(() => {});
  }

  /** The first match on stderr, once it is there; an error if the program ends without it. */
  said(pattern) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(this.stderr);
        if (found) resolve(found[0]);
        else if (this.code !== undefined) reject(new Error(`ended with ${this.code} before ${pattern}\n${this.text}`));
        else return;
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** The result of `step`; an error if the program fails in the meantime. */
  during(step) {
    const failed = this.ended.then(() => {
      if (this.code !== 0) throw new Error(`ended with ${this.code}\n${this.text}`);
      return step;
    });
    return Promise.race([step, failed]);
  }

  /** Writes one line to it, and ends its input. */
  type(line) {
    this.process.stdin.end(`${line}\n`);
  }

  get text() {
    return `stdout:\n${this.stdout}\nstderr:\n${this.stderr}`;
  }
}

/** A person's machine: everything that gcf leaves behind is in one folder, gone after the test `t`. */
class Machine {
  constructor(t, google) {
    this.t = t;
    this.google = google;
    this.folder = mkdtempSync(join(tmpdir(), "gcf-sign-in-"));
    this.store = join(this.folder, "store");
    this.client = this.write("client_secret.json", JSON.stringify(google.clientFile));
    t.after(() => rmSync(this.folder, { recursive: true }));
  }

  write(name, text) {
    const file = join(this.folder, name);
    writeFileSync(file, text);
    return file;
  }

  /** Starts gcf; it is killed if the test is over before it. */
  start(args, env = {}) {
    const all = [...args, "--store", this.store, ...this.google.maps];
    const own = { GCF_KEY_FILE: join(this.folder, "key"), ...env };
    const run = new Run(process.env.GCF, all, { env: { ...process.env, ...own }, signal: this.t.signal });
    this.t.after(() => run.process.kill());
    return run;
  }

  async run(...args) {
    const run = this.start(args);
    run.process.stdin.end();
    return run.ended;
  }

  connect(env, ...args) {
    const own = ["--client", this.client, "--nickname", "mine", "--project", "demo-project"];
    return this.start(["connect", "--oauth", ...own, ...args], env);
  }

  /** A program for `BROWSER`, and the promise of the URL that it is given. */
  async browser() {
    let opened;
    const url = new Promise((resolve) => (opened = resolve));
    const server = createServer(async (request, response) => {
      const parts = [];
      for await (const part of request) parts.push(part);
      response.end();
      opened(Buffer.concat(parts).toString());
    });
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    this.t.after(() => server.close());
    const post = `fetch("http://127.0.0.1:${server.address().port}", { method: "POST", body: process.argv[2] });`;
    const program = this.write("browser", `#!${process.execPath}\n${post}\n`);
    chmodSync(program, 0o755);
    return { program, url };
  }

  /** Every file of the store, as bytes. */
  stored() {
    const files = readdirSync(this.folder, { recursive: true, withFileTypes: true });
    const inStore = files.filter((file) => file.isFile() && join(file.parentPath, file.name).startsWith(this.store));
    return inStore.map((file) => readFileSync(join(file.parentPath, file.name)));
  }
}

module.exports = { Machine };
