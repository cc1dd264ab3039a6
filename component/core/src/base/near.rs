//! Names that somebody may have meant.

/// The name that is nearest to a text, if it is near: at most a quarter of the text's letters, and no more than
/// three, are wrong, missing or too many. Two neighbours that have changed places are one.
pub(crate) fn nearest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = (text.len() / 4).clamp(1, 3);
    let distance = |name: &'a str| {
        // A list may be long, and most names are told apart by their lengths alone.
        let far = name.len().abs_diff(text.len()) > near;
        (if far { usize::MAX } else { strsim::osa_distance(text, name) }, name)
    };
    names.into_iter().map(distance).filter(|(distance, _)| *distance <= near).min().map(|(_, name)| name)
}

/// The beginning of a hint that asks whether a name was meant; empty if there is none.
pub(crate) fn did_you_mean(name: Option<&str>) -> String {
    name.map(|name| format!("did you mean {name}? ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;

    #[test_case("helo", Some("hello"); "a letter is missing")]
    #[test_case("helllo", Some("hello"); "a letter too many")]
    #[test_case("hallo", Some("hello"); "a wrong letter")]
    #[test_case("helol", Some("hello"); "two letters that have changed places")]
    #[test_case("ordesr", Some("orders"); "and at the end")]
    #[test_case("us-cetnrla1", Some("us-central1"); "two such pairs")]
    #[test_case("order", Some("orders"); "the singular")]
    #[test_case("Orders", Some("orders"); "upper case")]
    #[test_case("us-centrl1", Some("us-central1"); "a region")]
    #[test_case("europe-west11", Some("europe-west1"); "a digit too many")]
    #[test_case("us-east7", None; "a region that is not there")]
    #[test_case("payments", None; "another word")]
    #[test_case("x", None; "a letter")]
    #[test_case("", None; "nothing")]
    fn the_name_that_was_meant(text: &str, name: Option<&str>) {
        assert_eq!(nearest(text, ["hello", "orders", "us-central1", "europe-west1"]), name);
    }

    /// Ties go to the first in the alphabet, so that an answer is the same each time.
    #[test]
    fn of_two_the_first() {
        assert_eq!(nearest("abx", ["abz", "aby"]), Some("aby"));
    }
}
