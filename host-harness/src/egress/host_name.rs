//! The one spelling of a host name that is accepted. Nothing is repaired.
//!
//! URL parsers disagree on which host an odd spelling means. If only one spelling passes, the name
//! that was judged is the name that is resolved, sent as SNI and checked in the certificate.

/// Accepts a lower-case ASCII name of at least two labels that no resolver takes for an address.
pub(crate) fn check(host: &str) -> Result<(), String> {
    if host.is_empty() || host.len() > 253 {
        return Err("a host name has 1 to 253 characters".to_owned());
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(format!("host {host} must be in lower case"));
    }
    if host.ends_with('.') {
        return Err(format!("host {host} must not end in a dot"));
    }
    if let Some(label) = host.split('.').find(|label| !is_label(label)) {
        return Err(format!("host {host} has a malformed label {label:?}"));
    }
    let (_, last) = host.rsplit_once('.').unwrap_or(("", host));
    if looks_numeric(last) {
        return Err(format!("{host} is an IP address, not a host name"));
    }
    if !host.contains('.') {
        return Err(format!("host {host} is not a full name"));
    }
    Ok(())
}

/// Tells whether a label is letters, digits and inner hyphens; not punycode, which no Google host uses and
/// which hides look-alikes.
pub(super) fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
        && !label.starts_with("xn--")
}

/// Tells whether the last label makes `inet_aton` read the whole as an IPv4 address: decimal, octal or
/// hexadecimal. No top-level domain is such a number.
fn looks_numeric(last: &str) -> bool {
    match last.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => last.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_names_that_functions_and_apis_have() {
        for host in [
            "cloudfunctions.googleapis.com",
            "us-central1-p-123456.cloudfunctions.net",
            "fn-abcdef-uc.a.run.app",
            "v1---fn-abcdef-uc.a.run.app",
            "fn-123456789012.us-central1.run.app",
        ] {
            assert_eq!(check(host), Ok(()), "{host}");
        }
    }

    #[test]
    fn refuses_every_other_spelling() {
        let long_label = format!("{}.googleapis.com", "a".repeat(64));
        let long_name = format!("{}com", "abcdefg.".repeat(32));
        for host in [
            "",
            ".",
            "metadata",
            "localhost",
            "Run.googleapis.com",
            "run.googleapis.com.",
            ".googleapis.com",
            "a..googleapis.com",
            "evil_x.googleapis.com",
            "-a.googleapis.com",
            "a-.googleapis.com",
            "xn--e1afmkfd.run.app",
            "evil.com;.googleapis.com",
            "evil.com%2f.googleapis.com",
            "*.googleapis.com",
            "127.0.0.1",
            "127.1",
            "0",
            "0177.0.0.01",
            "2852039166",
            "0xa9fea9fe",
            "0xa9.0xfe.0xa9.0xfe",
            "a.0x",
            "::1",
            "[::1]",
            &long_label,
            &long_name,
        ] {
            assert!(check(host).is_err(), "{host}");
        }
    }
}
