//! The agency's booking system over HTTP: free times, a time held for this caller, confirmed or given back.
//!
//! A time that is held is given back when the [`Hold`] is dropped, whichever way the script leaves: by a key, an error, or
//! the caller's hanging up. Where even that fails, the back end lets it go by itself after a while.

use core::time::Duration;
use gudok_sdk::fetch::Response;
use gudok_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// The secret whose text is the whole Authorization header.
const SECRET: &str = "back-end";
/// A caller takes longer silence for a dropped call.
const PATIENCE: Duration = Duration::from_secs(4);
/// After the end of a call there are about two seconds.
const RELEASE_PATIENCE: Duration = Duration::from_millis(1_500);
/// A confirmation without an answer is asked for again: the back end answers the same to the same.
const CONFIRMATIONS_MAX: u32 = 3;

/// A free time.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Slot {
    id: String,
    pub(crate) date: Date,
    pub(crate) time: TimeOfDay,
}

#[derive(Deserialize)]
struct SlotsAnswer {
    slots: Vec<SlotRow>,
}

#[derive(Deserialize)]
struct SlotRow {
    id: String,
    date: String,
    time: String,
}

/// The free times of an office for a service, the earliest first.
pub(crate) fn slots(call: &Call, office: &str, service: &str) -> Result<Vec<Slot>> {
    #[derive(Serialize)]
    struct Asked<'a> {
        office: &'a str,
        service: &'a str,
        /// From the day after.
        today: String,
    }
    let today = gudok_sdk::host::now().date;
    let today = format!("{:04}-{:02}-{:02}", today.year, today.month, today.day);
    let answer: SlotsAnswer = request("slots", &Asked { office, service, today })?
        .timeout(PATIENCE)
        .send_while(call, words!(call, "ru" => ["Минуту, смотрю свободное время."], "en" => ["One moment, please."]))?
        .success()?
        .json()?;
    let slot = |row: SlotRow| {
        let (date, time) = (Date::parse(&row.date), TimeOfDay::parse(&row.time));
        date.zip(time).map(|(date, time)| Slot { id: row.id, date, time })
    };
    answer
        .slots
        .into_iter()
        .map(slot)
        .collect::<Option<_>>()
        .ok_or_else(|| CallError::Unavailable("the back end answered a time that is none".to_owned()))
}

/// A time that nobody else gets meanwhile.
pub(crate) struct Hold {
    id: String,
    /// Confirmed, or confirmed perhaps: not to be given back.
    settled: bool,
}

#[derive(Serialize)]
struct HoldOrder<'a> {
    hold: &'a str,
}

impl Hold {
    /// Holds it for this caller; none where somebody has taken it meanwhile.
    pub(crate) fn take(call: &Call, slot: &Slot) -> Result<Option<Self>> {
        #[derive(Serialize)]
        struct Wanted<'a> {
            slot: &'a str,
        }
        #[derive(Deserialize)]
        struct Held {
            hold: String,
        }
        // The same wish of the same call is the same hold, should the answer get lost.
        let response = request("holds", &Wanted { slot: &slot.id })?
            .idempotency_key(call.promise_key(&slot.id))
            .timeout(PATIENCE)
            .send()?;
        if response.status == 409 {
            return Ok(None);
        }
        let held: Held = response.success()?.json()?;
        Ok(Some(Self { id: held.hold, settled: false }))
    }

    /// Books it, and answers the code; none where it was held for too long.
    pub(crate) fn confirm(mut self) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct Booked {
            code: String,
        }
        // From here on nobody knows but the back end, until it answers.
        self.settled = true;
        let mut last = CallError::Timeout;
        for _ in 0..CONFIRMATIONS_MAX {
            match self.send("confirm", PATIENCE) {
                Ok(response) if response.status == 410 => return Ok(None),
                Ok(response) if response.status < 500 => {
                    let booked: Booked = response.success()?.json()?;
                    return Ok(Some(booked.code));
                }
                Ok(response) => last = CallError::Unavailable(format!("status {}", response.status)),
                Err(error) if error.is_end() => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn send(&self, what: &str, patience: Duration) -> Result<Response> {
        request(what, &HoldOrder { hold: &self.id })?.idempotency_key(&self.id).timeout(patience).send()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let released = self.send("release", RELEASE_PATIENCE).and_then(Response::success);
        if let Err(error) = released {
            gudok_sdk::warn!("a held time was not given back, the back end's own clock has to: {error}");
        }
    }
}

fn request(what: &str, body: &impl Serialize) -> Result<Request> {
    Request::post(format!("{}/mfc/{what}", gudok_sdk::host::config_required("back_end")?), body)?.secret(SECRET)
}
