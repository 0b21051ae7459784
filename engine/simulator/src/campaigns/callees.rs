//! Whom a campaign calls, by dice: what sort of number it is stays, what its person does is another thing each time.

use crate::dice::Dice;
use gudok_core::campaign::{AnsweredBy, Disposition};
use gudok_core::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Callees of a list, in thousandths. What is left of a list's numbers are people who answer, each time anew: or do not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Callees {
    /// Numbers that do not exist.
    pub no_such_number_permille: u16,
    /// Numbers of faxes.
    pub fax_permille: u16,
    /// People who ask never to be called again, as soon as they are reached.
    pub do_not_call_permille: u16,
    /// Of each call to another number: a machine answers.
    pub machine_permille: u16,
    /// It is busy.
    pub busy_permille: u16,
    /// It rings on.
    pub no_answer_permille: u16,
    /// It is refused.
    pub rejected_permille: u16,
    /// Of those who answer: they hang up before the script is done.
    pub hung_up_permille: u16,
    /// They ask to be called in two hours.
    pub later_permille: u16,
    /// They want an operator, where the campaign has some.
    pub operator_permille: u16,
    /// They listen, and confirm nothing.
    pub delivered_permille: u16,
}

impl Callees {
    /// Everybody answers and confirms.
    pub const WILLING: Self = Self {
        no_such_number_permille: 0,
        fax_permille: 0,
        do_not_call_permille: 0,
        machine_permille: 0,
        busy_permille: 0,
        no_answer_permille: 0,
        rejected_permille: 0,
        hung_up_permille: 0,
        later_permille: 0,
        operator_permille: 0,
        delivered_permille: 0,
    };

    /// As lists are: one number in thirty is dead, of the calls to the others half are answered by people.
    pub const USUAL: Self = Self {
        no_such_number_permille: 30,
        fax_permille: 5,
        do_not_call_permille: 10,
        machine_permille: 150,
        busy_permille: 80,
        no_answer_permille: 220,
        rejected_permille: 50,
        hung_up_permille: 150,
        later_permille: 20,
        operator_permille: 0,
        delivered_permille: 200,
    };
}

/// What comes of one call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Meeting {
    /// Until it is answered, or refused.
    pub(crate) rings: Duration,
    /// None where nobody answered.
    pub(crate) answered_by: Option<AnsweredBy>,
    /// From the answer to the end, or to the wish for an operator.
    pub(crate) talks: Duration,
    /// Only where there are operators.
    pub(crate) wants_operator: bool,
    pub(crate) disposition: Disposition,
    pub(crate) status: Option<u16>,
}

/// From dialling to a refusal.
const REFUSED_AFTER: Duration = Duration::from_millis(300);
const ASKED_FOR_LATER: Duration = Duration::from_hours(2);

impl Callees {
    /// What comes of calling that number this time.
    pub(crate) fn meet(
        &self,
        world: u64,
        number: u32,
        ring_max: Duration,
        wall: Timestamp,
        dice: &mut Dice,
    ) -> Meeting {
        let nobody = |rings, disposition, status| Meeting {
            rings,
            answered_by: None,
            talks: Duration::ZERO,
            wants_operator: false,
            disposition,
            status,
        };
        let nature = permille(&mut Dice::new(world ^ u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        let dead = self.no_such_number_permille;
        let fax = dead + self.fax_permille;
        let unwilling = fax + self.do_not_call_permille;
        if nature < dead {
            return nobody(REFUSED_AFTER, Disposition::NoSuchNumber, Some(404));
        }
        let rings = Duration::from_secs(2).saturating_add(dice.up_to(Duration::from_secs(15))).min(ring_max);
        let by = |who, talks, disposition| Meeting {
            rings,
            answered_by: Some(who),
            talks,
            wants_operator: false,
            disposition,
            status: Some(200),
        };
        if nature < fax {
            return by(AnsweredBy::Fax, Duration::from_secs(3), Disposition::Fax);
        }
        let mut today = permille(dice);
        let mut falls = |share: u16| {
            let hit = today < share;
            today = today.wrapping_sub(share);
            hit
        };
        if falls(self.machine_permille) {
            return by(AnsweredBy::Machine, Duration::from_secs(20), Disposition::Voicemail);
        }
        if falls(self.busy_permille) {
            return nobody(REFUSED_AFTER, Disposition::Busy, Some(486));
        }
        if falls(self.no_answer_permille) {
            return nobody(ring_max, Disposition::NoAnswer, None);
        }
        if falls(self.rejected_permille) {
            return nobody(rings, Disposition::Rejected, Some(603));
        }
        let talks = Duration::from_secs(8).saturating_add(dice.up_to(Duration::from_secs(25)));
        if nature < unwilling {
            return by(AnsweredBy::Human, talks, Disposition::DoNotCall);
        }
        self.talk(by(AnsweredBy::Human, talks, Disposition::Confirmed(Arc::from("understood"))), wall, dice)
    }

    fn talk(&self, mut meeting: Meeting, wall: Timestamp, dice: &mut Dice) -> Meeting {
        let mut mood = permille(dice);
        let mut falls = |share: u16| {
            let hit = mood < share;
            mood = mood.wrapping_sub(share);
            hit
        };
        if falls(self.hung_up_permille) {
            meeting.talks = dice.up_to(Duration::from_secs(10));
            meeting.disposition = Disposition::HungUp;
        } else if falls(self.later_permille) {
            meeting.disposition = Disposition::RetryAt(wall + ASKED_FOR_LATER);
        } else if falls(self.operator_permille) {
            meeting.wants_operator = true;
        } else if falls(self.delivered_permille) {
            meeting.disposition = Disposition::Delivered;
        }
        meeting
    }
}

fn permille(dice: &mut Dice) -> u16 {
    u16::try_from(dice.roll() % 1_000).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn callees_are_as_their_shares_say() {
        let mut dice = Dice::new(1);
        let mut came: BTreeMap<&str, u32> = BTreeMap::new();
        for number in 0..10_000 {
            let met = Callees::USUAL.meet(7, number, Duration::from_secs(25), Timestamp::from_millis(0), &mut dice);
            *came.entry(met.disposition.as_str()).or_default() += 1;
            assert!(met.answered_by.is_some() || met.talks.is_zero(), "{met:?}");
        }
        for (disposition, least, most) in [("no-such-number", 250, 350), ("machine", 0, 0), ("voicemail", 1_300, 1_600)]
        {
            let count = came.get(disposition).copied().unwrap_or_default();
            assert!((least..=most).contains(&count), "{disposition}: {count} in {came:?}");
        }
        // What sort of number it is stays.
        let dead = |number| {
            let mut dice = Dice::new(u64::from(number) + 99);
            let met = Callees::USUAL.meet(7, number, Duration::from_secs(25), Timestamp::from_millis(0), &mut dice);
            met.disposition == Disposition::NoSuchNumber
        };
        assert_eq!((0..10_000).filter(|number| dead(*number)).count(), came["no-such-number"] as usize);
    }
}
