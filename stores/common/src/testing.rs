//! A world for tests: answers as they were written down, and the requests that they answered.

use std::{cell::RefCell, time::Duration};

use proptest::{prelude::*, sample};

use crate::{
    http::{HttpFailure, Request, Response},
    world::World,
};

/// A world that answers with what it was given, in order.
#[derive(Default)]
pub struct Scripted {
    answers: RefCell<Vec<Result<Response, HttpFailure>>>,
    requests: RefCell<Vec<Request>>,
}

impl Scripted {
    /// A world with these answers: status and body.
    #[must_use]
    pub fn answers(answers: &[(u16, &str)]) -> Self {
        let whole =
            |(status, body): &(u16, &str)| Response { status: *status, body: body.as_bytes().to_vec() };
        Self::outcomes(answers.iter().map(|answer| Ok(whole(answer))))
    }

    /// A world with these outcomes.
    pub fn outcomes(outcomes: impl DoubleEndedIterator<Item = Result<Response, HttpFailure>>) -> Self {
        Self { answers: RefCell::new(outcomes.rev().collect()), ..Self::default() }
    }

    /// The requests so far: path and body.
    #[must_use]
    pub fn requests(&self) -> Vec<(String, String)> {
        let requests = self.requests.borrow();
        requests.iter().map(|it| (it.path.clone(), String::from_utf8_lossy(&it.body).into_owned())).collect()
    }

    /// The value of a header of the last request.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let requests = self.requests.borrow();
        let headers = &requests.last()?.headers;
        headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.clone())
    }
}

/// JSON that looks like an answer, and is not: objects of these words, and lists, around these values.
pub fn nearly_json(words: &[&'static str], values: &[&str]) -> impl Strategy<Value = String> + use<> {
    let word = sample::select(words.to_vec());
    let values: Vec<_> = values.iter().map(|value| (*value).to_owned()).collect();
    sample::select(values).prop_recursive(4, 32, 6, move |inner| {
        let object = prop::collection::vec((word.clone(), inner.clone()), 0..6);
        prop_oneof![
            object.prop_map(|fields| {
                let fields: Vec<_> =
                    fields.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
                format!("{{{}}}", fields.join(","))
            }),
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
        ]
    })
}

/// A part of the world can be looked at while a store has it.
impl World for &Scripted {
    fn now(&self) -> Duration {
        Duration::from_secs(1_800_000_000)
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        [7; N]
    }

    fn send_all(&self, requests: &[Request]) -> Vec<Result<Response, HttpFailure>> {
        let mut answers = self.answers.borrow_mut();
        let mut sent = self.requests.borrow_mut();
        requests
            .iter()
            .map(|request| {
                sent.push(request.clone());
                let answer = answers.pop().unwrap_or(Err(HttpFailure::Unreachable))?;
                if answer.body.len() > request.max_response { Err(HttpFailure::TooLarge) } else { Ok(answer) }
            })
            .collect()
    }
}
