//! Warm instances: which calls they serve, when they are thrown away, and what is left in them.

use std::{
    sync::{Arc, mpsc},
    task::{Context, Waker},
    time::Duration,
};

use gcf_host::{
    CallError, Host, HostError, Limit, Limits, WarmInstances,
    clock::{Clock, ReplayClock},
    secrets::MemoryStore,
    transport::Transport,
    wit::{OptionField, OptionsRequest},
};

use crate::{
    fixtures::{builder, hostile},
    hostile::Counter,
};

const ONE: &str = "00000000000000aa";
const OTHER: &str = "00000000000000bb";

fn host(warm: WarmInstances) -> (Host, Arc<ReplayClock>) {
    let clock = Arc::new(ReplayClock::at(Duration::from_secs(1_800_000_000)));
    let shared: Arc<dyn Clock> = Arc::<ReplayClock>::clone(&clock);
    let host = builder().component_file(hostile()).clock(shared).warm_instances(warm).build().unwrap();
    (host, clock)
}

fn counting(word: &str) -> OptionsRequest {
    let mut request = OptionsRequest::new(OptionField::Regions);
    request.prefix = Some(word.to_owned());
    request
}

/// The number of calls that the instance has served which serves this one.
async fn served(host: &Host, connection: &str, word: &str) -> Result<u32, CallError> {
    let list = host.options(connection, counting(word), None).await?;
    Ok(list.options[0].value.parse().unwrap())
}

async fn count(host: &Host, connection: &str) -> u32 {
    served(host, connection, "count").await.unwrap()
}

#[tokio::test]
async fn without_the_choice_each_call_has_an_instance_of_its_own() {
    let host = builder().component_file(hostile()).build().unwrap();
    assert_eq!([count(&host, ONE).await, count(&host, ONE).await], [1, 1]);
}

#[tokio::test]
async fn an_instance_serves_the_calls_of_one_connection() {
    let (host, _) = host(WarmInstances::default());
    assert_eq!([count(&host, ONE).await, count(&host, ONE).await], [1, 2]);
    assert_eq!([count(&host, OTHER).await, count(&host, ONE).await], [1, 3]);
    // What names no connection is nobody's.
    assert_eq!([count(&host, "a name").await, count(&host, "a name").await], [1, 1]);
}

#[tokio::test]
async fn an_instance_serves_one_tenant() {
    let (host, _) = host(WarmInstances::default());
    let tenant = host.for_tenant(Arc::new(MemoryStore::new()), None);
    for served in [1, 2] {
        assert_eq!([count(&host, ONE).await, count(&tenant, ONE).await], [served; 2]);
    }
}

#[tokio::test]
async fn those_of_a_tenant_go_with_its_last_host() {
    let (host, _) = host(WarmInstances::default());
    let store = Arc::new(MemoryStore::new());
    let there = Arc::downgrade(&store);
    let tenant = host.for_tenant(store, None);
    assert_eq!(
        [count(&host, ONE).await, count(&tenant.clone(), ONE).await, count(&tenant, ONE).await],
        [1, 1, 2]
    );
    drop(tenant);
    assert!(there.upgrade().is_none());
    assert_eq!(count(&host, ONE).await, 2);
}

#[tokio::test]
async fn two_calls_at_once_have_two_instances() {
    let (host, _) = host(WarmInstances::default());
    for expected in [1, 2] {
        let [first, second] = ["count and wait"; 2].map(|word| served(&host, ONE, word));
        let (first, second) = tokio::join!(first, second);
        assert_eq!([first.unwrap(), second.unwrap()], [expected; 2]);
    }
}

#[tokio::test]
async fn it_serves_so_many_and_no_longer() {
    let (host, clock) =
        host(WarmInstances { calls: 3, age: Duration::from_secs(60), ..WarmInstances::default() });
    let mut counted = Vec::new();
    for _ in 0..7 {
        counted.push(count(&host, ONE).await);
    }
    assert_eq!(counted, [1, 2, 3, 1, 2, 3, 1]);
    clock.reach(Duration::from_secs(59));
    assert_eq!(count(&host, ONE).await, 2);
    clock.reach(Duration::from_secs(60));
    assert_eq!(count(&host, ONE).await, 1, "from its first call on");
}

