//! A whole tape without its secrets.

use std::path::Path;

use serde_json::Value;

use crate::tape::{
    error::TapeError,
    file::{
        format::{Interaction, Provenance, Tape},
        url::fitting,
    },
    hide::redact::Redactor,
    shared::label,
};

impl Tape {
    /// Reads a tape from its JSON text. Secrets that are still on it are redacted.
    ///
    /// # Errors
    /// [`TapeError::NotJson`], [`TapeError::NotATape`], [`TapeError::Version`], [`TapeError::Malformed`] or
    /// [`TapeError::UnknownFields`].
    pub fn from_json(text: &str) -> Result<Self, TapeError> {
        let mut tape = Self::parse(text)?;
        tape.redact(&mut Redactor::default());
        Ok(tape)
    }

    /// Reads a tape from a file.
    ///
    /// # Errors
    /// [`TapeError::Read`], or [`TapeError::File`] around what [`from_json`](Self::from_json) says.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, TapeError> {
        let path = path.as_ref();
        let text = Self::text(path)?;
        Self::from_json(&text)
            .map_err(|source| TapeError::File { path: path.to_owned(), source: Box::new(source) })
    }

    /// Replaces the secrets that are still on the tape.
    pub(in crate::tape) fn redact(&mut self, redactor: &mut Redactor) {
        let text = self.to_json();
        self.reserve_in(&text, redactor);
        // A signature may stand by itself before the token that it is of.
        redactor.look_through(&text);
        self.provenance_mut().redact(redactor);
        for interaction in &mut self.interactions {
            interaction.redact(redactor);
        }
    }

    /// Keeps the numbers of its placeholders from being given to other secrets.
    pub(in crate::tape) fn reserve(&self, redactor: &mut Redactor) {
        self.reserve_in(&self.to_json(), redactor);
    }

    fn reserve_in(&self, text: &str, redactor: &mut Redactor) {
        redactor.reserve(text);
        for interaction in &self.interactions {
            interaction.reserve_query(redactor);
        }
    }

    /// The paths of the fields in which a secret is still to be found, in whatever form.
    pub(in crate::tape) fn leaks(&self, redactor: &mut Redactor) -> Vec<String> {
        fn walk(at: &str, value: &Value, redactor: &mut Redactor, found: &mut Vec<String>) {
            let leaf = match value {
                Value::Object(fields) => {
                    for (name, value) in fields {
                        let dot = if at.is_empty() { "" } else { "." };
                        walk(&format!("{at}{dot}{}", label(name)), value, redactor, found);
                    }
                    return;
                }
                Value::Array(items) => {
                    for (index, value) in items.iter().enumerate() {
                        walk(&format!("{at}[{index}]"), value, redactor, found);
                    }
                    return;
                }
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Null | Value::Bool(_) => return,
            };
            if redactor.finds_in(leaf.as_bytes()) {
                found.push(at.to_owned());
            }
        }
        let document = serde_json::to_value(self).expect("maps have string keys and nothing else fails");
        let mut found = Vec::new();
        walk("", &document, redactor, &mut found);
        found
    }
}

impl Provenance {
    pub(in crate::tape) fn redact(&mut self, redactor: &mut Redactor) {
        self.from = redactor.text(&self.from);
        self.note = self.note.as_ref().map(|note| redactor.text(note));
    }
}

impl Interaction {
    pub(in crate::tape) fn redact(&mut self, redactor: &mut Redactor) {
        self.note = self.note.as_ref().map(|note| redactor.text(note));
        if let Some(provenance) = &mut self.provenance {
            provenance.redact(redactor);
        }
        let request = &mut self.request;
        request.url = fitting(redactor.url(&request.url));
        for (name, value) in &mut request.headers {
            *value = redactor.header(name, value);
        }
        request.body = request.body.as_ref().map(|body| redactor.body(body));
        let Some(response) = &mut self.response else { return };
        for (name, value) in &mut response.headers {
            *value = redactor.header(name, value);
        }
        let body = response.body.as_ref().map(|body| redactor.body(body));
        if body != response.body {
            response.body = body;
            response.correct_length();
        }
    }

    /// Keeps the placeholders of a query from being given to others: percent-encoding hides them from a
    /// search through the text.
    pub(in crate::tape) fn reserve_query(&self, redactor: &mut Redactor) {
        if let Some((_, query)) = self.request.url.split_once('?') {
            for (_, value) in url::form_urlencoded::parse(query.as_bytes()) {
                redactor.reserve(&value);
            }
        }
    }
}
