//! The connector in a program's own process, beside which `tests/hosts/wasmcloud/measure.py` measures it in a fleet.
//!
//!     gcf-bench in-process ORIGIN=ADDRESS…    (as `gcf --map` has them)
//!
//! A line of the input says how many invocations to make, and how many at once. Each is answered with a line: the seconds
//! that each took.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    sync::Arc,
    time::Instant,
};

use futures_util::{StreamExt as _, stream};
use gcf_host::{
    Host, Limits,
    transport::{Live, OriginMap, OriginRule},
    wit::{ConnectRequest, FunctionRef, InvokeRequest},
};

use crate::google::KEY;

/// Measures until the input ends.
pub(crate) fn run(rules: impl Iterator<Item = String>) -> ExitCode {
    let rules: Vec<_> = rules.map(|rule| OriginRule::parse(&rule).expect("a rule")).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let live = Live::builder().map(OriginMap::new(rules).expect("rules")).build().expect("a transport");
        let limits = Limits { calls: 1_000, ..Limits::default() };
        let host = Host::builder().transport(Arc::new(live)).limits(limits).build().expect("a host");
        let request = ConnectRequest::google_json("bench", KEY);
        let connection = host.connect(request, None).await.expect("a connection").connection.id;
        for line in io::stdin().lines() {
            let line = line.expect("a line");
            let mut words = line.split_whitespace().map(|word| word.parse().expect("a number"));
            let (pieces, callers) =
                (words.next().expect("how many"), words.next().expect("how many at once"));
            let took = measure(&host, &connection, pieces, callers).await;
            let took: Vec<_> = took.iter().map(f64::to_string).collect();
            println!("{}", took.join(" "));
            io::stdout().flush().expect("somebody reads");
        }
    });
    ExitCode::SUCCESS
}

async fn measure(host: &Host, connection: &str, pieces: usize, callers: usize) -> Vec<f64> {
    stream::iter(0..pieces)
        .map(|_| async {
            let began = Instant::now();
            let hello = FunctionRef::in_region("hello-gen2", "europe-west1");
            let request = InvokeRequest::post(hello).text("x".repeat(256));
            host.invoke(connection, request, None).await.expect("an answer");
            began.elapsed().as_secs_f64()
        })
        .buffer_unordered(callers)
        .collect()
        .await
}