#[tokio::test]
async fn it_is_thrown_away_after_whatever_did_not_go_well() {
    for word in ["fail", "count and panic"] {
        let (host, _) = host(WarmInstances::default());
        assert_eq!([count(&host, ONE).await, count(&host, ONE).await], [1, 2]);
        served(&host, ONE, word).await.unwrap_err();
        assert_eq!(count(&host, ONE).await, 1, "{word}");
    }
    for word in ["count and keep", "count and grow"] {
        let (host, _) = host(WarmInstances::default());
        assert_eq!(count(&host, ONE).await, 1);
        assert_eq!(served(&host, ONE, word).await.unwrap(), 2);
        assert_eq!(count(&host, ONE).await, 1, "{word}");
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_takes_its_instance_along() {
    let (host, _) = host(WarmInstances::default());
    assert_eq!(count(&host, ONE).await, 1);
    let mut call = Box::pin(host.options(ONE, counting("count and sleep"), None));
    let mut context = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut context).is_pending(), "it sleeps");
    drop(call);
    assert_eq!(count(&host, ONE).await, 1);
}

#[tokio::test]
async fn no_more_wait_than_may() {
    let (host, _) = host(WarmInstances { idle: 1, ..WarmInstances::default() });
    assert_eq!([count(&host, ONE).await, count(&host, OTHER).await], [1, 1]);
    // That of the first had to go.
    assert_eq!(count(&host, OTHER).await, 2);
    assert_eq!(count(&host, ONE).await, 1);
}

/// The host's clock, and word of each time that somebody asks for the time that has passed.
#[derive(Debug)]
struct Asked {
    clock: ReplayClock,
    asked: mpsc::Sender<()>,
}

impl Clock for Asked {
    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn monotonic(&self) -> Duration {
        // The host's clock outlives the test's end of the channel.
        let _ = self.asked.send(());
        self.clock.monotonic()
    }
}

#[tokio::test]
async fn one_that_is_too_old_does_not_wait_for_a_call_to_be_thrown_away() {
    let (asked, ticks) = mpsc::channel();
    let clock = Arc::new(Asked { clock: ReplayClock::at(Duration::from_secs(1_800_000_000)), asked });
    let shared: Arc<dyn Clock> = Arc::<Asked>::clone(&clock);
    let warm = WarmInstances { age: Duration::from_secs(60), ..WarmInstances::default() };
    let host = builder().component_file(hostile()).clock(shared).warm_instances(warm).build().unwrap();
    // Each instance has a share in the clock.
    let without = Arc::strong_count(&clock);
    assert_eq!(count(&host, ONE).await, 1);
    assert!(Arc::strong_count(&clock) > without, "it waits");
    let mut after = |elapsed| {
        clock.clock.reach(Duration::from_secs(elapsed));
        ticks.try_iter().for_each(drop);
        // At the second, what the first found is done.
        for _ in 0..2 {
            ticks.recv_timeout(Duration::from_secs(60)).expect("the host looks at each tick");
        }
        Arc::strong_count(&clock) > without
    };
    assert_eq!([59, 60].map(&mut after), [true, false]);
}

#[tokio::test]
async fn the_limits_are_those_of_each_call() {
    let answers: Arc<dyn Transport> = Arc::new(Counter::default());
    let limits = Limits { requests: 1, ..Limits::default() };
    let host = builder()
        .component_file(hostile())
        .transport(answers)
        .limits(limits)
        .warm_instances(WarmInstances::default())
        .build()
        .unwrap();
    for expected in [1, 2, 3] {
        assert_eq!(served(&host, ONE, "count and send").await.unwrap(), expected);
    }
    let error = served(&host, ONE, "count and send twice").await.unwrap_err();
    assert!(
        matches!(error, CallError::Host(HostError::LimitExceeded(Limit::Requests(1)))),
        "of this call, not of the instance: {error}"
    );
    assert_eq!(count(&host, ONE).await, 1);
}

