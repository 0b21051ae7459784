//! Story 12, survey during a hot deploy. After the operator, 1 to 5; version 2 goes live in mid-call for 10 % of calls,
//! then loops for ever. The old call finishes on version 1; the caller of version 2 is landed safely on an operator;
//! automatic roll-back; no other caller notices.
//!
//! It waits for canaries: shares of calls on a new version, and its automatic roll-back.
