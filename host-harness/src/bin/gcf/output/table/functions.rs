//! Functions, and what a drop-down offers of them.

use std::{borrow::Cow, collections::BTreeSet};

use gcf_host::wit::functions::{Function, FunctionList, MissingPart, OptionItem, OptionList, Trigger};

use super::{facts, table};
use crate::output::{
    style::{Look, Paint, plain},
    words,
};

/// One row per function, grouped by region.
///
/// A person sees each region's name once; a pipe gets it in every row, for `grep` and `awk`. Within a region they are
/// in the order of their names, unless they were `ordered` otherwise.
pub(crate) fn functions(functions: &[Function], ordered: bool, look: Look) -> String {
    if functions.is_empty() {
        return String::new();
    }
    let mut sorted: Vec<&Function> = functions.iter().collect();
    sorted.sort_by_key(|function| (&function.region, (!ordered).then_some(&function.name)));
    let mut above = "";
    let rows = sorted.iter().map(|function| {
        let region = if look.terminal && function.region == above { "" } else { function.region.as_str() };
        above = &function.region;
        [
            region.into(),
            function.name.as_str().into(),
            words::generation(function.generation).into(),
            short(known_trigger(&function.trigger).unwrap_or("-")),
            function.state.as_str().into(),
            function.url.as_deref().unwrap_or("-").into(),
        ]
    });
    table(["REGION", "NAME", "GEN", "TRIGGER", "STATE", "URL"], rows, look.out)
}

/// The same without URLs, for where lines are short.
pub(crate) fn functions_in_short(functions: &[Function], paint: Paint) -> String {
    let rows = functions.iter().map(|function| {
        [
            function.region.as_str().into(),
            function.name.as_str().into(),
            words::generation(function.generation).into(),
            short(known_trigger(&function.trigger).unwrap_or("-")),
            function.state.as_str().into(),
        ]
    });
    table(["REGION", "NAME", "GEN", "TRIGGER", "STATE"], rows, paint)
}

/// What starts a function, if anybody knows.
fn known_trigger(trigger: &Trigger) -> Option<&str> {
    match trigger {
        Trigger::Http | Trigger::Event(_) => Some(words::trigger(trigger)),
        Trigger::Other => None,
    }
}

/// `pubsub/messagePublished` for `google.cloud.pubsub.topic.v1.messagePublished`: the whole would be
/// wider than all other columns together. `gcf get` and `--json` show it.
fn short(trigger: &str) -> Cow<'_, str> {
    let known = trigger.strip_prefix("google.").map(|rest| rest.strip_prefix("cloud.").unwrap_or(rest));
    match known.and_then(|rest| Some((rest.split_once('.')?.0, rest.rsplit_once('.')?.1))) {
        Some((service, event)) => format!("{service}/{event}").into(),
        None => trigger.into(),
    }
}

/// How much there is, and whether it is all.
pub(crate) fn list_summary(list: &FunctionList, paint: Paint) -> String {
    let regions: BTreeSet<&str> = list.functions.iter().map(|function| function.region.as_str()).collect();
    let mut summary = match list.functions.len() {
        0 => "no functions".to_owned(),
        count => format!("{} in {}", counted(count, "function"), counted(regions.len(), "region")),
    };
    summary += &format!(", {}\n", counted(list.pages as usize, "page"));
    if !list.unreachable.is_empty() {
        let regions = plain(&list.unreachable.join(", ")).into_owned();
        summary += &format!("{} {regions} did not answer\n", paint.warning("partial:"));
    }
    summary += &missing(&list.missing, paint);
    summary += &notes(&list.notes, paint);
    if let Some(token) = &list.next_page_token {
        let token = plain(token);
        summary += &format!(
            "{} there may be more; go on with --page-token '{token}', or raise --limit\n",
            paint.hint("cut:")
        );
    }
    summary
}

/// Each part that could not be had, with its fix; regions that failed alike in one line.
fn missing(parts: &[MissingPart], paint: Paint) -> String {
    let alike = |part: &MissingPart| (part.source.clone(), part.message.clone());
    let mut text = String::new();
    let mut said = BTreeSet::new();
    for part in parts.iter().filter(|part| said.insert(alike(part))) {
        let others = parts.iter().filter(|other| alike(other) == alike(part));
        let regions: Vec<&str> = others.filter_map(|other| other.region.as_deref()).collect();
        let place = if regions.is_empty() { String::new() } else { format!(" in {}", regions.join(", ")) };
        let line = format!("{}{place}: {}", part.source, part.message);
        text += &format!("{} {}\n", paint.warning("partial:"), plain(&line));
        if let Some(fix) = &part.fix {
            text += &format!("{} {}\n", paint.hint("hint:"), plain(fix));
        }
    }
    text
}

