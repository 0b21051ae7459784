//! What the tools of other languages leave in a component besides the script: it is taken, and never called.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use gudok_core::script::ScriptEnd;
use gudok_plugin_host::{Error, LoadRefusal};
use support::*;

/// A component with more exports than a script has, as interpreters leave them: QuickJS a function `init`, Python an interface
/// `exports`.
fn with_more_exports(body: &str) -> Vec<u8> {
    let more = r#"
      (func (export "init") (unreachable))
      (func (export "exports#run") (unreachable))"#;
    let mut module = wat::parse_str(guest(WAIT, more, body)).unwrap();
    let mut resolve = wit_parser::Resolve::default();
    resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/v0.1.0")).unwrap();
    let world = "package trial:more;
        world more {
            include gudok:ivr/service@0.1.0;
            export init: func();
            export exports: interface { run: func(); }
        }";
    let package = resolve.push_str("more.wit", world).unwrap();
    let world = resolve.select_world(&[package], Some("more")).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, wit_component::StringEncoding::UTF8).unwrap();
    gudok_plugin_host::bundle::componentize(&module).unwrap()
}

#[test]
fn exports_that_no_script_has_are_taken_and_never_called() {
    let bench = Bench::new(4);
    let bundle = bundle(&manifest(""), with_more_exports(CALL_WAIT));
    let version = bench.host.load(&bundle, &admission()).unwrap();
    let report = run_simply(&version);
    assert!(matches!(&report.end, ScriptEnd::Returned(summary) if &*summary.code == "served"), "{report:?}");
}

/// A component of so many modules, each with a memory, that do nothing.
fn of_memories(count: usize) -> Vec<u8> {
    let idle = "(core module $idle (memory (export \"memory\") 1))";
    let instances = "(core instance (instantiate $idle))".repeat(count);
    let inner = wat::parse_str(format!("(component {idle} {instances})")).unwrap();
    // The script itself beside it: the outer component holds both, and exports the script.
    let script = component(&guest(WAIT, "", CALL_WAIT), "service");
    assert!(inner.len() > 8 && script.len() > 8);
    compose(&script, &inner)
}

/// The script's component with another one instantiated in it. Sections of a component stand in any order, so that it is enough
/// to append one section with the other component, and one that makes an instance of it.
fn compose(script: &[u8], inner: &[u8]) -> Vec<u8> {
    let components = components_of(script);
    let mut out = script.to_vec();
    out.push(4);
    leb(&mut out, inner.len());
    out.extend_from_slice(inner);
    // One instance, made of that component, without arguments.
    let mut section = vec![1, 0];
    leb(&mut section, components);
    section.push(0);
    out.push(5);
    leb(&mut out, section.len());
    out.extend_from_slice(&section);
    out
}

fn leb(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        out.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}

/// How many components are defined in the outermost one: the index of the next.
fn components_of(wasm: &[u8]) -> usize {
    let mut at = 8;
    let mut count = 0;
    while at < wasm.len() {
        let id = wasm[at];
        let (mut size, mut shift) = (0_usize, 0);
        loop {
            at += 1;
            size |= usize::from(wasm[at] & 0x7f) << shift;
            shift += 7;
            if wasm[at] & 0x80 == 0 {
                break;
            }
        }
        at += 1 + size;
        count += usize::from(id == 4);
    }
    count
}

#[test]
fn an_interpreter_s_memories_fit_and_more_are_refused_with_the_remedy() {
    let bench = Bench::new(4);
    let load = |memories| bench.host.load(&bundle(&manifest(""), of_memories(memories)), &admission());
    let version = load(2).unwrap();
    let reports: Vec<_> = (0..4).map(|_| run_simply(&version)).collect();
    assert!(reports.iter().all(|report| matches!(report.end, ScriptEnd::Returned(_))), "{reports:?}");
    match load(9).unwrap_err() {
        Error::Load { refusal: refusal @ LoadRefusal::TooLarge(_), .. } => {
            let told = refusal.to_string();
            assert!(told.contains("10 Wasm linear memories"), "{told}");
            assert!(told.contains("gudok build"), "{told}");
        }
        other => panic!("{other}"),
    }
}
