//! Every code that a refusal may carry. The page at `/api/docs/problems` is made of this.

use axum::http::StatusCode;

/// A kind of refusal.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable, for programs.
    pub code: &'static str,
    /// The status that goes with it.
    pub status: StatusCode,
    /// For people, the same for all refusals of the kind.
    pub title: &'static str,
    /// What to do, where the refusal itself does not know better.
    pub remedy: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident, $title:literal, $remedy:literal;)+) => {
        $(
            $(#[$doc])*
            #[doc = $title]
            pub const $name: Code =
                Code { code: $code, status: StatusCode::$status, title: $title, remedy: $remedy };
        )+

        /// All of them, by status.
        pub const ALL: &[&Code] = &[$(&$name),+];
    };
}

codes! {
    BAD_QUERY = "bad-query", BAD_REQUEST, "The query has a parameter that is unknown, doubled or not well-formed",
        "Compare the parameters with /api/docs.";
    BAD_PATH = "bad-path", BAD_REQUEST, "A part of the path cannot be a name of its kind",
        "Names are a-z, 0-9 and -, beginning with a letter; ids are hexadecimal.";
    BAD_JSON = "bad-json", BAD_REQUEST, "The body is not JSON",
        "Send one JSON object in UTF-8.";
    BAD_HEADER = "bad-header", BAD_REQUEST, "A header field is not well-formed",
        "Compare the header fields with /api/docs.";
    BAD_CURSOR = "bad-cursor", BAD_REQUEST, "The cursor is none that this list gave out",
        "Begin the list anew without a cursor.";
    UNAUTHENTICATED = "unauthenticated", UNAUTHORIZED, "No valid token or session came with the request",
        "Log in with POST /api/v1/login or `gudok login`, and send `Authorization: Bearer gdk_…`.";
    LOGIN_FAILED = "login-failed", UNAUTHORIZED, "User or password is wrong, or the user is disabled",
        "Check both. An admin can set a new password.";
    FORBIDDEN = "forbidden", FORBIDDEN, "None of your roles may do this here",
        "Ask an admin for the role, or use a token of the right agency.";
    CSRF = "csrf", FORBIDDEN, "A session's write came without its CSRF token, or from another site",
        "Send the session's token as header X-CSRF-Token or form field csrf; reload the page for a fresh one.";
    NOT_FOUND = "not-found", NOT_FOUND, "There is no such thing, or you may not see it",
        "Check the name; the list shows what you may see.";
    METHOD_NOT_ALLOWED = "method-not-allowed", METHOD_NOT_ALLOWED, "The path does not have this method",
        "The Allow header names those it has.";
    NOT_ACCEPTABLE = "not-acceptable", NOT_ACCEPTABLE, "The answer is not available in a format that Accept allows",
        "Leave Accept out, or allow what /api/docs names for this answer.";
    TIMEOUT = "timeout", REQUEST_TIMEOUT, "The body did not arrive in time",
        "Send it again on a better connection.";
    EXISTS = "exists", CONFLICT, "There is one of that name already",
        "Choose another name, or change the existing one with PUT.";
    CONFLICTING = "conflict", CONFLICT, "The state of things does not allow this",
        "Read the present state, then decide anew.";
    IN_USE = "in-use", CONFLICT, "Something else stands on it",
        "Remove what stands on it first.";
    MANAGED_BY_FILE = "managed-by-file", CONFLICT, "The configuration's file says this, so the API does not change it",
        "Edit gudok.toml, then POST /api/v1/configuration/reload.";
    LAST_ADMIN = "last-admin", CONFLICT, "Nobody could administer the engine any more",
        "Give another, enabled user the role admin first.";
    NOT_APPROVED = "not-approved", CONFLICT, "The version waits for an approval, or was refused one",
        "An admin reads its difference and approves it.";
    ALREADY_APPROVED = "already-approved", CONFLICT, "You have approved this version already",
        "Another admin approves it too.";
    VERSION_EXISTS = "version-exists", CONFLICT, "The same name and version was uploaded with other content",
        "Raise the version in manifest.toml, pack, sign and upload again.";
    DOWNGRADE = "downgrade", CONFLICT, "The version is not above the one that serves",
        "Raise the version; or say allow_downgrade=true if an older one is meant.";
    DONE_ALREADY = "done-already", CONFLICT, "This was done already, and its answer is not kept",
        "Read what there is now. A token is shown once: revoke it, and make another with a new Idempotency-Key.";
    UNDER_WAY = "under-way", CONFLICT, "A request with this Idempotency-Key is being carried out",
        "Wait for its answer, or send the same request again a little later.";
    NO_CANARY = "no-canary", CONFLICT, "There is no canary to release",
        "Deploy a version with share_percent below 100 first.";
    AUDIO_REFUSED = "audio-refused", UNPROCESSABLE_ENTITY, "The audio cannot be played to callers",
        "Send a WAV file; the detail says what is wrong with this one.";
    NOT_SERVED = "not-served", CONFLICT, "This engine has nothing that could do it",
        "Configure it in gudok.toml; docs/OPERATING.md says how.";
    NOTHING_BEFORE = "nothing-before", CONFLICT, "There is no version to go back to",
        "Deploy the version that should serve.";
    ENTRY_NOT_ALLOWED = "entry-not-allowed", CONFLICT, "The version does not fit this entry",
        "Deploy it at an entry of its manifest, or name this entry there; a campaign needs an entry that takes no calls.";
    LOAD_FAILED = "load-failed", CONFLICT, "The version passed its check but does not load now",
        "Read the detail; upload the bundle again if its bytes are damaged.";
    STALE = "stale-revision", PRECONDITION_FAILED, "Somebody changed it meanwhile",
        "Read it again, look at the other change, then send yours with the new ETag.";
    TOO_LARGE = "too-large", PAYLOAD_TOO_LARGE, "The body is larger than allowed",
        "Make it smaller; the detail names the limit.";
    URI_TOO_LONG = "uri-too-long", URI_TOO_LONG, "Path and query are longer than allowed",
        "Shorten the query.";
    UNSUPPORTED_TYPE = "unsupported-type", UNSUPPORTED_MEDIA_TYPE, "The body's Content-Type is not one that is read here",
        "Send application/json, or application/octet-stream for a bundle.";
    RANGE = "range", RANGE_NOT_SATISFIABLE, "The range lies outside of what there is",
        "Ask for bytes below the size that Content-Range names.";
    MISDIRECTED = "misdirected", MISDIRECTED_REQUEST, "The Host header is no name of this engine",
        "Use its address; or add the name to [http] hosts in gudok.toml.";
    INVALID = "invalid-field", UNPROCESSABLE_ENTITY, "A field's value cannot be used",
        "The detail says what can.";
    UNKNOWN_REFERENCE = "unknown-reference", UNPROCESSABLE_ENTITY, "A field names something that does not exist",
        "Make it first, or choose one that exists.";
    UNKNOWN_VERSION = "unknown-version", UNPROCESSABLE_ENTITY, "There is no such version",
        "GET /api/v1/versions lists them.";
    BUNDLE_REFUSED = "bundle-refused", UNPROCESSABLE_ENTITY, "The bundle did not pass its check",
        "The report names the step, the field and what to do.";
    CONFIGURATION_REFUSED = "configuration-refused", UNPROCESSABLE_ENTITY, "The configuration's file has faults; nothing changed",
        "Correct what the detail names; `gudok check-config` reads the file with the same eyes.";
    KEY_REUSED = "idempotency-key-reused", UNPROCESSABLE_ENTITY, "The Idempotency-Key came before with another request",
        "Use a new key for each new request.";
    PRECONDITION_REQUIRED = "precondition-required", PRECONDITION_REQUIRED, "A change needs the revision that you saw",
        "Send If-Match with the ETag of the document.";
    RATE_LIMITED = "rate-limited", TOO_MANY_REQUESTS, "Too many requests",
        "Wait as long as Retry-After says.";
    TOO_MANY = "too-many", TOO_MANY_REQUESTS, "Too many of these at a time",
        "Close some, or wait until others are done.";
    HEADERS_TOO_LARGE = "headers-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The header fields are larger than allowed",
        "Send fewer or shorter header fields.";
    INTERNAL = "internal", INTERNAL_SERVER_ERROR, "The engine failed at this; calls go on",
        "Look for the correlation in the engine's log.";
    BUSY = "busy", SERVICE_UNAVAILABLE, "The engine has no time for this now",
        "Try again in a moment.";
    FLOW_UNFINISHED = "flow-unfinished", SERVICE_UNAVAILABLE, "The dialog of the version could not be found",
        "Explore the bundle with `gudok explore` on your own machine; it says where it stops.";
    NOT_READY = "not-ready", SERVICE_UNAVAILABLE, "The engine takes no calls",
        "It is starting or stopping.";
    DISK_LOW = "disk-low", INSUFFICIENT_STORAGE, "The disk is almost full; nothing new is kept, calls go on",
        "Free space under the store's folder; roll-backs and revocations still work.";
}

/// The code of that word.
#[must_use]
pub fn find(word: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|code| code.code == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_say_what_to_do() {
        for (at, code) in ALL.iter().enumerate() {
            assert!(!code.remedy.is_empty() && !code.title.is_empty(), "{}", code.code);
            assert!(ALL[at + 1..].iter().all(|other| other.code != code.code), "{} is there twice", code.code);
            assert!(code.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", code.code);
        }
    }
}
