//! A network over TLS, with a root of its own: the one of `gcf`, which trusts what it is told to.

use std::time::Duration;

use gcf_host::transport::{Live, OriginMap, Timeouts, Transport as _, TransportError};
use http_body_util::BodyExt as _;
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::embedder::{Ending, Exchange};

/// An authority that nobody knows, and what it has certified: one server, for its own use of itself too.
pub(crate) struct Authority {
    pub(crate) root: Certificate,
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn for_server(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Of the same name as the server, it would be taken for the server's own work.
        params.distinguished_name.push(DnType::CommonName, "an authority of its own");
        let root_key = KeyPair::generate().unwrap();
        let root = params.self_signed(&root_key).unwrap();
        let issuer = Issuer::new(params, root_key);
        let key = KeyPair::generate().unwrap();
        let names = [name.to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        Self { root, certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// A network that sends what is for one origin to a server on this machine, and trusts one certificate more.
#[derive(Clone)]
pub(crate) struct Trusting(Live);

impl Trusting {
    pub(crate) fn new(origin: &str, address: &str, root: Option<&Certificate>) -> Self {
        let map = OriginMap::new([format!("{origin}=https://{address}").parse().unwrap()]).unwrap();
        let roots = root.map(|root| root.der().clone()).into_iter().collect();
        Self(Live::builder().map(map).extra_roots(roots).build().unwrap())
    }

    pub(crate) fn send(&self, request: http::Request<WasiBody>) -> Exchange {
        let live = self.0.clone();
        Box::new(async move {
            let broken = |error: Error| TransportError::Closed(format!("{error:?}"));
            let request = request.map(|body| body.map_err(broken).boxed_unsync());
            let response = live.send(request, TIMEOUTS).await.map_err(error)?;
            let ending: Ending = Box::new(std::future::ready(Ok(())));
            Ok((response.map(|body| body.map_err(error).boxed_unsync()), ending))
        })
    }
}

fn error(error: TransportError) -> Error {
    if matches!(error, TransportError::Tls(_)) {
        Error::TlsCertificateError
    } else {
        Error::Connect(std::io::Error::other(error))
    }
}

const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(60),
    first_byte: Duration::from_secs(60),
    between_bytes: Duration::from_secs(60),
};
