//! Every way in which a back end can fail its callers, on request.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};
use serde::Deserialize;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Faults that wait for their request, on all routes.
const FAULTS_MAX: usize = 1_000;
const FLAKY_ROUTES_MAX: usize = 64;
const SLOW_MS_MAX: u64 = 60_000;
/// What a lying length promises beyond what comes.
const LIE_BYTES: usize = 1_000_000;
const FLOOD_CHUNK_BYTES: usize = 64 * 1024;
/// Of an answer that is spoilt on its way.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What a route's next requests suffer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The path: "/passport/applications".
    pub route: String,
    /// How it fails.
    pub kind: FaultKind,
    /// How many requests; then it is well again.
    #[serde(default = "once")]
    pub times: usize,
    /// For `slow`: how late.
    #[serde(default = "slow_ms_default")]
    pub ms: u64,
}

const fn once() -> usize {
    1
}

const fn slow_ms_default() -> u64 {
    2_000
}

/// How it fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Takes the request and never answers.
    Hang,
    /// Answers late.
    Slow,
    /// Does what it is asked to, and answers 500: the client does not know.
    LostAnswer,
    /// Whatever is held for callers has been held for too long; then does what it is asked to.
    Expire,
    /// 500.
    #[serde(rename = "500")]
    #[value(name = "500")]
    Status500,
    /// 200, and what is neither JSON nor UTF-8.
    Garbage,
    /// Promises more bytes than come, and keeps the connection.
    LieLength,
    /// Breaks off in the middle of the body.
    HalfBody,
    /// Sends for ever.
    Flood,
    /// Sends the client to another origin.
    Redirect,
}

/// A route that fails again and again, by chance.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flaky {
    /// The path: "/webhook".
    pub route: String,
    /// How it fails.
    pub kind: FaultKind,
    /// How often, of a hundred requests; 0 for no more.
    pub percent: u8,
    /// The same seed fails the same requests.
    #[serde(default)]
    pub seed: u64,
}

/// The faults that wait, by route.
#[derive(Debug, Default)]
pub struct Faults {
    by_route: BTreeMap<String, VecDeque<Fault>>,
    flaky: BTreeMap<String, Flaky>,
}

impl Faults {
    /// Puts a fault behind those that wait on its route.
    pub(crate) fn add(&mut self, fault: &Fault) -> Result<(), String> {
        let waiting: usize = self.by_route.values().map(VecDeque::len).sum();
        if fault.times == 0 || waiting + fault.times > FAULTS_MAX {
            return Err(format!("times is {}; at least 1, and at most {FAULTS_MAX} faults wait", fault.times));
        }
        if fault.ms > SLOW_MS_MAX {
            return Err(format!("ms is {}; at most {SLOW_MS_MAX}", fault.ms));
        }
        let queue = self.by_route.entry(fault.route.clone()).or_default();
        queue.extend(std::iter::repeat_n(fault, fault.times).cloned());
        Ok(())
    }

    /// Lets a route fail by chance from here on.
    pub(crate) fn set_flaky(&mut self, flaky: Flaky) -> Result<(), String> {
        if flaky.percent > 100 {
            return Err(format!("percent is {}; 0 to 100", flaky.percent));
        }
        if flaky.percent == 0 {
            self.flaky.remove(&flaky.route);
        } else if self.flaky.len() < FLAKY_ROUTES_MAX || self.flaky.contains_key(&flaky.route) {
            self.flaky.insert(flaky.route.clone(), flaky);
        } else {
            return Err(format!("at most {FLAKY_ROUTES_MAX} routes are flaky"));
        }
        Ok(())
    }

