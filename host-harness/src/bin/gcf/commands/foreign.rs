//! Everything that a command shows to a person, with text of somebody else's in each place: nothing of it is obeyed,
//! hidden, turned round, or taken for a line of its own.

use gcf_host::wit::{
    api::{ApiPages, ApiResponse},
    connections::{self, Connected, Connection, CredentialKind, Fault, Finding, Verdict},
    functions::{
        Function, FunctionList, Generation, Invocation, MissingPart, OptionItem, OptionList, Trigger,
    },
    planning::{CallPlan, PlannedRequest},
    types::{
        Content, Error, ErrorKind, Exchange, GuardRails, Header, Impersonation, Invoker, Origin,
        ResponseHeader, RetryClass, TokenKind,
    },
};
use regex::Regex;

use super::{
    connect::New,
    connections::{All, Chosen, One, Shared, Unshared},
    custom_api::{Answered, Paged},
    disconnect::Disconnected,
    doctor::Checked,
    get::Got,
    invoke::Invoked,
    list::Listed,
    options::Offered,
    store::Stored,
    supply::Supplied,
};
use crate::output::{
    connection::Changed,
    failure::Failure,
    plan::Planned,
    shown::{Outcome, Shown},
    style::{Look, Paint},
};

/// By the tables of somebody else.
fn unseen() -> Regex {
    Regex::new(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]").unwrap()
}

/// Every such character, each after a letter.
fn texts() -> Vec<String> {
    let unseen = unseen();
    let all: Vec<char> = ('\0'..=char::MAX).filter(|c| unseen.is_match(c.encode_utf8(&mut [0; 4]))).collect();
    let chunks = all.chunks(500).map(|part| part.iter().flat_map(|c| ['a', *c]).collect());
    chunks.chain(["x\nerror: forged".to_owned(), "x\r\n\u{2028}\u{85}forged".to_owned()]).collect()
}

fn connection(text: &str) -> Connection {
    let some = || Some(text.to_owned());
    Connection {
        id: text.to_owned(),
        nickname: text.to_owned(),
        project: text.to_owned(),
        quota_project: some(),
        region: text.to_owned(),
        kind: CredentialKind::SuppliedToken,
        account: text.to_owned(),
        through: Some(text.to_owned()),
        scopes: vec![text.to_owned()],
        invoker: Invoker::ServiceAccount(Impersonation {
            service_account: some(),
            delegates: vec![text.to_owned()],
            include_email: true,
        }),
        guard_rails: Some(rails(text)),
        created: 0,
        last_used: Some(0),
        ends: Some(0),
        fault: Some(Fault { message: text.to_owned(), fix: some(), reason: some(), since: 0 }),
    }
}

fn rails(text: &str) -> GuardRails {
    let list = || vec![text.to_owned()];
    GuardRails {
        read_only: true,
        regions: list(),
        functions: list(),
        methods: list(),
        max_body: Some(1),
        own_project: true,
        audiences: list(),
    }
}

fn function(text: &str) -> Function {
    let some = || Some(text.to_owned());
    Function {
        name: text.to_owned(),
        region: text.to_owned(),
        project: text.to_owned(),
        generation: Generation::Gen2,
        trigger: Trigger::Event(text.to_owned()),
        state: text.to_owned(),
        url: some(),
        runtime: some(),
        service_account: some(),
        ingress: some(),
        timeout_seconds: Some(1),
        memory: some(),
        labels: vec![(text.to_owned(), text.to_owned())],
        updated: some(),
    }
}

fn answer(body: &str, text: &str) -> Invocation {
    let some = || Some(text.to_owned());
    Invocation {
        status: 200,
        headers: vec![ResponseHeader { name: text.to_owned(), value: text.as_bytes().to_vec() }],
        body: Content::Text(body.to_owned()),
        url: text.to_owned(),
        generation: Generation::Gen2,
        token: TokenKind::IdToken,
        audience: some(),
        principal: some(),
        execution_id: some(),
        execution_error: some(),
        diagnosis: some(),
        trace: Vec::new(),
    }
}

fn plan(text: &str) -> CallPlan {
    let request = PlannedRequest {
        purpose: text.to_owned(),
        method: "GET".to_owned(),
        url: text.to_owned(),
        headers: vec![Header { name: text.to_owned(), value: text.to_owned() }],
        body: Some("one line".to_owned()),
        body_bytes: 8,
        token: TokenKind::IdToken,
        audience: Some(text.to_owned()),
        retry: RetryClass::Never,
        attempts: 1,
        timeout_ms: 1,
    };
    CallPlan {
        requests: vec![request],
        account: text.to_owned(),
        principal: Some(text.to_owned()),
        guard_rails: Some(rails(text)),
        notes: vec![text.to_owned()],
    }
}

