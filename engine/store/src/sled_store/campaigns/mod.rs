//! Contacts, attempts and opt-outs as rows.
//!
//! A contact is two rows: who it is, which is large, sealed and written once, and where it stands, which is small and
//! written with each claim and each end. What an engine keeps of every contact is read from the second alone.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `rows` | the rows' keys |
//! | `code` | what is in the rows |
//! | `write` | what the writer does |
//! | `erase` | what the writer does when campaigns and persons go |
//! | `read` | pages |
//! | `backup` | lines of backups |

mod backup;
mod code;
mod erase;
mod read;
mod rows;
mod write;

pub(super) use self::backup::{AttemptLine, CampaignLine, ContactLine, Lines, OptOutLine, line};
pub(super) use self::erase::{contacts_of, erase_campaign, erase_persons};
pub(super) use self::read::{attempts, contact, contacts, opt_outs, seeds, size};
pub(super) use self::rows::{Place, TAGS, check_campaign};
pub(super) use self::write::{Add, Change, OptOutRows, add, opt_out_delete, opt_outs_put, write};
