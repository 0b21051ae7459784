//! Story 4, callback. The caller presses 1, enters another number, confirms. The host is killed and started again. They
//! are connected within ten minutes, exactly once.
//!
//! It waits for durable promises: callbacks that survive a restart and are kept once.
