//! The deterministic world: scripts and the call machine, tried without sockets, threads or waiting.
//!
//! A [`World`] has a virtual clock, callers and operators who behave as written down, prompts that "play" for as long as
//! they would last, back ends, and, where asked for, seeded [`Trouble`]. What runs in it is the product's own:
//! `gudok-core`'s call machine, and scripts either in Rust or as the real compiled bundle under `gudok-plugin-host`. At
//! every step [`Checkers`] watch what must always hold. A run is replayed exactly from its seed.
//!
//! ```
//! use gudok_simulator::{Caller, Operator, ScriptCall, World, returned};
//!
//! let report = World::new(7)
//!     .number("122", "mfc", "main")
//!     .operators("desk", &["anna"])
//!     .operator("anna", Operator::answers().and_talks_s(30))
//!     .script("mfc", "main", |call: ScriptCall| async move {
//!         call.say("Good day.").await?;
//!         let menu = call.ask("For a person, press one.", &[("1", "person")]).await?;
//!         if menu.as_deref() == Some("person") {
//!             call.transfer_to_group("desk").await?;
//!         }
//!         Ok(returned("served"))
//!     })
//!     .caller(Caller::dials("122").presses("1"))
//!     .run();
//! report.check(
//!     "host: Good day.\n\
//!      host: For a person, press one.\n\
//!      caller: 1\n\
//!      host → anna\n\
//!      anna answers\n\
//!      caller ↔ anna\n\
//!      anna hangs up\n\
//!      host hangs up",
//! );
//! ```
//!
//! Deliberately not here: SIP, RTP and speech. What a prompt says is a plain rendering for reading ([`words`]), not what
//! a caller would hear; how a packet gets lost is for the tests with sockets.
//!
//! - [`World`]: what there is, and running it
//! - [`SimContact`], [`Callee`]: lists of campaigns, and whom they call
//! - [`Caller`], [`Operator`], [`BackEnd`], [`Trouble`]: who and what is in it
//! - [`ExampleDirectory`]: reference data for whoever tries a script alone
//! - [`SimScript`], [`ScriptCall`]: scripts in Rust, as linear code
//! - [`Report`]: what was said, recorded and broken
//! - [`Checkers`]: what must hold at every step
//! - [`campaigns`]: campaigns in a world of their own, for lists of millions
//! - [`decide`]: whoever decides what is left open, and lists of decisions
//! - [`explore`]: every way through a script, to a bound, with what no caller should meet
//! - [`smoke`]: the first callers of a version that is about to go live
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod agenda;
mod back_end;
mod call;
mod callee;
mod caller;
pub mod campaigns;
mod centre;
mod centre_checkers;
mod checkers;
mod clock;
mod crowd;
pub mod decide;
mod dialled;
mod dice;
mod directory;
mod example_directory;
mod exchange;
pub mod explore;
mod informing;
mod media;
mod operator;
mod performers;
mod post;
mod props;
mod report;
mod script;
pub mod smoke;
mod stage;
mod storage;
mod tasks;
mod trouble;
pub mod words;
mod world;

pub use back_end::BackEnd;
pub use callee::Callee;
pub use caller::Caller;
pub use checkers::{Broken, Checkers};
pub use dice::Dice;
pub use example_directory::ExampleDirectory;
pub use informing::{SimAttempt, SimContact};
pub use operator::Operator;
pub use post::SimTicket;
pub use report::{BundleRun, Failure, Line, NamedStep, Report, SimHostCall, SimRequest, SimStored};
pub use script::{ScriptCall, SimScript, TicketParts, prompt, returned};
pub use trouble::Trouble;
pub use world::World;
