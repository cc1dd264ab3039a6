//! What many connections cost each call, and many hosts in one program.

use std::sync::Arc;

use gcf_host::{secrets::MemoryStore, wit::ConnectRequest};

use super::{Bench, CONNECTOR, Row, row};
use crate::{google::KEY, measure::Readings};

impl Bench {
    /// One connection of so many, and all of them.
    pub(super) async fn connections(
        &self,
        [one, all]: [&'static str; 2],
        connections: usize,
        pieces: usize,
    ) -> Vec<Row> {
        let host = self.builder().secrets(Arc::new(MemoryStore::new())).build().expect("a host");
        let mut ids = Vec::new();
        for number in 0..connections {
            let request = ConnectRequest::google_json(format!("bench-{number}"), KEY);
            ids.push(host.connect(request, None).await.expect("a connection").connection.id);
        }
        let [mut of_one, mut of_all] = <[Readings; 2]>::default();
        let mut turn = ids.iter().cycle();
        of_one
            .one_by_one(pieces, async || {
                host.connection(turn.next().expect("one")).await.expect("a connection");
            })
            .await;
        of_all
            .one_by_one((pieces / connections).max(1), async || {
                assert_eq!(host.connections().await.expect("connections").len(), connections);
            })
            .await;
        vec![row(one, CONNECTOR, &of_one), row(all, CONNECTOR, &of_all)]
    }

    /// A host for each of so many tenants, with a store of its own.
    pub(super) async fn tenants(
        &self,
        [host, call]: [&'static str; 2],
        tenants: usize,
        rounds: usize,
    ) -> Vec<Row> {
        let [mut start, mut calls] = <[Readings; 2]>::default();
        let mut hosts = Vec::new();
        start
            .one_by_one(tenants, async || {
                hosts.push(self.host.for_tenant(Arc::new(MemoryStore::new()), None));
            })
            .await;
        let mut connected = Vec::new();
        for host in hosts {
            let request = ConnectRequest::google_json("bench", KEY);
            let id = host.connect(request, None).await.expect("a connection").connection.id;
            connected.push((host, id));
        }
        // The first is each host's first call.
        for round in 0..=rounds {
            if round == 1 {
                calls = Readings::default();
            }
            let mut turn = connected.iter();
            calls
                .one_by_one(tenants, async || {
                    let (host, id) = turn.next().expect("one");
                    host.connection(id).await.expect("a connection");
                })
                .await;
        }
        vec![row(host, CONNECTOR, &start), row(call, CONNECTOR, &calls)]
    }
}
