//! `gcf list`: functions of both generations and of Cloud Run.

use std::collections::BTreeSet;

use clap::Args;
use gcf_host::{
    Action,
    wit::{
        Case as _,
        functions::{Function, FunctionList, ListRequest, MissingPart},
    },
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Planning, Run, Running};
use crate::{
    context::Context,
    output::{
        failure::Failure,
        format::{self, Rows},
        function::{self, known_trigger, short_trigger},
        json,
        progress::{Listing, Progress},
        shown::{Outcome, Shown, notes},
        style::{Look, Paint, plain},
        table::table,
        words::counted,
    },
};

/// List functions of both generations and of Cloud Run, in every region
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this region (repeatable)
    #[arg(long = "region", value_name = "REGION")]
    regions: Vec<String>,
    /// Functions a page, 1 to 1000; by default as many as --limit asks for
    #[arg(long, value_name = "N")]
    page_size: Option<u32>,
    /// Show at most this many functions
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on where a list with the same options was cut, and read one page
    #[arg(long, value_name = "TOKEN")]
    page_token: Option<String>,
    /// A filter in Google's language (AIP-160), such as 'state="ACTIVE"'; leaves Cloud Run out
    #[arg(long)]
    filter: Option<String>,
    /// An order in Google's language (AIP-132), such as 'name desc'; Cloud Run comes last
    #[arg(long, value_name = "ORDER")]
    order_by: Option<String>,
}

impl Run for List {
    fn planning(&self) -> Planning {
        Planning::Possible
    }

    fn lists(&self) -> bool {
        true
    }

    fn progress(&self) -> Progress {
        Progress::spinner(Listing::Functions)
    }

    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        Box::pin(async move {
            let Self { regions, page_size, limit, page_token, filter, order_by } = *self;
            let ordered = order_by.is_some();
            let of_all = regions.is_empty() && filter.is_none() && page_token.is_none();
            let mut request = ListRequest::default();
            request.regions = regions;
            request.filter = filter;
            request.order_by = order_by;
            // Then a page brings no more than are shown, and its token is where they end.
            request.page_size =
                page_size.or(limit.filter(|limit| *limit > 0).map(|limit| limit.min(MAX_PAGE)));
            request.page_token = page_token;
            request.limit = limit;
            let connection = context.current().await?;
            let list = async |request| {
                let listed = context.host.list_functions(&connection.id, request, context.timeout).await;
                let mut list = listed.map_err(|error| Failure::of_call(error, &connection))?;
                let whole = of_all
                    && list.next_page_token.is_none()
                    && list.missing.is_empty()
                    && list.unreachable.is_empty();
                context.remember(|names| names.note_functions(&connection.id, &list.functions, whole));
                cut(&mut list, limit);
                Ok(Listed { list, ordered })
            };
            context.call(&connection.id, request, Action::List, list).await
        })
    }
}

/// The largest page of Google's (`pageSize` of `projects.locations.functions.list`).
const MAX_PAGE: u32 = 1000;

/// Leaves the first functions. A page may have brought more; the token, which begins after it, would then
/// pass over some.
fn cut(list: &mut FunctionList, limit: Option<u32>) {
    let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if list.functions.len() > limit {
        list.functions.truncate(limit);
        list.next_page_token = None;
        list.notes.push("there are more functions: --limit says how many are shown".to_owned());
    }
}

/// The functions, and the parts of the list that are missing.
pub(super) struct Listed {
    pub(super) list: FunctionList,
    /// Its order was asked for.
    pub(super) ordered: bool,
}

impl Outcome for Listed {
    fn show(&self, look: Look) -> Shown {
        Shown {
            after: summary(&self.list, look.err),
            ..Shown::result(functions(&self.list.functions, self.ordered, look))
        }
    }

    fn json(&self) -> Value {
        json!(Json::of(&self.list))
    }

    fn json_text(&self) -> Result<Vec<u8>, Failure> {
        format::json(&Json::of(&self.list))
    }

    fn rows(&self) -> Option<Rows> {
        let functions = &self.list.functions;
        Some(Rows {
            rows: functions.iter().map(function::json).collect(),
            names: functions.iter().map(function::resource_name).collect(),
        })
    }

