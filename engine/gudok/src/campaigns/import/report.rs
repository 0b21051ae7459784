//! What became of the rows.

use super::{Bad, PROBLEMS_MAX};
use gudok_admin::ports::{ContactsReport, RowProblem};

/// What duplicates are called.
pub(super) const IN_FILE: &str = "duplicate-in-file";
pub(super) const IN_CAMPAIGN: &str = "duplicate-in-campaign";

/// Counts a row that was not taken, and tells of it while there are few.
pub(super) fn note(report: &mut ContactsReport, line: u64, bad: Bad) {
    *report.kinds.entry(bad.kind.to_owned()).or_default() += 1;
    if matches!(bad.kind, IN_FILE | IN_CAMPAIGN) {
        report.duplicates += 1;
    } else {
        report.bad += 1;
    }
    if report.problems.len() < PROBLEMS_MAX {
        let Bad { column, kind, problem, remedy } = bad;
        report.problems.push(RowProblem { line, column, kind: kind.to_owned(), problem, remedy: remedy.to_owned() });
    }
}

/// A row whose number the campaign has.
pub(super) fn note_in_campaign(report: &mut ContactsReport, line: u64) {
    let remedy = "Nothing is to be done: a person is called once.";
    note(report, line, Bad::new("number", IN_CAMPAIGN, "The campaign has this number already.", remedy));
}

/// Problems in the order of their lines: the store's word about duplicates comes later than the reader's about the rest.
pub(super) fn finish(report: &mut ContactsReport) {
    report.problems.sort_by_key(|problem| problem.line);
}
