//! Auto-informing campaigns: whom to call, when, how often, and what came of it.
//!
//! One machine holds every campaign of the engine, so that what they share is counted in one place: trunks, the engine's
//! share, people's numbers. It knows a contact by its place in the list and a number by its key; names, numbers and
//! fields stay in the store, and are fetched when the contact's turn has come.
//!
//! A contact's turn runs so: [`CampaignCommand::Prepare`] (the contact is fetched and its script asked), then the claim
//! is saved, then the attempt waits for its slot, then [`CampaignCommand::Dial`]; its end is saved. So whatever a crash
//! leaves tells whether somebody may have been rung.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `settings` | what people decide: campaigns, windows, pace, retries |
//! | `contact` | contacts, attempts, dispositions |
//! | `call` | a campaign's call: with what it begins, what it says of itself |
//! | `face` | what the machine is told, and what it says |
//! | `figures`, `views`, `forecast` | what people see of a campaign; the dry run and the estimate of the end |
//! | `machine` | what the machine is told, and in which order what follows |
//! | `work`, `rows`, `turns` | one campaign; its contacts, packed; whose turn it is |
//! | `life` | put, loaded, started, held, finished, removed; what people decide |
//! | `dialling` | from a contact's turn to its call: asked about, claimed, dialled; or let go |
//! | `ending`, `retry` | how attempts end; whether and when somebody is tried again |
//! | `windows` | when somebody may be called, in the contact's own zones |
//! | `pace` | never more calls begun in any second than may be, however the clock is set |
//! | `shares`, `operators`, `opt_outs` | what campaigns share: trunks, operators, telephones, and who wants no call |
//! | `saves` | what is being written down, and what has to be written down again |
//! | `contract` | what the machine promises, as a checker from outside |

mod call;
mod contact;
pub mod contract;
mod dialling;
mod dice;
mod ending;
mod face;
mod figures;
mod forecast;
mod life;
mod machine;
mod operators;
mod opt_outs;
mod pace;
mod retry;
mod rows;
mod saves;
mod settings;
mod shares;
mod turns;
mod views;
mod windows;
mod work;

#[cfg(test)]
mod tests;

pub use call::{CampaignCall, CampaignContact, CampaignReport, Heard, Listen};
pub use contact::{
    AnsweredBy, AttemptEnd, AttemptId, AttemptRecord, ContactNo, ContactSeed, ContactState, Disposition, NumberKey,
    OptOut, OptOutScope, Plan, Spent,
};
pub use face::{
    AttemptStart, CampaignCommand, CampaignInput, CampaignOrder, CampaignRefusal, CampaignSave, ContactDecision, Load,
    PrepareFailure, QueueLoad, SaveId,
};
pub use figures::{
    ByDisposition, ContactStage, ContactView, Figures, Forecast, ForecastAssumptions, ForecastHour, LiveCalls,
    NeverCalled, WhyIdle,
};
pub use machine::CampaignMachine;
pub use settings::{
    CallWindow, CampaignMode, CampaignSettings, CampaignsSettings, OnMachine, Pace, Retries, RetryRule, RunState,
    TrunkShare, UnknownRule, Urgency, ZoneNo, ZoneRule,
};
