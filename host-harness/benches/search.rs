//! Measures the search for secrets in texts that were made to be slow: `cargo bench --bench search`.
//!
//! Each text is searched in one size and in twice the size. The last column is what the double costs: about 2
//! where the time is linear. With a number as an argument, the size of the smaller one is so many KiB in
//! place of 1024: so long that neither fits into a cache next to the processor.

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gcf_host::tape::{LiveSecrets, Redactor};

/// The factor that twice the text may cost at most.
const MOST: f64 = 2.2;

/// The number of times that a ratio above [`MOST`] is measured anew: other work of the machine can only add
/// to a time.
const MORE: u32 = 3;

fn main() -> ExitCode {
    let size = env::args().skip(1).find_map(|argument| argument.parse::<usize>().ok()).unwrap_or(1024) << 10;
    let mut out = io::stdout().lock();
    let mut steep = 0;
    let _ = writeln!(out, "{:<24} {:>9} {:>10} {:>10} {:>6}", "text", "bytes", "once", "double", "ratio");
    for (name, make) in SHAPES {
        for (how, search) in [("", plain as fn(&[u8]) -> Duration), (", in encodings", thorough)] {
            let (text, double) = (make(size), make(size * 2));
            let (mut once, mut twice) = (best(search, &text), best(search, &double));
            let grown = double.len() as f64 / text.len() as f64;
            let ratio =
                |once: Duration, twice: Duration| twice.as_secs_f64() / once.as_secs_f64() * 2.0 / grown;
            for _ in 0..MORE {
                if ratio(once, twice) > MOST {
                    (once, twice) = (once.min(best(search, &text)), twice.min(best(search, &double)));
                }
            }
            let ratio = ratio(once, twice);
            // A search that takes no time at all has no ratio.
            if ratio > MOST && twice > Duration::from_millis(5) {
                steep += 1;
            }
            let _ = writeln!(
                out,
                "{:<24} {:>9} {:>8.1}ms {:>8.1}ms {ratio:>6.2}",
                format!("{name}{how}"),
                text.len(),
                once.as_secs_f64() * 1e3,
                twice.as_secs_f64() * 1e3,
            );
        }
    }
    let _ = writeln!(out, "{steep} cost more than {MOST} times as much for twice the text");
    if steep == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A text of about so many bytes.
type Shape = (&'static str, fn(usize) -> Vec<u8>);

const SHAPES: [Shape; 17] = [
    ("ordinary JSON", json),
    ("ordinary HTML", html),
    ("eyJ", |size| b"eyJ".repeat(size / 3)),
    ("eyJ, with dots behind", |size| [b"eyJ".repeat(size / 3), b".a.b ".to_vec()].concat()),
    ("eyJ.eyJ.", |size| b"eyJ.".repeat(size / 4)),
    ("headers, nested", |size| {
        format!("{}.a.b ", STANDARD.encode(br#"{"a":{"a":"#.repeat(120))).repeat(size / 1600).into()
    }),
    ("a", |size| vec![b'a'; size]),
    ("Base64", |size| STANDARD.encode(noise(size / 4 * 3)).into()),
    ("Base64 of Base64", |size| STANDARD.encode(STANDARD.encode(noise(size / 16 * 9))).into()),
    ("noise", noise),
    ("gzip members", |size| gzip(b"x").repeat(size / gzip(b"x").len())),
    ("gzip headers", |size| [0x1f, 0x8b, 8, 0x1f].repeat(size / 4)),
    ("gzip bomb", |size| gzip(&vec![0; size << 8])),
    ("dots", |size| vec![b'.'; size]),
    ("percent signs", |size| b"%41%25".repeat(size / 6)),
    ("backslashes", |size| vec![b'\\'; size]),
    ("tokens, each another", tokens),
];

fn json(size: usize) -> Vec<u8> {
    let items = (0..size / 230).map(|n| {
        format!(
            r#"{{"name": "projects/demo/locations/us-central1/functions/f-{n}", "state": "ACTIVE", "updateTime": "2026-03-01T12:{:02}:00.123456Z", "labels": {{"team": "a\u00e9b", "cost": "{n}"}}, "serviceConfig": {{"uri": "https://f-{n}-abc.a.run.app/?a=%20b&c=d"}}}}"#,
            n % 60
        )
    });
    format!("[{}]", items.collect::<Vec<_>>().join(",\n")).into()
}

fn html(size: usize) -> Vec<u8> {
    br#"<li class="item"><a href="/view?id=41&amp;page=%20two">caf&eacute; &#8212; read \n more</a></li> "#
        .repeat(size / 95)
}

fn tokens(size: usize) -> Vec<u8> {
    (0..size / 30).map(|n| format!(r#""ya29.{n:08}-abcdefghi": 1, "#)).collect::<String>().into()
}

/// Random-looking bytes, the same each time.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..size.div_ceil(8)).flat_map(|_| next().to_le_bytes()).take(size).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).and_then(|()| gzip.finish()).expect("memory takes what is written")
}

/// Searches a text as an answer is searched before it is shown.
fn plain(text: &[u8]) -> Duration {
    search(text, Redactor::default())
}

/// Searches a text as a body is searched before it is written to a tape.
fn thorough(text: &[u8]) -> Duration {
    search(text, Redactor::thorough())
}

fn search(text: &[u8], mut redactor: Redactor) -> Duration {
    let live = LiveSecrets::default();
    live.add("1//0g-a-refresh-token-of-the-usual-length-0123456789abcdefghijklmnopqrstuvwxyz");
    redactor.know(live);
    let began = processor_time();
    std::hint::black_box(redactor.bytes(text));
    processor_time().saturating_sub(began)
}

/// The processor time of this thread: other work of the machine is not in it.
#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(not(unix))]
fn processor_time() -> Duration {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// The best of seven: work that is done only once is not in it, nor the effect of others on the caches.
fn best(search: fn(&[u8]) -> Duration, text: &[u8]) -> Duration {
    (0..7).map(|_| search(text)).min().unwrap_or_default()
}
