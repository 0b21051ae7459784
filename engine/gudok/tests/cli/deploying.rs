//! Deploying, canary, release, roll-back, approval: what is asked of the engine, and what is shown.

use crate::engine::{Asked, Engine, Ran, Reply, Setting, packed, run_program};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Mutex;

const OLD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const NEW: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const PLACE: &str = "/api/v1/deployments/migration/passport";

fn version(id: &str, label: &str, state: &str) -> Value {
    json!({ "id": id, "agency": "migration", "script": "passport", "version": label, "kind": "service", "state": state })
}

fn live(id: &str, label: &str, share: u8) -> Value {
    json!({ "version": id, "label": label, "script": "passport", "since": "2026-05-05T00:00:00Z", "by": "anna", "share_percent": share })
}

/// A small world of one entry.
struct World {
    /// The new version's state: `approved`, `waiting`.
    state: &'static str,
    roles: Value,
    deployment: Option<Value>,
    revision: u64,
    /// Calls that the canary has ended; grows with every look.
    ended: u64,
}

impl World {
    fn new(state: &'static str) -> Self {
        let deployment = json!({
            "agency": "migration", "entry": "passport", "revision": 7, "state": "stable",
            "stable": live(OLD, "1.0.0", 100), "canary": null, "last_good": live(OLD, "1.0.0", 100),
            "guard": { "sample_min": 3 }, "running": [{ "version": OLD, "label": "1.0.0", "calls": 4, "draining": false }],
            "last_rollback": null,
        });
        let roles = json!([{ "role": "admin", "agency": null }]);
        Self { state, roles, deployment: Some(deployment), revision: 7, ended: 0 }
    }

    fn put(&mut self, asked: &Asked) -> Reply {
        let etag = format!("\"{}\"", self.revision);
        if self.deployment.is_some() && asked.header("if-match") != Some(etag.as_str()) {
            return Reply::problem(412, "stale-revision", "somebody was faster", None, "look again");
        }
        let order = asked.json();
        let share = order["share_percent"].as_u64().unwrap_or(100);
        let deployment = self.deployment.get_or_insert(json!({
            "agency": "migration", "entry": "passport", "guard": { "sample_min": 3 }, "canary": null,
        }));
        if share < 100 {
            deployment["canary"] = live(NEW, "2.0.0", u8::try_from(share).unwrap());
            deployment["state"] = "canary".into();
        } else {
            deployment["stable"] = live(order["version"].as_str().unwrap(), "2.0.0", 100);
            deployment["state"] = "watching".into();
        }
        self.shown(200)
    }

    fn shown(&mut self, status: u16) -> Reply {
        if status == 200 {
            self.revision += 1;
        }
        self.now()
    }

