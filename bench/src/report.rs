//! The table, the page and the picture that are made of a run.

use std::{fmt::Write as _, fs, io, path::Path};

use crate::{
    machine,
    work::{CONNECTOR, Row},
};

/// The rows as a table in Markdown, each with its ratio to the connector's row of the same work.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| work | client | p50 | p99 | processor | per second | connector ÷ client |\n|---|---|--:|--:|--:|--:|--:|\n",
    );
    for row in rows {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            row.work,
            row.client,
            time(row.p50),
            time(row.p99),
            time(row.cpu),
            rate(row.rate),
            ratio(rows, row),
        );
    }
    for row in rows {
        if let Some(memory) = row.memory {
            let (own, shared) = (memory.own / 1000, memory.shared / 1000);
            let _ = writeln!(
                text,
                "\n{}: {own} KB of memory for each call, besides {shared} KB of the component's image that all calls share.",
                row.work
            );
        }
    }
    text
}

fn connector<'a>(rows: &'a [Row], row: &Row) -> Option<&'a Row> {
    rows.iter().find(|other| other.work == row.work && other.client == CONNECTOR)
}

/// The connector's time for one piece over the client's: of the median where there is one, or of the rate.
fn of(connector: &Row, row: &Row) -> f64 {
    if row.p50.is_nan() { row.rate / connector.rate } else { connector.p50 / row.p50 }
}

fn ratio(rows: &[Row], row: &Row) -> String {
    match connector(rows, row) {
        Some(connector) if row.client != CONNECTOR => format!("{:.2}", of(connector, row)),
        _ => String::new(),
    }
}

fn time(micros: f64) -> String {
    if micros.is_nan() {
        String::new()
    } else if micros < 10_000.0 {
        format!("{micros:.0} µs")
    } else {
        format!("{:.1} ms", micros / 1000.0)
    }
}

fn rate(rate: f64) -> String {
    if rate < 100.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

/// Writes the page and its picture.
pub(crate) fn write(rows: &[Row]) -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = root.join("docs/performance.md");
    let text = fs::read_to_string(&page)?;
    let (begin, end) = ("<!-- the run -->\n", "<!-- end of the run -->");
    let made = text.split_once(begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(end)?;
        let run = format!("Machine: {}.\n\n{}", machine::name(), table(rows));
        Some(format!("{before}{begin}{run}{end}{after}"))
    });
    let made = made.ok_or_else(|| io::Error::other("docs/performance.md has no place for the run"))?;
    fs::write(page, made)?;
    fs::write(root.join("docs/pictures/performance.svg"), picture(rows))
}

/// Bars: how many times as long the connector takes as the client that is named.
fn picture(rows: &[Row]) -> String {
    let bars: Vec<(String, f64)> = rows
        .iter()
        .filter(|row| row.client != CONNECTOR)
        .filter_map(|row| Some((format!("{}: {}", row.work, row.client), of(connector(rows, row)?, row))))
        .collect();
    let most = bars.iter().map(|(_, ratio)| *ratio).fold(1.0, f64::max);
    let (width, line) = (900.0, 24.0);
    let height = line * bars.len() as f64 + 50.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"13\" role=\"img\">\n<title>The connector's time over that of other clients</title>\n<style>text{{fill:#1f2328}}\
         rect{{fill:#3b82f6}}@media(prefers-color-scheme:dark){{text{{fill:#e6edf3}}}}</style>\n\
         <text x=\"10\" y=\"22\" font-weight=\"600\">How many times as long the connector takes</text>\n"
    );
    for (n, (name, ratio)) in bars.iter().enumerate() {
        let y = 36.0 + line * n as f64;
        let length = ratio / most * 430.0;
        let _ = writeln!(
            svg,
            "<text x=\"10\" y=\"{:.0}\">{name}</text><rect x=\"400\" y=\"{y:.0}\" width=\"{length:.1}\" height=\"16\" rx=\"3\"/>\
             <text x=\"{:.1}\" y=\"{:.0}\">{ratio:.2}</text>",
            y + 13.0,
            406.0 + length,
            y + 13.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}
