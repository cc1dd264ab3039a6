//! The token endpoints, and the tokens that they have handed out.

use std::{collections::BTreeMap, sync::PoisonError};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{Answer, Asked, Google, keys::Unaccepted, table::Table};

const FORM: &str = "application/x-www-form-urlencoded";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The tokens that have been handed out.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// Access tokens: whose they are, for which scopes, and until when.
    pub(crate) access: BTreeMap<String, Access>,
    /// The accounts that have one, in their order.
    accounts: Vec<String>,
    /// Codes of people who have consented: what their application asked for.
    codes: BTreeMap<String, BTreeMap<String, String>>,
    /// Refresh tokens that a code has brought, or that were taken back: who, scopes.
    refresh: BTreeMap<String, Option<(String, String)>>,
    serial: usize,
}

/// An access token's holder.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) account: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) until: u64,
}

impl Google {
    /// The person allows all that the page at `url` asks for; the URL that the browser ends at.
    ///
    /// # Panics
    /// The page would have shown an error.
    #[must_use]
    pub fn consent(&self, url: &str, account: &str) -> String {
        let page = url.split_once('?').expect("the page has a query");
        assert_eq!(page.0, "https://accounts.google.com/o/oauth2/v2/auth");
        let pairs = url::form_urlencoded::parse(page.1.as_bytes()).into_owned();
        let mut asked: BTreeMap<String, String> = pairs.collect();
        let client = self.project.client.as_ref().expect("the project has a client");
        assert_eq!(
            (asked["client_id"].as_str(), asked["response_type"].as_str()),
            (client.id.as_str(), "code")
        );
        asked.insert("account".to_owned(), account.to_owned());
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.serial += 1;
        let code = format!("4/0{}-{}", self.project.access_token, tokens.serial);
        let mut back = url::form_urlencoded::Serializer::new(String::new());
        back.append_pair("state", &asked["state"]).append_pair("iss", "https://accounts.google.com");
        back.append_pair("code", &code).append_pair("scope", &asked["scope"]);
        let end = format!("{}?{}", asked["redirect_uri"], back.finish());
        tokens.codes.insert(code, asked);
        end
    }

    /// Hands out an access token, as a metadata server or an external system would. The first account gets the
    /// text of the project's, and each further one a number behind it.
    #[must_use]
    pub fn hand_out(&self, account: &str, scopes: &str, now: u64) -> String {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tokens.accounts.iter().position(|known| known == account);
        let number = known.unwrap_or_else(|| {
            tokens.accounts.push(account.to_owned());
            tokens.accounts.len() - 1
        });
        let base = &self.project.access_token;
        let token = if number == 0 { base.clone() } else { format!("{base}-{number}") };
        let scopes = scopes.split(' ').map(str::to_owned).collect();
        let access = Access { account: account.to_owned(), scopes, until: now + 3600 };
        tokens.access.insert(token.clone(), access);
        token
    }

