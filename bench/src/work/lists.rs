//! Lists, by pages that Google would send.

use std::collections::BTreeMap;

use bytes::Bytes;
use gcf_host::wit::{ListRequest, PagesRequest};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::Value;

use super::{Bench, CONNECTOR, FUNCTIONS, ROUNDS, Row, row};
use crate::{
    google::PROJECT,
    measure::Readings,
    native,
    peers::{self, OnStage},
};

impl Bench {
    pub(super) async fn list(&self, work: &'static str, size: u32, pieces: usize) -> Vec<Row> {
        let [mut connector, mut native, mut serde, mut hyper] = <[Readings; 4]>::default();
        // The first asks for pages that the server has yet to make.
        for round in 0..=ROUNDS {
            if round == 1 {
                (connector, native, serde, hyper) = Default::default();
            }
            connector
                .one_by_one(pieces, async || {
                    let request = ListRequest::default().page_size(size);
                    let list = self.host.list_functions(&self.connection, request, None).await;
                    assert_eq!(list.expect("a list").functions.len(), FUNCTIONS);
                })
                .await;
            native
                .one_by_one(pieces, async || {
                    let stage = OnStage::live(&self.native);
                    let list = native::list_all(&stage, &self.native_connection, size).await;
                    assert_eq!(list.len(), FUNCTIONS);
                })
                .await;
            serde
                .one_by_one(pieces, async || {
                    let mut functions = Vec::new();
                    for body in self.pages(size).await {
                        let page: Page = serde_json::from_slice(&body).expect("a page");
                        functions.extend(page.functions);
                    }
                    assert_eq!(functions.len(), FUNCTIONS);
                })
                .await;
            hyper
                .one_by_one(pieces, async || {
                    self.pages(size).await;
                })
                .await;
        }
        vec![
            row(work, CONNECTOR, &connector),
            row(work, "core, no sandbox", &native),
            row(work, "hyper, whole bodies, serde with types", &serde),
            row(work, "hyper, not parsed", &hyper),
        ]
    }

    /// The pages, without a field mask: as clients that were made from Google's descriptions ask for them.
    async fn pages(&self, size: u32) -> Vec<Bytes> {
        let mut bodies = Vec::new();
        for page in 0..FUNCTIONS.div_ceil(size as usize) {
            let uri = format!(
                "http://{}/v2/projects/{PROJECT}/locations/-/functions?pageSize={size}&pageToken={page}",
                self.google.address()
            );
            let request = http::Request::get(uri)
                .header("host", "cloudfunctions.googleapis.com")
                .header("authorization", &self.token)
                .body(Full::default())
                .expect("a request");
            bodies.push(peers::by_hyper(&self.hyper, request).await);
        }
        bodies
    }

    pub(super) async fn all_pages(&self, pieces: usize) -> Vec<Row> {
        let mut readings = Readings::default();
        for round in 0..=ROUNDS {
            if round == 1 {
                readings = Readings::default();
            }
            readings
                .one_by_one(pieces, async || {
                    let path = format!("https://cloudfunctions.googleapis.com/v2/projects/{PROJECT}/locations/-/functions?pageSize=1000");
                    let pages = self.host.all_pages(&self.connection, PagesRequest::get(path), None).await;
                    pages.expect("pages");
                })
                .await;
        }
        vec![row("all-pages 10,000 by 1,000", CONNECTOR, &readings)]
    }
}

/// A page as programs with types read it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    functions: Vec<Function>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "what is measured is that it is read")]
struct Function {
    name: String,
    build_config: BTreeMap<String, Value>,
    service_config: BTreeMap<String, Value>,
    state: String,
    update_time: String,
    create_time: String,
    labels: BTreeMap<String, String>,
    environment: String,
    url: String,
}
