//! The APIs: what is asked, with which credential, and what there is.

use std::{collections::BTreeSet, sync::PoisonError};

use serde_json::{Value, json};

use crate::{
    Answer, Asked, Google,
    mask::Mask,
    table::{Method, Table},
    tokens::{Access, subject},
};

/// The permissions that can be tested on a resource, by the API that is asked: others are an error there
/// (<https://cloud.google.com/iam/docs/reference/rest/v1/TestIamPermissions>).
const TESTABLE: [(&str, &str); 3] =
    [("cloudfunctions", "cloudfunctions."), ("run", "run."), ("cloudresourcemanager", "")];

type Answered = Result<Value, Answer>;

impl Google {
    /// Judges a request as Google's servers do, and answers with all that the mask leaves.
    pub(crate) fn api(&self, asked: &Asked, now: u64) -> Answer {
        let table = Table::google();
        let Some(method) = table.method(&asked.method, asked.without_query()) else {
            return self.is_unknown(asked);
        };
        let mask = match Self::well_formed(table, method, asked) {
            Ok(mask) => mask,
            Err(answer) => return answer,
        };
        let access = match self.authenticated(method, asked, now) {
            Ok(access) => access,
            Err(answer) => return answer,
        };
        match self.perform(method, asked, &access, now) {
            Err(answer) => answer,
            Ok(body) => {
                let shape = method.response.as_ref().expect("what is played here answers with something");
                table.check("the answer", &body, shape).expect("Google's own answers have its shapes");
                Answer::json(200, &mask.apply(&body))
            }
        }
    }

