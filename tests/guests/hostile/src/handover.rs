//! Arguments for the functions of the host: far too much, bytes that are not what they say, and a million
//! times nothing.

use std::hint::black_box;

use crate::{
    bindings::{
        gcf::connector::{
            secret_store::{self, Expected, SignatureAlgorithm},
            types::Error,
        },
        wasi::{
            clocks::monotonic_clock,
            http::types::{Fields, Method, OutgoingRequest},
            io::poll,
            random::random,
        },
    },
    error,
};

/// More than any function of the host has a use for.
const HUGE: usize = 4 << 20;

/// Passes something huge to one function, and returns its word on it.
pub(crate) fn huge(function: &str) -> Error {
    let text = "a".repeat(HUGE);
    let bytes = text.as_bytes();
    let request = || OutgoingRequest::new(Fields::new());
    error(match function {
        "get" => format!("{:?}", secret_store::get(&text)),
        "put-key" => format!("{:?}", secret_store::put(&text, "", &Expected::Anything)),
        "put-value" => format!("{:?}", secret_store::put("tokens/a", &text, &Expected::Anything)),
        "put-version" => {
            format!("{:?}", secret_store::put("tokens/a", "", &Expected::Version(text)))
        }
        "delete" => format!("{:?}", secret_store::delete(&text, &Expected::Anything)),
        "keys" => format!("{:?}", secret_store::keys(&text)),
        "lease" => format!("{:?}", secret_store::acquire_lease(&text, u64::MAX)),
        "release" => format!("{:?}", secret_store::release_lease("tokens/a", &text)),
        "sign" => format!("{:?}", secret_store::sign("keys/team", SignatureAlgorithm::Rs256, bytes)),
        "field-name" => format!("{:?}", Fields::new().append(&text, b"v")),
        "field-value" => format!("{:?}", Fields::new().append("x", bytes)),
        "field-list" => {
            // Many times the same bytes: a list of lists needs no more memory than its entries.
            let entries = vec![("x".to_owned(), bytes[..1024].to_vec()); 1024];
            format!("{:?}", Fields::from_list(&entries).map(drop))
        }
        "method" => format!("{:?}", request().set_method(&Method::Other(text))),
        "path" => format!("{:?}", request().set_path_with_query(Some(&format!("/{text}")))),
        "authority" => format!("{:?}", request().set_authority(Some(&text))),
        "write" | "zeroes" => {
            let request = request();
            let body = request.body().expect("there is one");
            let stream = body.write().expect("there is one");
            let said = if function == "write" { stream.write(bytes) } else { stream.write_zeroes(u64::MAX) };
            format!("{said:?}")
        }
        "random" => format!("{:?}", random::get_random_bytes(u64::MAX).len()),
        "poll" => {
            let pollable = monotonic_clock::subscribe_duration(1);
            format!("{:?}", poll::poll(&vec![&pollable; 1 << 20]).len())
        }
        other => format!("no such function: {other}"),
    })
}

/// Calls a function of the host over and over.
pub(crate) fn small_calls(times: u32) {
    for _ in 0..times {
        black_box(monotonic_clock::now());
    }
}

/// Ends the guest's stack.
#[expect(unconditional_recursion, reason = "that is the misdeed")]
pub(crate) fn recurse(depth: u64) -> u64 {
    let room = black_box([depth; 64]);
    recurse(depth + 1) + room[black_box(7)]
}

/// Calls that the canonical ABI forbids, past the bindings, which know better.
#[expect(unsafe_code, reason = "that is the misdeed")]
pub(crate) fn lie(how: &str) {
    #[link(wasm_import_module = "gcf:connector/secret-store@0.1.0")]
    unsafe extern "C" {
        #[link_name = "keys"]
        fn raw_keys(pointer: usize, length: usize, answer: usize);
    }
    let text = black_box([0xff_u8, 0xfe, 0xfd]);
    let mut answer = black_box([0_u64; 4]);
    let (pointer, answer) = (text.as_ptr() as usize, answer.as_mut_ptr() as usize);
    // SAFETY: none is claimed. The effect stays in this sandbox, whose memory is all that is at
    // stake.
    unsafe {
        match how {
            "no-text" => raw_keys(pointer, 3, answer),
            "beyond" => raw_keys(pointer, usize::MAX, answer),
            "nowhere" => raw_keys(usize::MAX - 1, 16, answer),
            "unaligned" => raw_keys(pointer, 0, answer + 1),
            "answer-nowhere" => raw_keys(pointer, 0, usize::MAX & !7),
            // The answer is written over the question.
            "overlapping" => {
                let mut both = black_box(*b"tokens/ tokens/ tokens/ tokens/ ");
                let at = (both.as_mut_ptr() as usize).next_multiple_of(8);
                raw_keys(at, 7, at);
                black_box(both);
            }
            _ => {}
        }
    }
}
