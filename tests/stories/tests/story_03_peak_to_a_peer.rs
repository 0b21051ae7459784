//! Story 3, peak to a peer. The first peer answers 503; the caller hears "connecting", the second answers. One chain of
//! call records, no loop.
//!
//! It waits for peers: other centres that take a call over when all operators are busy.
