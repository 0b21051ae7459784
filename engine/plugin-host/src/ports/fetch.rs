//! HTTP as scripts see it. [`crate::http::HttpFetch`] is the real one.

use super::BoxFuture;
use gudok_core::ids::Agency;
use gudok_core::privacy::Secret;
use reqwest::Url;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The WIT's `method`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the field's names")]
pub enum FetchMethod {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl FetchMethod {
    /// As HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Who stands behind an origin: how far into his own networks a request may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Voucher {
    /// The script's author, in the manifest. An admin approved that it is asked for, and need not have looked where it
    /// leads: public addresses only.
    Author,
    /// An admin, who wrote this very origin.
    Admin,
}

type Rule = dyn Fn(&Url) -> Option<Voucher> + Send + Sync;

/// Says whether a URL is within a script's grant, and by whose word: asked again for every redirect.
#[derive(Clone)]
pub struct OriginRule(Arc<Rule>);

impl OriginRule {
    /// From a rule: None is "not granted".
    pub fn new(rule: impl Fn(&Url) -> Option<Voucher> + Send + Sync + 'static) -> Self {
        Self(Arc::new(rule))
    }

    /// Who vouches for it; nobody, if it is not granted.
    #[must_use]
    pub fn voucher(&self, url: &Url) -> Option<Voucher> {
        (self.0)(url)
    }
}

impl fmt::Debug for OriginRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OriginRule")
    }
}

/// A request that passed the gate.
#[derive(Clone)]
pub struct FetchRequest {
    /// On whose behalf.
    pub agency: Agency,
    /// How.
    pub method: FetchMethod,
    /// Where.
    pub url: Url,
    /// Checked: legal names and values, none of the host's own.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Vec<u8>,
    /// For everything.
    pub timeout: Duration,
    /// The Authorization header's value. Not sent on to another origin.
    pub authorization: Option<Secret>,
    /// Larger answers are refused.
    pub response_bytes_max: u64,
    /// Where redirects may lead.
    pub origins: OriginRule,
}

impl fmt::Debug for FetchRequest {
    /// Neither path nor query nor headers: any of them may hold what must not be written down.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchRequest")
            .field("agency", &self.agency)
            .field("method", &self.method)
            .field("origin", &self.url.origin().ascii_serialization())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FetchResponse {
    /// The status.
    pub status: u16,
    /// Header fields that are text.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer. The texts reach the script: no path, no header, no secret in them.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FetchError {
    /// Not in time.
    #[error("no answer in time")]
    Timeout,
    /// No such name, nobody there, TLS not agreed on.
    #[error("{origin} cannot be reached: {why}")]
    Unreachable {
        /// Where.
        origin: String,
        /// In few words.
        why: &'static str,
    },
    /// Not HTTP, or broken off, or shorter than announced.
    #[error("{origin} answered rubbish: {why}")]
    Broken {
        /// Where.
        origin: String,
        /// In few words.
        why: &'static str,
    },
    /// More than it may be.
    #[error("the answer is over its limit: {limit} = {max}")]
    TooLarge {
        /// Its name.
        limit: &'static str,
        /// Its value.
        max: u64,
    },
    /// A redirect leads out of the grant.
    #[error("fetch: redirected to {origin}, which is not granted")]
    RedirectNotGranted {
        /// Where to.
        origin: String,
    },
    /// It leads where only an admin's word leads.
    #[error("fetch: {origin} leads to {leads_to}, which no admin allowed")]
    Forbidden {
        /// Where.
        origin: String,
        /// What kind of address, in few words.
        leads_to: &'static str,
    },
    /// The agency has too many requests on their way.
    #[error("HTTP requests of this agency (http_concurrent_per_agency_max = {max})")]
    Busy {
        /// The limit.
        max: usize,
    },
}

/// Sends HTTP requests. Dropping the future cancels.
pub trait FetchPort: Send + Sync {
    /// Sends one.
    fn fetch(&self, request: FetchRequest) -> BoxFuture<'static, Result<FetchResponse, FetchError>>;
}
