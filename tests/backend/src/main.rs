//! The sample back end.
fn main() {}
