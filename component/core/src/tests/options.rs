//! The options of a drop-down, while somebody types.

use serde_json::json;
use test_case::test_case;

use super::{detail, gen1, gen2, service};
use crate::{
    actions::functions::options::{OptionField, OptionItem, OptionList, OptionsRequest, options},
    base::error::{Error, Kind},
    google::names::DEFAULT_REGION,
    testing::{
        World, access_token, block_on, canaries, connect_request, denied, json_answer, nothing, revoked,
        switched_off,
    },
};

fn ask(
    world: &World,
    id: &str,
    field: OptionField,
    prefix: &str,
    limit: Option<u32>,
) -> Result<OptionList, Error> {
    let prefix = (!prefix.is_empty()).then(|| prefix.to_owned());
    block_on(options(world, id, OptionsRequest { field, prefix, limit }, None))
}

fn values(list: &OptionList) -> Vec<&str> {
    list.options.iter().map(|item| item.value.as_str()).collect()
}

fn default(list: &OptionList) -> Vec<&str> {
    list.options.iter().filter(|item| item.default).map(|item| item.value.as_str()).collect()
}

fn five_regions(world: &World) {
    let regions = [
        ("us-central1", "Iowa"),
        ("us-east1", "South Carolina"),
        ("europe-west1", "Belgium"),
        ("southamerica-east1", "São Paulo"),
        ("asia-east2", ""),
    ];
    let locations: Vec<_> =
        regions.iter().map(|(id, name)| json!({"locationId": id, "displayName": name})).collect();
    world.then(json_answer(200, &json!({"locations": locations})));
}

#[test]
fn regions_are_live_with_their_places_and_the_default_first() {
    let (world, id) = World::connected();
    five_regions(&world);
    let list = ask(&world, &id, OptionField::Regions, "", None).unwrap();
    assert_eq!(
        values(&list),
        ["us-central1", "asia-east2", "europe-west1", "southamerica-east1", "us-east1"]
    );
    let iowa = OptionItem {
        value: "us-central1".to_owned(),
        label: "Iowa (us-central1)".to_owned(),
        hint: None,
        default: true,
    };
    assert_eq!(list.options[0], iowa);
    assert_eq!((list.options[1].label.as_str(), list.options[1].default), ("asia-east2", false));
    assert!(list.notes.is_empty() && !list.more);
    assert_eq!(list.trace.len(), 1);
}

#[test_case("europe-west1", "europe-west1"; "its own")]
#[test_case("me-west1", DEFAULT_REGION; "one that google does not offer")]
fn the_connections_own_region_comes_first(region: &str, first: &str) {
    let mut connect = connect_request();
    connect.region = Some(region.to_owned());
    let (world, id) = World::connected_with(connect, [access_token(canaries::FIRST)]);
    five_regions(&world);
    let list = ask(&world, &id, OptionField::Regions, "", None).unwrap();
    assert_eq!((values(&list)[0], default(&list)), (first, vec![first]));
}

#[test_case("us-", &["us-central1", "us-east1"]; "by id")]
#[test_case("US-E", &["us-east1"]; "in capitals")]
#[test_case("iow", &["us-central1"]; "by place")]
#[test_case("São", &["southamerica-east1"]; "by place, not ascii")]
#[test_case("S", &["southamerica-east1", "us-east1"]; "by id and by place")]
#[test_case("xyz", &[]; "nothing")]
fn typing_narrows_it(prefix: &str, expected: &[&str]) {
    let (world, id) = World::connected();
    five_regions(&world);
    assert_eq!(values(&ask(&world, &id, OptionField::Regions, prefix, None).unwrap()), expected);
}

#[test]
fn there_may_be_more_than_the_limit() {
    let (world, id) = World::connected();
    for (limit, count, more) in [(2, 2, true), (5, 5, false), (6, 5, false)] {
        five_regions(&world);
        let list = ask(&world, &id, OptionField::Regions, "", Some(limit)).unwrap();
        assert_eq!((list.options.len(), list.more), (count, more), "{limit}");
    }
}

#[test]
fn who_may_not_list_regions_gets_the_known_ones_and_is_told() {
    let (world, id) = World::connected();
    let run = [denied("run.locations.list"), switched_off("run.googleapis.com"), nothing()];
    let functions = [denied("cloudfunctions.locations.list"), switched_off("cloudfunctions.googleapis.com")];
    for (run, functions) in run.iter().flat_map(|run| functions.iter().map(move |functions| (run, functions)))
    {
        world.then(run.clone());
        world.then(functions.clone());
        let list = ask(&world, &id, OptionField::Regions, "", None).unwrap();
        assert_eq!((list.options.len(), default(&list)), (43, vec!["us-central1"]));
        assert_eq!(list.options[0].label, "Iowa (us-central1)");
        assert!(list.notes[0].starts_with("these are the regions that are known"), "{:?}", list.notes);
    }
}

