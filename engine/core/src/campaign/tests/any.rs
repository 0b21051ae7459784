//! What walks are walked under: any settings.

use super::*;
use crate::ids::Queue;

/// `SplitMix64`: small, and the same everywhere.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, sides: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(sides).unwrap()).unwrap()
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    pub(super) fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

/// Any rules.
pub(super) fn any_campaign(dice: &mut Dice, name: &str, now: Timestamp) -> CampaignSettings {
    let rule = |dice: &mut Dice| RetryRule {
        after: dice.pick(&[SECOND * 30, MINUTE * 10, HOUR * 3]),
        jitter: dice.pick(&[Duration::ZERO, MINUTE * 5]),
        attempts_max: dice.pick(&[1, 2, 4]),
    };
    let kinds = ["busy", "no-answer", "rejected", "hung-up", "machine", "script-failed", "delivered", "retry-at"];
    let mut settings = campaign();
    settings.name = Campaign::new(name);
    settings.agency = Agency::new(dice.pick(&["revenue", "rescue"]));
    settings.urgency = dice.pick(&[
        Urgency::Ordinary,
        Urgency::Ordinary,
        Urgency::Ordinary,
        Urgency::Emergency { over_opt_outs: false },
        Urgency::Emergency { over_opt_outs: true },
    ]);
    settings.mode = dice.pick(&[
        CampaignMode::Agentless,
        CampaignMode::Agentless,
        CampaignMode::Operators {
            queue: Queue::new("main"),
            abandoned_permille_max: 30,
            lines_per_operator_tenths_max: 15,
        },
        CampaignMode::Operators {
            queue: Queue::new("main"),
            abandoned_permille_max: 900,
            lines_per_operator_tenths_max: 20,
        },
    ]);
    settings.priority = dice.pick(&[1, 5, 5]);
    settings.window = dice.pick(&[window(9, 21), window(9, 21), window(10, 11), window(0, 24)]);
    settings.windows = dice.pick(&[vec![], vec![window(8, 20)]]);
    settings.pace = Pace { calls_per_s_max: dice.pick(&[1, 3, 10]), calls_max: dice.pick(&[1, 3, 20]) };
    settings.trunk = Trunk::new(dice.pick(&["city", "city", "other"]));
    settings.retries = Retries {
        attempts_max: dice.pick(&[1, 3, 6]),
        attempts_per_day_max: dice.pick(&[1, 2, 5]),
        rules: kinds.into_iter().map(|kind| (kind, rule(dice))).collect(),
    };
    settings.unknown =
        dice.pick(&[UnknownRule::Ask, UnknownRule::Ask, UnknownRule::TakeForMade, UnknownRule::TakeForUnanswered]);
    settings.confirm = dice.chance(2);
    settings.starts = dice.chance(8).then(|| now + HOUR);
    settings.deadline = dice.chance(8).then(|| now + HOUR * 5);
    settings.script_failures_max = dice.pick(&[0, 2, 5]);
    settings
}

/// Where clocks are changed.
pub(super) fn with_berlin(mut shared: CampaignsSettings) -> CampaignsSettings {
    shared.zones.push(ZoneRule { name: Arc::from("Berlin"), zones: vec![TimeZone::get("Europe/Berlin").unwrap()] });
    shared
}

/// Any limits.
pub(super) fn any_shared(dice: &mut Dice) -> CampaignsSettings {
    let mut shared = with_berlin(shared());
    let share = |dice: &mut Dice| TrunkShare {
        calls_max: dice.pick(&[1, 4, 30]),
        calls_per_s_max: dice.pick(&[1, 2, 20]),
        rest_after_failure: dice.pick(&[SECOND, SECOND * 10]),
    };
    shared.trunks.insert(trunk(), share(dice));
    if dice.chance(2) {
        shared.trunks.insert(Trunk::new("other"), share(dice));
    }
    shared.calls_max = dice.pick(&[2, 10, 40]);
    shared.calls_per_s_max = dice.pick(&[1, 5, 30]);
    shared.attempts_per_number_per_day_max = dice.pick(&[0, 0, 2]);
    shared
}
