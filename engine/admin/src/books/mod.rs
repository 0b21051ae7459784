//! The centre's books as bytes: entries of the directory as documents and tables, reports as JSON and CSV. The rules are
//! the core's ([`gudok_core::directory`], [`gudok_core::report`]); here they are only read and written.

mod campaign;
mod directory;
mod report;
mod table;

pub use campaign::{BadCampaign, RETRIED, campaign_settings};
pub use directory::{BadEntry, DirectoryDocument};
pub use report::{
    CallbackView, CountsView, FunnelStepView, FunnelView, QueueView, ReportView, ScoresView, WaitClassView, row_of_cdr,
};
pub use table::{ImportProblem, ImportReport, Table, TableFormat, row_of_json, write_table};
