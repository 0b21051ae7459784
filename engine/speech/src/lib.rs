//! Prompt segments to words and sound.
