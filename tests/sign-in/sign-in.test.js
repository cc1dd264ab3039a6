// `gcf connect --oauth` and what follows from it, against a provider and a browser that know nothing of it; started
// by run.sh. Every test has a store, a provider's session and a browser profile of its own.
const assert = require("node:assert/strict");
const { after, before, test } = require("node:test");

const { cancel, consent, deadEnd, finalPage, launch, newPage, screenshot, signIn } = require("./browser.js");
const { Machine } = require("./command.js");
const { CLOUD_PLATFORM, Google, TOKEN_ORIGIN } = require("./provider.js");

const EMAIL = "jane.doe@example.com";
const AUTHORIZATION_URL = /https:\/\/accounts\.google\.com\/o\/oauth2\/v2\/auth\?\S+/;
const LIST = ["custom-api", "GET", "/v2/projects/demo-project/locations"];
// The component renews a token 225 seconds before its end: one that lives so long is renewed for every call.
const SHORT_LIFE_S = 200;
const options = { timeout: 60_000 };

let google;
let browser;

before(async () => {
  [google, browser] = await Promise.all([Google.start(), launch()]);
});

after(async () => {
  google?.stop();
  await browser?.close();
});

/** A run that went well; and whatever it printed, no secret was in it. */
async function done(run) {
  const ended = await run;
  assert.equal(ended.code, 0, ended.text);
  keepsSecrets(ended.text);
  return ended;
}

function keepsSecrets(text) {
  const found = [...google.secrets].filter((secret) => text.includes(secret));
  assert.deepEqual(found, [], text);
}

/** From `gcf connect` to the page that asks for consent. */
async function begin(t) {
  const machine = new Machine(t, google);
  const { program, url: opened } = await machine.browser();
  const run = machine.connect({ BROWSER: program }, "--login-hint", EMAIL);
  const printed = await run.said(AUTHORIZATION_URL);
  const url = await run.during(opened);
  assert.equal(url, printed, "the URL that is printed is the one that is opened");
  const query = new URL(url).searchParams;
  const page = await newPage(t, browser);
  await signIn(page, google.here(url), EMAIL);
  return { machine, run, page, query, redirectUri: query.get("redirect_uri") };
}

/** A machine with one connection. */
async function connected(t) {
  const { machine, run, page, redirectUri } = await begin(t);
  await run.during(consent(page));
  await finalPage(page, redirectUri);
  await done(run.ended);
  return machine;
}

test("who consents in the browser gets a connection, and a page that says so", options, async (t) => {
  const { machine, run, page, query, redirectUri } = await begin(t);
  await screenshot(page, "consent");

  assert.equal(query.get("response_type"), "code");
  assert.equal(query.get("code_challenge_method"), "S256");
  assert.equal(query.get("access_type"), "offline");
  assert.equal(query.get("prompt"), "consent select_account");
  assert.equal(query.get("login_hint"), EMAIL);
  assert.deepEqual(query.get("scope").split(" ").sort(), ["email", CLOUD_PLATFORM, "openid"].sort());
  // 128 bits are 22 characters of base64url.
  for (const name of ["state", "nonce"]) assert.ok(query.get(name).length >= 22, name);

  let code;
  google.provider.once("authorization.success", (_, answer) => ({ code } = answer));
  await run.during(consent(page));
  const { words, source } = await finalPage(page, redirectUri);
  await screenshot(page, "connected");
  assert.ok(words.includes(EMAIL), words);
  assert.ok(code, "the provider gave a code");
  for (const secret of [code, query.get("state")]) assert.ok(!source.includes(secret), source);
  keepsSecrets(source);

  const { stdout } = await done(run.ended);
  assert.ok(stdout.includes(EMAIL), stdout);
  assert.equal(google.grants.at(-1).host, new URL(TOKEN_ORIGIN).host);

  const listed = await done(machine.run("connections"));
  assert.ok(listed.stdout.includes(EMAIL), listed.stdout);

  const files = machine.stored();
  assert.notEqual(files.length, 0);
  for (const secret of google.secrets) {
    assert.ok(files.every((file) => !file.includes(secret)), "the store holds no secret as it is");
  }
});

test("who refuses gets an error, a page that says what to do, and no connection", options, async (t) => {
  const { machine, run, page, query, redirectUri } = await begin(t);
  const before = google.grants.length;
  await cancel(page);
  const { words, source } = await finalPage(page, redirectUri);
  await screenshot(page, "denied");
  assert.match(words, /denied|refused|declined|not allowed|cancel/i);
  assert.match(words, /again/i, "the page says what to do");
  assert.ok(!words.includes("Connected"), words);
  assert.ok(!source.includes(query.get("state")), source);

  const { code, stdout, stderr, text } = await run.ended;
  assert.ok(typeof code === "number" && code > 0, text);
  assert.equal(stdout, "");
  assert.match(stderr, /denied|refused|declined|not allowed|cancel/i);
  assert.match(stderr, /again/i, "the error says what to do");
  keepsSecrets(text);
  assert.equal(google.grants.length, before);

  const listed = await done(machine.run("connections"));
  assert.ok(!listed.text.includes(EMAIL), listed.text);
});

test("where no browser gets back to gcf, its address is pasted", options, async (t) => {
  const machine = new Machine(t, google);
  const run = machine.connect({}, "--no-browser");
  const url = await run.said(AUTHORIZATION_URL);
  const redirectUri = new URL(url).searchParams.get("redirect_uri");

  const page = await newPage(t, browser);
  await signIn(page, google.here(url), EMAIL);
  const { reached } = await deadEnd(page, redirectUri);
  await run.during(consent(page));
  run.type(await reached);

  const { stdout } = await done(run.ended);
  assert.ok(stdout.includes(EMAIL), stdout);
  const listed = await done(machine.run("connections"));
  assert.ok(listed.stdout.includes(EMAIL), listed.stdout);
});

test("each refresh token works once, and the next one is kept", options, async (t) => {
  google.accessTokenLife = SHORT_LIFE_S;
  t.after(() => (google.accessTokenLife = undefined));
  const machine = await connected(t);
  const [first] = google.grants.slice(-1);
  assert.equal(first.type, "authorization_code");

  const [grants, calls] = [google.grants.length, google.apiCalls];
  await done(machine.run(...LIST));
  await done(machine.run(...LIST));
  google.accessTokenLife = undefined;
  await done(machine.run(...LIST));
  // This one uses the token that lives for an hour.
  await done(machine.run(...LIST));

  const refreshes = google.grants.slice(grants);
  assert.deepEqual(refreshes.map(({ type }) => type), Array(3).fill("refresh_token"));
  assert.equal(google.apiCalls - calls, 4);
  let expected = first.received;
  for (const { sent, received } of refreshes) {
    assert.equal(sent, expected);
    assert.notEqual(received, sent);
    expected = received;
  }
  assert.deepEqual(google.refusals, []);
});

test("disconnecting ends the grant at the provider", options, async (t) => {
  const machine = await connected(t);
  const { received: refreshToken } = google.grants.at(-1);
  await done(machine.run("disconnect", "mine"));
  const answer = await google.refresh(refreshToken);
  assert.equal(answer.error, "invalid_grant", JSON.stringify(answer));
  const listed = await done(machine.run("connections"));
  assert.ok(!listed.text.includes(EMAIL), listed.text);
  const refused = await machine.run(...LIST);
  assert.ok(typeof refused.code === "number" && refused.code > 0, refused.text);
});
