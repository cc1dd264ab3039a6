// Google's sign-in on loopback, played by oidc-provider: its own login and consent pages, PKCE, RS256, rotating
// refresh tokens. Only what differs from outside is set here: issuer, routes, scopes and lifetimes.
//
//     tests/sign-in/run.sh serve FOLDER      to try it by hand: prints the options that lead gcf here
const { generateKeyPairSync, randomBytes } = require("node:crypto");
const { writeFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");

const ISSUER = "https://accounts.google.com";
const TOKEN_ORIGIN = "https://oauth2.googleapis.com";
const API = "https://cloudfunctions.googleapis.com";
const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";
const GOOGLE_LIFE_S = 3599;
const LOOPBACKS = ["127.0.0.1", "[::1]", "localhost"];

const clientId = "123456789012-sign-in-test.apps.googleusercontent.com";
const clientSecret = `GOCSPX-${randomBytes(21).toString("base64url")}`;

/** The file that Google hands out for a client of the type "desktop app". */
const clientFile = {
  installed: {
    client_id: clientId,
    project_id: "demo-project",
    auth_uri: `${ISSUER}/o/oauth2/auth`,
    token_uri: `${TOKEN_ORIGIN}/token`,
    auth_provider_x509_cert_url: "https://www.googleapis.com/oauth2/v1/certs",
    client_secret: clientSecret,
    redirect_uris: ["http://localhost"],
  },
};

function configuration({ interactionPolicy }, google) {
  const policy = interactionPolicy.base();
  // Accepted and never asked for on a page of its own: every browser here is new, so its login page chooses.
  const selectAccount = new interactionPolicy.Prompt({ name: "select_account", requestable: true });
  selectAccount.checks.clear();
  policy.add(selectAccount);

  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const hour = () => 3600;
  return {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        application_type: "native",
        token_endpoint_auth_method: "client_secret_post",
        redirect_uris: ["http://127.0.0.1/"],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "sign-in-test" }] },
    cookies: { keys: [randomBytes(32).toString("hex")] },
    routes: {
      authorization: "/o/oauth2/v2/auth",
      token: "/token",
      jwks: "/oauth2/v3/certs",
      revocation: "/revoke",
    },
    features: {
      devInteractions: { enabled: true },
      revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
    },
    interactions: { policy },
    scopes: ["openid", "email", CLOUD_PLATFORM],
    // Google puts the address into the ID token itself, and adds azp and at_hash, which OpenID Connect leaves open.
    claims: { openid: ["sub", "azp", "at_hash"], email: ["email", "email_verified"] },
    conformIdTokenClaims: false,
    findAccount: (ctx, email) => ({
      accountId: email,
      claims: () => ({
        sub: email,
        azp: clientId,
        // The provider hashes it itself.
        at_hash: ctx.oidc.entities.AccessToken?.jti,
        email,
        email_verified: true,
      }),
    }),
    pkce: { required: () => true },
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    // Google keeps a refresh token for months. Here each one works once, and using it again ends the grant:
    // whoever loses the new one is found out.
    rotateRefreshToken: true,
    ttl: {
      AccessToken: () => google.accessTokenLife ?? GOOGLE_LIFE_S,
      AuthorizationCode: 60,
      Grant: hour,
      IdToken: hour,
      Interaction: hour,
      RefreshToken: hour,
      Session: hour,
    },
  };
}

/** The requests to the provider and the API, and every secret that was handed out. */
class Google {
  /** In seconds; Google's own if it is not set. */
  accessTokenLife;
  /** Successful calls of the token endpoint: `{type, host, sent, received}`. */
  grants = [];
  /** The refusals of the token endpoint. */
  refusals = [];
  /** The number of calls of the API that carried a token that works. */
  apiCalls = 0;
  secrets = new Set([clientSecret]);
  clientFile = clientFile;

  static async start() {
    // It is an ES module, for which NODE_PATH does not count.
    const oidc = await import(pathToFileURL(require.resolve("oidc-provider")));
    const google = new Google();
    google.provider = new oidc.Provider(ISSUER, configuration(oidc, google));
    // Google takes any path of a loopback address for a desktop client, not only a registered one.
    google.provider.Client.prototype.redirectUriAllowed = (uri) =>
      new URL(uri).protocol === "http:" && LOOPBACKS.includes(new URL(uri).hostname);
    google.watch();
    const answer = google.provider.callback();
    google.server = createServer((request, response) => google.route(request, response, answer));
    await new Promise((done) => google.server.listen(0, "127.0.0.1", done));
    google.origin = `http://127.0.0.1:${google.server.address().port}`;
    return google;
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** The options that lead gcf here. */
  get maps() {
    const origins = [ISSUER, TOKEN_ORIGIN, "https://www.googleapis.com", API];
    return origins.flatMap((origin) => ["--map", `${origin}=${this.origin}`]);
  }

  watch() {
    this.provider.on("authorization.success", (_, { code }) => this.secrets.add(code));
    this.provider.on("grant.success", (ctx) => {
      const { grant_type: type, code_verifier, refresh_token } = ctx.oidc.params;
      const { access_token, id_token, refresh_token: issued } = ctx.body;
      this.grants.push({ type, host: ctx.host, sent: refresh_token, received: issued });
      for (const secret of [code_verifier, access_token, id_token, issued]) if (secret) this.secrets.add(secret);
    });
    this.provider.on("grant.error", (_, error) => this.refusals.push(error.error_detail ?? error.message));
    this.provider.on("server_error", (_, error) => console.error(error));
  }

  route(request, response, answer) {
    const { host } = request.headers;
    if (host === new URL(API).host) return this.api(request, response);
    // RFC 7009 wants the client to authenticate, and so does the provider; Google takes the token alone.
    if (request.url === "/revoke") {
      request.headers.authorization ??= `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`;
    }
    return answer(request, response);
  }

  /** Any call of the Cloud Functions API: an empty list for a token that the provider stands by. */
  async api(request, response) {
    const [scheme, token] = (request.headers.authorization ?? "").split(" ");
    const known = scheme === "Bearer" ? await this.provider.AccessToken.find(token) : undefined;
    const good = known?.scopes.has(CLOUD_PLATFORM);
    if (good) this.apiCalls += 1;
    const message = "Request had invalid authentication credentials.";
    const body = good ? {} : { error: { code: 401, message, status: "UNAUTHENTICATED" } };
    response.writeHead(good ? 200 : 401, { "content-type": "application/json; charset=UTF-8" });
    response.end(JSON.stringify(body));
  }

  /** Asks the token endpoint as any client would; the answer's JSON. */
  async refresh(refreshToken) {
    const client = { client_id: clientId, client_secret: clientSecret };
    const form = { grant_type: "refresh_token", refresh_token: refreshToken, ...client };
    const response = await fetch(`${this.origin}/token`, { method: "POST", body: new URLSearchParams(form) });
    return response.json();
  }

  /** The origin for the browser in place of Google: nobody on loopback has a certificate for that name. */
  here(url) {
    const { origin, pathname, search } = new URL(url);
    if (origin !== ISSUER) throw new Error(`not a page of ${ISSUER}: ${url}`);
    return `${this.origin}${pathname}${search}`;
  }
}

module.exports = { Google, CLOUD_PLATFORM, TOKEN_ORIGIN };

if (require.main === module) {
  Google.start().then((google) => {
    const file = join(process.argv[2], "client_secret.json");
    writeFileSync(file, JSON.stringify(clientFile));
    console.log(`listening on ${google.origin}; in the URL that gcf prints, put this in place of ${ISSUER}`);
    console.log(["--client", file, ...google.maps].join(" "));
  });
}
