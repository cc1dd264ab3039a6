//! Answers of an API without the store's secrets.

use std::time::Duration;

use gcf_host::{
    tape::{LiveSecrets, Redactor},
    wit::{api::ApiResponse, types::Content},
};

use crate::output::failure::Failure;

/// Takes what is `seen` out of a refusal: one that repeats the token it got is no reason to show it. What an API
/// grants is the caller's, as it came. How long a search takes is up to whoever answered, so it holds up nothing
/// else, and ends with the time that the call has `left`.
pub(super) async fn cleaned(
    answer: ApiResponse,
    seen: LiveSecrets,
    left: Option<Duration>,
) -> Result<ApiResponse, Failure> {
    if answer.status < 400 {
        return Ok(answer);
    }
    if left.is_some_and(|left| left.is_zero()) {
        return Err(Failure::unsearched());
    }
    let search = tokio::task::spawn_blocking(move || without_secrets(answer, seen));
    let found = match left {
        Some(left) => tokio::time::timeout(left, search).await.map_err(|_| Failure::unsearched())?,
        None => search.await,
    };
    found
        .map_err(|error| Failure::machine(format!("the search for secrets in the answer broke off: {error}")))
}

fn without_secrets(mut answer: ApiResponse, seen: LiveSecrets) -> ApiResponse {
    let mut redactor = Redactor::default();
    redactor.know(seen);
    let clean = redactor.bytes(answer.body.as_bytes());
    let text = || String::from_utf8_lossy(&clean).into_owned();
    answer.body = match answer.body {
        Content::Empty => Content::Empty,
        Content::Json(_) => Content::Json(text()),
        Content::Text(_) => Content::Text(text()),
        Content::Bytes(_) => Content::Bytes(clean),
    };
    for header in &mut answer.headers {
        header.value = redactor.bytes(&header.value);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::exit::Exit;

    fn refusal(text: &str) -> ApiResponse {
        ApiResponse {
            status: 400,
            headers: Vec::new(),
            body: Content::Text(text.to_owned()),
            url: "https://a.example/".to_owned(),
            token: gcf_host::wit::types::TokenKind::AccessToken,
            diagnosis: None,
            trace: Vec::new(),
        }
    }

    #[tokio::test]
    async fn an_answer_is_shown_without_secrets_or_not_at_all() {
        let seen = LiveSecrets::default();
        seen.add("canary-of-the-store");
        let answer = cleaned(refusal("you sent canary-of-the-store"), seen.clone(), None).await.unwrap();
        assert_eq!(answer.body.as_bytes(), b"you sent [redacted:secret:1]");
        let failure = cleaned(refusal("you sent canary-of-the-store"), seen, Some(Duration::ZERO)).await;
        assert_eq!(failure.unwrap_err().exit, Exit::Temporary);
    }
}
