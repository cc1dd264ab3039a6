//! The arguments of the command.

use gcf_front::{Failure, shortened};

/// The action that is called, and its input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) name: String,
    pub(crate) connection: String,
    pub(crate) deadline_ms: Option<u32>,
    pub(crate) input: Input,
}

/// The place of the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// It has no fields.
    Nothing,
    /// In the arguments.
    Text(String),
    /// In the standard input.
    Standard,
}

impl Arguments {
    pub(crate) fn new(arguments: impl IntoIterator<Item = String>) -> Result<Self, Failure> {
        let mut arguments = arguments.into_iter();
        let (mut name, mut input, mut connection, mut deadline_ms) = (None, None, None, None);
        while let Some(argument) = arguments.next() {
            let option = match argument.as_str() {
                "--connection" => Some(("connection", &mut connection)),
                "--deadline-ms" => Some(("deadline-ms", &mut deadline_ms)),
                other if other.starts_with("--") => {
                    return Err(usage("action", &format!("there is no option {}", shortened(other))));
                }
                _ => None,
            };
            let (field, place, value) = match option {
                Some((field, place)) => {
                    let value = arguments.next();
                    (field, place, value.ok_or_else(|| usage(field, &format!("{argument} needs a value")))?)
                }
                None if name.is_none() => ("action", &mut name, argument),
                None => ("", &mut input, argument),
            };
            if place.replace(value).is_some() {
                return Err(usage(field, "an argument stands twice"));
            }
        }
        let deadline_ms = deadline_ms.map(|text: String| {
            text.parse().map_err(|_| usage("deadline-ms", "deadline-ms is not a number of milliseconds"))
        });
        Ok(Self {
            name: name.ok_or_else(|| usage("action", "no action is named"))?,
            connection: connection.unwrap_or_default(),
            deadline_ms: deadline_ms.transpose()?,
            input: match input {
                None => Input::Nothing,
                Some(text) if text == "-" => Input::Standard,
                Some(text) => Input::Text(text),
            },
        })
    }
}

fn usage(field: &str, why: &str) -> Failure {
    Failure::invalid(field, why, "ACTION [--connection ID] [--deadline-ms N] [JSON | -]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Arguments, Failure> {
        Arguments::new(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn an_action_is_named_and_the_rest_may_be_left_out() {
        let alone = read(&["connections.list"]).unwrap();
        let expected = Arguments {
            name: "connections.list".to_owned(),
            connection: String::new(),
            deadline_ms: None,
            input: Input::Nothing,
        };
        assert_eq!(alone, expected);
        let all = read(&["functions.get", "--connection", "a", "--deadline-ms", "1500", "{}"]).unwrap();
        assert_eq!((all.connection.as_str(), all.deadline_ms), ("a", Some(1500)));
        assert_eq!(all.input, Input::Text("{}".to_owned()));
        assert_eq!(read(&["connections.connect", "-"]).unwrap().input, Input::Standard);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (arguments, field) in [
            (&[][..], "action"),
            (&["a", "--conection", "b"], "action"),
            (&["a", "--connection"], "connection"),
            (&["a", "--connection", "b", "--connection", "c"], "connection"),
            (&["a", "--deadline-ms", "soon"], "deadline-ms"),
            (&["a", "{}", "{}"], ""),
        ] {
            let failure = read(arguments).unwrap_err();
            assert_eq!(failure.error().details, [("field".to_owned(), field.to_owned())], "{arguments:?}");
        }
    }
}
