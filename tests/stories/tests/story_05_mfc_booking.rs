//! Story 5, booking at a public service centre. Service, day, slot; the slot is taken meanwhile, the next is offered; 1
//! confirms, and the caller hears a code. One booking; a hang-up half-way frees the slot.
//!
//! It waits for a booking agency and for a back end that books.
