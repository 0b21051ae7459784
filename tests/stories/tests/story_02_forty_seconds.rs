//! Story 2, forty seconds. 20 callers press 0, 5 operators are logged in. Each has an operator, a callback or a peer by
//! second 40; the histogram agrees with the call records.
//!
//! It waits for queues with operators who log in, for callbacks and for peers.
