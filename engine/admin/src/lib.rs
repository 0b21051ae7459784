//! The admins' way in: the HTTP API, who may use it, what is remembered of its use, and the console.
//!
//! What it is: users, tokens, sessions and roles; agencies, numbers, keys and versions in the store's ledger, each change
//! in one transaction with its entry in the audit; the HTTP API under `/api/v1` with its OpenAPI; the console.
//!
//! What it deliberately is not: the engine. It asks for everything that touches calls through [`ports::Engine`], and
//! never asks the system for the time.
//!
//! Main types: [`Admin`] (the room), [`AdminConfig`], [`Principal`] (who asks), [`Problem`] (a refusal),
//! [`access::ROUTES`] (who may do what). The JSON handlers in `http` and the console call the same functions in
//! [`service`], where authorisation and audit live.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

pub mod access;
mod admin;
pub mod auth;
pub mod books;
mod console;
pub mod documents;
pub mod http;
mod ledger;
pub mod limits;
pub mod names;
pub mod ports;
pub mod problem;
mod rates;
pub mod redacted;
mod serve;
pub mod service;
pub mod time;

pub use admin::{Admin, AdminConfig, RateLimits};
pub use auth::{PasswordCost, Principal};
pub use problem::Problem;
pub use serve::{ServeError, Tls};
