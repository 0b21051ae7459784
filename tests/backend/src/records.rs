//! The rows that the sample back end knows. All of them are made up.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

/// Application, check digits, state, the state's field, its day.
const PASSPORTS: [(&str, &str, &str, &str, &str); 3] = [
    ("12345678", "1234", "ready", "since", "2026-05-05"),
    ("23456789", "2345", "in-work", "expected", "2026-12-01"),
    ("34567890", "3456", "issued", "on", "2026-04-21"),
];

/// Application, birthday, place.
const PLACES: [(&str, &str, u32); 3] =
    [("123456", "2023-05-05", 21), ("234567", "2022-09-01", 1), ("345678", "2021-03-08", 113)];

/// Office, people who wait there.
const WAITING: [(&str, u32); 3] = [("kemerovo", 21), ("novokuznetsk", 4), ("yurga", 0)];

#[derive(Deserialize)]
pub(crate) struct PassportInquiry {
    application: String,
    check: String,
}

#[derive(Deserialize)]
pub(crate) struct KindergartenInquiry {
    application: String,
    born: String,
}

/// How many people wait in an office. It is on a screen in its hall: whoever asks is told.
pub(crate) async fn waiting(Path(office): Path<String>) -> Response {
    match WAITING.iter().find(|(id, _)| *id == office) {
        Some((_, people)) => Json(json!({ "waiting": people })).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A wrong number and wrong check digits look the same from outside.
pub(crate) async fn passport(Json(inquiry): Json<PassportInquiry>) -> Response {
    let row = PASSPORTS.iter().find(|row| row.0 == inquiry.application && row.1 == inquiry.check);
    tracing::info!(application = masked(&inquiry.application), known = row.is_some(), "passport");
    match row {
        Some((_, _, state, field, day)) => Json(json!({ "state": state, *field: day })).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

pub(crate) async fn kindergarten(Json(inquiry): Json<KindergartenInquiry>) -> Response {
    let row = PLACES.iter().find(|row| row.0 == inquiry.application && row.1 == inquiry.born);
    tracing::info!(application = masked(&inquiry.application), known = row.is_some(), "kindergarten");
    match row {
        Some((_, _, place)) => Json(json!({ "place": place })).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The last two characters of what is long enough for that to say little.
fn masked(text: &str) -> String {
    let length = text.chars().count();
    let shown = if length >= 6 { 2 } else { 0 };
    let tail: String = text.chars().skip(length - shown).collect();
    format!("{}{tail}", "*".repeat((length - shown).min(16)))
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn little_of_a_number_is_left() {
        for (text, expected) in [("12345678", "******78"), ("123456", "****56"), ("12345", "*****"), ("", "")] {
            assert_eq!(masked(text), expected);
        }
        assert_eq!(masked(&"9".repeat(1_000)).len(), 18);
    }
}
