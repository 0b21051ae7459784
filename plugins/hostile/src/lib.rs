//! x
use gudok_sdk::prelude::*;
gudok_sdk::service!(run);
fn run(_: &Call) -> Result<Summary> {
    Ok(Summary::served())
}
