//! Named limits of the admins' room; each is tested where it is applied.

use std::time::Duration;

/// Items in one page of a list.
pub const PAGE_ITEMS_MAX: usize = 1_000;
/// Items in one page where the client does not say.
pub const PAGE_ITEMS_DEFAULT: usize = 100;
/// Body of a request that is not an upload.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// A request's body must be complete after that.
pub const BODY_READ_MAX: Duration = Duration::from_secs(20);
/// An upload may pause for so long.
pub const UPLOAD_IDLE_MAX: Duration = Duration::from_secs(30);
/// Largest bundle taken; what the bundle's own checks allow.
pub const BUNDLE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Uploads at a time: each costs disk and a compiler.
pub const UPLOADS_MAX: usize = 2;
/// While an upload is received, the disk is looked at again after so many bytes.
pub const UPLOAD_PROBE_EVERY_BYTES: u64 = 16 * 1024 * 1024;
/// All header fields of a request together.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Header fields of a request.
pub const HEADERS_MAX: usize = 64;
/// Path and query of a request.
pub const URI_BYTES_MAX: usize = 8 * 1024;
/// Longest idempotency key.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;
/// An answer is kept for replay so long.
pub const IDEMPOTENCY_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Largest answer kept for replay; a larger one is made anew from the document that it shows.
pub const IDEMPOTENCY_ANSWER_BYTES_MAX: usize = 32 * 1024;
/// Shortest password.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Longest password: hashing is work that anybody may ask for.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Passwords hashed at a time: each takes a core for some tens of milliseconds, and calls need the cores.
pub const PASSWORD_HASHES_MAX: usize = 1;
/// Log-ins that may wait for their turn to be hashed.
pub const PASSWORD_HASHES_WAITING_MAX: usize = 16;
/// Free texts: titles, labels, comments, reasons.
pub const TEXT_CHARS_MAX: usize = 500;
/// The words of an overlay.
pub const OVERLAY_CHARS_MAX: usize = 2_000;
/// Shortest password of an operator's telephone: it is tried by whoever reaches the SIP port.
pub const PHONE_PASSWORD_CHARS_MIN: usize = 12;
/// Longest password of an operator's telephone.
pub const PHONE_PASSWORD_BYTES_MAX: usize = 128;
/// The highest level of a skill.
pub const SKILL_LEVEL_MAX: u8 = 10;
/// The words of a guide.
pub const GUIDE_CHARS_MAX: usize = 20_000;
/// The words of a ticket.
pub const TICKET_CHARS_MAX: usize = 8_000;
/// Audio of an overlay as it is sent.
pub const OVERLAY_AUDIO_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A table of the directory as it is sent.
pub const IMPORT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// A list of contacts or opt-outs as it is sent; it is read piece by piece.
pub const CONTACTS_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// Lists that are read at a time: each costs the disk's time.
pub const IMPORTS_MAX: usize = 2;
/// The longest step of a campaign's figures over time.
pub const CAMPAIGN_STEP_S_MAX: u32 = 24 * 3600;
/// Entries in one commit of an import.
pub const IMPORT_BATCH_ENTRIES_MAX: usize = 100;
/// About so many bytes in one commit of an import; the ledger takes a megabyte.
pub const IMPORT_BATCH_BYTES_MAX: usize = 384 * 1024;
/// Rows of an import that are looked up before others have their turn.
pub const IMPORT_PROBE_ROWS: usize = 256;
/// The longest time of a report.
pub const REPORT_DAYS_MAX: u64 = 366;
/// A report is shown again for so long.
pub const REPORT_KEPT: Duration = Duration::from_secs(10);
/// Reports that are kept to be shown again.
pub const REPORTS_KEPT_MAX: usize = 16;
/// The code of a region or municipality.
pub const AREA_CHARS_MAX: usize = 64;
/// Entries in a list of a document: roles, agencies, reachable scripts, configuration keys.
pub const LIST_LEN_MAX: usize = 256;
/// One value of an entry's configuration.
pub const CONFIG_VALUE_CHARS_MAX: usize = 4_096;
/// A document of the ledger as JSON; the store keeps no larger value.
pub const DOCUMENT_BYTES_MAX: usize = 60 * 1024;
/// A token lives so long where its maker does not say.
pub const TOKEN_LIFE_DEFAULT: Duration = Duration::from_secs(90 * 24 * 3600);
/// The longest life of a token.
pub const TOKEN_LIFE_MAX: Duration = Duration::from_secs(366 * 24 * 3600);
/// A log-in's token lives so long.
pub const LOGIN_TOKEN_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// A session of the console.
pub const SESSION_LIFE: Duration = Duration::from_secs(12 * 3600);
/// The token of the first start.
pub const FIRST_TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);
/// `last_used` of a token is written at most so often.
pub const LAST_USED_EVERY: Duration = Duration::from_secs(3600);
/// Users, all together: each is read when the last admin must be known.
pub const USERS_MAX: usize = 10_000;
/// Tokens of one user, besides those of log-ins.
pub const TOKENS_PER_USER_MAX: usize = 200;
/// Tokens of one user's log-ins; the oldest ones end when there are more.
pub const LOGIN_TOKENS_PER_USER_MAX: usize = 50;
/// Event streams at a time.
pub const STREAMS_MAX: usize = 200;
/// Event streams of one credential.
pub const STREAMS_PER_CREDENTIAL_MAX: usize = 10;
/// A comment on a quiet event stream, so that dead connections are noticed; the credential is looked at again then.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// Lines of the scripts' log in one answer.
pub const LOG_LINES_MAX: usize = 1_000;
/// Call records of one subject in one export.
pub const SUBJECT_CDRS_MAX: usize = 10_000;
/// Rows that one step of erasing a person touches in the store.
pub const STEP_ROWS_MAX: usize = 500;
/// Points in a chart of outcomes.
pub const OUTCOME_STEP_S_MAX: u32 = 24 * 3600;
/// Callers whose rate is remembered, by token and by address; beyond them, the quiet ones are forgotten.
pub const RATE_KEYS_MAX: usize = 10_000;
