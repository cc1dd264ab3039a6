use super::*;

#[test]
fn a_proxy_is_named_by_its_url() {
    for (text, place, authorization) in [
        ("http://proxy.corp:3128", ("proxy.corp", 3128), None),
        ("http://proxy.corp:3128/", ("proxy.corp", 3128), None),
        ("HTTP://proxy.corp", ("proxy.corp", 80), None),
        ("proxy.corp:8080", ("proxy.corp", 8080), None),
        ("127.0.0.1:8080", ("127.0.0.1", 8080), None),
        ("http://[::1]:8080", ("::1", 8080), None),
        // RFC 7617, section 2; the second one is `test:123£`, in UTF-8, of section 2.1.
        ("http://Aladdin:open%20sesame@p:1", ("p", 1), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")),
        ("http://test:123%C2%A3@p:1", ("p", 1), Some("Basic dGVzdDoxMjPCow==")),
        // `base64` of `a:b@c:d`, and of `a:`.
        ("http://a:b@c:d@p:1", ("p", 1), Some("Basic YTpiQGM6ZA==")),
        ("a@p:1", ("p", 1), Some("Basic YTo=")),
    ] {
        let proxy = Proxy::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(proxy.place(), place, "{text}");
        assert_eq!(proxy.authorization.as_deref(), authorization, "{text}");
    }
}

#[test]
fn what_names_no_proxy_is_refused_without_repeating_it() {
    for (text, expected) in [
        ("", ProxyUrlError::Format),
        ("http://", ProxyUrlError::Format),
        ("http://canary@:1", ProxyUrlError::Format),
        ("http://a b:1", ProxyUrlError::Format),
        ("https://canary:x@p:1", ProxyUrlError::Scheme),
        ("socks5://p:1080", ProxyUrlError::Scheme),
        ("http://p:1/path", ProxyUrlError::Path),
        ("http://p:1?a", ProxyUrlError::Path),
        ("http://p:1#a", ProxyUrlError::Path),
        ("http://p:0", ProxyUrlError::Port),
        ("http://p:", ProxyUrlError::Port),
        ("http://p:65536", ProxyUrlError::Port),
        ("http://canary%3A:x@p:1", ProxyUrlError::User),
        ("http://canary:%0d%0aX@p:1", ProxyUrlError::User),
        ("http://canary:%4@p:1", ProxyUrlError::User),
        ("http://canary:%zz@p:1", ProxyUrlError::User),
    ] {
        let error = Proxy::parse(text).expect_err(text);
        // A port out of range is no URL to the parser either.
        let alike = error == expected || expected == ProxyUrlError::Port && error == ProxyUrlError::Format;
        assert!(alike, "{text}: {error:?}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}
