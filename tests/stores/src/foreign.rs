//! The stores in hosts that others wrote, side by side with the one of few lines.

use std::cell::RefCell;

use crate::{
    STORE_KEY,
    command::Foreign,
    conformance::{Host as _, Hosts, outlives_its_server, pass},
    embedder::Embedder,
    servers::Server,
    tls::Authority,
    vault::{Bao, texts},
};

/// Passes with a host of few lines on one side, and outlives the server.
fn etcd(name: &str, foreign: impl Fn(&[(&str, &str)]) -> Foreign) {
    let server = RefCell::new(Server::etcd());
    let url = server.borrow().url();
    let settings = [("GCF_ETCD_URL", &*url), ("GCF_STORE_KEY", STORE_KEY)];
    let (one, two) = (Embedder::new("gcf-conformance-etcd", &settings), foreign(&settings));
    pass(&Hosts { name, one: &one, two: &two, pass: &|_| {} });
    outlives_its_server(&two, || server.borrow_mut().stop(), || server.borrow_mut().start());
}

/// Passes with a host of few lines on one side.
fn vault(name: &str, foreign: impl Fn(&[(&str, &str)]) -> Foreign) {
    let bao = Bao::start(false);
    let settings = bao.settings();
    let settings = texts(&settings);
    let (one, two) = (Embedder::new("gcf-conformance-vault", &settings), foreign(&settings));
    pass(&Hosts { name, one: &one, two: &two, pass: &|_| {} });
}

mod wasmtime {
    use super::*;

    #[test]
    fn files() {
        let folder = tempfile::tempdir().unwrap();
        let settings = [("GCF_STORE_KEY", STORE_KEY)];
        let one = Embedder::new("gcf-conformance-files", &settings).with_folder(folder.path());
        let two = Foreign::wasmtime("gcf-conformance-files", &settings, folder.path().to_str());
        pass(&Hosts { name: "files, wasmtime", one: &one, two: &two, pass: &|_| {} });
    }

    #[test]
    fn etcd() {
        super::etcd("etcd, wasmtime", |settings| Foreign::wasmtime("gcf-conformance-etcd", settings, None));
    }

    #[test]
    fn vault() {
        super::vault("vault, wasmtime", |settings| {
            Foreign::wasmtime("gcf-conformance-vault", settings, None)
        });
    }
}

mod jco {
    use super::*;

    #[test]
    fn etcd() {
        super::etcd("etcd, jco", |settings| Foreign::jco("gcf-conformance-etcd", settings));
    }

    #[test]
    fn etcd_over_tls_by_an_authority_of_its_own() {
        let authority = Authority::for_server("etcd.example");
        let server = Server::etcd_over_tls(&authority);
        let url = format!("https://{}", server.address);
        let settings = [("GCF_ETCD_URL", &*url), ("GCF_STORE_KEY", STORE_KEY)];
        Foreign::jco("gcf-conformance-etcd", &settings).start().unavailable().unwrap();
        let root = server.folder.path().join("root.pem");
        std::fs::write(&root, authority.root.pem()).unwrap();
        let trusting = [&settings[..], &[("NODE_EXTRA_CA_CERTS", root.to_str().unwrap())]].concat();
        Foreign::jco("gcf-conformance-etcd", &trusting).start().one_caller().unwrap();
    }

    #[test]
    fn vault() {
        super::vault("vault, jco", |settings| Foreign::jco("gcf-conformance-vault", settings));
    }
}