/// Those that wait have places of their own beside the calls that run.
#[tokio::test]
async fn they_take_no_place_from_calls() {
    let limits = Limits { calls: 1, ..Limits::default() };
    let warm = WarmInstances { idle: 2, ..WarmInstances::default() };
    let host = builder().component_file(hostile()).limits(limits).warm_instances(warm).build().unwrap();
    for connection in [ONE, OTHER, "00000000000000cc", "00000000000000dd"] {
        assert_eq!(count(&host, connection).await, 1);
    }
}

/// The connector's memory after a call, and after the next one of the same instance.
#[cfg(target_os = "linux")]
mod memory {
    use std::{
        fs::{self, File},
        os::unix::fs::FileExt as _,
    };

    use gcf_host::wit::{Auth, Body, FunctionRef};
    use http::Response;
    use http_body_util::Full;

    use super::WarmInstances;
    use crate::fixtures::{
        builder, connect_request,
        google::{FUNCTION, Google},
        invoke_request, live,
    };

    const REQUEST: &str = "canary-in-the-request-of-the-first-call";
    const ANSWER: &str = "canary-in-the-answer-to-the-first-call";

    /// Tells whether this text is anywhere in the memories of guests. Such a memory is a row of mappings without a gap, one
    /// of them that of the image that it begins with: the stack lies before, and what was grown behind.
    fn is_in_a_guest(text: &str) -> bool {
        let text = regex::bytes::Regex::new(&regex::escape(text)).unwrap();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let memory = File::open("/proc/self/mem").unwrap();
        let mappings: Vec<_> = maps
            .lines()
            .filter_map(|line| {
                let (range, rest) = line.split_once(' ').unwrap();
                let (begin, end) = range.split_once('-').unwrap();
                let [begin, end] = [begin, end].map(|at| u64::from_str_radix(at, 16).unwrap());
                rest.starts_with("rw").then(|| (begin..end, rest.contains("wasm-memory-image")))
            })
            .collect();
        mappings
            .chunk_by(|(before, _), (after, _)| before.end == after.start)
            .filter(|row| row.iter().any(|(_, is_image)| *is_image))
            .flatten()
            .any(|(range, _)| {
                let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap()];
                // Those of other tests in this process may be gone by now.
                memory.read_exact_at(&mut bytes, range.start).is_ok() && text.is_match(&bytes)
            })
    }

    #[tokio::test]
    async fn the_next_call_finds_nothing_of_the_one_before() {
        let google = Google::start(|seen| {
            let is_first = seen.body.starts_with(REQUEST.as_bytes());
            Response::new(Full::from(if is_first { ANSWER.repeat(500) } else { "nothing".to_owned() }))
        })
        .await;
        let host =
            builder().transport(live(&google)).warm_instances(WarmInstances::default()).build().unwrap();
        let id = host.connect(connect_request(), None).await.unwrap().connection.id;
        let invoke = async |body: &str, auth: Auth| {
            let mut request = invoke_request(FunctionRef::Url(format!("https://{FUNCTION}/")));
            (request.body, request.auth) = (Some(Body::Text(body.to_owned())), auth);
            assert_eq!(host.invoke(&id, request, None).await.unwrap().status, 200);
            google.seen_at(FUNCTION).pop().unwrap()
        };
        // So long, as the answer is, that the rest of the call does not overwrite all of it.
        let first = invoke(&REQUEST.repeat(500), Auth::IdToken).await;
        let token = first.headers["authorization"].to_str().unwrap().trim_start_matches("Bearer ");
        // The rest of the call may have used the beginning of what the token lay in.
        let token = &token[token.len() / 2..];
        // In the memory of the one guest that there is; so the search finds what is there.
        let secrets = [REQUEST, ANSWER, token];
        assert_eq!(secrets.map(is_in_a_guest), [true; 3]);
        invoke("another body", Auth::None).await;
        assert_eq!(secrets.map(is_in_a_guest), [false; 3]);
    }
}