/// Every outcome whose parts are somebody else's.
fn outcomes(text: &str) -> Vec<Box<dyn Outcome>> {
    let list = || vec![text.to_owned()];
    let connected = || Connected { connection: connection(text), warnings: list() };
    let finding = Finding {
        name: text.to_owned(),
        verdict: Verdict::Fail,
        message: text.to_owned(),
        fix: Some(text.to_owned()),
        link: Some(text.to_owned()),
    };
    let missing = MissingPart {
        source: text.to_owned(),
        region: Some(text.to_owned()),
        kind: ErrorKind::Unavailable,
        message: text.to_owned(),
        fix: Some(text.to_owned()),
    };
    let item = || OptionItem {
        value: text.to_owned(),
        label: text.to_owned(),
        hint: Some(text.to_owned()),
        default: true,
    };
    let changed = |done| -> Box<dyn Outcome> { Box::new(Changed { done, connected: connected() }) };
    let options = || OptionList { options: vec![item()], more: true, notes: list(), trace: Vec::new() };
    vec![
        Box::new(New(connected())),
        changed("reconnected"),
        changed("renamed"),
        changed("restricted"),
        Box::new(All { connections: vec![connection(text)], default: Some(text.to_owned()) }),
        Box::new(Chosen(Some(connection(text)))),
        Box::new(One { connection: connection(text), shared: list() }),
        Box::new(Checked { connection: connection(text), findings: vec![finding] }),
        Box::new(Shared { connection: connection(text), with: text.to_owned() }),
        Box::new(Unshared { connection: connection(text), with: text.to_owned() }),
        Box::new(Supplied { key: text.to_owned(), field: Some(text.to_owned()) }),
        Box::new(Stored { folder: text.into(), key: text.to_owned(), recipient: text.to_owned(), hidden: 1 }),
        Box::new(Disconnected {
            connection: connection(text),
            result: connections::Disconnected { warnings: list() },
        }),
        Box::new(Listed {
            list: FunctionList {
                functions: vec![function(text)],
                unreachable: list(),
                missing: vec![missing],
                notes: list(),
                next_page_token: Some(text.to_owned()),
                pages: 1,
                trace: Vec::new(),
            },
            ordered: false,
        }),
        Box::new(Offered { list: options(), of_functions_in: None }),
        Box::new(Offered { list: options(), of_functions_in: Some(text.to_owned()) }),
        Box::new(Got(function(text))),
        Box::new(Planned(plan(text))),
        Box::new(Invoked { invocation: answer("one line", text), include: true, fail: false }),
        Box::new(Paged(ApiPages {
            items: "[1]".to_owned(),
            count: 1,
            unreachable: list(),
            next_page_token: Some(text.to_owned()),
            pages: 1,
            trace: Vec::new(),
        })),
    ]
}

fn look() -> Look {
    Look { terminal: true, out: Paint::none(), err: Paint::none() }
}

fn shown(outcome: &dyn Outcome) -> [String; 3] {
    let Shown { before, result, after } = outcome.show(look());
    [before, String::from_utf8(result).unwrap(), after]
}

fn failure(text: &str) -> Failure {
    Failure::from(Error {
        kind: ErrorKind::Network,
        origin: Origin::Network,
        message: text.to_owned(),
        fix: Some(text.to_owned()),
        http_status: None,
        retry_after_ms: None,
        reason: Some(text.to_owned()),
        link: Some(text.to_owned()),
        details: vec![("a".to_owned(), text.to_owned())],
        trace: Vec::<Exchange>::new(),
    })
}

#[track_caller]
fn assert_seen(unseen: &Regex, shown: &str, lines: usize) {
    let hidden = unseen.find_iter(shown).find(|found| found.as_str() != "\n");
    assert!(hidden.is_none(), "{hidden:?} in {shown:?}");
    assert_eq!(shown.lines().count(), lines, "{shown}");
}

#[test]
fn nothing_that_is_shown_is_hidden_or_forges_a_line() {
    let unseen = unseen();
    let expected: Vec<_> = outcomes("harmless").iter().map(|outcome| shown(&**outcome)).collect();
    let of_failure = failure("harmless").text(Paint::none()).lines().count();
    for text in texts() {
        for (outcome, expected) in outcomes(&text).iter().zip(&expected) {
            for (shown, expected) in shown(&**outcome).iter().zip(expected) {
                assert_seen(&unseen, shown, expected.lines().count());
            }
        }
        assert_seen(&unseen, &failure(&text).text(Paint::none()), of_failure);
        assert_seen(&unseen, &failure(&text).warning(Paint::none()), of_failure);
    }
}

/// Bodies have lines of their own, and nothing else that moves a cursor.
#[test]
fn a_body_keeps_its_lines_and_nothing_else() {
    let unseen = unseen();
    for text in texts() {
        for body in [format!("one\n\ttwo {text}"), serde_json::json!({"a": text}).to_string()] {
            let outcome = Invoked { invocation: answer(&body, "harmless"), include: false, fail: false };
            let [_, result, _] = shown(&outcome);
            let hidden = unseen.find_iter(&result).find(|found| !matches!(found.as_str(), "\n" | "\t"));
            assert!(hidden.is_none(), "{hidden:?} in {result:?}");
        }
        let response = ApiResponse {
            status: 200,
            headers: Vec::new(),
            body: Content::Bytes(text.as_bytes().to_vec()),
            url: "https://a.example/".to_owned(),
            token: TokenKind::AccessToken,
            diagnosis: None,
            trace: Vec::new(),
        };
        let piped = Answered { response, include: false, fail: false };
        let look = Look { terminal: false, ..look() };
        assert_eq!(piped.show(look).result, text.as_bytes(), "a pipe gets what came");
    }
}

/// Output for programs is as it came.
#[test]
fn json_keeps_every_character() {
    for text in texts() {
        assert_eq!(Got(function(&text)).json()["name"], text.as_str());
        assert_eq!(
            One { connection: connection(&text), shared: Vec::new() }.json()["nickname"],
            text.as_str()
        );
        assert_eq!(failure(&text).json()["error"]["message"], text.as_str());
    }
}
