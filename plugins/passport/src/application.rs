//! What the back end says of an application, and how it is told.

use gudok_sdk::prelude::*;
use serde::{Deserialize, Deserializer};

/// An application that the back end has verified.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub(crate) enum Application {
    /// The passport waits for its owner.
    Ready {
        #[serde(deserialize_with = "day")]
        since: Date,
    },
    /// Expected for a day.
    InWork {
        #[serde(deserialize_with = "day")]
        expected: Date,
    },
    /// Handed over.
    Issued {
        #[serde(deserialize_with = "day")]
        on: Date,
    },
}

impl Application {
    /// As the caller hears it. Private: no trace of it stays in the host's cache of sounds.
    pub(crate) fn told(self, english: bool) -> Prompt {
        let told = match (self, english) {
            (Self::Ready { since }, false) => {
                prompt!["Ваш паспорт готов. Его можно получить с", date(since).case(Case::Genitive), "."]
            }
            (Self::Ready { since }, true) => {
                prompt!["Your passport is ready. You can collect it since", date(since), "."]
            }
            (Self::InWork { expected }, false) => {
                prompt!["Ваш паспорт ещё не готов. Ожидаемый день готовности:", date(expected), "."]
            }
            (Self::InWork { expected }, true) => {
                prompt!["Your passport is not ready yet. It is expected on", date(expected), "."]
            }
            (Self::Issued { on }, false) => prompt!["Ваш паспорт выдан", date(on).case(Case::Genitive), "."],
            (Self::Issued { on }, true) => prompt!["Your passport was handed over on", date(on), "."],
        };
        told.private()
    }
}

/// "2026-05-05".
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> core::result::Result<Date, D::Error> {
    let text = String::deserialize(deserializer)?;
    Date::parse(&text).ok_or_else(|| serde::de::Error::custom("no day of the calendar"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use gudok_sdk::Segment;
    use gudok_sdk::fetch::Response;

    fn read(body: &str) -> Result<Application> {
        Response { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() }.json()
    }

    #[test]
    fn what_the_back_end_says_is_told_with_its_day() {
        for (body, says) in [
            ("{\"state\":\"ready\",\"since\":\"2026-05-05\"}", "Ваш паспорт готов. Его можно получить с"),
            (
                "{\"state\":\"in-work\",\"expected\":\"2026-05-05\"}",
                "Ваш паспорт ещё не готов. Ожидаемый день готовности:",
            ),
            ("{\"state\":\"issued\",\"on\":\"2026-05-05\"}", "Ваш паспорт выдан"),
        ] {
            let told = read(body).unwrap().told(false);
            assert!(!told.cacheable);
            let [Segment::Text(text), Segment::Date(date), Segment::Text(_)] = told.segments.as_slice() else {
                unreachable!("text, date, text")
            };
            assert_eq!(text, says);
            assert_eq!(date.value, Date::parse("2026-05-05").unwrap());
        }
    }

    #[test]
    fn what_is_not_an_application_is_a_fault_of_the_back_end() {
        for body in [
            "{}",
            "[]",
            "{\"state\":\"lost\"}",
            "{\"state\":\"ready\"}",
            "{\"state\":\"ready\",\"since\":\"tomorrow\"}",
            "{\"state\":\"ready\",\"since\":\"2026-02-30\"}",
        ] {
            assert!(matches!(read(body), Err(CallError::Unavailable(_))), "{body}");
        }
    }
}
