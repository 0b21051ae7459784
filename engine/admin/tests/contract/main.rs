//! The room's contract, through its router: who may do what, what is remembered, what is never shown.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod books;
mod bundles;
mod campaign_cases;
mod campaign_engine;
mod campaigns;
mod cases;
mod centre;
mod centre_cases;
mod centre_engine;
mod console;
mod console_centre;
mod documents;
mod documents_of_roles;
mod engine;
mod events;
mod flows;
mod front;
mod login;
mod openapi;
mod privacy;
mod repeats;
mod secrets;
mod tls;
mod walk;
mod world;