    /// From each region, the first function of each generation.
    fn excerpt(&self, look: Look) -> Option<String> {
        let few = first_by(&self.list.functions, |a, b| a.region == b.region && a.generation == b.generation);
        let rest = self.list.functions.len() - few.len();
        let more = if rest > 0 {
            format!("{}\n", look.out.dim(format!("… and {rest} more")))
        } else {
            String::new()
        };
        Some(functions(&few, false, look) + &more)
    }

    /// The first function of each generation.
    fn gist(&self, look: Look) -> Option<String> {
        let few = first_by(&self.list.functions, |a, b| a.generation == b.generation);
        let summary = summary(&self.list, look.err);
        let said = summary.lines().next().unwrap_or_default();
        Some(format!("{}{}\n", in_short(&few, look.out), look.out.dim(format!("… {said}"))))
    }
}

/// The list for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Json<'a> {
    functions: Vec<function::Json<'a>>,
    unreachable: &'a [String],
    missing: Vec<Value>,
    notes: &'a [String],
    next_page_token: Option<&'a str>,
    pages: u32,
    trace: Vec<Value>,
}

impl<'a> Json<'a> {
    fn of(list: &'a FunctionList) -> Self {
        let FunctionList { functions, unreachable, missing, notes, next_page_token, pages, trace } = list;
        Self {
            functions: functions.iter().map(function::Json::of).collect(),
            unreachable,
            missing: missing.iter().map(missing_part).collect(),
            notes,
            next_page_token: next_page_token.as_deref(),
            pages: *pages,
            trace: json::trace(trace),
        }
    }
}

/// Those that are like none before them.
fn first_by(functions: &[Function], alike: impl Fn(&Function, &Function) -> bool) -> Vec<Function> {
    let mut few: Vec<Function> = Vec::new();
    for function in functions {
        if !few.iter().any(|chosen| alike(chosen, function)) {
            few.push(function.clone());
        }
    }
    few
}

fn missing_part(part: &MissingPart) -> Value {
    json!({
        "source": part.source,
        "region": part.region,
        "kind": part.kind.name(),
        "message": part.message,
        "fix": part.fix,
    })
}

/// One row per function, grouped by region.
///
/// A person sees each region's name once; a pipe gets it in every row, for `grep` and `awk`. Within a region they are
/// in the order of their names, unless they were `ordered` otherwise.
fn functions(functions: &[Function], ordered: bool, look: Look) -> String {
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
            function.generation.name().into(),
            short_trigger(known_trigger(&function.trigger).unwrap_or("-")),
            function.state.as_str().into(),
            function.url.as_deref().unwrap_or("-").into(),
        ]
    });
    table(["REGION", "NAME", "GEN", "TRIGGER", "STATE", "URL"], rows, look.out)
}

/// The same without URLs, for where lines are short.
fn in_short(functions: &[Function], paint: Paint) -> String {
    let rows = functions.iter().map(|function| {
        [
            function.region.as_str().into(),
            function.name.as_str().into(),
            function.generation.name().into(),
            short_trigger(known_trigger(&function.trigger).unwrap_or("-")),
            function.state.as_str().into(),
        ]
    });
    table(["REGION", "NAME", "GEN", "TRIGGER", "STATE"], rows, paint)
}

/// The number of functions, and the parts that are missing.
fn summary(list: &FunctionList, paint: Paint) -> String {
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

#[cfg(test)]
mod tests {
    use gcf_host::wit::functions::{Generation, Trigger};

    use super::*;
    use crate::output::function::tests::sample;

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
        assert!(!function::text(&on_run, Paint::none()).contains("trigger"));
    }

    #[test]
    fn what_is_printed_for_programs_is_the_value_that_other_formats_are_made_of() {
        let mut function = sample("us-central1", "a");
        function.labels = vec![("team".to_owned(), "a".to_owned()), ("team".to_owned(), "b".to_owned())];
        let list = FunctionList {
            missing: Vec::new(),
            notes: vec!["odd".to_owned()],
            functions: vec![function],
            unreachable: vec!["asia-east2".to_owned()],
            next_page_token: None,
            pages: 1,
            trace: Vec::new(),
        };
        let listed = Listed { list, ordered: false };
        let printed = String::from_utf8(listed.json_text().unwrap()).unwrap();
        assert_eq!(printed, format!("{:#}\n", listed.json()));
        assert_eq!(printed.matches("\"team\"").count(), 1, "{printed}");
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
            summary(&list, Paint::none()),
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
            summary(&list, Paint::none()),
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
        assert_eq!(summary(&list, Paint::none()), "no functions, 1 page\n");
    }
}
