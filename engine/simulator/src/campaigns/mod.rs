//! Campaigns in a world of their own: the product's campaign machine with lists of up to millions, a store that fails,
//! trunks that answer 503, clocks that are set, and an engine that is killed, under checkers with rules of their own.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `world` | what there is, written down before it runs |
//! | `stage` | the world at work |
//! | `office` | the machine, the ledger, and the checkers between them and the world |
//! | `ledger` | what is durable |
//! | `checkers`, `windows`, `lines` | what must always hold, by rules of their own |
//! | `callees`, `desk` | whom campaigns call, and operators |
//! | [`samples`] | settings to begin with |

mod callees;
mod checkers;
mod desk;
mod ledger;
mod lines;
mod numbers;
mod office;
mod report;
pub mod samples;
mod stage;
mod trouble;
mod windows;
mod world;

pub(crate) use checkers::Moment;
pub(crate) use numbers::Number;
pub(crate) use office::{Errand, Office};

pub use callees::Callees;
pub use report::{CampaignOutcome, CampaignsReport, LineUse};
pub use trouble::CampaignTrouble;
pub use world::{CampaignWorld, Incident, SimCampaign, number_key, opt_out};
