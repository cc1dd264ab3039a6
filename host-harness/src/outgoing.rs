//! The way out of the sandbox: what a guest's request passes before it reaches a transport.

pub(crate) mod budget;
pub(crate) mod gate;
pub(crate) mod guest_http;
pub(crate) mod inject;
pub(crate) mod observer;
pub(crate) mod turns;
