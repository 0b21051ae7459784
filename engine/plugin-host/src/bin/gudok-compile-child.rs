//! The compile child by itself: for tests, and for programs that host scripts without being gudok.

fn main() -> std::process::ExitCode {
    gudok_plugin_host::compile_child_main(std::env::args_os().skip(1))
}
