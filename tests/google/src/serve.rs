//! The same Google on a loopback port.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use crate::{Answer, Asked};

/// Answers a request.
pub type Answering = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;

/// A server on a port that the system picks, until the process ends.
#[derive(Debug, Clone, Copy)]
pub struct Server {
    /// The port.
    pub port: u16,
}

/// Serves. Requests are told apart by their Host header, as they would be by their name.
///
/// # Errors
/// There is no port.
pub fn serve(answering: Answering) -> io::Result<Server> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answering = Arc::clone(&answering);
            // A client that hangs up before the answer is not the concern of this thread.
            thread::spawn(move || stream.and_then(|stream| converse(&stream, &answering)));
        }
    });
    Ok(Server { port })
}

fn converse(stream: &TcpStream, answering: &Answering) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader)? {
        let head = asked.method == "HEAD";
        let answer = if lacks_length(&asked) {
            Answer::page(
                411,
                "Length Required",
                "POST requests require a <code>Content-length</code> header.",
            )
        } else {
            answering(&asked)
        };
        write(&mut &*stream, &answer, head)?;
    }
    Ok(())
}

/// Google's front end wants a length where a body may be.
fn lacks_length(asked: &Asked) -> bool {
    matches!(asked.method.as_str(), "POST" | "PUT" | "PATCH")
        && asked.header("content-length").is_none()
        && asked.header("transfer-encoding").is_none()
}

fn read(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(bad("no request line"));
    };
    let mut asked = Asked { method: method.to_owned(), ..Asked::default() };
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim_end_matches(['\r', '\n']);
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').ok_or_else(|| bad("no header"))?;
        asked.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    asked.url = format!("https://{}{target}", asked.header("host").unwrap_or_default());
    if let Some(length) = asked.header("content-length") {
        asked.body = vec![0; length.parse().map_err(|_| bad("no length"))?];
        reader.read_exact(&mut asked.body)?;
    } else if asked.header("transfer-encoding").is_some() {
        asked.body = chunks(reader)?;
    }
    Ok(Some(asked))
}

/// RFC 9112, section 7.1, without extensions and trailers.
fn chunks(reader: &mut BufReader<&TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim_end(), 16)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "no chunk"))?;
        let start = body.len();
        body.resize(start + size + 2, 0);
        reader.read_exact(&mut body[start..])?;
        body.truncate(start + size);
        if size == 0 {
            return Ok(body);
        }
    }
}

fn write(stream: &mut &TcpStream, answer: &Answer, head: bool) -> io::Result<()> {
    let mut text = format!("HTTP/1.1 {} \r\n", answer.status).into_bytes();
    for (name, value) in &answer.headers {
        write!(text, "{name}: {value}\r\n")?;
    }
    write!(text, "content-length: {}\r\n\r\n", answer.body.len())?;
    if !head {
        text.extend(&answer.body);
    }
    stream.write_all(&text)
}
