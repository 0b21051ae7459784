//! What an agency's script is written with.
//!
//! A script is linear code: [`service!`] names the function that the host calls once per call, in an instance of its
//! own, and each method of [`Call`] returns when the caller has heard or answered.
//!
//! ```
//! use gudok_sdk::prelude::*;
//!
//! gudok_sdk::service!(run);
//!
//! const REQUEST: Noun = Noun::new("заявка", "заявки", "заявок", "заявки", Gender::Feminine);
//!
//! fn run(call: &Call) -> Result<Summary> {
//!     call.say(prompt!["Здравствуйте. Перед вами", counted(21, REQUEST)])?;
//!     let answer = Menu::new("Чтобы ждать, нажмите один. Чтобы поговорить с оператором, нажмите ноль.")
//!         .on("1", true)
//!         .global("0", false)
//!         .ask(call)?;
//!     match answer {
//!         Answer::Given(true) => call.hangup("Спасибо, мы вам перезвоним. До свидания.")?,
//!         _ => {
//!             Transfer::to_group("operators").of(call)?;
//!         }
//!     }
//!     Ok(Summary::served())
//! }
//! ```
//!
//! **When the caller hangs up**, whatever the script waits for answers [`CallError::Ended`], and `?` carries it out of
//! `run`: that is the normal way to go. A script that must save something matches it first; it has about two seconds.
//!
//! **When the script panics**, the message goes to the author's log, the instance traps, and the host lands the caller
//! on the agency's fallback.
//!
//! What it is not: a runtime. There is no clock, no randomness, no file and no socket but what [`host`] and [`fetch`]
//! give, so that a call can be replayed. What has no comfortable form here yet is reached through [`bindings`].

extern crate self as gudok_sdk;

mod ask;
mod call;
pub mod directory;
mod error;
pub mod fetch;
pub mod host;
mod language;
mod promise;
mod prompt;
mod queue;
mod recording;
pub mod storage;
mod transfer;
mod values;

pub use ask::{Answer, Ask, Menu};
pub use bindings::exports::gudok::ivr::script::{ResultCode, Summary};
pub use bindings::gudok::ivr::telephony::{AnsweredBy, CallInfo, Direction, Pace, PlaybackEnd, Player, RejectCause};
pub use bindings::gudok::ivr::transfer::TransferOutcome;
pub use bindings::gudok::ivr::types::{CallError, Date, Datetime, EndReason, Money, TimeOfDay};
pub use call::Call;
pub use error::Result;
pub use language::choose;
pub use promise::{Callback, CallbackOffer, Promise, Survey, Ticket, TicketKind, registration_number};
pub use prompt::{
    BargeIn, Case, Counted, DateWords, Gender, Grouping, IntoPrompt, Noun, Number, Prompt, Segment, counted, date,
    decimal, digits, duration, media, money, number, ordinal, phone, silence, spell, ssml, time, tone,
};
pub use queue::{Queue, QueueEvent, QueueOutcome, QueueTicket};
pub use recording::{Message, Recording, StoppedBy};
pub use transfer::Transfer;

/// What a script usually needs, in one `use`.
pub mod prelude {
    pub use crate::fetch::Request;
    pub use crate::{
        Answer, Ask, Call, CallError, Callback, Case, Date, Gender, IntoPrompt, Menu, Message, Money, Noun, Pace,
        Prompt, QueueOutcome, Result, ResultCode, Summary, Survey, Ticket, TimeOfDay, Transfer, TransferOutcome,
        choose, counted, date, decimal, digits, duration, media, money, number, ordinal, phone, prompt,
        registration_number, silence, spell, time, tone, words,
    };
}

/// The interface as wit-bindgen makes it from `wit/`: everything the host offers, without comfort.
#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, clippy::pedantic, clippy::restriction)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/v0.1.0",
        world: "service",
        pub_export_macro: true,
        default_bindings_module: "gudok_sdk::bindings",
        runtime_path: "::gudok_sdk::rt::bindgen",
        additional_derives: [PartialEq],
    });
}

/// What the macros of this crate stand on; not for scripts.
#[doc(hidden)]
pub mod rt {
    pub use wit_bindgen::rt as bindgen;

    use crate::Summary;
    use crate::bindings::gudok::ivr::telephony;

    /// Runs a script's function on a call that the host handed over.
    pub fn run(call: telephony::Call, script: fn(&crate::Call) -> crate::Result<Summary>) -> crate::Result<Summary> {
        std::panic::set_hook(Box::new(|panic| crate::host::error(&panic.to_string())));
        script(&crate::Call::new(call))
    }
}

/// Names the function that serves a call: `fn run(call: &Call) -> Result<Summary>`. Once per crate.
#[macro_export]
macro_rules! service {
    ($run:path) => {
        #[doc(hidden)]
        #[allow(unreachable_pub)]
        pub struct GudokScript;

        impl $crate::bindings::exports::gudok::ivr::script::Guest for GudokScript {
            fn run(
                call: $crate::bindings::gudok::ivr::telephony::Call,
            ) -> ::core::result::Result<$crate::Summary, $crate::CallError> {
                $crate::rt::run(call, $run)
            }
        }

        // A shared library of this machine could not even have symbols of these names.
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
    $crate::bindings::export!(GudokScript with_types_in $crate::bindings);
        };
    };
}
