//! The child that compiles for the tests' script host; the engine starts itself as one.

use std::process::ExitCode;

fn main() -> ExitCode {
    gudok_plugin_host::compile_child_main(std::env::args_os().skip(1))
}
