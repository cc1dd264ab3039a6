//! Answers that point elsewhere: nobody goes there.

use std::sync::Arc;

use gcf_host::{
    CallError,
    wit::{FunctionRef, ResponseHeader},
};
use serde_json::json;

use super::{
    Row, Stage, detail, kebab,
    rows::{Call, Met, Redirect},
};
use crate::fixtures::{
    api_request, builder, connect_request, invoke_request, person, refused,
    scripted::{Answer, Scripted},
    watched::{Noting, Sent},
};

const API: &str = "https://cloudfunctions.googleapis.com/v2/projects/p/locations";
const TOKEN: &str = "https://oauth2.googleapis.com/token";
const FUNCTION: &str = "https://fn-abc-uc.a.run.app/";

pub(super) async fn run(row: Row) {
    let (redirect, expected): (Redirect, Met) = (row.input(), row.expected());
    let answer = {
        let redirect = redirect.clone();
        move || {
            let answer = Answer::from((redirect.status, json!({})));
            redirect.location.iter().fold(answer, |answer, location| answer.with("location", location))
        }
    };
    match redirect.call {
        Call::CustomApi => {
            let Stage { host, network, id } = Stage::new(move |_| answer()).await;
            let outcome = host.custom_api(&id, api_request("GET", API), None).await;
            assert_urls(&network.take(), &[API]);
            judge(outcome.map(|answer| (answer.status, answer.headers)), &redirect, &expected);
        }
        Call::Connect => {
            // Both send a secret of theirs, and would send it again.
            for request in [connect_request(), person::with(&person::user())] {
                let answer = answer.clone();
                let network = Noting::before(Arc::new(Scripted::new(move |_| answer())));
                let host = builder().transport(Arc::new(network.clone())).build().unwrap();
                let outcome = host.connect(request, None).await;
                assert_urls(&network.take(), &[TOKEN]);
                judge(outcome.map(|made| panic!("{made:?}")), &redirect, &expected);
            }
        }
        Call::Invoke => {
            let Stage { host, network, id } = Stage::new(move |_| answer()).await;
            let request = invoke_request(FunctionRef::Url(FUNCTION.to_owned()));
            let outcome = host.invoke(&id, request, None).await;
            assert_urls(&network.take(), &[TOKEN, FUNCTION]);
            judge(outcome.map(|answer| (answer.status, answer.headers)), &redirect, &expected);
        }
    }
}

fn assert_urls(sent: &[Sent], expected: &[&str]) {
    assert_eq!(sent.iter().map(|sent| sent.url.as_str()).collect::<Vec<_>>(), expected);
}

fn judge(outcome: Result<(u16, Vec<ResponseHeader>), CallError>, redirect: &Redirect, expected: &Met) {
    match expected {
        Met::Returned { status: expected } => {
            let (status, headers) = outcome.unwrap();
            assert_eq!(&status, expected);
            let location = headers.into_iter().find(|header| header.name == "location");
            let location = location.map(|header| String::from_utf8(header.value).unwrap());
            assert_eq!(location, redirect.location);
        }
        Met::Error { error: kind, origin, location } => {
            let error = refused(outcome);
            assert_eq!((&kebab(error.kind), &kebab(error.origin)), (kind, origin), "{}", error.message);
            assert_eq!(error.http_status, Some(redirect.status));
            if location.is_some() {
                assert_eq!(detail(&error, "location"), location.as_deref());
            }
            assert!(error.fix.is_some() && !format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}