fn notes(notes: &[String], paint: Paint) -> String {
    notes.iter().map(|note| format!("{} {}\n", paint.hint("note:"), plain(note))).collect()
}

/// What a drop-down offers, a line each.
pub(crate) fn options(options: &[OptionItem], of_regions: bool, look: Look) -> String {
    if options.is_empty() {
        return String::new();
    }
    if !of_regions {
        let rows = options
            .iter()
            .map(|item| [item.value.as_str(), item.hint.as_deref().unwrap_or("-")].map(Cow::from));
        return table(["FUNCTION", "ABOUT"], rows, look.out);
    }
    let rows = options.iter().map(|item| {
        [item.value.as_str(), &item.label, if item.default { "default" } else { "" }].map(Cow::from)
    });
    table(["REGION", "LABEL", ""], rows, look.out)
}

/// Whether that is all that it could offer.
pub(crate) fn offer_summary(list: &OptionList, region: Option<&str>, paint: Paint) -> String {
    let mut summary = notes(&list.notes, paint);
    match (list.options.is_empty(), region) {
        (true, None) => summary += "nothing to offer\n",
        (false, None) => {}
        // Which region, nothing else says.
        (empty, Some(region)) => {
            let what = if empty { "nothing to offer in" } else { "functions of" };
            summary += &format!("{what} {}; --region NAME is for another one\n", plain(region));
        }
    }
    if list.more {
        summary +=
            &format!("{} there are more; give more of its beginning, or raise --limit\n", paint.hint("cut:"));
    }
    summary
}

