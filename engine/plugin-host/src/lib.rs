//! Runs an agency's script in its sandbox.
