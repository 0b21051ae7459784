//! What needs no engine: keys, signatures, and the check of an exported audit.

use crate::engine::{Engine, Ran, Reply, Setting, packed, run};
use serde_json::json;
use std::path::Path;
use std::process::{Command, Stdio};

fn bundle(folder: &Path) -> String {
    packed(folder, "1.2.0", b"")
}

fn gudok(folder: &Path, stdin: &str, arguments: &[&str]) -> Ran {
    run(&Setting { stdin, ..Setting::at(folder) }, arguments)
}

#[test]
fn a_bundle_is_signed_and_verified_and_a_stranger_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let file = bundle(dir.path());
    gudok(dir.path(), "", &["keygen", "anna", "--no-password"]).fine();
    let stranger = gudok(dir.path(), "", &["keygen", "bob", "--no-password", "--json"]).fine();
    assert_eq!(stranger.json()["id"].as_str().unwrap().len(), 16);
    let again = gudok(dir.path(), "", &["keygen", "anna", "--no-password"]);
    assert!(again.code == 1 && again.stderr.contains("nothing was made"), "{again:?}");

    let unsigned = gudok(dir.path(), "", &["verify", &file, "--key", "anna.pub"]);
    assert!(unsigned.code == 1 && unsigned.stderr.contains("no signature"), "{unsigned:?}");
    let signed = gudok(dir.path(), "", &["sign", &file, "--key", "anna.key", "--expires", "90d"]).fine();
    assert!(signed.stdout.contains("gudok:migration/passport@1.2.0 expires:"), "{signed:?}");
    let verified = gudok(dir.path(), "", &["verify", &file, "--key", "bob.pub", "--key", "anna.pub", "--json"]).fine();
    assert_eq!(verified.json()["script"], "migration/passport@1.2.0");
    let other = gudok(dir.path(), "", &["verify", &file, "--key", "bob.pub"]);
    assert!(other.code == 1 && other.stderr.contains("none of the agency's"), "{other:?}");
    let secret = gudok(dir.path(), "", &["verify", &file, "--key", "anna.key"]);
    assert!(secret.code == 1 && secret.stderr.contains("anna.key is a secret key"), "{secret:?}");
}

#[test]
fn a_reader_who_has_seen_enough_ends_the_program_without_a_word() {
    let dir = tempfile::tempdir().unwrap();
    bundle(dir.path());
    for arguments in [
        &["completions", "bash"][..],
        &["man"],
        &["bundle", "pack", "source"],
        &["bundle", "inspect", "passport-1.2.0.ivr"],
        &["keygen", "anna", "--no-password"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_gudok"));
        command.args(arguments).current_dir(dir.path()).env("XDG_CONFIG_HOME", dir.path());
        let output = command.stdin(Stdio::null()).stdout(writer).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(141) && !errors.contains("panicked"), "{arguments:?}: {errors}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_no_success() {
    let dir = tempfile::tempdir().unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gudok"));
    let output = command.arg("man").current_dir(dir.path()).stdout(full).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.starts_with("gudok: writing to standard output: "), "{errors}");
}

#[test]
fn a_key_with_a_password_wants_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = bundle(dir.path());
    gudok(dir.path(), "correct horse\n", &["keygen", "anna"]).fine();
    let wrong = gudok(dir.path(), "wrong\n", &["sign", &file, "--key", "anna.key"]);
    assert!(wrong.code == 1 && wrong.stderr.contains("password"), "{wrong:?}");
    gudok(dir.path(), "correct horse\n", &["sign", &file, "--key", "anna.key"]).fine();
    gudok(dir.path(), "", &["verify", &file, "--key", "anna.pub"]).fine();
    let empty = gudok(dir.path(), "\n", &["keygen", "bob"]);
    assert!(empty.code == 2 && !dir.path().join("bob.key").exists(), "{empty:?}");
}

