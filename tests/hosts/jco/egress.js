// The way out: where the component's requests may go, and with which credential. Its own manifest, enforced outside of it.
//
// The manifest is the `egress` array of the component's catalog. What it may say, and what it means, is told in
// docs/guide/embed.md; tests/fixtures/egress.json is the table that this file, egress.py of the host in Python and the host
// in Rust are all held to.

// Where Google serves functions, and functions are anybody's code.
const FUNCTIONS = [".run.app", ".cloudfunctions.net"];
const TOKEN_ENDPOINT = "oauth2.googleapis.com";

const LABEL = /^(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
// What a resolver takes for the end of an IPv4 address.
const NUMBER = /^(?:[0-9]*|0x[0-9a-f]*)$/;
const JWT = /^Bearer ey[\w-]*\.[\w-]+\.[\w-]+$/;
const BEARER = /(?<![a-z0-9])bearer[ \t+%]|ya29\./i;

// RFC 9110: methods and the names of headers are tokens (5.6.2), and a value holds no control character but the tab (5.5). Where
// a line could be broken, what is judged would not be what is sent.
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
// What follows the host: RFC 9112, 3.2.1. An absolute URL in its place would name another host.
const TARGET = /^\/[!"$-~]*$/;

// Headers that frame a message, or are about one hop of its way (RFC 9110, 7.6.1, 7.8 and 10.1): Node's to send.
const FRAMING = [
  ...["connection", "expect", "http2-settings", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"],
  "upgrade",
];
// Those that a guest may send if they say what is so: Node holds a body to the length that is announced.
const OF_THE_HOST = ["content-length", "host"];
const LENGTH = /^[0-9]{1,19}$/;
// Headers that carry a credential, or tell somebody on the way who is calling.
const CREDENTIALS = new RegExp(
  "^(?:authorization|x-serverless-authorization|cookie2?|proxy-authorization|x-goog-api-key|x-authorization" +
    "|x-forwarded-authorization|x-forwarded-access-token|x-original-authorization" +
    "|x-goog-(?:iap|iam|authenticated-user)-.*)$",
);
// By these, Google's APIs take a token from the query: https://cloud.google.com/apis/docs/system-parameters
const PARAMETERS = ["access_token", "oauth_token", "bearer_token", "id_token"];

/** A request that may not be sent; the message holds no credential. */
export class Denied extends Error {}

/** The requests that a manifest allows; and those that the operator of this host allows within it, if `within` is given. */
export class Policy {
  #rules;
  #within;

  constructor(manifest, within) {
    if (!Array.isArray(manifest)) throw new TypeError("the egress manifest is not an array");
    this.#rules = manifest.map(rule);
    const targets = new Set(this.#rules.map(({ host, suffix }) => host ?? suffix));
    if (targets.size !== manifest.length) throw new TypeError("the egress manifest names a target twice");
    this.#within = within && new Policy(within);
  }

  /**
   * Returns the host if the request may be sent, and throws `Denied` otherwise.
   *
   * Headers are pairs of a name and a text of Latin-1. Nothing has been resolved yet, nothing sent.
   */
  check(method, scheme, authority, path, headers) {
    // Node writes methods in capitals before it sends them.
    if (method.toUpperCase() === "CONNECT") throw new Denied("the method CONNECT is not allowed");
    if (!TOKEN.test(method)) throw new Denied("the method is not a token");
    const host = hostOf(scheme, authority);
    if (!TARGET.test(path)) throw new Denied("the path does not begin with /, or holds what belongs into no path");
    const entries = headers.map(([name, value]) => [name.toLowerCase(), value]);
    const found = this.#rules.find((each) => matches(each, host));
    if (!found) throw new Denied(`host ${host} is not in the egress manifest`);
    checkHeaders(entries, host);
    if (!isFunction(host)) checkQuery(path);
    const credential = presented(entries);
    if (!credential.some((kind) => found.carries.includes(kind))) {
      throw new Denied(`${credential.join(" or ")} may not be sent to ${host}`);
    }
    this.#within?.check(method, scheme, authority, path, headers);
    return host;
  }
}

function rule(entry, index) {
  const need = (isSo, problem) => {
    if (!isSo) throw new TypeError(`egress manifest, rule ${index}: ${problem}`);
  };
  const fields = ["host", "host-suffix", "labels", "carries"];
  need(entry && typeof entry === "object" && Object.keys(entry).every((name) => fields.includes(name)), "unknown form");
  const { host, "host-suffix": suffix, labels, carries } = entry;
  const has = (kind) => carries.includes(kind);
  const kinds = ["access-token", "id-token", "assertion", "none"];
  need(Array.isArray(carries) && carries.length && carries.every((kind) => kinds.includes(kind)), "carries is not known");
  need(!has("assertion") || !(has("access-token") || has("id-token")), "assertions go where no token goes");
  need((host === undefined) !== (suffix === undefined), "either host, or suffix");
  need((suffix === undefined) === (labels === undefined), "labels belong to a suffix");
  if (suffix !== undefined) {
    need(FUNCTIONS.includes(suffix), `the suffix is none of ${FUNCTIONS.join(", ")}`);
    need(["1,1", "1,2", "2,2"].includes(String(labels)), "labels are not within [1, 2]");
  } else {
    need(typeof host === "string" && isName(host), "not a host name");
    need(host !== TOKEN_ENDPOINT || String(carries) === "assertion", `${host} takes assertions alone`);
  }
  need(!isFunction(host ?? suffix) || !(has("access-token") || has("assertion")), "a function is anybody's code");
  return { host, suffix, labels, carries };
}

function matches({ host: exact, suffix, labels }, host) {
  if (exact !== undefined) return host === exact;
  if (!host.endsWith(suffix)) return false;
  const count = host.slice(0, -suffix.length).split(".").length;
  return labels[0] <= count && count <= labels[1];
}

/** The host, if it is spelt in the one accepted way: then the name that is judged is the name that is resolved. */
function hostOf(scheme, authority = "") {
  if (scheme !== "https") throw new Denied("only https is allowed");
  // Not repeated: what stands before the @ may be a password.
  if (authority.includes("@")) throw new Denied("a user name or password in a URL is not allowed");
  const host = authority.replace(/:443$/, "");
  if (!isName(host)) throw new Denied("not a host name in lower case, on port 443");
  return host;
}

function isName(host) {
  const labels = host.split(".");
  return (
    host.length <= 253 && labels.length > 1 && labels.every((label) => LABEL.test(label)) && !NUMBER.test(labels.at(-1))
  );
}

function isFunction(host) {
  return FUNCTIONS.some((suffix) => host.endsWith(suffix) || host === suffix.slice(1));
}

function checkHeaders(entries, host) {
  for (const [name, value] of entries) {
    // Neither is repeated: whoever breaks a line may have put a credential there.
    if (!TOKEN.test(name)) throw new Denied("the name of a header is not a token");
    if (!VALUE.test(value)) throw new Denied(`the header ${name} holds a control character`);
    if (name === "authorization" || (name === "x-serverless-authorization" && isFunction(host))) continue;
    // Some servers read `_` as `-`.
    const spelled = name.replaceAll("_", "-");
    if (CREDENTIALS.test(spelled) || FRAMING.includes(spelled) || (spelled !== name && OF_THE_HOST.includes(spelled))) {
      throw new Denied(`the header ${name} is not allowed`);
    }
    if (BEARER.test(value)) throw new Denied(`the header ${name} holds a token`);
  }
  const lengths = entries.filter(([name]) => name === "content-length");
  if (lengths.length > 1 || !lengths.every(([, value]) => LENGTH.test(value))) {
    throw new Denied("the header content-length is not one number");
  }
  const hosts = entries.filter(([name]) => name === "host").map(([, value]) => value.replace(/:443$/, ""));
  if (hosts.length > 1 || hosts.some((named) => named !== host)) throw new Denied(`the header host differs from ${host}`);
}

function checkQuery(path) {
  const at = path.indexOf("?");
  if (at < 0) return;
  for (const [name] of new URLSearchParams(path.slice(at + 1))) {
    const parameter = name.toLowerCase();
    if (PARAMETERS.includes(parameter)) throw new Denied(`the parameter ${parameter} of the query is not allowed`);
  }
}

/** The ways in which a rule may speak of the credential that a request shows, told by its shape alone. */
function presented(entries) {
  const own = only(entries, "authorization");
  const beside = only(entries, "x-serverless-authorization");
  // Beside a token of its own for Google's front end, `authorization` is the caller's: anything but a token of Google's.
  if (beside !== undefined && own?.includes("ya29.")) return ["access-token"];
  const token = beside ?? own;
  if (token === undefined) return ["none", "assertion"];
  // Google's ID tokens are JWTs. What has another shape is held to the strictest rule.
  return JWT.test(token) ? ["id-token"] : ["access-token"];
}

function only(entries, wanted) {
  const values = entries.filter(([name]) => name === wanted);
  if (values.length > 1) throw new Denied(`more than one header ${wanted}`);
  return values[0]?.[1];
}
