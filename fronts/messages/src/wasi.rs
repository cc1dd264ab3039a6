//! wasmcloud:messaging and the environment, as `call` takes them.

use gcf_front::perform;

use self::bindings::{
    exports::wasmcloud::messaging::handler::{BrokerMessage, Guest},
    wasi::cli::environment::get_environment,
    wasmcloud::messaging::consumer,
};
use crate::call::{Message, Reply, handle};

/// The Rust that wit-bindgen makes of `wit/` here and of `wit/deps`.
#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        inline: "
            package gcf:front-messages;
            world front {
                import wasi:cli/environment@0.2.12;
                import wasmcloud:messaging/consumer@0.2.0;
                export wasmcloud:messaging/handler@0.2.0;
            }
        ",
        world: "gcf:front-messages/front",
        generate_all,
    });

    use super::Front;
    export!(Front);
}

struct Front;

impl Guest for Front {
    fn handle_message(message: BrokerMessage) -> Result<(), String> {
        let BrokerMessage { subject, body, reply_to } = message;
        handle(Message { subject, body, reply_to }, &get_environment(), perform, publish)
    }
}

fn publish(reply: Reply) -> Result<(), String> {
    let Reply { subject, body } = reply;
    consumer::publish(&BrokerMessage { subject, body, reply_to: None })
}