    /// Makes a token known that somebody else has handed out.
    pub fn know(&self, token: &str, account: &str, scopes: &str, now: u64) {
        let scopes = scopes.split(' ').map(str::to_owned).collect();
        let access = Access { account: account.to_owned(), scopes, until: now + 3600 };
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).access.insert(token.to_owned(), access);
    }

    /// The refresh tokens that codes have brought and nobody has revoked.
    #[must_use]
    pub fn refresh_tokens(&self) -> Vec<String> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let good = tokens.refresh.iter().filter(|(_, holder)| holder.is_some());
        good.map(|(token, _)| token.clone()).collect()
    }

    /// The hosts that sign in. They read forms, and refuse a credential in a header.
    pub(crate) fn sign_in(&self, asked: &Asked, now: u64) -> Answer {
        match (asked.method.as_str(), asked.url.as_str()) {
            ("GET", "https://www.googleapis.com/oauth2/v3/certs") => {
                let mut answer = Answer::json(200, &self.key.published());
                answer.headers.push(("cache-control".to_owned(), "public, max-age=21600".to_owned()));
                answer
            }
            ("POST", "https://oauth2.googleapis.com/token") => self.form(asked, |form| self.token(form, now)),
            ("POST", "https://oauth2.googleapis.com/revoke") => self.form(asked, |form| self.revoke(form)),
            ("POST", "https://sts.googleapis.com/v1/token") => self.exchange(asked, now),
            _ => self.is_unknown(asked),
        }
    }

    /// Reads a form whose fields stand once (RFC 6749, section 3.2).
    fn form(&self, asked: &Asked, read: impl Fn(&BTreeMap<String, String>) -> Answer) -> Answer {
        if asked.header("authorization").is_some() || asked.media_type() != FORM {
            return refused(400, "invalid_request", "Bad Request");
        }
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(&asked.body).into_owned().collect();
        let form: BTreeMap<String, String> = pairs.iter().cloned().collect();
        if form.len() != pairs.len() {
            return refused(400, "invalid_request", "OAuth 2 parameters can only have a single value");
        }
        read(&form)
    }

    fn token(&self, form: &BTreeMap<String, String>, now: u64) -> Answer {
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        match field("grant_type") {
            JWT_BEARER => self.by_assertion(field("assertion"), now),
            "authorization_code" => self.by_code(form, now),
            "refresh_token" => self.by_refresh_token(form, now),
            "" => refused(400, "invalid_request", "Required parameter is missing: grant_type"),
            other => refused(400, "unsupported_grant_type", &format!("Invalid grant_type: {other}")),
        }
    }

    fn by_assertion(&self, assertion: &str, now: u64) -> Answer {
        let claims = match self.key.assertion(assertion, now) {
            Ok(claims) => claims,
            Err(why) => return refused(400, "invalid_grant", describe(why)),
        };
        let text = |name: &str| claims[name].as_str().unwrap_or_default();
        match (text("scope"), text("target_audience")) {
            ("", "") | (_, "") if text("scope").is_empty() => {
                refused(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
            }
            (scope, "") => self.granted(&self.key.account, scope, now, json!({})),
            ("", audience) => Answer::json(
                200,
                &json!({"id_token": self.id_token_of(&self.key.account, audience, true, now)}),
            ),
            _ => refused(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided."),
        }
    }

    /// Once, for whoever has begun it: the verifier of RFC 7636 proves that.
    fn by_code(&self, form: &BTreeMap<String, String>, now: u64) -> Answer {
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        if let Some(answer) = self.not_the_client(form) {
            return answer;
        }
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(asked) = tokens.codes.remove(field("code")) else {
            return refused(400, "invalid_grant", "Malformed auth code.");
        };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier")));
        if asked.get("code_challenge_method").map(String::as_str) != Some("S256")
            || asked.get("code_challenge") != Some(&challenge)
        {
            return refused(400, "invalid_grant", "Invalid code verifier.");
        }
        if asked.get("redirect_uri").map(String::as_str) != Some(field("redirect_uri")) {
            return refused(400, "redirect_uri_mismatch", "Bad Request");
        }
        tokens.serial += 1;
        let refresh = format!("1//0{}-{}", self.project.access_token, tokens.serial);
        let (account, scope) = (asked["account"].clone(), asked["scope"].clone());
        tokens.refresh.insert(refresh.clone(), Some((account.clone(), scope.clone())));
        drop(tokens);
        let nonce = asked.get("nonce").cloned();
        self.granted_to_user(&account, &scope, nonce.as_deref(), now, json!({"refresh_token": refresh}))
    }

    fn by_refresh_token(&self, form: &BTreeMap<String, String>, now: u64) -> Answer {
        if let Some(answer) = self.not_the_client(form) {
            return answer;
        }
        let token = form.get("refresh_token").map_or("", String::as_str);
        match self.refresh_token(token) {
            Some((account, scope)) => self.granted_to_user(&account, &scope, None, now, json!({})),
            None => refused(400, "invalid_grant", "Token has been expired or revoked."),
        }
    }

    fn refresh_token(&self, token: &str) -> Option<(String, String)> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tokens.refresh.get(token) {
            return known.clone();
        }
        let given = self.project.refresh_tokens.iter().find(|(known, ..)| known == token)?;
        Some((given.1.clone(), given.2.clone()))
    }

    fn not_the_client(&self, form: &BTreeMap<String, String>) -> Option<Answer> {
        let field = |name: &str| form.get(name).map(String::as_str);
        let known = self.project.client.as_ref();
        let Some(client) = known.filter(|client| field("client_id") == Some(&client.id)) else {
            return Some(refused(401, "invalid_client", "The OAuth client was not found."));
        };
        let knows = field("client_secret") == Some(&client.secret);
        (!knows).then(|| refused(401, "invalid_client", "Unauthorized"))
    }

    /// 200 once, and 400 for a token that is not known
    /// (<https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke>).
    fn revoke(&self, form: &BTreeMap<String, String>) -> Answer {
        let token = form.get("token").map_or("", String::as_str);
        if self.refresh_token(token).is_none() {
            return refused(400, "invalid_token", "Token expired or revoked");
        }
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).refresh.insert(token.to_owned(), None);
        Answer::json(200, &json!({}))
    }

    /// A token exchange (RFC 8693), as a form or as JSON. A header with a credential "can cause the request to
    /// fail" (discovery document of sts.v1).
    fn exchange(&self, asked: &Asked, now: u64) -> Answer {
        if asked.header("authorization").is_some() {
            return refused(400, "invalid_request", "Authorization header is not allowed");
        }
        let fields: BTreeMap<String, String> = match asked.media_type() {
            FORM => url::form_urlencoded::parse(&asked.body).into_owned().collect(),
            "application/json" => {
                let shape = json!("sts.v1/GoogleIdentityStsV1ExchangeTokenRequest");
                let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
                if let Err(wrong) = Table::google().check_sent(&body, &shape) {
                    return refused(400, "invalid_request", &wrong);
                }
                let fields = body.as_object().into_iter().flatten();
                fields
                    .map(|(name, value)| (snake(name), value.as_str().unwrap_or_default().to_owned()))
                    .collect()
            }
            _ => return refused(400, "invalid_request", "Bad Request"),
        };
        let field = |name: &str| fields.get(name).map_or("", String::as_str);
        if field("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange"
            || field("requested_token_type") != "urn:ietf:params:oauth:token-type:access_token"
        {
            return refused(400, "invalid_request", "Invalid grant_type or requested_token_type");
        }
        if !field("audience").starts_with("//iam.googleapis.com/") {
            let wrong = "Invalid value for \"audience\". This value should be the full resource name of the Identity Provider.";
            return refused(400, "invalid_target", wrong);
        }
        if field("subject_token").is_empty() || !field("subject_token_type").starts_with("urn:ietf:params:") {
            return refused(400, "invalid_request", "Invalid subject_token or subject_token_type");
        }
        let pool = field("audience").split("/providers/").next().unwrap_or_default();
        let account = format!("principal:{pool}/subject/subject");
        let token = self.hand_out(&account, field("scope"), now);
        let kind = "urn:ietf:params:oauth:token-type:access_token";
        let body = json!({"access_token": token, "issued_token_type": kind, "token_type": "Bearer", "expires_in": 3599});
        Answer::json(200, &body)
    }

    fn granted_to_user(
        &self,
        account: &str,
        scope: &str,
        nonce: Option<&str>,
        now: u64,
        more: Value,
    ) -> Answer {
        let mut more = more;
        if scope.split(' ').any(|scope| scope == "openid") {
            let client = self.project.client.as_ref().map_or("", |client| client.id.as_str());
            // Of the access token beside it (OpenID Connect Core 1.0, section 3.1.3.6).
            let half = &Sha256::digest(self.hand_out(account, scope, now))[..16];
            let claims = json!({"aud": client, "azp": client, "sub": subject(account), "email": account,
                "email_verified": true, "at_hash": URL_SAFE_NO_PAD.encode(half), "nonce": nonce});
            let mut claims = claims;
            crate::lay(&json!({}), &mut claims);
            if nonce.is_none() {
                crate::lay(&json!({"nonce": null}), &mut claims);
            }
            more["id_token"] = json!(self.key.mint(&claims, now));
        }
        self.granted(account, scope, now, more)
    }

    fn granted(&self, account: &str, scope: &str, now: u64, more: Value) -> Answer {
        let mut grant = json!({"access_token": self.hand_out(account, scope, now), "expires_in": 3599,
            "scope": scope, "token_type": "Bearer"});
        crate::lay(&more, &mut grant);
        Answer::json(200, &grant)
    }

    /// An ID token of a service account, by the token endpoint: `azp` is its address.
    pub(crate) fn id_token_of(&self, account: &str, audience: &str, with_email: bool, now: u64) -> String {
        let mut claims = json!({"aud": audience, "azp": account, "sub": subject(account)});
        if with_email {
            crate::lay(&json!({"email": account, "email_verified": true}), &mut claims);
        }
        self.key.mint(&claims, now)
    }
}

/// A number for an account, as Google has one.
pub(crate) fn subject(account: &str) -> String {
    let sum: u64 = account.bytes().fold(7, |sum, byte| (sum * 31 + u64::from(byte)) % 1_000_000_007);
    format!("1100000000{sum:011}")
}

/// In the words that Google answers with
/// (<https://developers.google.com/identity/protocols/oauth2/service-account#error-codes>).
fn describe(why: Unaccepted) -> &'static str {
    match why {
        Unaccepted::Signature => "Invalid JWT Signature.",
        Unaccepted::Account => "Invalid grant: account not found",
        Unaccepted::Audience => "Invalid JWT: Failed audience check.",
        Unaccepted::Time => {
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."
        }
    }
}

fn refused(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(status, &json!({"error": error, "error_description": description}))
}

/// `grantType` as `grant_type`.
fn snake(name: &str) -> String {
    let each = name
        .chars()
        .flat_map(|c| c.is_ascii_uppercase().then_some('_').into_iter().chain([c.to_ascii_lowercase()]));
    each.collect()
}
