//! The URLs of a tape.

use http::Uri;
use sha2::{Digest as _, Sha256};

/// A redacted or renamed URL in the form in which a tape can be read that holds it: [`Uri`] takes some 64
/// KiB, and a placeholder can be longer than what it stands for. Of one that is too long, the query is
/// replaced by its digest, or else the path too, or all of it.
pub(in crate::tape) fn fitting(url: String) -> String {
    let fits =
        |url: &str| url.parse::<Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.authority().is_some());
    if fits(&url) {
        return url;
    }
    let start = url.find("://").map_or(0, |at| at + 3);
    let origin = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    let path = url[origin..].find(['?', '#']).map_or(url.len(), |at| origin + at);
    let overlong = |from: usize| format!("overlong=sha256:{:x}", Sha256::digest(&url[from..]));
    let forms =
        [format!("{}?{}", &url[..path], overlong(path)), format!("{}/?{}", &url[..origin], overlong(origin))];
    forms
        .into_iter()
        .find(|form| fits(form))
        .unwrap_or_else(|| format!("https://overlong.invalid/?{}", overlong(0)))
}
