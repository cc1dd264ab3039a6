//! The network, and the limits of what may be sent over it.

use std::sync::Arc;

use gcf_host::{
    HostBuilder,
    egress::EgressPolicy,
    transport::{Live, OriginMap, Transport},
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use super::Global;
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
    let rules = serde_json::from_slice(&files::read_named(path)?)
        .map_err(|error| wrong(format!("it is not JSON: {error}")))?;
    Ok(builder.egress_allow(EgressPolicy::from_manifest(&rules).map_err(wrong)?))
}

/// The network itself, with the origins that are mapped and the roots that are trusted besides.
pub(super) fn live(global: &Global) -> Result<Arc<dyn Transport>, Failure> {
    let map = OriginMap::new(global.map.iter().cloned())
        .map_err(|error| Failure::input(format!("--map: {error}")))?;
    let mut builder = Live::builder().map(map);
    if let Some(path) = &global.ca {
        let pem = files::read_named(path)?;
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
