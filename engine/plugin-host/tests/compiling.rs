//! Compiling in a child that can be killed, and a cache that believes only itself.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use gudok_plugin_host::{CompileConfig, CompileRefusal, Error, HostConfig, LoadRefusal, ScriptHost};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use support::*;

/// A component that takes any compiler long: a function of so many instructions.
fn heavy(instructions: usize) -> Vec<u8> {
    let line =
        "(local.set $x (i64.add (i64.mul (local.get $x) (i64.const 3)) (i64.load (i32.wrap_i64 (local.get $x)))))";
    let body = line.repeat(instructions);
    let functions = format!("(func (local $x i64) {body}) (memory (export");
    component(&guest("", "", "").replace("(memory (export", &functions), "service")
}

fn compile_refusal(change: impl FnOnce(&mut HostConfig), wasm: Vec<u8>) -> CompileRefusal {
    let bench = Bench::with(change);
    match bench.host.load(&bundle(&manifest(""), wasm), &admission()) {
        Err(Error::Load { refusal: LoadRefusal::Compile(refusal), .. }) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_compiler_that_takes_too_much_is_killed() {
    let small = component(&guest("", "", ""), "service");
    let cpu = compile_refusal(|config| config.compile.cpu_s_max = 1, heavy(100_000));
    // SIGKILL or SIGXCPU, as the kernel likes.
    assert!(matches!(cpu, CompileRefusal::Killed { signal: 9 | 24 }), "{cpu:?}");
    let wall = compile_refusal(|config| config.compile.wall_s_max = 0, small.clone());
    assert_eq!(wall, CompileRefusal::TimedOut { seconds_max: 0 });
    let memory = compile_refusal(|config| config.compile.memory_mib_max = 24, heavy(20_000));
    assert!(matches!(memory, CompileRefusal::Killed { .. } | CompileRefusal::Refused(_)), "{memory:?}");
    let size = compile_refusal(|config| config.compile.compiled_bytes_max = 100, small.clone());
    assert_eq!(size, CompileRefusal::TooLarge { bytes_max: 100 });
    let missing = compile_refusal(|config| config.compile.program = "/nonexistent/gudok".into(), small.clone());
    assert!(matches!(missing, CompileRefusal::NotStarted(_)), "{missing:?}");
    let silent = compile_refusal(|config| config.compile.program = "/bin/false".into(), small);
    assert!(matches!(silent, CompileRefusal::Refused(_)), "{silent:?}");
}

#[test]
fn the_compiler_yields_to_everybody_else() {
    let mut child = Command::new(compile_child())
        .args(["4096", "60"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stat = format!("/proc/{}/stat", child.id());
    // It waits for the component now, and before it reads a byte of that it has lowered its priority.
    let niceness = || -> Option<i32> {
        // The name of the program, in brackets, may hold spaces; niceness is the 17th field behind it.
        let text = fs::read_to_string(&stat).ok()?;
        text.rsplit_once(')')?.1.split_whitespace().nth(16)?.parse().ok()
    };
    let began = Instant::now();
    while niceness() != Some(19) {
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", niceness());
        std::thread::yield_now();
    }
    drop(child.stdin.take());
    assert!(!child.wait().unwrap().success(), "nothing is no component");
}

#[test]
fn one_component_is_compiled_at_a_time() {
    const AT_ONCE: usize = 4;
    let bench = Bench::with(|config| config.compile.waiting_max = 1);
    let wasm = heavy(3_000);
    let bundle = bundle(&manifest(""), wasm);
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(|| bench.host.load(&bundle, &admission()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let busy = |result: &Result<_, Error>| {
        matches!(
            result,
            Err(Error::Load { refusal: LoadRefusal::Compile(CompileRefusal::Busy { waiting_max: 1 }), .. })
        )
    };
    let refused = results.iter().filter(|result| busy(result)).count();
    let loaded = results.iter().filter(|result| result.is_ok()).count();
    // One compiles, one waits, the others are told to come again; who came late finds it made.
    assert!(loaded >= 2 && refused + loaded == AT_ONCE, "{loaded} loaded, {refused} refused");
    let folder = bench.folder.path().join("cache");
    let made =
        fs::read_dir(&folder).unwrap().filter(|entry| entry.as_ref().unwrap().path().extension().unwrap() == "cwasm");
    assert_eq!(made.count(), 1);
}

#[test]
fn what_does_not_validate_is_refused_in_words() {
    // A function body that leaves nothing where a number is due, hidden behind a good surface.
    let text =
        "(component (core module (func (result i32))) (instance $i) (export \"gudok:ivr/script@0.1.0\" (instance $i)))";
    let refusal = compile_refusal(|_| {}, wat::parse_str(text).unwrap());
    let CompileRefusal::Refused(why) = refusal else { panic!("{refusal:?}") };
    assert!(why.contains("type mismatch"), "{why}");
}

fn cached(folder: &Path) -> (PathBuf, PathBuf) {
    let find = |ending: &str| {
        let mut found = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        found.find(|path| path.extension().is_some_and(|e| e == ending)).unwrap()
    };
    (find("cwasm"), find("sha256"))
}

fn modified(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn the_cache_believes_only_what_it_left_there() {
    let bench = Bench::new(2);
    let folder = bench.folder.path().join("cache");
    let wasm = component(&guest("", "", ""), "service");
    let bundle = bundle(&manifest(""), wasm);
    let load = || bench.host.load(&bundle, &admission()).unwrap();
    load();
    let (code, sum) = cached(&folder);
    assert_eq!(fs::metadata(&code).unwrap().permissions().mode() & 0o777, 0o600);
    let made = modified(&code);
    load();
    assert_eq!(modified(&code), made, "the second load compiles nothing");

    let honest = fs::read(&code).unwrap();
    let check = |what: &str, tamper: &dyn Fn()| {
        tamper();
        run_simply(&load());
        assert_eq!(fs::read(&code).unwrap(), honest, "{what}: made anew");
        assert_eq!(fs::metadata(&code).unwrap().permissions().mode() & 0o077, 0, "{what}");
    };
    check("a changed byte", &|| {
        let mut bytes = honest.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&code, bytes).unwrap();
    });
    check("a changed sum", &|| fs::write(&sum, "0".repeat(64)).unwrap());
    check("no sum", &|| fs::remove_file(&sum).unwrap());
    check("cut off", &|| fs::write(&code, &honest[..100]).unwrap());
    check("empty", &|| fs::write(&code, "").unwrap());
    check("readable by others", &|| fs::set_permissions(&code, fs::Permissions::from_mode(0o644)).unwrap());
    check("a link", &|| {
        let elsewhere = bench.folder.path().join("elsewhere");
        fs::write(&elsewhere, &honest).unwrap();
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o600)).unwrap();
        fs::remove_file(&code).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &code).unwrap();
    });
    check("gone", &|| fs::remove_file(&code).unwrap());
}

#[test]
fn a_cache_folder_that_others_can_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let config = HostConfig::new(folder.path().to_owned(), CompileConfig::new(compile_child(), Vec::new()));
    let error = ScriptHost::start(HostConfig { instances_max: 1, ..config }).unwrap_err();
    assert!(error.to_string().contains("chmod 700"), "{error}");
}