/// `1 page`, `2 pages`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// One function, a line per fact that is known.
pub(crate) fn function(function: &Function, paint: Paint) -> String {
    let timeout = function.timeout_seconds.map(|seconds| format!("{seconds} s"));
    let labels: Vec<String> = function.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    facts(
        &[
            ("name", Some(&function.name)),
            ("region", Some(&function.region)),
            ("project", Some(&function.project)),
            ("generation", Some(words::generation(function.generation))),
            ("trigger", known_trigger(&function.trigger)),
            ("state", Some(&function.state)),
            ("url", function.url.as_deref()),
            ("runtime", function.runtime.as_deref()),
            ("runs as", function.service_account.as_deref()),
            ("ingress", function.ingress.as_deref()),
            ("timeout", timeout.as_deref()),
            ("memory", function.memory.as_deref()),
            ("labels", Some(labels.join(", ").as_str()).filter(|labels| !labels.is_empty())),
            ("updated", function.updated.as_deref()),
        ],
        paint,
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use gcf_host::wit::functions::Generation;

    use super::*;

    pub(crate) fn sample(region: &str, name: &str) -> Function {
        Function {
            name: name.to_owned(),
            region: region.to_owned(),
            project: "p".to_owned(),
            generation: Generation::Gen2,
            trigger: Trigger::Http,
            state: "ACTIVE".to_owned(),
            url: Some(format!("https://{name}.example")),
            runtime: Some("nodejs22".to_owned()),
            service_account: None,
            ingress: None,
            timeout_seconds: Some(60),
            memory: None,
            labels: Vec::new(),
            updated: None,
        }
    }

    fn look(terminal: bool) -> Look {
        Look { terminal, out: Paint::none(), err: Paint::none() }
    }

    #[test]
    fn a_pipe_gets_every_region_and_a_person_each_once() {
        let list = [sample("us-central1", "b"), sample("europe-west1", "c"), sample("us-central1", "a")];
        assert_eq!(
            functions(&list, false, look(false)),
            "REGION        NAME  GEN   TRIGGER  STATE   URL\n\
             europe-west1  c     gen2  http     ACTIVE  https://c.example\n\
             us-central1   a     gen2  http     ACTIVE  https://a.example\n\
             us-central1   b     gen2  http     ACTIVE  https://b.example\n"
        );
        assert!(functions(&list, false, look(true)).contains("\n              b "));
        assert_eq!(functions(&[], false, look(true)), "");
    }

    #[test]
    fn an_order_that_was_asked_for_is_kept_within_each_region() {
        let list = [sample("us-central1", "b"), sample("europe-west1", "c"), sample("us-central1", "a")];
        let names: Vec<String> = functions(&list, true, look(false))
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().nth(1).unwrap().to_owned())
            .collect();
        assert_eq!(names, ["c", "b", "a"]);
    }

    #[test]
    fn what_starts_a_function_of_cloud_run_is_not_known() {
        let mut on_run = sample("us-central1", "a");
        (on_run.generation, on_run.trigger) = (Generation::CloudRun, Trigger::Other);
        let text = functions(&[on_run.clone()], false, look(false));
        assert!(
            text.ends_with("us-central1  a     cloud-run  -        ACTIVE  https://a.example\n"),
            "{text}"
        );
        assert!(!function(&on_run, Paint::none()).contains("trigger"));
    }

    #[test]
    fn the_type_of_an_event_is_shortened_if_it_is_googles() {
        assert_eq!(short("google.cloud.pubsub.topic.v1.messagePublished"), "pubsub/messagePublished");
        assert_eq!(short("google.storage.object.finalize"), "storage/finalize");
        for as_it_is in
            ["http", "google.odd", "com.example.order.placed", "providers/cloud.pubsub/eventTypes/x"]
        {
            assert_eq!(short(as_it_is), as_it_is);
        }
    }

    #[test]
    fn a_partial_list_says_so() {
        let mut list = FunctionList {
            missing: Vec::new(),
            notes: Vec::new(),
            functions: vec![sample("us-central1", "a"), sample("europe-west1", "b")],
            unreachable: vec!["asia-east2".to_owned()],
            next_page_token: None,
            pages: 1,
            trace: Vec::new(),
        };
        assert_eq!(
            list_summary(&list, Paint::none()),
            "2 functions in 2 regions, 1 page\npartial: asia-east2 did not answer\n"
        );
        list.unreachable.clear();
        let part = |region: &str, message: &str| MissingPart {
            source: "run.googleapis.com".to_owned(),
            region: (!region.is_empty()).then(|| region.to_owned()),
            kind: gcf_host::wit::ErrorKind::Unavailable,
            message: message.to_owned(),
            fix: Some("try again".to_owned()),
        };
        list.missing =
            vec![part("us-east1", "it failed"), part("us-east4", "it failed"), part("", "it is off")];
        list.notes = vec!["odd".to_owned()];
        list.next_page_token = Some("functions/-/x".to_owned());
        assert_eq!(
            list_summary(&list, Paint::none()),
            "2 functions in 2 regions, 1 page\n\
             partial: run.googleapis.com in us-east1, us-east4: it failed\n\
             hint: try again\n\
             partial: run.googleapis.com: it is off\n\
             hint: try again\n\
             note: odd\n\
             cut: there may be more; go on with --page-token 'functions/-/x', or raise --limit\n"
        );
        (list.missing, list.notes, list.next_page_token) = (Vec::new(), Vec::new(), None);
        list.functions.clear();
        assert_eq!(list_summary(&list, Paint::none()), "no functions, 1 page\n");
    }

    #[test]
    fn what_a_form_offers_is_a_table_and_says_if_there_is_more() {
        let item = |value: &str, label: &str, hint: Option<&str>, default| OptionItem {
            value: value.to_owned(),
            label: label.to_owned(),
            hint: hint.map(str::to_owned),
            default,
        };
        let regions = [
            item("us-central1", "Iowa (us-central1)", None, true),
            item("us-east1", "South Carolina (us-east1)", None, false),
        ];
        assert_eq!(
            options(&regions, true, look(false)),
            "REGION       LABEL\n\
             us-central1  Iowa (us-central1)         default\n\
             us-east1     South Carolina (us-east1)\n"
        );
        let functions = [item("a", "a", Some("gen2, http, ACTIVE"), false)];
        assert_eq!(
            options(&functions, false, look(false)),
            "FUNCTION  ABOUT\na         gen2, http, ACTIVE\n"
        );
        let offer =
            OptionList { options: Vec::new(), more: true, notes: vec!["old".to_owned()], trace: Vec::new() };
        let summary = offer_summary(&offer, None, Paint::none());
        assert!(summary.starts_with("note: old\nnothing to offer\ncut: "), "{summary}");
        let summary = offer_summary(&offer, Some("us-east1"), Paint::none());
        assert!(summary.starts_with("note: old\nnothing to offer in us-east1; --region NAME"), "{summary}");
    }

    #[test]
    fn unknown_facts_are_left_out() {
        let text = function(&sample("us-central1", "a"), Paint::none());
        assert!(text.contains("  timeout     60 s\n"), "{text}");
        assert!(!text.contains("memory") && !text.contains("labels"), "{text}");
    }
}
