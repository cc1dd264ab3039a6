//! The callback URL as a person pastes it: over SSH the browser is elsewhere, and ends at a page that
//! does not load.

use std::{
    io::{self, BufRead, Read as _},
    thread,
};

use tokio::sync::mpsc;

use crate::sign_in::loopback::CallbackUrl;

/// The longest line that is read; Google's callbacks stay under 2 KiB.
const LINE_LIMIT: usize = 8 * 1024;

/// A line that cannot be a callback URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasteError {
    /// Longer than any callback.
    #[error("the pasted line is longer than {LINE_LIMIT} bytes: paste only the address from the browser")]
    TooLong,
    /// Not UTF-8.
    #[error("the pasted line is not text: paste the address from the browser")]
    NotText,
}

/// Lines as they are pasted.
///
/// A thread of its own reads them: a read of stdin cannot be called off, and one that is left behind on
/// tokio's threads keeps the program from ending after the browser came back.
#[derive(Debug)]
pub(crate) struct Pasted {
    lines: mpsc::Receiver<Result<CallbackUrl, PasteError>>,
}

impl Pasted {
    /// Reads lines that are pasted into the terminal.
    pub(crate) fn stdin() -> Self {
        Self::read(|| io::stdin().lock())
    }

    fn read<R: BufRead>(open: impl FnOnce() -> R + Send + 'static) -> Self {
        let (sender, lines) = mpsc::channel(1);
        // A thread that cannot start drops the sender, which is the same as a stdin that has ended.
        let _ = thread::Builder::new().name("paste".to_owned()).spawn(move || {
            let mut input = open();
            while let Ok(Some(line)) = next_line(&mut input) {
                let pasted = line.and_then(|bytes| callback_url(&bytes));
                let Some(pasted) = pasted.transpose() else { continue };
                if sender.blocking_send(pasted).is_err() {
                    return;
                }
            }
        });
        Self { lines }
    }

    /// The next line that is not blank; `None` once stdin has ended. Nothing is lost when this future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Result<CallbackUrl, PasteError>> {
        self.lines.recv().await
    }
}

/// The next line, or the fact that it was too long; `None` at the end.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<Result<Vec<u8>, PasteError>>> {
    let mut line = Vec::new();
    let limit = u64::try_from(LINE_LIMIT).expect("8 KiB fit") + 1;
    if input.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') || line.len() <= LINE_LIMIT {
        return Ok(Some(Ok(line)));
    }
    input.skip_until(b'\n')?;
    Ok(Some(Err(PasteError::TooLong)))
}

/// The URL on a line; `None` for a blank one.
fn callback_url(line: &[u8]) -> Result<Option<CallbackUrl>, PasteError> {
    let text = str::from_utf8(line).map_err(|_| PasteError::NotText)?.trim();
    let text = ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text)
        .trim();
    // Some address bars leave the scheme out of what they copy.
    let scheme = if text.starts_with("127.0.0.1:") || text.starts_with("[::1]:") { "http://" } else { "" };
    Ok((!text.is_empty()).then(|| CallbackUrl::new(format!("{scheme}{text}"))))
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use super::*;

    fn pasted(bytes: impl Into<Vec<u8>>) -> Pasted {
        let bytes = bytes.into();
        Pasted::read(move || Cursor::new(bytes))
    }

    #[tokio::test]
    async fn a_line_is_a_url_whatever_is_around_it() {
        let url = "http://127.0.0.1:4711/callback?state=s&code=c";
        for line in [
            format!("{url}\n"),
            format!("{url}\r\n"),
            url.to_owned(),
            format!("\n \n  {url}  \n"),
            format!("\"{url}\"\n"),
            format!("'{url}'\n"),
            "127.0.0.1:4711/callback?state=s&code=c\n".to_owned(),
        ] {
            let mut pasted = pasted(line.as_str());
            let read = pasted.next().await.unwrap().unwrap();
            assert_eq!(read.expose(), url, "{line:?}");
            assert_eq!(pasted.next().await, None, "{line:?}");
        }
    }

    #[tokio::test]
    async fn a_line_that_cannot_be_read_does_not_hide_the_next() {
        let mut bytes = vec![b'x'; LINE_LIMIT * 3];
        bytes.extend_from_slice(b"\nhttp://\xff\nhttp://[::1]:1/callback?code=c\n");
        let mut pasted = pasted(bytes);
        assert_eq!(pasted.next().await, Some(Err(PasteError::TooLong)));
        assert_eq!(pasted.next().await, Some(Err(PasteError::NotText)));
        assert_eq!(pasted.next().await, Some(Ok(CallbackUrl::new("http://[::1]:1/callback?code=c"))));
        assert_eq!(pasted.next().await, None);
    }

    #[tokio::test]
    async fn the_limit_is_exact() {
        for (length, end, fits) in [
            (LINE_LIMIT, "\n", true),
            (LINE_LIMIT, "", true),
            (LINE_LIMIT + 1, "\n", false),
            (LINE_LIMIT + 1, "", false),
        ] {
            let mut pasted = pasted("x".repeat(length) + end);
            assert_eq!(pasted.next().await.unwrap().is_ok(), fits, "{length} {end:?}");
            assert_eq!(pasted.next().await, None);
        }
    }

    #[tokio::test]
    async fn nothing_pasted_holds_nothing_up() {
        let (reader, writer) = io::pipe().unwrap();
        let mut pasted = Pasted::read(move || BufReader::new(reader));
        let won = tokio::select! {
            biased;
            _ = pasted.next() => "paste",
            () = tokio::task::yield_now() => "loopback",
        };
        assert_eq!(won, "loopback");
        drop(writer);
        assert_eq!(pasted.next().await, None);
    }

    #[test]
    fn what_is_pasted_is_not_printable() {
        let shown = format!("{:?}", callback_url(b"http://127.0.0.1:1/callback?code=canary"));
        assert_eq!(shown, "Ok(Some(CallbackUrl(..)))");
    }
}
