//! The formats of results: for people, for programs, for spreadsheets and for shells.

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;
use yaml_rust2::{Yaml, YamlEmitter, yaml::Hash};

use super::{failure::Failure, style::plain};

/// The format of a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
    Yaml,
    Csv,
    Name,
}

impl Format {
    /// Tells whether it is made of rows, which only lists have.
    pub(crate) fn has_rows(self) -> bool {
        match self {
            Self::Csv | Self::Name => true,
            Self::Table | Self::Json | Self::Yaml => false,
        }
    }

    /// Refuses rows of a command that has none.
    pub(crate) fn refuse_rows(self) -> Result<(), Failure> {
        if !self.has_rows() {
            return Ok(());
        }
        Err(Failure::input("csv and name are formats of lists, and this command prints none").with_fix(
            "use -o json or -o yaml; lists are those of list, options, get, doctor and connections",
        ))
    }
}

/// A list as rows.
#[derive(Debug)]
pub(crate) struct Rows {
    /// One object a row, all with the same fields.
    pub(crate) rows: Vec<Value>,
    /// The name of each, which other commands take.
    pub(crate) names: Vec<String>,
}

/// JSON for people too: indented, with the fields in their order.
pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, Failure> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| Failure::fault(format!("the result cannot be written as JSON: {error}")))?;
    text.push(b'\n');
    Ok(text)
}

/// YAML 1.2, with the fields in their order.
pub(crate) fn yaml(value: &Value) -> Result<String, Failure> {
    let mut text = String::new();
    YamlEmitter::new(&mut text)
        .dump(&as_yaml(value))
        .map_err(|error| Failure::fault(format!("the result cannot be written as YAML: {error}")))?;
    Ok(text + "\n")
}

fn as_yaml(value: &Value) -> Yaml {
    match value {
        Value::Null => Yaml::Null,
        Value::Bool(value) => Yaml::Boolean(*value),
        // A number as its digits: there are some that no integer of Rust holds.
        Value::Number(number) => {
            number.as_i64().map_or_else(|| Yaml::Real(number.to_string()), Yaml::Integer)
        }
        Value::String(text) => scalar(text),
        Value::Array(items) => Yaml::Array(items.iter().map(as_yaml).collect()),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (scalar(name), as_yaml(value)));
            Yaml::Hash(fields.collect::<Hash>())
        }
    }
}

/// Text. What would be read as something else, or has control characters, is in double quotes (YAML 1.2.2, section
/// 7.3.1): the emitter leaves them out around octal numbers and C1 controls.
fn scalar(text: &str) -> Yaml {
    let is_text = match Yaml::from_str(text) {
        Yaml::String(_) => true,
        Yaml::Real(_)
        | Yaml::Integer(_)
        | Yaml::Boolean(_)
        | Yaml::Array(_)
        | Yaml::Hash(_)
        | Yaml::Alias(_)
        | Yaml::Null
        | Yaml::BadValue => false,
    };
    if is_text && !text.contains(char::is_control) {
        return Yaml::String(text.to_owned());
    }
    // JSON escapes the other controls itself, and is YAML.
    let quoted = Value::from(text).to_string();
    let escaped = |character: char| match character {
        '\u{7f}'..='\u{9f}' => format!("\\u{:04x}", u32::from(character)),
        other => other.to_string(),
    };
    Yaml::Real(quoted.chars().map(escaped).collect())
}

impl Rows {
    /// Comma-separated values (RFC 4180, section 2), with a header line. A field that is a list or an object is
    /// JSON.
    pub(crate) fn csv(&self, terminal: bool) -> String {
        let text = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) if terminal => plain(text).into_owned(),
            Value::String(text) => text.clone(),
            other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                other.to_string()
            }
        };
        let line = |cells: Vec<String>| {
            let cells: Vec<String> = cells.into_iter().map(quoted).collect();
            cells.join(",") + "\n"
        };
        let objects: Vec<_> = self.rows.iter().filter_map(Value::as_object).collect();
        let header = objects.first().map(|first| line(first.keys().cloned().collect())).unwrap_or_default();
        objects.iter().fold(header, |table, row| table + &line(row.values().map(text).collect()))
    }

    /// A name a line.
    pub(crate) fn names(&self, terminal: bool) -> String {
        let name = |name: &String| if terminal { plain(name).into_owned() } else { name.clone() };
        self.names.iter().map(|each| name(each) + "\n").collect()
    }
}

/// A cell, in quotes where it would be taken for more than one, or for the end of a line.
fn quoted(cell: String) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use yaml_rust2::YamlLoader;

    use super::*;

    fn from_yaml(yaml: &Yaml) -> Value {
        match yaml {
            Yaml::Null => Value::Null,
            Yaml::Boolean(value) => json!(value),
            Yaml::Integer(value) => json!(value),
            Yaml::Real(digits) => serde_json::from_str(digits).unwrap(),
            Yaml::String(text) => json!(text),
            Yaml::Array(items) => items.iter().map(from_yaml).collect(),
            Yaml::Hash(fields) => fields
                .iter()
                .map(|(name, value)| (name.as_str().unwrap().to_owned(), from_yaml(value)))
                .collect(),
            other @ (Yaml::Alias(_) | Yaml::BadValue) => panic!("{other:?}"),
        }
    }

    /// Texts that YAML has other meanings for (YAML 1.2.2, section 10.3.2; 1.1 has `yes` and `0o7` too), and others
    /// that end a scalar early.
    #[test]
    fn a_result_is_the_same_in_yaml() {
        let texts = [
            "",
            " ",
            "a",
            "null",
            "~",
            "true",
            "yes",
            "no",
            "on",
            "1",
            "-1",
            "1.5",
            ".inf",
            "0x1f",
            "0o7",
            "1e3",
            "2026-03-01",
            "2026-03-01T12:00:00Z",
            "- a",
            "a: b",
            "a #b",
            "#a",
            "[a",
            "{a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "'a",
            "\"a",
            "a\\",
            "a\nb",
            "a\n",
            "\ta",
            "a\u{1b}[0m",
            "---",
            "...",
            "a,b",
            "<<",
            "=",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "a\r\nb",
        ];
        for text in texts {
            let value = json!({ "a": text, text: [text, { "b": text }], "n": [null, true, 0, -7, 1.5, u64::MAX], "e": [], "o": {} });
            let written = yaml(&value).unwrap();
            let read = YamlLoader::load_from_str(&written).unwrap();
            assert_eq!(from_yaml(&read[0]), value, "{written}");
            assert!(written.chars().all(|c| c == '\n' || !c.is_control()), "{written:?}");
        }
    }

    #[test]
    fn fields_of_csv_are_quoted_where_they_must_be() {
        let rows = vec![
            json!({"a": "x", "b": "1,2", "c": null}),
            json!({"a": "say \"hi\"", "b": "two\nlines", "c": [1]}),
        ];
        let rows = Rows { rows, names: vec!["x".to_owned(), "y\u{1b}".to_owned()] };
        // The examples of RFC 4180, section 2.
        assert_eq!(rows.csv(false), "a,b,c\nx,\"1,2\",\n\"say \"\"hi\"\"\",\"two\nlines\",[1]\n");
        assert_eq!(rows.names(false), "x\ny\u{1b}\n");
        assert!(!rows.names(true).contains('\u{1b}'));
    }
}