fn export(folder: &Path, edit: impl FnOnce(&mut Vec<gudok_store::AuditEntry>)) -> String {
    let mut head = gudok_store::AuditHead::default();
    let mut entries = Vec::new();
    for action in ["user.create", "deploy", "rollback"] {
        let draft = gudok_store::AuditDraft {
            actor: "anna".into(),
            via: "cli".into(),
            action: action.into(),
            object: "mfc/desk".into(),
            agency: None,
            details: json!({}),
        };
        let entry = gudok_store::AuditEntry::after(&head, gudok_store::UtcMs(1), draft);
        head = entry.head();
        entries.push(entry);
    }
    edit(&mut entries);
    let mut file = Vec::new();
    gudok_store::audit::write_json_lines(&entries, &mut file).unwrap();
    std::fs::write(folder.join("export.jsonl"), file).unwrap();
    let mark = gudok_store::audit::HeadMark::of(&head, false, None);
    let marks = gudok_store::audit::HeadMarks { marks: vec![mark], unreadable: false };
    std::fs::write(folder.join("audit-head"), marks.to_bytes()).unwrap();
    "export.jsonl".to_owned()
}

#[test]
fn an_export_that_was_edited_or_cut_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let file = export(dir.path(), |_| {});
    let whole = gudok(dir.path(), "", &["audit", "verify", "--file", &file, "--head", "audit-head"]).fine();
    assert!(whole.words().contains("audit ok\nentries 3"), "{whole:?}");
    export(dir.path(), |entries| entries[1].draft.actor = "bob".into());
    let edited = gudok(dir.path(), "", &["audit", "verify", "--file", &file, "--json"]);
    assert_eq!((edited.code, &edited.json()["ok"]), (1, &json!(false)));
    export(dir.path(), |entries| drop(entries.remove(1)));
    let deleted = gudok(dir.path(), "", &["audit", "verify", "--file", &file]);
    assert!(deleted.code == 1 && deleted.stdout.contains("missing"), "{deleted:?}");
    export(dir.path(), |entries| drop(entries.pop()));
    let cut = gudok(dir.path(), "", &["audit", "verify", "--file", &file, "--head", "audit-head"]);
    assert!(cut.code == 1 && cut.stdout.contains("cut off"), "{cut:?}");
    let unseen = gudok(dir.path(), "", &["audit", "verify", "--file", &file]).fine();
    assert!(unseen.stderr.contains("--head"), "{unseen:?}");
}

#[test]
fn the_engine_checks_and_exports_its_own() {
    let engine = Engine::start(|asked| match asked.path.as_str() {
        "/api/v1/audit/verify" => Reply::json(
            200,
            &json!({ "ok": false, "entries": 2, "head": { "seq": 2, "hash": "ab" },
                "faults": [{ "seq": 2, "problem": "it was edited" }] }),
        ),
        "/api/v1/audit/export" => Reply::bytes(200, "application/jsonl", b"{\"seq\":1}\n{\"seq\":2}\n"),
        _ => Reply::json(
            200,
            &json!({ "items": [{ "seq": 2, "at": "2026-05-05T00:00:00Z", "actor": "anna", "via": "cli", "action": "deploy",
                "object": "mfc/desk", "details": { "share_percent": 10 } }], "next": null }),
        ),
    });
    let ran = engine.gudok(&["audit", "verify"]);
    assert!(ran.code == 1 && ran.words().contains("2 it was edited"), "{ran:?}");
    let ran = engine.gudok(&["audit", "export"]).fine();
    assert_eq!(ran.stdout, "{\"seq\":1}\n{\"seq\":2}\n");
    let ran = engine.gudok(&["audit", "--action", "deploy", "--actor", "anna"]).fine();
    assert!(ran.words().contains("2 2026-05-05 00:00:00 anna cli deploy mfc/desk share_percent=10"), "{ran:?}");
    let list = engine.one("GET", "/api/v1/audit");
    assert_eq!(list.query, "order=newest&limit=50&actor=anna&action=deploy");
}