    fn now(&mut self) -> Reply {
        match &mut self.deployment {
            Some(deployment) => {
                deployment["revision"] = self.revision.into();
                Reply::json(200, deployment).with("ETag", format!("\"{}\"", self.revision))
            }
            None => Reply::problem(404, "not-found", "nothing is deployed there", None, "deploy something"),
        }
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        let difference = json!({
            "against": OLD, "new_rights": self.state == "waiting", "limits": [], "menus": [], "media": [], "numbers": [],
            "config": [],
            "capabilities": [{ "name": "fetch", "change": "added", "from": null, "to": "https://api.example.org" }],
        });
        let report =
            json!({ "steps": [{ "step": "archive", "result": "ok", "took_ms": 3 }], "difference": difference });
        match (asked.method.as_str(), asked.path.strip_prefix("/api/v1").unwrap()) {
            ("GET", "/me") => Reply::json(200, &json!({ "user": "anna", "roles": self.roles })),
            ("POST", "/bundles") => {
                Reply::json(201, &json!({ "version": version(NEW, "2.0.0", self.state), "report": report }))
            }
            ("GET", "/versions") => Reply::json(
                200,
                &json!({ "items": [version(OLD, "1.0.0", "approved"), version(NEW, "2.0.0", self.state)], "next": null }),
            ),
            ("GET", path) if path == format!("/versions/{NEW}/difference") => Reply::json(200, &difference),
            ("GET", path) if path == format!("/versions/{NEW}") => Reply::json(200, &version(NEW, "2.0.0", self.state)),
            ("POST", path) if path == format!("/versions/{NEW}/approve") => {
                self.state = "approved";
                Reply::json(200, &version(NEW, "2.0.0", self.state))
            }
            ("GET", "/deployments/migration/passport") => self.now(),
            ("PUT", "/deployments/migration/passport") => self.put(asked),
            ("POST", "/deployments/migration/passport/release") => {
                let deployment = self.deployment.as_mut().unwrap();
                deployment["stable"] = deployment["canary"].take();
                deployment["state"] = "watching".into();
                self.shown(200)
            }
            ("POST", "/deployments/migration/passport/rollback") => {
                let deployment = self.deployment.as_mut().unwrap();
                deployment["canary"] = Value::Null;
                deployment["stable"] = live(OLD, "1.0.0", 100);
                deployment["state"] = "stable".into();
                deployment["last_rollback"] = json!({
                    "at": "2026-05-05T01:00:00Z", "from": NEW, "to": OLD, "automatic": false, "reason": asked.json()["reason"],
                });
                self.shown(200)
            }
            ("GET", "/deployments/migration/passport/outcomes") => {
                self.ended += 1;
                Reply::json(
                    200,
                    &json!({ "versions": [{ "version": NEW, "label": "2.0.0", "cpu_ms_mean": 1.5,
                        "total": { "calls": self.ended, "served": self.ended, "landed": 0, "trapped": 0, "abandoned": 0 } }] }),
                )
            }
            other => panic!("nobody asks {other:?}"),
        }
    }
}

fn world(world: World) -> Engine {
    let world = Mutex::new(world);
    Engine::start(move |asked| world.lock().unwrap().answer(asked))
}

/// Larger than what is sent at once, and nothing that packs well.
const DATA_BYTES: u32 = 200_000;

