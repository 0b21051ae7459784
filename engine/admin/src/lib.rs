//! The admins' way in: the HTTP API, who may use it, what is remembered of its use, and the console.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

pub mod ports;