    /// The mask of a request whose query, content type and body are as the method wants them.
    fn well_formed(table: &Table, method: &Method, asked: &Asked) -> Result<Mask, Answer> {
        if asked.method == "GET" && !asked.body.is_empty() {
            return Err(Answer::page(
                400,
                "Bad Request",
                "Your client has issued a malformed or illegal request.",
            ));
        }
        let query = asked.query();
        method.check_query(table, &query).map_err(|name| {
            let message = format!(
                "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' could not be found in request message."
            );
            invalid(&message, &name)
        })?;
        if let Some(shape) = &method.request {
            if asked.media_type() != "application/json" {
                return Err(invalid("Invalid JSON payload received. Unexpected token.", "content-type"));
            }
            let body: Value = serde_json::from_slice(&asked.body)
                .map_err(|_| invalid("Invalid JSON payload received. Unexpected token.", "body"))?;
            table.check_sent(&body, shape).map_err(|wrong| invalid(&wrong, "body"))?;
        } else if !asked.body.is_empty() || asked.header("content-type").is_some() {
            return Err(invalid("Invalid JSON payload received. Unexpected token.", "body"));
        }
        let Some((_, text)) = query.iter().find(|(name, _)| name == "fields") else {
            return Ok(Mask::default());
        };
        let unexpected = |path: &str| {
            let message =
                format!("Error expanding 'fields' parameter. Cannot find matching fields for path '{path}'.");
            let details = json!([{"@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"field": text, "description": message}]}]);
            Answer::error(400, "INVALID_ARGUMENT", "Request contains an invalid argument.", &details)
        };
        let mask = Mask::parse(text).map_err(|rest| unexpected(&rest))?;
        let shape = method.response.as_ref().expect("what is masked answers with something");
        mask.check(table, shape).map_err(|path| unexpected(&path))?;
        Ok(mask)
    }

    /// The holder of the access token: handed out here, still good, with a scope that the method wants.
    fn authenticated(&self, method: &Method, asked: &Asked, now: u64) -> Result<Access, Answer> {
        let unauthenticated = |reason: &str| {
            let details = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason,
                "domain": "googleapis.com", "metadata": {"method": method.id, "service": asked.host()}}]);
            let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
            let mut answer = Answer::error(401, "UNAUTHENTICATED", message, &details);
            let challenge = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
            answer.headers.push(("www-authenticate".to_owned(), challenge.to_owned()));
            answer
        };
        let Some(token) = asked.bearer("authorization") else {
            return Err(unauthenticated("CREDENTIALS_MISSING"));
        };
        if self.key.id_token(token, now).is_some() {
            return Err(unauthenticated("ACCESS_TOKEN_TYPE_UNSUPPORTED"));
        }
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let access = tokens.access.get(token).filter(|access| access.until > now).cloned();
        let access = access.ok_or_else(|| unauthenticated("ACCESS_TOKEN_EXPIRED"))?;
        if !method.scopes.iter().any(|scope| access.scopes.contains(scope)) {
            let details = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "domain": "googleapis.com",
                "metadata": {"service": asked.host(), "method": method.id}}]);
            let message = "Request had insufficient authentication scopes.";
            return Err(Answer::error(403, "PERMISSION_DENIED", message, &details));
        }
        Ok(access)
    }

    fn perform(&self, method: &Method, asked: &Asked, access: &Access, now: u64) -> Answered {
        let path = asked.url.splitn(4, '/').nth(3).unwrap_or_default().split('?').next().unwrap_or_default();
        // Without the version, and the custom verb.
        let path = path.split_once('/').map_or("", |(_, path)| path);
        let (resource, verb) = path.rsplit_once(':').map_or((path, ""), |(resource, verb)| (resource, verb));
        let resource = resource.replace("%3A", ":");
        self.in_project(&resource)?;
        let api = method.id.split('.').next().unwrap_or_default();
        let (_, name) = method.id.split_once(' ').unwrap_or_default();
        let may =
            |permission: &str, resource: &str| self.permitted(access, permission, resource, asked.host());
        match (name, verb) {
            ("cloudfunctions.projects.locations.list", _) => {
                may("cloudfunctions.locations.list", &resource)?;
                Ok(json!({"locations": self.locations(self.project.regions.iter())}))
            }
            ("run.projects.locations.list", _) => {
                may("run.locations.list", &resource)?;
                let all = self.project.regions.iter().chain(&self.project.regions_of_run);
                Ok(json!({"locations": self.locations(all)}))
            }
            ("cloudfunctions.projects.locations.functions.list", _)
                if method.id.starts_with("cloudfunctions.v2") =>
            {
                may("cloudfunctions.functions.list", &resource)?;
                self.listed(asked, &resource)
            }
            ("cloudfunctions.projects.locations.functions.get", _)
                if method.id.starts_with("cloudfunctions.v2") =>
            {
                may("cloudfunctions.functions.get", &resource)?;
                find(&self.project.functions, &resource).ok_or_else(|| {
                    let message = format!("Resource '{resource}' was not found");
                    let details = json!([{"@type": "type.googleapis.com/google.rpc.ResourceInfo", "resourceName": resource}]);
                    Answer::error(404, "NOT_FOUND", &message, &details)
                })
            }
            ("run.projects.locations.services.list", _) => {
                may("run.services.list", &resource)?;
                self.services(method, &resource)
            }
            ("run.projects.locations.services.get", _) => {
                may("run.services.get", &resource)?;
                let service = find(&self.project.services, &resource).ok_or_else(|| no_service(&resource))?;
                Ok(if method.id.starts_with("run.v1") { self.knative(&service) } else { service })
            }
            (_, "testIamPermissions") => self.tested(api, asked, access, &resource),
            ("iamcredentials.projects.serviceAccounts.generateIdToken", _) => {
                let account = self.impersonated(access, "iam.serviceAccounts.getOpenIdToken", &resource)?;
                let body = asked.json();
                let with_email = body["includeEmail"] == true;
                let mut claims =
                    json!({"aud": body["audience"], "azp": subject(&account), "sub": subject(&account)});
                if with_email {
                    crate::lay(&json!({"email": account, "email_verified": true}), &mut claims);
                }
                Ok(json!({"token": self.key.mint(&claims, now)}))
            }
            ("iamcredentials.projects.serviceAccounts.generateAccessToken", _) => {
                let account = self.impersonated(access, "iam.serviceAccounts.getAccessToken", &resource)?;
                let body = asked.json();
                let scopes: Vec<_> =
                    body["scope"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let token = self.hand_out(&account, &scopes.join(" "), now);
                Ok(json!({"accessToken": token, "expireTime": rfc3339(now + 3600)}))
            }
            ("cloudresourcemanager.projects.get", _) => {
                may("resourcemanager.projects.get", &resource)?;
                Ok(
                    json!({"name": format!("projects/{}", self.project.number), "projectId": self.project.id, "state": "ACTIVE"}),
                )
            }
            // Known to Google, and not played here: as loud as what is not known.
            _ => Err(self.is_unknown(asked)),
        }
    }

    /// A project that is not this one does not exist.
    fn in_project(&self, resource: &str) -> Result<(), Answer> {
        let mut segments = resource.split('/');
        let (first, project) = (segments.next(), segments.next().unwrap_or_default());
        if first != Some("projects")
            || [self.project.id.as_str(), self.project.number.as_str(), "-"].contains(&project)
        {
            return Ok(());
        }
        let message = format!("Permission denied on resource project {project}.");
        let details = json!([
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "CONSUMER_INVALID", "domain": "googleapis.com",
             "metadata": {"consumer": format!("projects/{project}"), "containerInfo": project}},
            {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": message}]);
        Err(Answer::error(403, "PERMISSION_DENIED", &message, &details))
    }

    fn permitted(&self, access: &Access, permission: &str, resource: &str, host: &str) -> Result<(), Answer> {
        if self.project.may(&access.account, permission, resource) {
            return Ok(());
        }
        let message = format!(
            "Permission '{permission}' denied on resource '//{host}/{resource}' (or it may not exist)."
        );
        let details = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "IAM_PERMISSION_DENIED",
            "domain": host, "metadata": {"permission": permission, "resource": resource}}]);
        Err(Answer::error(403, "PERMISSION_DENIED", &message, &details))
    }

    /// The service account of a resource, if the caller may be it.
    fn impersonated(&self, access: &Access, permission: &str, resource: &str) -> Result<String, Answer> {
        if !resource.starts_with("projects/-/") {
            return Err(invalid(
                "The `-` wildcard character is required; replacing it with a project ID is invalid.",
                "name",
            ));
        }
        let account = resource.rsplit('/').next().unwrap_or_default();
        if !self.project.grants.iter().any(|(member, _, end)| member == account || end.ends_with(account)) {
            let message = format!("Not found; Gaia id not found for email {account}");
            return Err(Answer::error(404, "NOT_FOUND", &message, &json!([])));
        }
        self.permitted(access, permission, resource, "iam.googleapis.com")?;
        Ok(account.to_owned())
    }

    fn locations<'a>(&self, regions: impl Iterator<Item = &'a (String, String)>) -> Value {
        let each = |(id, name): &(String, String)| {
            json!({"name": format!("projects/{}/locations/{id}", self.project.id), "locationId": id, "displayName": name,
                "labels": {"cloud.googleapis.com/region": id}})
        };
        regions.map(each).collect()
    }

    /// A page of functions. The token of the next one is opaque, and good for the same filter alone.
    fn listed(&self, asked: &Asked, resource: &str) -> Answered {
        let query = asked.query();
        let value = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let region = resource.split('/').nth(3).unwrap_or_default();
        let known = self.project.regions.iter().any(|(id, _)| id == region);
        if region != "-" && !known {
            let message = format!("Location {region} is not found or access is unauthorized.");
            return Err(Answer::error(403, "PERMISSION_DENIED", &message, &json!([])));
        }
        // A field and a value, or a word that is looked for everywhere: https://google.aip.dev/160
        let is_word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '-');
        let wanted = match value("filter").map(|filter| filter.split_once('=').ok_or(filter)) {
            None => None,
            Some(Ok((field, text))) => Some((field.trim(), text.trim().trim_matches('"'))),
            Some(Err(word)) if is_word(word) => Some(("", word)),
            Some(Err(filter)) => return Err(invalid(&format!("Invalid filter {filter}"), "filter")),
        };
        let fits = |function: &&Value| {
            let name = function["name"].as_str().unwrap_or_default();
            let here = region == "-" || name.split('/').nth(3) == Some(region);
            here && !self.project.silent.iter().any(|silent| name.split('/').nth(3) == Some(silent))
                && wanted.is_none_or(|(field, text)| {
                    function[field] == text || field.is_empty() && name.contains(text)
                })
        };
        let all: Vec<&Value> = self.project.functions.iter().filter(fits).collect();
        let size = value("pageSize").and_then(|size| size.parse().ok()).filter(|size| *size > 0);
        let size = self.project.page.min(size.unwrap_or(1000));
        let filter = value("filter").unwrap_or_default();
        let start = match value("pageToken") {
            None | Some("") => 0,
            Some(token) => token
                .strip_prefix(&format!("page:{filter}:"))
                .and_then(|n| n.parse::<usize>().ok())
                .ok_or_else(|| invalid("Invalid page token.", "page_token"))?,
        };
        let mut page = json!({});
        // Empty lists have no key in proto3's JSON.
        if all.len() > start {
            page["functions"] = all[start..].iter().take(size).map(|function| (*function).clone()).collect();
        }
        if start + size < all.len() {
            page["nextPageToken"] = json!(format!("page:{filter}:{}", start + size));
        }
        if region == "-" && !self.project.silent.is_empty() {
            page["unreachable"] = json!(self.project.silent);
        }
        Ok(page)
    }

    fn services(&self, method: &Method, resource: &str) -> Answered {
        let region = resource.split('/').nth(3).unwrap_or_default();
        let of_knative = method.id.starts_with("run.v1");
        if region == "-" && !of_knative {
            // "Location: cannot be the `-` wildcard" (discovery document of run.v2).
            return Err(invalid("The location cannot be the wildcard.", "parent"));
        }
        let known =
            self.project.regions.iter().chain(&self.project.regions_of_run).any(|(id, _)| id == region);
        if region != "-" && !known {
            let message = format!("Permission denied on 'locations/{region}' (or it may not exist).");
            let details = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "LOCATION_POLICY_VIOLATED",
                "domain": "googleapis.com", "metadata": {"location": region, "consumer": format!("projects/{}", self.project.id), "service": ""}}]);
            return Err(Answer::error(403, "PERMISSION_DENIED", &message, &details));
        }
        let here = |service: &&Value| {
            let place = service["name"].as_str().and_then(|name| name.split('/').nth(3));
            (region == "-" || place == Some(region))
                && !self.project.silent.iter().any(|silent| place == Some(silent))
        };
        let found: Vec<Value> = self.project.services.iter().filter(here).cloned().collect();
        let mut list = json!({});
        if of_knative {
            list = json!({"apiVersion": "serving.knative.dev/v1", "kind": "ServiceList", "metadata": {}});
            if !found.is_empty() {
                list["items"] = found.iter().map(|service| self.knative(service)).collect();
            }
        } else if !found.is_empty() {
            list["services"] = found.into();
        }
        if region == "-" && !self.project.silent.is_empty() {
            list["unreachable"] = json!(self.project.silent);
        }
        Ok(list)
    }

    fn knative(&self, service: &Value) -> Value {
        self.project.knative(service)
    }

    /// Those of the permissions that the caller has: not those that were asked for.
    fn tested(&self, api: &str, asked: &Asked, access: &Access, resource: &str) -> Answered {
        let exists =
            [&self.project.functions, &self.project.services].iter().any(|all| find(all, resource).is_some());
        if !exists && api != "cloudresourcemanager" {
            return Err(no_service(resource));
        }
        let body = asked.json();
        let permissions = body["permissions"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let of = TESTABLE.iter().find(|(of, _)| *of == api).map_or("", |(_, permissions)| permissions);
        let mut held = BTreeSet::new();
        for permission in permissions {
            if !permission.starts_with(of) {
                let message = format!("Permission {permission} is not valid for this resource.");
                return Err(invalid(&message, "permissions"));
            }
            if self.project.may(&access.account, permission, resource) {
                held.insert(permission);
            }
        }
        Ok(if held.is_empty() { json!({}) } else { json!({"permissions": held}) })
    }
}

impl Asked {
    /// The body, which is known to be JSON.
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

fn find(all: &[Value], resource: &str) -> Option<Value> {
    all.iter().find(|one| one["name"] == resource).cloned()
}

fn no_service(resource: &str) -> Answer {
    let part = |n: usize| resource.split('/').nth(n).unwrap_or_default();
    let message = format!(
        "Resource '{}' of kind 'SERVICE' in region '{}' in project '{}' does not exist.",
        part(5),
        part(3),
        part(1)
    );
    Answer::error(404, "NOT_FOUND", &message, &json!([]))
}

fn invalid(message: &str, field: &str) -> Answer {
    let details = json!([{"@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": field, "description": message}]}]);
    Answer::error(400, "INVALID_ARGUMENT", message, &details)
}

/// Seconds since 1970 as RFC 3339 has them, by the civil calendar of
/// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>.
fn rfc3339(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = era * 400 + year + u64::from(month <= 2);
    let (h, m, s) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}Z")
}