fn bundle(folder: &Path) -> String {
    let data: Vec<u8> = (0..DATA_BYTES).map(|n| (n.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()[0]).collect();
    folder.join(packed(folder, "2.0.0", &data)).to_str().unwrap().to_owned()
}

#[test]
fn a_bundle_is_uploaded_checked_shown_and_deployed_at_the_revision_that_was_seen() {
    let engine = world(World::new("approved"));
    let dir = tempfile::tempdir().unwrap();
    let file = bundle(dir.path());
    let ran = engine
        .gudok(&[
            "deploy",
            &file,
            "--agency",
            "migration",
            "--entry",
            "passport",
            "--share",
            "10",
            "--drain",
            "10m",
            "--guard",
            "sample_min=3,cpu_times_max=2.5",
        ])
        .fine();
    for shown in
        ["archive ok 3 ms", "right fetch added https://api.example.org", "canary passport 2.0.0 (bbbbbbbbbbbb)"]
    {
        assert!(ran.words().contains(shown), "{shown}: {ran:?}");
    }
    let upload = engine.one("POST", "/api/v1/bundles");
    assert!(upload.body == std::fs::read(&file).unwrap(), "{} bytes came", upload.body.len());
    assert_eq!(upload.query, "agency=migration&allow_downgrade=false");
    assert_eq!(upload.header("content-type"), Some("application/octet-stream"));
    assert!(upload.header("idempotency-key").is_some());
    let put = engine.one("PUT", PLACE);
    assert_eq!(put.header("if-match"), Some("\"7\""));
    let guard = json!({ "sample_min": 3, "cpu_times_max": 2.5 });
    assert_eq!(put.json(), json!({ "version": NEW, "share_percent": 10, "guard": guard, "drain_s": 600 }));
}

#[test]
fn the_whole_life_goes_by_json_unchanged() {
    let engine = world(World::new("approved"));
    let ran = engine.gudok(&["deploy", "2.0.0", "migration/passport", "--share", "10", "--json"]).fine();
    assert_eq!((&ran.json()["state"], &ran.json()["revision"]), (&json!("canary"), &json!(8)));
    let ran = engine.gudok(&["canary", "migration/passport", "--share", "25", "--json"]).fine();
    assert_eq!(ran.json()["canary"]["share_percent"], 25);
    let ran = engine.gudok(&["canary", "migration/passport"]).fine();
    assert!(ran.words().contains("canary 2.0.0 (bbbbbbbbbbbb) 0"), "{ran:?}");
    let ran = engine.gudok(&["release", "migration/passport", "--json"]).fine();
    assert_eq!(ran.json()["state"], "watching");
    let ran = engine.gudok(&["rollback", "migration/passport", "--reason", "complaints", "--json"]).fine();
    assert_eq!(ran.json()["last_rollback"]["reason"], "complaints");
    let ran = engine.gudok(&["deployments", "migration/passport"]).fine();
    assert!(ran.words().contains("bbbbbbbbbbbb → aaaaaaaaaaaa, by hand: complaints"), "{ran:?}");
    let matches: Vec<String> = engine
        .asked()
        .iter()
        .filter(|asked| asked.method != "GET")
        .map(|asked| asked.header("if-match").unwrap_or_default().to_owned())
        .collect();
    assert_eq!(matches, ["\"7\"", "\"8\"", "\"9\"", "\"10\""], "each relies on what was there");
}

#[test]
fn a_first_deployment_relies_on_nothing_being_there() {
    let engine = world(World { deployment: None, ..World::new("approved") });
    engine.gudok(&["deploy", &NEW[..12], "migration/passport"]).fine();
    assert_eq!(engine.one("PUT", PLACE).header("if-match"), None);
}

#[test]
fn new_rights_wait_for_somebody_who_may_approve_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = bundle(dir.path());
    let deploy = |engine: &Engine, more: &[&str]| -> Ran {
        engine.gudok(&[&["deploy", &file, "migration/passport"], more].concat())
    };
    // Nobody at a terminal, and nobody said yes.
    let engine = world(World::new("waiting"));
    let ran = deploy(&engine, &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("waits for an admin's approval: gudok approve bbbbbbbbbbbb"), "{ran:?}");
    assert!(!engine.asked().iter().any(|asked| asked.method == "PUT"));
    // An admin said yes beforehand.
    let engine = world(World::new("waiting"));
    deploy(&engine, &["--approve"]).fine();
    engine.one("POST", &format!("/api/v1/versions/{NEW}/approve"));
    engine.one("PUT", PLACE);
    // An author may say so as often as they like.
    let engine = world(World { roles: json!([{ "role": "author", "agency": "migration" }]), ..World::new("waiting") });
    assert_eq!(deploy(&engine, &["--approve"]).code, 1);
    assert!(!engine.asked().iter().any(|asked| asked.path.ends_with("/approve") || asked.method == "PUT"));
}

#[test]
fn waiting_ends_when_the_sample_is_reached() {
    let engine = world(World::new("approved"));
    let ran = engine.gudok(&["deploy", "2.0.0", "migration/passport", "--share", "10", "--wait"]).fine();
    assert!(ran.stderr.contains("it holds: 3 calls ended"), "{ran:?}");
}

