//! From draft to finished.

use super::*;

#[test]
fn everybody_is_called_once_and_the_report_sums_up() {
    let mut rig = Rig::running(campaign(), 50, noon());
    rig.end_all(&Disposition::Delivered, MINUTE);
    let mut dialled = rig.dialled();
    dialled.sort_unstable();
    assert_eq!(dialled, (0..50).collect::<Vec<_>>());
    let figures = rig.figures();
    assert_eq!((figures.run, figures.done, figures.attempts), (RunState::Finished, 50, 50));
    assert_eq!(figures.dispositions[0], 50);
    assert_eq!(figures.why_idle, Some(WhyIdle::Finished));
    assert!(rig.attempts.values().all(|record| record.ended.is_some() && record.dialled.is_some()));
    assert_eq!(rig.runs.last().unwrap().1, RunState::Finished);
}
