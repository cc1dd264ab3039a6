//! Blocks and spans of a page.

/// A block of a page.
pub(crate) struct Block<'t> {
    /// The word behind the fence; empty where there is none, and where the block is indented.
    pub(crate) kind: &'t str,
    pub(crate) text: String,
    /// The line of the page on which it begins, counted from 1.
    pub(crate) line: usize,
}

impl Block<'_> {
    /// Commands behind `$ `, each with the lines that follow it.
    pub(crate) fn dialogue(&self) -> Vec<(String, Vec<&str>)> {
        let mut said: Vec<(String, Vec<&str>)> = Vec::new();
        for line in self.text.lines() {
            match (line.strip_prefix("$ "), said.last_mut()) {
                (Some(command), _) => said.push((command.to_owned(), Vec::new())),
                (None, Some((_, shown))) => shown.push(line),
                (None, None) => panic!("line {}: output before a command", self.line),
            }
        }
        said
    }
}

/// All blocks of a page, fenced or indented.
pub(crate) fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    let (mut blank, mut in_list) = (true, false);
    for (number, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(kind), None) => open = Some(Block { kind, text: String::new(), line: number + 1 }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.text += line;
                block.text.push('\n');
            }
            // Below a point of a list, that is where its text goes on.
            (None, None) if blank && !in_list && line.starts_with("    ") => {
                blocks.push(Block { kind: "", text: line.to_owned(), line: number + 1 });
            }
            (None, None) => {
                let point = line.starts_with("- ")
                    || line.split_once(". ").is_some_and(|(n, _)| n.parse::<u8>().is_ok());
                in_list = point || (in_list && (line.is_empty() || line.starts_with(' ')));
            }
        }
        blank = line.is_empty();
    }
    assert!(open.is_none(), "a block has no end");
    blocks
}

/// Code within sentences, with its line.
pub(crate) fn spans(page: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let mut spans = Vec::new();
    for (number, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            spans.extend(line.split('`').skip(1).step_by(2).map(|span| (number + 1, span)));
        }
    }
    spans
}

/// Tells whether a command printed what a page shows.
pub(crate) fn agrees(shown: &[&str], printed: &str) -> bool {
    fn rest(shown: &[&str], printed: &[&str]) -> bool {
        match (shown, printed) {
            ([], printed) => printed.is_empty(),
            (["…", shown @ ..], _) => (0..=printed.len()).any(|skipped| rest(shown, &printed[skipped..])),
            (_, []) => false,
            ([first, shown @ ..], [line, printed @ ..]) => {
                let same = first.strip_suffix('…').map_or(first == line, |start| line.starts_with(start));
                same && rest(shown, printed)
            }
        }
    }
    rest(shown, &printed.trim_end().lines().collect::<Vec<_>>())
}
