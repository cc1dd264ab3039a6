// As much of Google's control plane as one invocation meets: the token endpoint, and `get` of one gen2
// function. It checks signatures and audiences as Google does, so that a wrong one fails here too.
const { createPublicKey, createPrivateKey, createSign, createVerify, generateKeyPairSync } = require("node:crypto");
const { createServer } = require("node:http");

const TOKEN_ENDPOINT = "https://oauth2.googleapis.com/token";
const ACCESS_TOKEN = "ya29.functions-framework";
const LIFE_S = 3600;

const google = generateKeyPairSync("rsa", { modulusLength: 2048 });

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function mint(claims) {
  const signed = `${encode({ alg: "RS256", typ: "JWT", kid: "google" })}.${encode(claims)}`;
  return `${signed}.${createSign("RSA-SHA256").update(signed).sign(google.privateKey, "base64url")}`;
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

/** The claims of an ID token that this Google has minted. */
const verifiedIdToken = (jwt) => verified(jwt, google.publicKey);

/** What the token endpoint answers to the form of a request. */
function token(form, account) {
  if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer") {
    return [400, { error: "unsupported_grant_type" }];
  }
  let claims;
  try {
    claims = verified(form.get("assertion"), createPublicKey(createPrivateKey(account.private_key)));
  } catch {
    return [400, { error: "invalid_grant", error_description: "Invalid JWT Signature." }];
  }
  if (claims.iss !== account.client_email || claims.aud !== TOKEN_ENDPOINT) {
    return [400, { error: "invalid_grant", error_description: "Invalid JWT: wrong iss or aud." }];
  }
  if (!claims.target_audience) {
    return [200, { access_token: ACCESS_TOKEN, expires_in: LIFE_S - 1, token_type: "Bearer" }];
  }
  const iat = Math.floor(Date.now() / 1000);
  const { client_email: email, client_id: sub } = account;
  const id = { iss: "https://accounts.google.com", aud: claims.target_audience, azp: email, email, email_verified: true, sub };
  return [200, { id_token: mint({ ...id, iat, exp: iat + LIFE_S }) }];
}

/** A gen2 function as the v2 API answers it. */
const resource = (name, { uri, event }, project) => ({
  name,
  ...(event && { eventTrigger: { eventType: event } }),
  environment: "GEN_2",
  state: "ACTIVE",
  updateTime: "2026-09-23T04:47:14.726211330Z",
  buildConfig: { runtime: "nodejs22", entryPoint: "hello" },
  serviceConfig: { uri, timeoutSeconds: 60, availableMemory: "256Mi", ingressSettings: "ALLOW_ALL" },
  url: `https://us-central1-${project}.cloudfunctions.net/${name.split("/").pop()}`,
});

/** A server for oauth2.googleapis.com and cloudfunctions.googleapis.com, with `functions` by their names. */
function controlPlane({ account, functions }) {
  const folder = `/v2/projects/${account.project_id}/locations/us-central1/functions/`;
  return createServer(async (request, response) => {
    const answer = (status, body) => {
      const text = JSON.stringify(body);
      response.writeHead(status, { "content-type": "application/json; charset=UTF-8", "content-length": Buffer.byteLength(text) });
      response.end(text);
    };
    const parts = [];
    for await (const part of request) parts.push(part);
    const { pathname } = new URL(request.url, "http://loopback");
    if (request.method === "POST" && pathname === "/token") {
      answer(...token(new URLSearchParams(Buffer.concat(parts).toString()), account));
    } else if (request.headers.authorization !== `Bearer ${ACCESS_TOKEN}`) {
      const message = "Request had invalid authentication credentials. Expected OAuth 2 access token.";
      answer(401, { error: { code: 401, message, status: "UNAUTHENTICATED" } });
    } else if (request.method === "GET" && pathname.startsWith(folder) && functions[pathname.slice(folder.length)]) {
      answer(200, resource(pathname.slice("/v2/".length), functions[pathname.slice(folder.length)], account.project_id));
    } else {
      answer(404, { error: { code: 404, message: `Resource '${pathname}' was not found`, status: "NOT_FOUND" } });
    }
  });
}

module.exports = { controlPlane, verifiedIdToken };
