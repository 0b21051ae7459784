//! A reminder of a tax debt. Whoever takes the call hears who calls, and nothing more: the debt is for the ear of the one
//! who knows the year of birth, or the last digits of the taxpayer's number. 2 repeats, 0 leads to an operator, 9 ends
//! such calls for good, after a second question.
//!
//! Columns of the list: `debt` in rubles ("1234,56"), `due` (the last day to pay); `birth_year` or `inn_tail` (the last
//! four digits of the taxpayer's number), one of them at least; where wanted, `tax` (its name in the nominative: "транспортный
//! налог") and `remind_from` (a day before which nobody is called).
//!
//! - `prepare`: the list is looked at, and who owes nothing is not called
//! - `talk`: from the greeting to the goodbye
//! - `debt`: what is owed and by when, in words

mod debt;
mod prepare;
mod talk;

use gudok_sdk::prelude::*;

gudok_sdk::campaign!(prepare, run);

/// What the operator sees, and what the author's log says.
const TOPIC: &str = "tax";

fn prepare(contact: &Contact) -> Plan {
    prepare::plan(contact, &gudok_sdk::host::now())
}

fn run(call: &Call, contact: &Contact) -> Result<Disposition> {
    call.speak_one_of(&gudok_desk::LANGUAGES)?;
    if call.is_on_machine() {
        return talk::on_machine(call);
    }
    talk::talk(call, contact)
}
