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
//! A campaign is the other way round: the centre calls. [`campaign!`] names two functions, one that is asked before
//! dialling and one that talks:
//!
//! ```
//! use gudok_sdk::prelude::*;
//!
//! gudok_sdk::campaign!(prepare, run);
//!
//! fn prepare(contact: &Contact) -> Plan {
//!     if contact.field("place").is_some() { Plan::Dial } else { Plan::skip("no place") }
//! }
//!
//! fn run(call: &Call, contact: &Contact) -> Result<Disposition> {
//!     call.say(prompt!["Завтра с девяти до двенадцати часов не будет воды. Адрес:", contact.field("place"), "."])?;
//!     if call.is_on_machine() {
//!         return Ok(Disposition::Voicemail);
//!     }
//!     let answer = Menu::new("Если вы поняли, нажмите один.").on("1", ()).ask(call)?;
//!     Ok(if answer == Answer::Given(()) { Disposition::confirmed("understood") } else { Disposition::Delivered })
//! }
//! ```
//!
//! **What cannot go on** leaves a step with `?` as a [`Failure`], and one line at the top looks after the caller:
//! `talk(call).or_operator(call, "operators")`. See [`Talk`], [`Form`] and [`retry`].
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
mod campaign;
pub mod directory;
mod error;
mod failure;
pub mod fetch;
mod form;
pub mod host;
mod language;
mod promise;
mod prompt;
mod queue;
mod recording;
mod retry;
pub mod storage;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod transfer;
mod values;

pub use ask::{Answer, Ask, Menu};
pub use bindings::exports::gudok::ivr::script::{ResultCode, Summary};
pub use bindings::gudok::ivr::telephony::{AnsweredBy, CallInfo, Direction, Pace, PlaybackEnd, Player, RejectCause};
pub use bindings::gudok::ivr::transfer::TransferOutcome;
pub use bindings::gudok::ivr::types::{CallError, Date, Datetime, EndReason, Money, TimeOfDay};
pub use call::Call;
pub use campaign::{Contact, Disposition, Plan};
pub use error::Result;
pub use failure::{Failure, Landing, OrOperator, Talk};
pub use form::{Form, FormKey};
pub use language::choose;
pub use promise::{Callback, CallbackOffer, Promise, Survey, Ticket, TicketKind, registration_number};
pub use prompt::{
    BargeIn, Case, Counted, DateWords, Gender, Grouping, IntoPrompt, Noun, Number, Prompt, Segment, counted, date,
    decimal, digits, duration, key, media, money, number, ordinal, phone, silence, spell, ssml, time, tone,
};
pub use queue::{Queue, QueueEvent, QueueOutcome, QueueTicket};
pub use recording::{Message, Recording, StoppedBy};
pub use retry::retry;
pub use transfer::Transfer;

