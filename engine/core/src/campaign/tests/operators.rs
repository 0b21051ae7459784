//! Progressive dialling: no more telephones than operators will be free for.

use super::*;
use crate::ids::Queue;

fn with_operators(tenths: u16, permille: u16) -> CampaignSettings {
    let mode = CampaignMode::Operators {
        queue: Queue::new("main"),
        abandoned_permille_max: permille,
        lines_per_operator_tenths_max: tenths,
    };
    let mut settings = CampaignSettings { mode, ..campaign() };
    settings.pace.calls_max = 100;
    settings
}

fn load(ready: u32, waiting: u32) -> CampaignInput {
    let queue = QueueLoad { queue: Queue::new("main"), open: true, ready, waiting };
    CampaignInput::Load(Load { queues: vec![queue], ..Load::default() })
}

#[test]
fn one_line_for_one_operator_whom_nobody_waits_for() {
    let mut rig = Rig::running(with_operators(10, 30), 50, noon());
    rig.pass(MINUTE);
    assert_eq!((rig.dials.len(), rig.why()), (0, Some(WhyIdle::QueueClosed)));
    rig.feed(load(5, 2));
    rig.pass(MINUTE);
    assert_eq!((rig.dials.len(), rig.why()), (3, Some(WhyIdle::NoOperators)));
    // One is with an operator: the load that was said before counts that one still.
    let first = rig.dials[0].1.attempt.clone();
    rig.feed(CampaignInput::Answered(first.clone()));
    rig.feed(CampaignInput::Connected(first.clone()));
    rig.pass(MINUTE);
    assert_eq!(rig.dials.len(), 3);
    rig.feed(load(4, 2));
    rig.pass(MINUTE);
    assert_eq!(rig.dials.len(), 3);
    rig.feed(load(5, 2));
    rig.pass(MINUTE);
    assert_eq!(rig.dials.len(), 4);
    assert_eq!(rig.figures().calls, LiveCalls { ringing: 3, answered: 0, connected: 1 });
}

#[test]
fn more_lines_only_once_the_rate_bears_it_and_none_when_it_does_not() {
    let mut rig = Rig::running(with_operators(20, 100), 400, noon());
    let mut ended = 0;
    // Four operators take four; whoever else answers at once is lost.
    let mut answer = |rig: &mut Rig, lost_from: usize| {
        for nth in 0..rig.dials.len() - ended {
            let attempt = rig.dials[ended].1.attempt.clone();
            ended += 1;
            let lost = nth >= lost_from;
            rig.end(&attempt, if lost { Disposition::Abandoned } else { Disposition::Delivered });
        }
    };
    rig.feed(load(4, 0));
    rig.pass(SECOND * 10);
    assert_eq!(rig.dials.len(), 4, "nothing is known yet: one an operator");
    for _ in 0..30 {
        answer(&mut rig, usize::MAX);
        rig.pass(SECOND * 5);
    }
    let lines = rig.figures().calls.ringing;
    assert_eq!(lines, 8, "two an operator");
    let mut worst = 0;
    for _ in 0..40 {
        answer(&mut rig, 4);
        let permille = rig.figures().abandoned_permille.unwrap();
        worst = worst.max(permille);
        assert!(permille <= 100, "{permille}");
        rig.pass(SECOND * 5);
    }
    assert!(worst >= 80, "it goes as far as it may: {worst}");
}

#[test]
fn whoever_answered_and_is_gone_leaves_the_operator_free() {
    let mut rig = Rig::running(with_operators(10, 30), 50, noon());
    rig.feed(load(1, 0));
    rig.pass(SECOND * 5);
    let first = rig.dials[0].1.attempt.clone();
    rig.feed(CampaignInput::Answered(first.clone()));
    rig.end(&first, Disposition::HungUp);
    rig.pass(SECOND * 5);
    assert_eq!(rig.dials.len(), 2);
}
