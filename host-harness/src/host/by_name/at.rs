//! The place of a value in an input.

use crate::text::shortened;

/// The place of a value in the input. It is written out only where something is wrong there.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    above: Option<(&'a At<'a>, Step<'a>)>,
}

/// The way from a value to one inside it.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

impl<'a> At<'a> {
    /// The input itself.
    pub(super) const TOP: At<'static> = At { above: None };

    pub(super) fn below(&'a self, name: &'a str) -> At<'a> {
        At { above: Some((self, Step::Field(name))) }
    }

    pub(super) fn item(&'a self, index: usize) -> At<'a> {
        At { above: Some((self, Step::Item(index))) }
    }

    /// The steps that lead here from the input.
    pub(super) fn steps(&self) -> Vec<Step<'a>> {
        let mut steps = self.above.map_or_else(Vec::new, |(above, _)| above.steps());
        steps.extend(self.above.map(|(_, step)| step));
        steps
    }

    /// The names on the way, with dots between; the beginning of that, if somebody else has made it long.
    pub(super) fn path(&self) -> String {
        let names = self.steps().into_iter().map(|step| match step {
            Step::Field(name) => shortened(name).to_owned(),
            Step::Item(index) => index.to_string(),
        });
        shortened(&names.collect::<Vec<_>>().join(".")).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_the_names_on_the_way_and_never_long() {
        assert_eq!(At::TOP.path(), "");
        let query = At::TOP.below("query");
        assert_eq!(query.path(), "query");
        assert_eq!(query.below("pairs").item(2).item(0).path(), "query.pairs.2.0");
        let long = "é".repeat(1 << 19);
        let path = query.below(&long).below(&long).path();
        assert!(path.starts_with("query.éé") && path.chars().count() == 100, "{path}");
    }
}
