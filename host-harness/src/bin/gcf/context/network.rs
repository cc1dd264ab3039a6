//! The network, and the limits of what may be sent over it.

use std::{
    env,
    ffi::OsString,
    sync::{Arc, Mutex, PoisonError},
};

use gcf_host::{
    HostBuilder, Observer, Stage,
    egress::EgressPolicy,
    reading,
    transport::{Live, OriginMap, Proxy, ProxyError, Transport, TransportError},
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use super::{Global, options::ProxyUrl};
use crate::{input::files, output::failure::Failure};

/// Within what the operator allows, if they say it.
pub(super) fn allowing(builder: HostBuilder, global: &Global) -> Result<HostBuilder, Failure> {
    let Some(path) = global.egress.as_ref().filter(|path| !path.as_os_str().is_empty()) else {
        return Ok(builder);
    };
    let wrong = |why: String| {
        Failure::input(format!("--egress {}: {why}", path.display())).with_fix(
            "write a list as `egress` in gcf describe --json is one, such as [{\"host\": \"run.googleapis.com\", \"carries\": [\"access-token\"]}]",
        )
    };
    let rules = files::read_named(path)?;
    if reading::is_utf16(&rules) {
        return Err(files::utf16(&path.display().to_string()));
    }
    let rules = serde_json::from_slice(rules.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&rules))
        .map_err(|error| wrong(format!("it is not JSON: {error}")))?;
    Ok(builder.egress_allow(EgressPolicy::from_manifest(&rules).map_err(wrong)?))
}

/// The network itself, with the origins that are mapped and the roots that are trusted besides.
pub(super) fn live(global: &Global) -> Result<Arc<dyn Transport>, Failure> {
    let map = OriginMap::new(global.map.iter().cloned())
        .map_err(|error| Failure::input(format!("--map: {error}")))?;
    let mut builder = Live::builder().map(map);
    if let Some(proxy) = proxy(global.proxy.as_ref(), |name| env::var_os(name))? {
        builder = builder.proxy(proxy);
    }
    if let Some(path) = &global.ca {
        let pem = files::read_named(path)?;
        if reading::is_utf16(&pem) {
            return Err(files::utf16(&path.display().to_string()));
        }
        let roots: Vec<_> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::input(format!("--ca {}: {error}", path.display())))?;
        if roots.is_empty() {
            return Err(Failure::input(format!("--ca {}: no certificate in it", path.display()))
                .with_fix("name a file with `-----BEGIN CERTIFICATE-----`"));
        }
        builder = builder.extra_roots(roots);
    }
    let live = builder.build().map_err(|error| Failure::input(format!("--ca: {error}")))?;
    Ok(Arc::new(live))
}

/// The proxy that is named, or that the environment names where that was asked for. An environment by itself redirects
/// nothing.
fn proxy(
    given: Option<&ProxyUrl>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Proxy>, Failure> {
    let Some(given) = given.map(|url| url.0.as_str()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let parse = |text: &str, from: &str| {
        Proxy::parse(text)
            .map(Some)
            .map_err(|error| Failure::input(format!("{from}: {error}")).with_fix(error.fix()))
    };
    if given != "env" {
        return parse(given, "--proxy or GCF_PROXY");
    }
    for name in VARIABLES {
        if let Some(value) = variable(name).filter(|value| !value.is_empty()) {
            return parse(&value.to_string_lossy(), name);
        }
    }
    Ok(None)
}

/// The variables in which an environment names a proxy for https.
const VARIABLES: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];

/// Tells whether the environment names a proxy, and nobody has asked for one.
pub(super) fn overlooks_proxy(global: &Global) -> bool {
    let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    global.proxy.as_ref().is_none_or(|url| url.0.is_empty()) && VARIABLES.iter().any(is_set)
}

/// The last word of a proxy, if it was a refusal: the component learns that there is no connection, and not why.
#[derive(Debug, Clone, Default)]
pub(super) struct LastRefusal(Arc<Mutex<Option<ProxyError>>>);

impl LastRefusal {
    /// Watches the requests that `observer` is told of.
    pub(super) fn watching(&self, observer: Observer) -> Observer {
        let last = self.clone();
        Arc::new(move |event| {
            match &event.stage {
                Stage::Failed { error: TransportError::Proxy(error), .. } => {
                    last.set(Some((**error).clone()))
                }
                Stage::Answered { .. } => last.set(None),
                Stage::Sent | Stage::Failed { .. } => {}
            }
            observer(event);
        })
    }

    fn set(&self, error: Option<ProxyError>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    pub(super) fn take(&self) -> Option<ProxyError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_names_a_proxy() {
        let chosen = |given: Option<&str>, upper: &str, lower: &str| {
            let variables = [("HTTPS_PROXY", upper.to_owned()), ("https_proxy", lower.to_owned())];
            let variable = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
            };
            let given = given.map(|text| ProxyUrl::from(text.to_owned()));
            proxy(given.as_ref(), variable).map(|proxy| proxy.map(|proxy| proxy.to_string()))
        };
        let (there, other) = ("http://there:1", "http://other:2");
        assert_eq!(chosen(None, there, there).unwrap(), None, "an environment by itself redirects nothing");
        assert_eq!(chosen(Some(""), there, there).unwrap(), None);
        assert_eq!(chosen(Some("http://a:3"), there, other).unwrap().as_deref(), Some("a:3"));
        assert_eq!(chosen(Some("env"), there, other).unwrap().as_deref(), Some("there:1"));
        assert_eq!(chosen(Some("env"), "", other).unwrap().as_deref(), Some("other:2"));
        assert_eq!(chosen(Some("env"), "", "").unwrap(), None);
        for (given, upper) in [("https://u:canary@a:1", ""), ("env", "socks5://u:canary@a:1")] {
            let refused = chosen(Some(given), upper, "").unwrap_err();
            assert!(refused.fix().is_some() && !refused.message.contains("canary"), "{}", refused.message);
        }
        assert_eq!(format!("{:?}", ProxyUrl::from(there.to_owned())), "ProxyUrl([secret])");
    }
}