#[test]
fn whom_cloud_run_does_not_tell_its_regions_gets_those_of_cloud_functions() {
    let (world, id) = World::connected();
    world.then(denied("run.locations.list"));
    five_regions(&world);
    let list = ask(&world, &id, OptionField::Regions, "", None).unwrap();
    assert_eq!((list.options.len(), list.notes.len(), list.trace.len()), (5, 0, 2));
    assert_eq!(
        world.urls(),
        [
            "https://run.googleapis.com/v1/projects/demo-project/locations",
            "https://cloudfunctions.googleapis.com/v2/projects/demo-project/locations",
        ]
    );
}

#[test]
fn functions_of_a_region_come_by_name_with_what_tells_them_apart() {
    let (world, id) = World::connected();
    let mut event = gen2("europe-west1", "on-upload");
    event["eventTrigger"] = json!({"eventType": "google.cloud.storage.object.v1.finalized"});
    let functions =
        json!({"functions": [event, gen1("europe-west1", "helloGET"), gen2("europe-west1", "api")]});
    world.then(json_answer(200, &functions));
    world.then(json_answer(200, &json!({"services": [service("europe-west1", "helper")]})));
    let field = OptionField::Functions(Some("europe-west1".to_owned()));
    let list = ask(&world, &id, field, "", None).unwrap();
    let lines: Vec<_> = list
        .options
        .iter()
        .map(|item| (item.value.as_str(), item.label.as_str(), item.hint.as_deref().unwrap()))
        .collect();
    assert_eq!(
        lines,
        [
            ("api", "api", "gen2, http, ACTIVE"),
            ("helloGET", "helloGET", "gen1, http, ACTIVE"),
            ("helper", "helper", "cloud-run, ACTIVE"),
            ("on-upload", "on-upload", "gen2, google.cloud.storage.object.v1.finalized, ACTIVE"),
        ]
    );
    assert!(default(&list).is_empty());
    assert_eq!(list.trace.len(), 2);
}

#[test]
fn without_a_region_it_is_the_connections_own_and_typing_narrows_it() {
    let (world, id) = World::connected();
    let functions = json!({"functions": [gen1("us-central1", "helloGET"), gen2("us-central1", "api")]});
    world.then(json_answer(200, &functions));
    world.then(nothing());
    let list = ask(&world, &id, OptionField::Functions(None), "HELLO", None).unwrap();
    assert_eq!(values(&list), ["helloGET"]);
    assert!(world.urls().iter().all(|url| url.contains("/locations/us-central1/")));
}

#[test]
fn a_part_that_is_missing_is_told() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &json!({"unreachable": ["us-central1"]})));
    world.then(switched_off("run.googleapis.com"));
    let list = ask(&world, &id, OptionField::Functions(None), "", None).unwrap();
    assert_eq!(list.notes.len(), 2);
    assert!(list.notes.iter().all(|note| note.starts_with("incomplete: ")), "{:?}", list.notes);
}

#[test]
fn more_functions_than_one_call_reads_are_told() {
    let (world, id) = World::connected();
    world.respond(|request| {
        let page =
            request.path_and_query().split("pageToken=").nth(1).map_or(0, |rest| rest.parse().unwrap_or(0));
        json_answer(200, &json!({"functions": [], "nextPageToken": (page + 1).to_string()}))
    });
    let list = ask(&world, &id, OptionField::Functions(None), "", None).unwrap();
    assert!(list.more && list.notes[0].starts_with("incomplete: only the first 0 functions"), "{list:?}");
}

#[test]
fn nothing_at_all_is_an_error() {
    let (world, id) = World::connected();
    world.then(denied("cloudfunctions.functions.list"));
    world.then(denied("run.services.list"));
    let error = ask(&world, &id, OptionField::Functions(None), "", None).unwrap_err();
    assert_eq!((error.kind(), error.fields().trace.len()), (Kind::MissingRole, 2));
    let (world, id) = World::of_user();
    world.at(4000);
    world.then(revoked());
    let error = ask(&world, &id, OptionField::Regions, "", None).unwrap_err();
    assert_eq!(error.kind(), Kind::ReconnectRequired, "a dead sign-in is not one that may not list");
}

#[test_case(OptionField::Functions(Some("../x".to_owned())), None, "region")]
#[test_case(OptionField::Functions(Some("-".to_owned())), None, "region")]
#[test_case(OptionField::Regions, Some(0), "limit")]
fn bad_input_sends_nothing(field: OptionField, limit: Option<u32>, names: &str) {
    let (world, id) = World::connected();
    let error = ask(&world, &id, field, "", limit).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some(names)));
    assert!(world.urls().is_empty());
}
