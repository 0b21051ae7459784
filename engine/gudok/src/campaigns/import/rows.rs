//! A row to a contact.

use super::number::{self, Number};
use super::table::Row;
use super::{Bad, Prefixes};
use crate::campaigns::parse_zone;
use crate::keys::{ClearContact, Subjects};
use gudok_core::routing::NumberPlan;
use gudok_store::limits::CONTACT_TEXT_BYTES_MAX;
use gudok_store::{NewContact, NumberKey};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Zones that rows name: more different ones than the time-zone database has names.
const ZONES_MAX: usize = 4_096;

/// What rows are read by.
pub(super) struct Rules {
    /// How numbers are written here.
    pub(super) plan: NumberPlan,
    /// Where numbers are.
    pub(super) prefixes: Arc<Prefixes>,
    /// Where numbers of this country are that no prefix fits.
    pub(super) zone: Arc<str>,
    /// The campaign's own windows, by name.
    pub(super) windows: Vec<String>,
    /// Makes keys of numbers, and seals.
    pub(super) subjects: Subjects,
}

/// Makes contacts of rows.
pub(super) struct Taker {
    rules: Rules,
    /// The numbers so far.
    seen: HashSet<u128>,
    /// Zones that rows named: whether they are there.
    zones: HashMap<String, bool>,
}

impl Taker {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, seen: HashSet::new(), zones: HashMap::new() }
    }

    /// The number of a row, and its key: the first of its kind in the list.
    ///
    /// # Errors
    /// Where it is none that can be dialled, or the list has it already.
    pub(super) fn number(&mut self, row: &Row) -> Result<(Number, NumberKey), Bad> {
        let read = number::read(&self.rules.plan, &row.number)?;
        let key = self.rules.subjects.number_key(&read.number).ok_or_else(|| {
            let remedy = "Bring the store's folder back; the node's key is in it.";
            Bad::new("", "no-key", "The engine runs without its node's key.", remedy)
        })?;
        if !self.seen.insert(key.0) {
            let remedy = "Nothing is to be done: a person is called once.";
            return Err(Bad::new("number", "duplicate-in-file", "The list has this number already.", remedy));
        }
        Ok((read, key))
    }

    /// The contact of a row.
    ///
    /// # Errors
    /// What is wrong with it. A number whose row is bad otherwise may come again.
    pub(super) fn contact(&mut self, line: u64, row: Row) -> Result<NewContact, Bad> {
        let (number, key) = self.number(&row)?;
        let contact = self.rest(line, row, number, key);
        if contact.is_err() {
            self.seen.remove(&key.0);
        }
        contact
    }

    fn rest(&mut self, line: u64, row: Row, number: Number, key: NumberKey) -> Result<NewContact, Bad> {
        for (column, text) in [("id", &row.id), ("zone", &row.zone), ("area", &row.area)] {
            if text.len() > CONTACT_TEXT_BYTES_MAX {
                let problem = format!("The text has more than {CONTACT_TEXT_BYTES_MAX} bytes.");
                return Err(Bad::new(column, "text-long", problem, "Shorten it."));
            }
        }
        let zone = self.zone(&row, &number)?;
        let window = self.window(&row.window)?;
        if !row.lang.is_empty() && !is_tag(&row.lang) {
            let problem = "This is no language's tag.";
            return Err(Bad::new("lang", "lang-unknown", problem, "Write ru, en, or another BCP 47 tag."));
        }
        let masked = number.number.masked();
        let fields = row.fields.into_iter().map(|(name, cell)| (name.to_string(), cell)).collect();
        let sealed = self.rules.subjects.seal_contact(&ClearContact { number: number.number, fields });
        let sealed = sealed.ok_or_else(|| {
            let problem = "The row has more than the store keeps of a contact.";
            Bad::new("", "row-long", problem, "Leave columns out that the script does not need.")
        })?;
        let some = |text: String| (!text.is_empty()).then_some(text);
        let id = some(row.id).unwrap_or_else(|| line.to_string());
        Ok(NewContact { id, number: key, sealed, masked, zone, window, lang: some(row.lang), area: some(row.area) })
    }

    /// The row's own zone; else that of the number's prefix; else, in this country, the one that is configured.
    fn zone(&mut self, row: &Row, number: &Number) -> Result<String, Bad> {
        if !row.zone.is_empty() {
            let known = self.zones.get(&row.zone).copied().unwrap_or_else(|| {
                let known = parse_zone(&row.zone).is_some();
                if self.zones.len() < ZONES_MAX {
                    self.zones.insert(row.zone.clone(), known);
                }
                known
            });
            return if known {
                Ok(row.zone.clone())
            } else {
                let remedy = "Write a name of the time-zone database, such as Asia/Omsk, or leave the cell empty.";
                Err(Bad::new("zone", "zone-unknown", "There is no such time zone.", remedy))
            };
        }
        match self.rules.prefixes.zone(number.number.reveal()) {
            Some(zone) => Ok(zone.to_string()),
            None if number.foreign => {
                let problem = "The number is of another country, and nobody knows what time it is there.";
                Err(Bad::new(
                    "number",
                    "number-foreign",
                    problem,
                    "Give the row a zone, or add the prefix to the table of zones.",
                ))
            }
            None => Ok(self.rules.zone.to_string()),
        }
    }

    fn window(&self, name: &str) -> Result<Option<u8>, Bad> {
        if name.is_empty() {
            return Ok(None);
        }
        let name = name.to_lowercase();
        let place = self.rules.windows.iter().position(|known| known.to_lowercase() == name);
        let place = place.and_then(|place| u8::try_from(place).ok());
        place.map(Some).ok_or_else(|| {
            let remedy = "Add it to the campaign's windows, or leave the cell empty.";
            Bad::new("window", "window-unknown", "The campaign has no such window.", remedy)
        })
    }
}

/// Whether it has the form of a BCP 47 tag.
fn is_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let is_part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_alphanumeric());
    (2..=8).contains(&first.len()) && first.bytes().all(|c| c.is_ascii_alphabetic()) && parts.all(is_part)
}
