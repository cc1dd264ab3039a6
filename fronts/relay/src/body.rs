//! A body that is handed on.

/// The outcome of handing on the next part.
pub(crate) enum Part {
    /// It has arrived, and there may be more.
    Moved,
    /// The source has ended, or its reader has gone.
    End,
    /// A stream has failed, and the rest does not come.
    Broken,
}

/// A body on its way from one connection to another.
pub(crate) trait Transfer {
    /// The failure of either connection.
    type Error;

    /// Hands on the next part.
    fn next(&mut self) -> Part;

    /// Says to the reader that this was all.
    fn finish(self) -> Result<(), Self::Error>;

    /// The failure of a body that does not arrive whole.
    fn broken(self) -> Self::Error;
}

/// Hands a body on to its end. Part of one would look like all of it, so one that breaks off is not finished.
pub(crate) fn hand_on<T: Transfer>(mut body: T) -> Result<(), T::Error> {
    loop {
        match body.next() {
            Part::Moved => {}
            Part::End => return body.finish(),
            Part::Broken => return Err(body.broken()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body with these parts to come, and a count of those that were asked for.
    struct Scripted<'a> {
        parts: Vec<Part>,
        asked: &'a mut usize,
        finish: Result<(), &'static str>,
    }

    impl Transfer for Scripted<'_> {
        type Error = &'static str;

        fn next(&mut self) -> Part {
            *self.asked += 1;
            assert!(!self.parts.is_empty(), "it is over");
            self.parts.remove(0)
        }

        fn finish(self) -> Result<(), &'static str> {
            self.finish
        }

        fn broken(self) -> &'static str {
            "broken"
        }
    }

    /// Hands on a body of so many parts and then this one.
    fn handed_on(moved: usize, last: Part, finish: Result<(), &'static str>) -> Result<(), &'static str> {
        let mut asked = 0;
        let parts = (0..moved).map(|_| Part::Moved).chain([last]).collect();
        let result = hand_on(Scripted { parts, asked: &mut asked, finish });
        assert_eq!(asked, moved + 1);
        result
    }

    #[test]
    fn a_body_is_finished_at_its_end_and_not_where_it_breaks_off() {
        for moved in [0, 1, 100] {
            assert_eq!(handed_on(moved, Part::End, Ok(())), Ok(()), "{moved}");
            assert_eq!(handed_on(moved, Part::End, Err("reader")), Err("reader"), "{moved}");
            assert_eq!(handed_on(moved, Part::Broken, Ok(())), Err("broken"), "{moved}");
        }
    }
}