/// What a script usually needs, in one `use`.
pub mod prelude {
    pub use crate::fetch::Request;
    pub use crate::{
        Answer, Ask, Call, CallError, Callback, Case, Contact, Date, Datetime, Disposition, Failure, Form, Gender,
        IntoPrompt, Landing, Menu, Message, Money, Noun, OrOperator, Pace, Plan, Prompt, QueueOutcome, Result,
        ResultCode, Summary, Survey, Talk, Ticket, TimeOfDay, Transfer, TransferOutcome, choose, counted, date,
        decimal, digits, duration, key, media, money, number, ordinal, phone, prompt, registration_number, retry,
        silence, spell, time, tone, words,
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

/// What a campaign's script exports, as wit-bindgen makes it; what it imports is in [`bindings`].
#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, clippy::pedantic, clippy::restriction)]
pub mod campaign_bindings {
    wit_bindgen::generate!({
        path: "../../wit/v0.1.0",
        world: "campaign-script",
        pub_export_macro: true,
        default_bindings_module: "gudok_sdk::campaign_bindings",
        runtime_path: "::gudok_sdk::rt::bindgen",
        additional_derives: [PartialEq],
        with: {
            "gudok:ivr/types@0.1.0": crate::bindings::gudok::ivr::types,
            "gudok:ivr/prompts@0.1.0": crate::bindings::gudok::ivr::prompts,
            "gudok:ivr/input@0.1.0": crate::bindings::gudok::ivr::input,
            "gudok:ivr/telephony@0.1.0": crate::bindings::gudok::ivr::telephony,
            "gudok:ivr/recording@0.1.0": crate::bindings::gudok::ivr::recording,
            "gudok:ivr/transfer@0.1.0": crate::bindings::gudok::ivr::transfer,
            "gudok:ivr/queues@0.1.0": crate::bindings::gudok::ivr::queues,
            "gudok:ivr/directory@0.1.0": crate::bindings::gudok::ivr::directory,
            "gudok:ivr/promises@0.1.0": crate::bindings::gudok::ivr::promises,
            "gudok:ivr/storage@0.1.0": crate::bindings::gudok::ivr::storage,
            "gudok:ivr/fetch@0.1.0": crate::bindings::gudok::ivr::fetch,
            "gudok:ivr/secrets@0.1.0": crate::bindings::gudok::ivr::secrets,
            "gudok:ivr/secrets-reveal@0.1.0": crate::bindings::gudok::ivr::secrets_reveal,
            "gudok:ivr/host@0.1.0": crate::bindings::gudok::ivr::host,
        },
    });
}

/// What the macros of this crate stand on; not for scripts.
#[doc(hidden)]
pub mod rt {
    pub use wit_bindgen::rt as bindgen;

    use crate::bindings::gudok::ivr::telephony;
    use crate::{Contact, Disposition, Failure, Plan, Summary};

    /// Runs a script's function on a call that the host handed over.
    pub fn run<E: Into<Failure>>(
        call: telephony::Call,
        script: fn(&crate::Call) -> core::result::Result<Summary, E>,
    ) -> crate::Result<Summary> {
        tell_of_panics();
        script(&crate::Call::new(call)).or_else(|error| error.into().told_to_host())
    }

    /// Asks a campaign's script about a contact.
    pub fn prepare(contact: &Contact, script: fn(&Contact) -> Plan) -> Plan {
        tell_of_panics();
        script(contact)
    }

    /// Runs a campaign's script on a call that the host handed over.
    pub fn inform(
        call: telephony::Call,
        contact: &Contact,
        script: fn(&crate::Call, &Contact) -> crate::Result<Disposition>,
    ) -> crate::Result<Disposition> {
        tell_of_panics();
        script(&crate::Call::new(call), contact)
    }

    fn tell_of_panics() {
        std::panic::set_hook(Box::new(|panic| crate::host::error(&panic.to_string())));
    }
}

/// Names the function that serves a call: `fn run(call: &Call) -> Result<Summary>`, or `-> Talk<Summary>`. Once per crate.
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

/// Names the functions of a campaign: `fn prepare(contact: &Contact) -> Plan`, asked before dialling, and
/// `fn run(call: &Call, contact: &Contact) -> Result<Disposition>`, which talks to who answers. Once per crate.
#[macro_export]
macro_rules! campaign {
    ($prepare:path, $run:path) => {
        #[doc(hidden)]
        #[allow(unreachable_pub)]
        pub struct GudokCampaign;

        impl $crate::campaign_bindings::exports::gudok::ivr::campaign::Guest for GudokCampaign {
            fn prepare(contact: $crate::Contact) -> $crate::Plan {
                $crate::rt::prepare(&contact, $prepare)
            }

            fn run(
                call: $crate::bindings::gudok::ivr::telephony::Call,
                contact: $crate::Contact,
            ) -> ::core::result::Result<$crate::Disposition, $crate::CallError> {
                $crate::rt::inform(call, &contact, $run)
            }
        }

        // A shared library of this machine could not even have symbols of these names.
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
    $crate::campaign_bindings::export!(GudokCampaign with_types_in $crate::campaign_bindings);
        };
    };
}
