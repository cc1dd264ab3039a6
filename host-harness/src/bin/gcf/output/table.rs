//! Tables and lines of facts.

use std::borrow::Cow;

use comfy_table::{Attribute, Cell, ContentArrangement, Table, presets};

use super::style::{Paint, plain};

/// `name  value` lines; what is not known is left out.
pub(crate) fn facts(facts: &[(&str, Option<&str>)], paint: Paint) -> String {
    facts
        .iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .map(|(name, value)| format!("  {}  {}\n", paint.dim(format!("{name:<10}")), plain(value)))
        .collect()
}

pub(crate) fn table<'a, const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [Cow<'a, str>; N]>,
    paint: Paint,
) -> String {
    let mut table = Table::new();
    // No borders and no wrapping: what a table shows must survive being copied.
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if paint.colour() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header(header.map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    for row in rows {
        table.add_row(row.map(|cell| plain(&cell).into_owned()));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}
