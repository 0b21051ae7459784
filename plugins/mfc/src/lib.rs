//! The public service centres (MFC): addresses and hours by municipality, and appointments.
//!
//! Entry `booking` begins with the appointment, any other with the information. What the centre's directory knows of an
//! office is told from there; for what it does not know, `data/offices.json` holds the offices, and `data/services.json`
//! what one can make an appointment for: whoever keeps them needs no programmer.

mod booking;
mod desk;
mod hold;
mod offices;

use gudok_sdk::prelude::*;
use offices::Directory;

gudok_sdk::service!(run);

const OFFICES: &str = "offices.json";
const TOPIC: &str = "mfc";

fn run(call: &Call) -> Result<Summary> {
    let directory = match Directory::read(&gudok_sdk::host::data_text(OFFICES)?) {
        Ok(directory) => directory,
        Err(fault) => {
            gudok_sdk::error!("data/{OFFICES}: {fault}");
            return Ok(Summary::no_service());
        }
    };
    call.speak_one_of(&gudok_desk::LANGUAGES)?;
    if call.info().entry == "booking" {
        return booking::run(call, &directory, None);
    }
    desk::run(call, &directory)
}
