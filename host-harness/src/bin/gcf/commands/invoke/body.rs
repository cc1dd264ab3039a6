//! Bodies beside `--data`: a form, files, an event; and the caller's own Authorization.

use std::path::{Path, PathBuf};

use clap::Args;
use gcf_host::{
    reading::{self, NotText},
    wit::types::{Body, Part},
};

use crate::{
    input::{
        files::{self, Source},
        request::Request,
        values,
    },
    output::failure::Failure,
};

/// Bodies that `invoke` can send beside `--data`.
#[derive(Debug, Args)]
pub(super) struct MoreBodies {
    /// A field of a form (repeatable)
    #[arg(long, value_name = "K=V", value_parser = values::pair, conflicts_with = "data")]
    form: Vec<(String, String)>,
    /// A file as a part of a multipart body (repeatable), with the fields of --form beside it
    #[arg(
        long = "file",
        value_name = "NAME=@PATH[;type=TYPE]",
        value_parser = file_part,
        conflicts_with = "data"
    )]
    files: Vec<FilePart>,
    /// A CloudEvent in JSON, from a file or stdin: functions that events start take it
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["data", "form", "files"])]
    event: Option<PathBuf>,
}

/// The body that the options of `invoke` ask for; the command line lets no two of them contradict each other.
pub(super) fn body(request: &Request, more: MoreBodies) -> Result<Option<Body>, Failure> {
    let MoreBodies { form, files, event } = more;
    if let Some(event) = event {
        let bytes = files::read_body(&event)?;
        let text = reading::text(bytes).map_err(|why| match why {
            NotText::Utf16 => files::utf16(&files::name_of(&event)),
            NotText::Bytes { .. } => Failure::input(format!("{} is not text", event.display()))
                .with_fix("name a file that holds one CloudEvent in JSON"),
        })?;
        return Ok(Some(Body::CloudEvent(text)));
    }
    if files.is_empty() {
        return if form.is_empty() { request.body() } else { Ok(Some(Body::Form(form))) };
    }
    let mut parts: Vec<Part> = form
        .into_iter()
        .map(|(name, value)| Part { name, filename: None, content_type: None, data: value.into_bytes() })
        .collect();
    for file in files {
        parts.push(Part {
            name: file.name,
            filename: file.path.file_name().map(|name| name.to_string_lossy().into_owned()),
            content_type: Some(file.content_type.unwrap_or_else(|| "application/octet-stream".to_owned())),
            data: files::read_body(&file.path)?,
        });
    }
    Ok(Some(Body::Multipart(parts)))
}

/// The value that stands in a file, without the end of its line: on a command line, everybody could read it.
pub(super) fn authorization(file: Option<&Path>) -> Result<Option<String>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let text = Source::Machine.key(file)?;
    let value = text.trim_ascii();
    if value.is_empty() {
        return Err(Failure::input("the file of --authorization-file is empty")
            .with_fix("put the whole value there, such as: Bearer TOKEN"));
    }
    Ok(Some(value.to_owned()))
}

/// A file that is sent as one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FilePart {
    name: String,
    path: PathBuf,
    content_type: Option<String>,
}

/// `NAME=@PATH`, or `NAME=@PATH;type=TYPE`.
fn file_part(text: &str) -> Result<FilePart, String> {
    let expected = "expected NAME=@PATH, or NAME=@PATH;type=MEDIA/TYPE";
    let (name, rest) = text.split_once("=@").ok_or(expected)?;
    let (path, content_type) = match rest.split_once(";type=") {
        Some((path, content_type)) => (path, Some(content_type.to_owned())),
        None => (rest, None),
    };
    if name.is_empty() || path.is_empty() {
        return Err(expected.to_owned());
    }
    Ok(FilePart { name: name.to_owned(), path: path.into(), content_type })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn more(form: &[(&str, &str)], files: &[&str], event: Option<&Path>) -> MoreBodies {
        MoreBodies {
            form: form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            files: files.iter().map(|text| file_part(text).unwrap()).collect(),
            event: event.map(Path::to_owned),
        }
    }

    #[test]
    fn a_file_has_a_name_and_perhaps_a_type() {
        let part = file_part("a=@b=c;type=text/csv").unwrap();
        assert_eq!((part.name.as_str(), part.path.as_path()), ("a", Path::new("b=c")));
        assert_eq!(part.content_type.as_deref(), Some("text/csv"));
        assert_eq!(file_part("a=@b").unwrap().content_type, None);
        for wrong in ["", "a", "a=b", "=@b", "a=@", "a=@;type=x/y"] {
            assert!(file_part(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_form_alone_is_a_form_and_with_a_file_it_is_parts() {
        let pairs = [("a", "1"), ("a", "2")];
        assert!(
            matches!(body(&Request::default(), more(&pairs, &[], None)), Ok(Some(Body::Form(form))) if form.len() == 2)
        );
        let file = file("x,y");
        let argument = format!("f=@{};type=text/csv", file.path().display());
        let Ok(Some(Body::Multipart(parts))) = body(&Request::default(), more(&pairs, &[&argument], None))
        else {
            panic!("no parts")
        };
        assert_eq!((parts.len(), parts[2].data.as_slice()), (3, b"x,y".as_slice()));
        assert_eq!(parts[2].content_type.as_deref(), Some("text/csv"));
        assert_eq!(parts[2].filename.as_deref(), file.path().file_name().unwrap().to_str());
        assert!(matches!(body(&Request::default(), more(&[], &[], None)), Ok(None)));
    }

    #[test]
    fn an_event_is_read_from_a_file() {
        // The second as programs of Windows write it (RFC 8259, section 8.1).
        for text in ["{}", "\u{feff}{}"] {
            let file = file(text);
            let event = body(&Request::default(), more(&[], &[], Some(file.path())));
            assert!(matches!(event, Ok(Some(Body::CloudEvent(text))) if text == "{}"));
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        let wide: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        std::fs::write(file.path(), wide).unwrap();
        let refused = body(&Request::default(), more(&[], &[], Some(file.path()))).unwrap_err();
        assert!(refused.message.contains("is text in UTF-16"), "{}", refused.message);
    }

    #[test]
    fn an_authorization_is_the_whole_value_and_is_never_repeated() {
        assert_eq!(authorization(Some(file("Bearer x y\n").path())).unwrap().as_deref(), Some("Bearer x y"));
        assert_eq!(authorization(None).unwrap(), None);
        assert!(authorization(Some(file(" \n").path())).is_err());
    }
}
