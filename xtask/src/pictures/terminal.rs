//! A screen as SVG, in the frame of a window.

use super::{
    screen::{Run, Screen, Style},
    xml::escape,
};

/// The advance of a character. Most monospaced fonts have 0.6 of their size.
const CELL: usize = 8;
const FONT: &str = "13.3px";
const LINE: usize = 18;

const MARGIN: usize = 14;
const TITLE_BAR: usize = 30;

/// The sixteen colours, legible on the window's background: black, red, green, yellow, blue, magenta, cyan,
/// white, and the same once more, brighter.
const COLOURS: [&str; 16] = [
    "#6e7681", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4", "#8b949e",
    "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff",
];

/// Draws the screen. A terminal is dark whatever the page around it is, so there is one look for both.
pub(super) fn svg(screen: &Screen) -> String {
    let width = screen.columns * CELL + 2 * MARGIN;
    let height = TITLE_BAR + screen.rows().len() * LINE + MARGIN;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="t d">
<title id="t">gcf demo in a terminal</title>
<desc id="d">The last screen of a terminal in which gcf demo has run.</desc>
<style>text{{font:{FONT} ui-monospace,monospace;fill:#d1d7e0;white-space:pre}}.b{{font-weight:bold;fill:#f0f6fc}}.d{{opacity:.66}}{colours}</style>
<rect x=".5" y=".5" width="{inner}" height="{tall}" rx="8" fill="#0d1117" stroke="#3d444d"/>
<path fill="#3d444d" d="{dots}"/>
"##,
        colours = colours(screen),
        inner = width - 1,
        tall = height - 1,
        dots = [1, 2, 3].map(|dot| format!("M{} 16a5 5 0 1 0 10 0a5 5 0 1 0-10 0", dot * 18 - 4)).concat(),
    );
    for (index, row) in screen.rows().iter().enumerate().filter(|(_, row)| !row.is_empty()) {
        svg += &line(row, TITLE_BAR + index * LINE + LINE - 5);
    }
    svg + "</svg>\n"
}

/// The rules of those colours that occur, after the ones that they take precedence over.
fn colours(screen: &Screen) -> String {
    let used = |colour: u8| screen.rows().iter().flatten().any(|run| run.style.colour == Some(colour));
    let rule = |(number, value): (u8, &str)| used(number).then(|| format!(".c{number}{{fill:{value}}}"));
    (0..).zip(COLOURS).filter_map(rule).collect()
}

/// One row. Its length is told, so that columns stand below each other in whatever font the reader has.
fn line(row: &[Run], y: usize) -> String {
    let indent = row.first().map_or(0, |run| run.text.len() - run.text.trim_start().len());
    let columns = row.iter().map(|run| run.text.chars().count()).sum::<usize>() - indent;
    let (x, length) = (MARGIN + indent * CELL, columns * CELL);
    let runs: String = row
        .iter()
        .enumerate()
        .map(|(index, run)| tspan(if index == 0 { run.text.trim_start() } else { &run.text }, run.style))
        .collect();
    format!("<text x=\"{x}\" y=\"{y}\" textLength=\"{length}\" xml:space=\"preserve\">{runs}</text>\n")
}

fn tspan(text: &str, style: Style) -> String {
    let names = [style.bold.then(|| "b".to_owned()), style.dim.then(|| "d".to_owned())];
    let colour = style.colour.map(|colour| format!("c{colour}"));
    let classes: Vec<String> = names.into_iter().chain([colour]).flatten().collect();
    if classes.is_empty() {
        return escape(text);
    }
    format!("<tspan class=\"{}\">{}</tspan>", classes.join(" "), escape(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str) -> String {
        svg(&Screen::after(text, 20, 9).unwrap())
    }

    #[test]
    fn a_row_stands_where_its_text_begins_and_is_as_long_as_its_columns() {
        let svg = drawn("a\r\n\r\n  \u{1b}[1;31mb<\u{1b}[0m …");
        assert!(svg.contains(r#"<text x="14" y="43" textLength="8" xml:space="preserve">a</text>"#), "{svg}");
        assert!(
            svg.contains(
                r#"<text x="30" y="79" textLength="32" xml:space="preserve"><tspan class="b c1">b&lt; </tspan>…</text>"#
            ),
            "{svg}"
        );
        assert!(svg.contains(r#"viewBox="0 0 188 98""#), "{svg}");
    }

    #[test]
    fn only_the_colours_that_occur_have_a_rule() {
        let svg = drawn("\u{1b}[36mx\u{1b}[2my");
        assert!(svg.contains(".c6{fill:#39c5cf}</style>") && !svg.contains(".c1{"), "{svg}");
    }

    #[test]
    fn a_picture_needs_nothing_from_elsewhere() {
        let svg = drawn("https://example.com/");
        assert_eq!(svg.matches("http://").count(), 1, "the name of the format alone: {svg}");
        for word in ["<script", "href", "url(", "@import"] {
            assert!(!svg.contains(word), "{word}");
        }
    }
}
