//! Story 11, tax reminder. A verified callee hears the right forms ("1 рубль, 2 рубля, 5 рублей"); 9 opts out. Nothing
//! outside the callee's local hours; an opted-out number is never dialled again; a restart never dials twice.
//!
//! It waits for campaigns: outbound calls with opt-outs, local hours and attempts that survive a restart.
