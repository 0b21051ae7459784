//! The real clock and the real dice.

use super::{BoxFuture, Clock, LocalTime, Random};
use gudok_core::ids::Agency;
use gudok_core::time::Timestamp;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The machine's clock. Sleeps on tokio's timer, which a test may pause.
#[derive(Clone, Debug)]
pub struct SystemClock {
    zone: jiff::tz::TimeZone,
    agency_zones: BTreeMap<Agency, jiff::tz::TimeZone>,
}

impl SystemClock {
    /// With the centre's time zone, and those of agencies elsewhere.
    #[must_use]
    pub const fn new(zone: jiff::tz::TimeZone, agency_zones: BTreeMap<Agency, jiff::tz::TimeZone>) -> Self {
        Self { zone, agency_zones }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX))
    }

    fn local(&self, agency: &Agency, at: Timestamp) -> LocalTime {
        let zone = self.agency_zones.get(agency).unwrap_or(&self.zone).clone();
        let micros = i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
        let moment = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX).to_zoned(zone);
        LocalTime {
            year: moment.year().unsigned_abs(),
            month: moment.month().unsigned_abs(),
            day: moment.day().unsigned_abs(),
            hour: moment.hour().unsigned_abs(),
            minute: moment.minute().unsigned_abs(),
            // Offsets lie within ±26 hours.
            utc_offset_minutes: i16::try_from(moment.offset().seconds() / 60).unwrap_or(0),
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The system's random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn next_u64(&self) -> u64 {
        rand::random()
    }
}
