//! The world itself: an answer that belongs elsewhere fails the test that gives it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;

use super::{World, access_token, block_on, canaries, json_answer, locations};
use crate::{
    actions::{
        api::{ApiRequest, custom_api},
        functions::list::{ListRequest, list},
    },
    base::content::Content,
    google::request::grammar::Query,
};

fn one_request() -> ListRequest {
    ListRequest { filter: Some("environment=\"GEN_2\"".to_owned()), ..ListRequest::default() }
}

fn fails(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn an_answer_to_another_call_is_none() {
    for answer in [access_token(canaries::FIRST), locations(&["us-central1"])] {
        let said = fails(|| {
            let (world, id) = World::connected();
            world.then(answer);
            let _ = block_on(list(&world, &id, one_request(), None));
        });
        assert!(said.contains("not published") && said.contains("/functions"), "{said}");
    }
    let (world, id) = World::connected();
    world.damaged();
    world.then(access_token(canaries::FIRST));
    assert!(block_on(list(&world, &id, one_request(), None)).unwrap().functions.is_empty());
}

#[test]
fn an_answer_that_nobody_asks_for_is_a_mistake() {
    let said = fails(|| World::new().then(access_token(canaries::FIRST)));
    assert!(said.contains("never asked for"), "{said}");
}

#[test]
fn an_answer_may_have_an_address() {
    const FUNCTIONS: &str =
        "https://cloudfunctions.googleapis.com/v2/projects/demo-project/locations/-/functions";
    let (world, id) = World::connected();
    world.answer_to(&format!("GET {FUNCTIONS}"), json_answer(200, &json!({})));
    assert!(block_on(list(&world, &id, one_request(), None)).unwrap().functions.is_empty());
    let said = fails(|| World::new().answer_to(&format!("GET {FUNCTIONS}"), json_answer(200, &json!({}))));
    assert!(said.contains("never asked for") && said.contains(FUNCTIONS), "{said}");
}

/// Google leaves out what the mask does not name, whatever the script says.
#[test]
fn what_was_not_asked_for_does_not_come() {
    let (world, id) = World::connected();
    let function = json!({"name": "projects/demo-project/locations/us-central1/functions/f", "state": "ACTIVE",
        "serviceConfig": {"environmentVariables": {"KEY": "canary"}, "uri": "https://f-abc-uc.a.run.app"}});
    let asked = |fields: &str| ApiRequest {
        api: None,
        method: "GET".to_owned(),
        path: "/v2/projects/demo-project/locations/us-central1/functions/f".to_owned(),
        query: Query::Raw(fields.to_owned()),
        headers: Vec::new(),
        body: None,
    };
    for (fields, whole) in [("pageSize=1", true), ("fields=name,serviceConfig/uri", false)] {
        world.then(json_answer(200, &function));
        let answer = block_on(custom_api(&world, &id, asked(fields), None)).unwrap();
        let Content::Json(text) = answer.body else { panic!("{:?}", answer.body) };
        assert_eq!((text.contains("canary"), text.contains("ACTIVE")), (whole, whole), "{text}");
        assert!(text.contains("https://f-abc-uc.a.run.app"), "{text}");
    }
    let said = fails(|| {
        let (world, id) = World::connected();
        world.then(json_answer(200, &function));
        let _ = block_on(custom_api(&world, &id, asked("fields=nam"), None));
    });
    assert!(said.contains("no field nam"), "{said}");
}
