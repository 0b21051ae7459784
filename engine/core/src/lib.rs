//! The heart of Gudok: what a call *does*, as state machines that ask nobody the time.
//!
//! Inputs and `now` go in; commands and the next deadline come out. The real host, the simulator and the
//! explorer drive the same machine.
//!
//! Deliberately not here: sockets, clocks, threads, randomness, wasmtime, serde. Whoever stores or shows something of
//! ours converts it to a record of its own.
//!
//! - [`call::CallMachine`]: one call from its INVITE to its last call record
//! - [`centre`]: queues, operators, callbacks and peer centres, in words that calls share with them
//! - [`campaign`]: whom to call, when, how often, and what came of it
//! - [`collect::Entry`]: keys to answers, by the rules of a grammar
//! - [`routing::Routes`]: dialled number to agency, script entry and fallback
//! - [`calendar::Calendar`]: when operators work, in the centre's time zone
//! - [`leg`], [`script`], [`prompt`]: the words that SIP, scripts and prompts share with the machine
//! - [`directory`], [`ticket`], [`outbox`], [`report`]: what is known, what is promised, how it is delivered, what a day came to
//! - [`privacy`]: redaction as a type
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

pub mod calendar;
pub mod call;
pub mod campaign;
pub mod centre;
pub mod collect;
pub mod deployment;
pub mod directory;
pub mod ids;
pub mod input;
pub mod leg;
pub mod outbox;
pub mod privacy;
pub mod prompt;
pub mod records;
pub mod report;
pub mod routing;
pub mod script;
pub mod ticket;
pub mod time;