#[test]
fn waiting_fails_when_the_engine_rolls_back() {
    let world = Mutex::new(World::new("approved"));
    let engine = Engine::start(move |asked| {
        let mut world = world.lock().unwrap();
        if asked.path.ends_with("/outcomes") && world.ended == 1 {
            let deployment = world.deployment.as_mut().unwrap();
            deployment["canary"] = Value::Null;
            deployment["last_rollback"] = json!({
                "at": "2026-05-05T01:00:00Z", "from": NEW, "to": OLD, "automatic": true, "reason": "5 of 20 calls trapped",
            });
        }
        world.answer(asked)
    });
    let ran = engine.gudok(&["deploy", "2.0.0", "migration/passport", "--share", "10", "--wait"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("by the engine: 5 of 20 calls trapped"), "{ran:?}");
}

#[test]
fn a_bundle_that_does_not_pass_is_told_step_by_step() {
    let engine = Engine::start(|asked| match asked.method.as_str() {
        "GET" => Reply::problem(404, "not-found", "nothing there", None, ""),
        _ => Reply::json(
            422,
            &json!({ "status": 422, "code": "bundle-refused", "detail": "the bundle did not pass the check", "remedy": "",
                "report": { "steps": [
                    { "step": "archive", "result": "ok" },
                    { "step": "signature", "result": "failed", "field": "signature", "problem": "it has none",
                      "remedy": "sign it with gudok sign" }] } }),
        ),
    });
    let dir = tempfile::tempdir().unwrap();
    let file = bundle(dir.path());
    let ran = engine.gudok(&["deploy", &file, "migration/passport"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("signature failed in signature: it has none\n    remedy: sign it"), "{ran:?}");
    let missing = engine.gudok(&["deploy", "nowhere-1.0.0.ivr", "migration/passport"]);
    assert_eq!(missing.code, 1, "{missing:?}");
    assert!(missing.stderr.contains("nowhere-1.0.0.ivr"), "{missing:?}");
}

#[test]
fn two_admins_get_a_conflict_and_not_a_lost_update() {
    let engine = Engine::start(|asked| match asked.method.as_str() {
        "GET" => Reply::json(200, &json!({ "canary": live(NEW, "2.0.0", 10) })).with("ETag", "\"1\""),
        _ => Reply::problem(412, "stale-revision", "bob changed it meanwhile", None, "look again, then repeat"),
    });
    for command in [
        &["release", "migration/passport"][..],
        &["rollback", "migration/passport"],
        &["canary", "migration/passport", "--share", "50"],
    ] {
        let ran = engine.gudok(command);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains("bob changed it meanwhile"), "{ran:?}");
    }
}

#[test]
fn a_version_that_may_be_two_is_not_guessed() {
    let engine = Engine::start(|asked| match asked.path.as_str() {
        "/api/v1/versions" => Reply::json(
            200,
            &json!({ "items": [version(OLD, "1.0.0", "approved"), version(NEW, "1.0.0", "approved")], "next": null }),
        ),
        _ => Reply::problem(404, "not-found", "nothing there", None, ""),
    });
    let ran = engine.gudok(&["deploy", "1.0.0", "migration/passport"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains(OLD) && ran.stderr.contains(NEW), "{ran:?}");
    let ran = engine.gudok(&["approve", "3.0.0"]);
    assert!(ran.code == 1 && ran.stderr.contains("no version is called 3.0.0"), "{ran:?}");
}

#[test]
fn a_person_at_a_terminal_is_asked() {
    // util-linux' script gives the command a terminal; without it there is nobody to ask.
    if std::process::Command::new("script").arg("--version").output().is_err() {
        return;
    }
    let engine = world(World::new("waiting"));
    let home = tempfile::tempdir().unwrap();
    let inner = format!("{} deploy 2.0.0 migration/passport", env!("CARGO_BIN_EXE_gudok"));
    let setting =
        Setting { url: Some(&engine.url()), token: Some("gdk_test"), stdin: "y\n", ..Setting::at(home.path()) };
    let ran = run_program(&setting, "script", &["-qec", &inner, "/dev/null"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.contains("Approve them? [y/N]") && ran.stdout.contains("fetch https://api.example.org"),
        "{ran:?}"
    );
    engine.one("POST", &format!("/api/v1/versions/{NEW}/approve"));
}
