//! The zones that contacts are in, by name and by the machine's number.

use gudok_core::campaign::{ZoneNo, ZoneRule};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::Arc;

/// Between the zones of a number whose region is not known.
const BETWEEN: char = '&';
/// Different zones and sets of zones; the time-zone database has fewer than 600 names.
const ZONES_MAX: usize = 10_000;

/// What `name` stands for: one zone, or several joined by `&`, in all of which a window must be open. None where one of
/// them is not in the time-zone database.
pub(crate) fn parse(name: &str) -> Option<Vec<TimeZone>> {
    name.split(BETWEEN).map(|part| TimeZone::get(part.trim()).ok()).collect()
}

/// Numbers for zones, in the order in which they were met; a number stays for as long as the process lives.
#[derive(Debug, Default)]
pub(super) struct Zones {
    by_name: HashMap<Arc<str>, ZoneNo>,
    rules: Vec<ZoneRule>,
}

impl Zones {
    /// Stands for zones that the time-zone database does not have: nobody there is called.
    const UNKNOWN: ZoneNo = ZoneNo(u16::MAX);

    /// The number of a zone. Whether it is a new one, so that the machine must be told.
    pub(super) fn no(&mut self, name: &str) -> (ZoneNo, bool) {
        if let Some(no) = self.by_name.get(name) {
            return (*no, false);
        }
        let zones = parse(name).filter(|_| self.rules.len() < ZONES_MAX);
        let (Some(zones), Ok(next)) = (zones, u16::try_from(self.rules.len())) else {
            tracing::error!(
                zone = name,
                "a contact's time zone is not in the time-zone database: its contacts are not called"
            );
            self.by_name.insert(Arc::from(name), Self::UNKNOWN);
            return (Self::UNKNOWN, false);
        };
        let name: Arc<str> = Arc::from(name);
        self.rules.push(ZoneRule { name: Arc::clone(&name), zones });
        self.by_name.insert(name, ZoneNo(next));
        (ZoneNo(next), true)
    }

    pub(super) fn name(&self, no: ZoneNo) -> Option<&Arc<str>> {
        Some(&self.rules.get(usize::from(no.0))?.name)
    }

    pub(super) fn rules(&self) -> Vec<ZoneRule> {
        self.rules.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_keeps_its_number_and_an_unknown_one_has_none() {
        let mut zones = Zones::default();
        assert_eq!(zones.no("Asia/Omsk"), (ZoneNo(0), true));
        assert_eq!(zones.no("Asia/Omsk&Europe/Samara"), (ZoneNo(1), true));
        assert_eq!(zones.no("Asia/Omsk"), (ZoneNo(0), false));
        assert_eq!(zones.no("Asia/Nowhere"), (Zones::UNKNOWN, false));
        assert_eq!(zones.no("Asia/Omsk&Asia/Nowhere"), (Zones::UNKNOWN, false));
        assert_eq!(zones.rules()[1].zones.len(), 2);
        assert_eq!(zones.name(ZoneNo(1)).map(|name| &**name), Some("Asia/Omsk&Europe/Samara"));
        assert_eq!(zones.name(Zones::UNKNOWN), None);
    }
}
