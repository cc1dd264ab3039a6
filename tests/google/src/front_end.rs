//! The front end of functions: who may call, and what it says to those who may not.

use std::fmt;

use serde_json::Value;

use crate::{Answer, Asked, Google};

/// A function behind the front end.
pub struct Function {
    /// The audiences that its tokens may be for.
    pub audiences: Vec<String>,
    /// The permission that calls it: of Cloud Run, or of 1st gen.
    pub permission: &'static str,
    /// The end of its resource's name, which roles are granted on.
    pub resource: String,
    /// The answer.
    pub answer: Box<dyn Fn(&Called) -> Answer + Send + Sync>,
}

/// The request that reaches a function.
#[derive(Debug)]
pub struct Called {
    /// The request. The front end has taken the signature off the token.
    pub asked: Asked,
    /// The claims of the token, or nothing for a public function.
    pub claims: Option<Value>,
}

impl Function {
    /// A function of Cloud Run, whose audiences are these.
    pub fn on_cloud_run(
        resource: &str,
        audiences: &[&str],
        answer: impl Fn(&Called) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let audiences = audiences.iter().map(|audience| (*audience).to_owned()).collect();
        let permission = "run.routes.invoke";
        Self { audiences, permission, resource: resource.to_owned(), answer: Box::new(answer) }
    }

    /// A function of 1st gen, whose one audience is its URL with its name.
    pub fn of_1st_gen(
        resource: &str,
        url: &str,
        answer: impl Fn(&Called) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let permission = "cloudfunctions.functions.invoke";
        let audiences = vec![url.to_owned()];
        Self { audiences, permission, resource: resource.to_owned(), answer: Box::new(answer) }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("resource", &self.resource).finish_non_exhaustive()
    }
}

impl Google {
    /// Calls a function, or says as the front end does why not.
    pub(crate) fn invoked(&self, function: &Function, asked: &Asked, now: u64) -> Answer {
        // "Your client has issued a malformed or illegal request": whatever the function would say.
        if matches!(asked.method.as_str(), "GET" | "HEAD") && !asked.body.is_empty() {
            return Answer::page(
                400,
                "Bad Request",
                "Your client has issued a malformed or illegal request.",
            );
        }
        let path = asked.url.splitn(4, '/').nth(3).unwrap_or_default().split('?').next().unwrap_or_default();
        let public = self.project.may("allUsers", function.permission, &function.resource);
        // "If both headers are provided, only X-Serverless-Authorization is checked":
        // https://cloud.google.com/run/docs/authenticating/service-to-service
        let serverless = asked.bearer("x-serverless-authorization");
        let Some(token) = serverless.or_else(|| asked.bearer("authorization")) else {
            return if public { Self::call(function, asked, None) } else { forbidden(path) };
        };
        let claims = self
            .key
            .id_token(token, now)
            .filter(|claims| function.audiences.iter().any(|audience| claims["aud"] == audience.as_str()));
        match claims {
            // What looks like a token of Google's is tried, even where none is needed.
            None if public && serverless.is_none() && token.matches('.').count() != 2 => {
                Self::call(function, asked, None)
            }
            None => unauthorized(path),
            Some(claims) => {
                let caller = self.caller(&claims);
                let may = public || self.project.may(&caller, function.permission, &function.resource);
                if may { Self::call(function, asked, Some(claims)) } else { forbidden(path) }
            }
        }
    }

    /// The account of a token, with or without its address in it.
    fn caller(&self, claims: &Value) -> String {
        let known =
            self.project.grants.iter().find(|(member, ..)| claims["sub"] == crate::tokens::subject(member));
        known.map_or_else(String::new, |(member, ..)| member.clone())
    }

    fn call(function: &Function, asked: &Asked, claims: Option<Value>) -> Answer {
        let mut asked = asked.clone();
        for (name, value) in &mut asked.headers {
            // "Cloud Run removes the signature": the page above.
            let header =
                name == "x-serverless-authorization" || (name == "authorization" && claims.is_some());
            if header && let Some((signed, _)) = value.clone().rsplit_once('.') {
                *value = format!("{signed}.SIGNATURE_REMOVED_BY_GOOGLE");
            }
        }
        (function.answer)(&Called { asked, claims })
    }
}

/// No credential, or one without the role: h1 and h2 as curl shows them in Google's codelabs.
fn forbidden(path: &str) -> Answer {
    let says =
        format!("Your client does not have permission to get URL <code>/{path}</code> from this server.");
    old_page(403, "Forbidden", &says)
}

/// A token that is not good here.
fn unauthorized(path: &str) -> Answer {
    let says = format!("Your client does not have permission to the requested URL <code>/{path}</code>.");
    let mut answer = old_page(401, "Unauthorized", &says);
    let challenge =
        "Bearer error=\"invalid_token\" error_description=\"The access token could not be verified\"";
    answer.headers.push(("www-authenticate".to_owned(), challenge.to_owned()));
    answer
}

fn old_page(status: u16, title: &str, says: &str) -> Answer {
    let body = format!(
        "\n<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n\
         <title>{status} {title}</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n\
         <h1>Error: {title}</h1>\n<h2>{says}</h2>\n<h2></h2>\n</body></html>\n"
    );
    let headers = vec![("content-type".to_owned(), "text/html; charset=UTF-8".to_owned())];
    Answer { status, headers, body: body.into_bytes() }
}
