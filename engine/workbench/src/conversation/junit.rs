//! What came of conversations, for a CI's page of tests: JUnit's XML.

use super::report::{Colours, outcomes};
use super::run::Outcome;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// One suite a file, one case a conversation. Times are the calls' own, so that the same run is the same file.
///
/// # Errors
/// Where a text cannot be written as XML.
pub fn junit(script: &str, all: &[Outcome]) -> anyhow::Result<String> {
    let mut suites: Vec<TestSuite> = Vec::new();
    for outcome in all {
        let mut status = TestCaseStatus::success();
        if let Some(departure) = outcome.departures.first() {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("expected {}, but {}", departure.expected, departure.came));
            status.set_type("departure");
            status.set_description(outcomes(std::slice::from_ref(outcome), false, Colours(false)));
        }
        let mut case = TestCase::new(outcome.title.as_str(), status);
        case.set_classname(outcome.file.as_str());
        case.set_time(Duration::from_millis(outcome.call_ms));
        match suites.iter_mut().find(|suite| suite.name.as_str() == outcome.file) {
            Some(suite) => drop(suite.add_test_case(case)),
            None => {
                let mut suite = TestSuite::new(outcome.file.as_str());
                suite.add_test_case(case);
                suites.push(suite);
            }
        }
    }
    // Whole, as the report counts what is in them when they come.
    let mut report = Report::new(script);
    report.add_test_suites(suites);
    Ok(report.to_string()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::run::Departure;

    #[test]
    fn a_failure_stands_in_it_with_its_reason() {
        let good = super::super::report::tests::outcome(Vec::new());
        let bad = super::super::report::tests::outcome(vec![Departure::new("a < b", "a > b")]);
        let xml = junit("passport", &[good, bad]).unwrap();
        assert!(xml.contains("<testsuites name=\"passport\" tests=\"2\" failures=\"1\""), "{xml}");
        assert!(xml.contains("expected a &lt; b, but a &gt; b"), "{xml}");
        assert!(xml.contains("name=\"tests/passport.talk\"") && xml.contains("time=\"12.340\""), "{xml}");
    }
}
