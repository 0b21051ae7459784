//! The command line against an engine that speaks the API's shapes and remembers what it was asked.
#![allow(clippy::unwrap_used, clippy::panic)]

mod deploying;
mod engine;
mod failing;
mod following;
mod life;
mod managing;
mod offline;
