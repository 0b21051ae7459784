//! Story 10, flood warning. 5,000 numbers, 1 is understood, 2 is repeat; inbound callers hear the overlay first. The
//! trunk's pace is never exceeded; answering machines get the message; the unacknowledged are retried; only the emergency
//! role bypasses calling hours.
//!
//! It waits for campaigns: outbound calls with pace, retries, answering-machine detection and calling hours.