    pub(crate) fn take(&mut self, route: &str) -> Option<Fault> {
        if let Some(fault) = self.by_route.get_mut(route).and_then(VecDeque::pop_front) {
            return Some(fault);
        }
        let flaky = self.flaky.get_mut(route)?;
        // SplitMix64.
        flaky.seed = flaky.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (flaky.seed ^ (flaky.seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let fails = (mixed ^ (mixed >> 31)) % 100 < u64::from(flaky.percent);
        fails.then(|| Fault { route: route.to_owned(), kind: flaky.kind, times: 1, ms: slow_ms_default() })
    }
}

/// Answers a request as the fault says. hyper drops this when the client goes.
pub(crate) async fn fail(fault: &Fault, request: Request, next: Next) -> Response {
    match fault.kind {
        FaultKind::Hang => std::future::pending().await,
        FaultKind::Slow => {
            tokio::time::sleep(Duration::from_millis(fault.ms)).await;
            next.run(request).await
        }
        // The back end has let its holds expire already.
        FaultKind::Expire => next.run(request).await,
        FaultKind::LostAnswer => {
            drop(next.run(request).await);
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        FaultKind::Status500 => {
            (StatusCode::INTERNAL_SERVER_ERROR, "Traceback (most recent call last):").into_response()
        }
        FaultKind::Garbage => json(Body::from(&b"\x00\xff\xfe<html>{\"place\": 21"[..])),
        FaultKind::LieLength => {
            let answer = answer(request, next).await;
            let promised = answer.len() + LIE_BYTES;
            let body = stream::iter([Ok::<_, std::io::Error>(answer)]).chain(stream::pending());
            with_length(Body::from_stream(body), promised)
        }
        FaultKind::HalfBody => {
            let answer = answer(request, next).await;
            let (half, whole) = (answer.slice(..answer.len() / 2), answer.len());
            let broken = Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
            with_length(Body::from_stream(stream::iter([Ok(half), broken])), whole)
        }
        FaultKind::Flood => {
            let chunk = Bytes::from(vec![b' '; FLOOD_CHUNK_BYTES]);
            json(Body::from_stream(stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()))))
        }
        FaultKind::Redirect => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "http://127.0.0.2:9/elsewhere")]).into_response()
        }
    }
}

/// What would have been the answer.
async fn answer(request: Request, next: Next) -> Bytes {
    let response = next.run(request).await;
    to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.unwrap_or_default()
}

fn json(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn with_length(body: Body, length: usize) -> Response {
    let mut response = json(body);
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind, times: usize, ms: u64) -> Fault {
        Fault { route: "/a".to_owned(), kind, times, ms }
    }

    #[test]
    fn faults_wait_in_order_and_only_on_their_route() {
        let mut faults = Faults::default();
        faults.add(&fault(FaultKind::Hang, 2, 0)).unwrap();
        faults.add(&fault(FaultKind::Flood, 1, 0)).unwrap();
        assert!(faults.take("/b").is_none());
        let kinds: Vec<_> = std::iter::from_fn(|| faults.take("/a")).map(|fault| fault.kind).collect();
        assert_eq!(kinds, [FaultKind::Hang, FaultKind::Hang, FaultKind::Flood]);
    }

    #[test]
    fn a_flaky_route_fails_by_the_hundred() {
        let mut faults = Faults::default();
        let flaky = |percent| Flaky { route: "/a".to_owned(), kind: FaultKind::Status500, percent, seed: 7 };
        faults.set_flaky(flaky(50)).unwrap();
        let failed = (0..1_000).filter(|_| faults.take("/a").is_some()).count();
        assert!((450..=550).contains(&failed), "{failed}");
        assert!(faults.take("/b").is_none());
        faults.set_flaky(flaky(0)).unwrap();
        assert!((0..100).all(|_| faults.take("/a").is_none()));
        assert!(faults.set_flaky(flaky(101)).is_err());
    }

    #[test]
    fn faults_are_bounded() {
        let mut faults = Faults::default();
        for bad in
            [fault(FaultKind::Hang, 0, 0), fault(FaultKind::Hang, FAULTS_MAX + 1, 0), fault(FaultKind::Slow, 1, 60_001)]
        {
            assert!(faults.add(&bad).is_err(), "{bad:?}");
        }
        faults.add(&fault(FaultKind::Hang, FAULTS_MAX, 0)).unwrap();
        assert!(faults.add(&fault(FaultKind::Hang, 1, 0)).is_err());
    }
}
