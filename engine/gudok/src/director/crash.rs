//! Places at which a test may have the engine die, as by `kill -9`. In a release build there are none.

/// Dies here, if `GUDOK_TEST_DIE_AT` says so.
#[cfg(debug_assertions)]
pub(super) fn point(name: &str) {
    if std::env::var_os("GUDOK_TEST_DIE_AT").is_some_and(|at| at == name) {
        let me = rustix::process::getpid();
        let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub(super) const fn point(_name: &str) {}
