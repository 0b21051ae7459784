//! The deterministic world: virtual clock, seeded trouble, phones by script, checkers.
