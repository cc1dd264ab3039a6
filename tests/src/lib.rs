//! The shipping component in the real host.
//!
//! | module | subject |
//! |---|---|
//! | `contract` | the built file imports what `wit/world.wit` lists, and nothing else |
//! | `cassettes` | each exported function, on answers from tapes; every cassette is played, and says where it comes from |
//! | `claims` | each promise of README, SECURITY and ARCHITECTURE has a test, from `claims.json` |
//! | `fidelity` | Google's answers on the cassettes have the shape that Google publishes |
//! | `tapes` | recording, replaying, modes, faults and golden tests |
//! | `alike` | tapes that are played again and again, the same each time; and requests that are not on them |
//! | `replays` | a store, and memory, after a replay or a recording |
//! | `loopback` | the same over real sockets: bodies, headers, signatures, concurrency |
//! | `callees` | the function that is called, by whichever name; the audience of its token; its own answers |
//! | `front_end` | Google's front end in place of the function: the fault, and the look of an answer |
//! | `google_answers` | answers of Google that people met, from `fixtures/google-answers.json`, and what comes of each |
//! | `isolation` | refusals, and that no byte is sent then |
//! | `bad_inputs` | everything that somebody could try, from `fixtures/bad-inputs.json`, and its outcome |
//! | `world` | what people and Google really send, from `fixtures/world.json`, and what is right then |
//! | `custom_api` | requests of the caller's own, and lists in full |
//! | `guard_rails` | the guard rails of a connection |
//! | `egress` | the things that a component may declare and send, and the operator's word on them |
//! | `hostile` | the host's limits, against a component that keeps none |
//! | `hostile_memory` | the memory that such a component has the host keep and copy, counted |
//! | `thieves` | the secret store of others and its limits, against a component that takes what it can |
//! | `sign_in` | every kind of credential, on tapes: tokens, refusals, faults, ends |
//! | `credentials` | credential files as people have them, and the project that requests count against |
//! | `invokers` | the owners of tokens |
//! | `earlier_stores` | stores that earlier versions wrote are read as they are |
//! | `lifetimes` | tokens, grants and sign-ins over time |
//! | `lengths` | bodies that are shorter or longer than they say, or larger than anybody takes |
//! | `lists` | functions of every kind and region, in whole and in part, and drop-downs |
//! | `long_lists` | more functions than fit on a page |
//! | `patience` | the waiting of a call: for a function, and until it may ask again |
//! | `plans` | plans of calls, without a byte sent or written; and the call sends the same then |
//! | `schemas` | inputs and outputs, against the catalog's schemas |
//! | `stampede` | many callers of one expired token, and one request |
//! | `statuses` | every status that an answer can have, and the outcome of each action |
//! | `doctor` | the findings of a check, on tapes |
//! | `canaries` | no secret in any text that leaves a call |
//!
//! The command has a test target of its own, `command.rs`, which `gcf-host` declares.

#[cfg(test)]
mod alike;
#[cfg(test)]
mod bad_inputs;
#[cfg(test)]
mod callees;
#[cfg(test)]
mod canaries;
#[cfg(test)]
mod cassettes;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod custom_api;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod earlier_stores;
#[cfg(test)]
mod egress;
#[cfg(test)]
mod fidelity;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod front_end;
#[cfg(test)]
mod google_answers;
#[cfg(test)]
mod guard_rails;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod hostile_memory;
#[cfg(test)]
mod invokers;
#[cfg(test)]
mod invoking;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod lengths;
#[cfg(test)]
mod lifetimes;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod long_lists;
#[cfg(test)]
mod loopback;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod patience;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod replays;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod stampede;
#[cfg(test)]
mod statuses;
#[cfg(test)]
mod tapes;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod thieves;
#[cfg(test)]
mod warm;
#[cfg(test)]
mod world;
