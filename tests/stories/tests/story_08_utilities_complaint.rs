//! Story 8, utilities complaint. Address code, a recording of 60 s, the number read back digit by digit. Delivered once
//! although the webhook answers 500 several times; the audio's hash is kept.
//!
//! It waits for durable promises: tickets that are delivered once.
