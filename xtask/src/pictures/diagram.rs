//! A drawing as SVG.

use super::{
    drawing::{Arrow, Drawing, Kind, LINE, Panel, count},
    xml::escape,
};

/// The space between a line of text and anything above it, below it or beside it.
const GAP: u32 = 6;

/// The length of an arrow's head.
const HEAD: i64 = 8;

/// The space between a refused arrow's end and the box that it does not reach.
const SHORT: i64 = 22;

/// The light look and the dark one. The page is filled, so that the light one stays legible where a dark page
/// meets a system that is set to light.
const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#59636e;text-anchor:middle}
.l{font-size:13px;font-weight:bold;fill:#1f2328}
.s{text-anchor:start}
rect{fill:#fff;stroke:#818b98}
.page{fill:#fff;stroke:#d1d9e0}
.group{fill:#f6f8fa;stroke:#d1d9e0}
.sandbox{fill:#ddf4ff;stroke:#0969da;stroke-dasharray:6 3}
.guard{fill:#dafbe1;stroke:#1a7f37;stroke-width:2}
.hostile{fill:#ffebe9;stroke:#d1242f}
path{fill:none;stroke-width:1.6}
.yes{stroke:#1a7f37;fill:#1a7f37}
.no{stroke:#d1242f}
.dash{stroke-dasharray:4 3}
.tyes{fill:#116329}
.tno{fill:#a40e26}
@media(prefers-color-scheme:dark){
text{fill:#9198a1}
.l{fill:#f0f6fc}
rect{fill:#151b23;stroke:#656c76}
.page{fill:#0d1117;stroke:#3d444d}
.group{fill:#10161d;stroke:#3d444d}
.sandbox{fill:#0c2038;stroke:#4493f8}
.guard{fill:#0f2a18;stroke:#3fb950}
.hostile{fill:#2d1315;stroke:#f85149}
.yes{stroke:#3fb950;fill:#3fb950}
.no{stroke:#f85149}
.tyes{fill:#56d364}
.tno{fill:#ff9492}
}";

/// Draws the boxes in the order of their description, and the arrows over them.
pub(super) fn svg(drawing: &Drawing) -> String {
    let Drawing { width, height, title, description, boxes, arrows } = drawing;
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="t d">
<title id="t">{}</title>
<desc id="d">{}</desc>
<style>
{STYLE}
</style>
<rect class="page" x=".5" y=".5" width="{}" height="{}" rx="8"/>
"#,
        escape(title),
        escape(description),
        width.saturating_sub(1),
        height.saturating_sub(1),
    );
    svg.extend(boxes.iter().map(panel));
    svg.extend(arrows.iter().map(arrow));
    svg + "</svg>\n"
}

fn panel(panel: &Panel) -> String {
    let Panel { kind, left, top, width, height, text, .. } = panel;
    let class = match kind {
        Kind::Group => " class=\"group\"",
        Kind::Sandbox => " class=\"sandbox\"",
        Kind::Plain => "",
        Kind::Guard => " class=\"guard\"",
        Kind::Hostile => " class=\"hostile\"",
    };
    let rect =
        format!("<rect{class} x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>\n");
    let lines = (0..).zip(text).map(|(index, line)| {
        let class = if index == 0 { "l" } else { "" };
        match kind {
            Kind::Group | Kind::Sandbox => {
                let from_the_end = LINE * (count(text.iter()) - index);
                let base = if index == 0 {
                    top + LINE + 4
                } else {
                    (top + height + GAP).saturating_sub(from_the_end)
                };
                label(line, &format!("{class} s"), left + 2 * GAP, base)
            }
            Kind::Plain | Kind::Guard | Kind::Hostile => {
                // Baselines stand some four pixels below the middle of a line.
                let first = top + height / 2 + LINE / 2 + 4;
                let base = (first + LINE * index).saturating_sub(LINE * count(text.iter()) / 2);
                label(line, class, left + width / 2, base)
            }
        }
    });
    rect + &lines.collect::<String>()
}

fn arrow(arrow: &Arrow) -> String {
    let Arrow { allowed, from, to, text } = arrow;
    let (x, y) = (i64::from(to.0), i64::from(to.1));
    let dx = (x - i64::from(from.0)).signum();
    let dy = (y - i64::from(from.1)).signum();
    let (from_x, from_y) = from;
    let line = if *allowed {
        let (neck_x, neck_y) = (x - dx * HEAD, y - dy * HEAD);
        // Half as wide as it is long, at right angles to the line.
        let (wide_x, wide_y) = (dy * HEAD / 2, dx * HEAD / 2);
        format!(
            "<path class=\"yes\" d=\"M{from_x} {from_y}L{neck_x} {neck_y}M{x} {y}L{} {}L{} {}z\"/>\n",
            neck_x + wide_x,
            neck_y + wide_y,
            neck_x - wide_x,
            neck_y - wide_y
        )
    } else {
        let (x, y) = (x - dx * SHORT, y - dy * SHORT);
        format!(
            "<path class=\"no dash\" d=\"M{from_x} {from_y}L{x} {y}\"/>\n\
             <path class=\"no\" d=\"M{} {}l10 10m0-10l-10 10\"/>\n",
            x - 5,
            y - 5
        )
    };
    let class = if *allowed { "tyes" } else { "tno" };
    // Beside the cross, not over it.
    let end = u32::try_from(if *allowed { x } else { x - dx * (SHORT + 5) }).unwrap_or(to.0);
    let lines = (0..).zip(text).map(|(index, line)| {
        if dx == 0 {
            // The middle of the lines is the arrow's.
            let first = ((from_y + to.1) / 2 + LINE / 2 + 4).saturating_sub(LINE * count(text.iter()) / 2);
            label(line, &format!("{class} s"), from_x + GAP, first + LINE * index)
        } else {
            let base = if index == 0 { from_y - GAP } else { from_y + GAP + 9 };
            label(line, class, from_x.midpoint(end), base)
        }
    });
    line + &lines.collect::<String>()
}

fn label(text: &str, class: &str, x: u32, y: u32) -> String {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{}\"", class.trim()) };
    format!("<text{class} x=\"{x}\" y=\"{y}\">{}</text>\n", escape(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(body: &str) -> String {
        svg(&Drawing::parse(&format!("size 300 200\ntitle A & B\ndesc d\n{body}")).unwrap())
    }

    const BOXES: &str = "box a plain 0 10 80 50\n  A\n  <x>\nbox b hostile 200 10 80 50\n";

    #[test]
    fn a_box_has_its_text_in_its_middle() {
        let svg = drawn(BOXES);
        assert!(svg.contains("<title id=\"t\">A &amp; B</title>"), "{svg}");
        assert!(svg.contains(r#"<rect x="0" y="10" width="80" height="50" rx="6"/>"#), "{svg}");
        assert!(svg.contains(r#"<text class="l" x="40" y="31">A</text>"#), "{svg}");
        assert!(svg.contains(r#"<text x="40" y="47">&lt;x&gt;</text>"#), "{svg}");
    }

    #[test]
    fn a_group_has_its_name_at_the_top_and_the_rest_at_the_bottom() {
        let svg = drawn("box g group 10 10 100 100\n  G\n  one\n  two\n");
        assert!(svg.contains(r#"<text class="l s" x="22" y="30">G</text>"#), "{svg}");
        assert!(svg.contains(r#"<text class="s" x="22" y="84">one</text>"#), "{svg}");
        assert!(svg.contains(r#"<text class="s" x="22" y="100">two</text>"#), "{svg}");
    }

    #[test]
    fn an_allowed_arrow_reaches_its_box_and_a_refused_one_does_not() {
        let svg =
            drawn(&format!("{BOXES}arrow allowed a b 30\n  above\n  below\narrow refused b a 50\n  no\n"));
        assert!(svg.contains(r#"class="yes" d="M80 30L192 30M200 30L192 34L192 26z""#), "{svg}");
        assert!(svg.contains(r#"<text class="tyes" x="140" y="24">above</text>"#), "{svg}");
        assert!(svg.contains(r#"<text class="tyes" x="140" y="45">below</text>"#), "{svg}");
        assert!(svg.contains(r#"class="no dash" d="M200 50L102 50""#), "{svg}");
        assert!(svg.contains(r#"<text class="tno" x="153" y="44">no</text>"#), "{svg}");
    }

    #[test]
    fn a_picture_needs_nothing_from_elsewhere() {
        let svg = drawn(BOXES);
        assert_eq!(svg.matches("http").count(), 1, "the name of the format alone: {svg}");
        for word in ["<script", "href", "url(", "@import"] {
            assert!(!svg.contains(word), "{word}");
        }
    }
}
