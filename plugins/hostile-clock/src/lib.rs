//! A script that wants more than the host has: the clock of WASI. Its bundle is refused when it is loaded, and the
//! reason names the import.

use gudok_sdk::prelude::*;

#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, clippy::pedantic, clippy::restriction)]
mod wasi {
    wit_bindgen::generate!({
        inline: "
            package wasi:clocks@0.2.0;
            interface monotonic-clock { now: func() -> u64; }
            world clocks { import monotonic-clock; }
        ",
    });
}

gudok_sdk::service!(run);

fn run(call: &Call) -> Result<Summary> {
    let now = wasi::wasi::clocks::monotonic_clock::now();
    call.hangup(prompt![number(i64::try_from(now).unwrap_or(i64::MAX))])?;
    Ok(Summary::served())
}
