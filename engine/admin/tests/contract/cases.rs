//! For every row of the table, a request that succeeds for who may, and how it names the agency.

use crate::world::{Ask, LIVE, PAST, World, ask};
use base64::Engine as _;
use gudok_admin::access::Operation;
use serde_json::{Value, json};

/// How a request says whose thing it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Not at all: a list or something of the whole centre.
    Nothing,
    /// By the agency's name: another agency's is forbidden.
    Agency,
    /// By the thing's id: another agency's does not exist.
    Id,
}

pub struct Case {
    pub ask: Ask,
    pub good: u16,
    pub by: By,
}

pub fn case(by: By, good: u16, ask: Ask) -> Case {
    Case { ask, good, by }
}

/// What the audit says of a write or a look.
pub fn audited_as(operation: Operation) -> Option<&'static str> {
    Some(match operation {
        Operation::Login => "login",
        Operation::Logout | Operation::TokenRevoke => "token.revoke",
        Operation::UserCreate => "user.create",
        Operation::UserUpdate => "user.update",
        Operation::UserDelete => "user.delete",
        Operation::TokenCreate => "token.create",
        Operation::AgencyCreate => "agency.create",
        Operation::AgencyUpdate => "agency.update",
        Operation::AgencyDelete => "agency.delete",
        Operation::KeyAdd => "key.add",
        Operation::KeyRevoke => "key.revoke",
        Operation::RetentionSet => "retention.set",
        Operation::NumberCreate => "number.create",
        Operation::NumberUpdate => "number.update",
        Operation::NumberDelete => "number.delete",
        Operation::EntrySet => "entry.set",
        Operation::BundleUpload => "bundle.upload",
        Operation::VersionDelete => "version.delete",
        Operation::VersionApprove => "version.approve",
        Operation::VersionRefuse => "version.refuse",
        Operation::Deploy => "deploy",
        Operation::Release => "release",
        Operation::RollBack => "rollback",
        Operation::CallHangUp => "call.hangup",
        Operation::CallLand => "call.land",
        Operation::CallTrace => "trace.read",
        Operation::CallJournal => "journal.read",
        Operation::CallReplay => "journal.replay",
        Operation::Rehearse => "journal.rehearse",
        Operation::RecordingPlay => "recording.play",
        Operation::RecordingsList | Operation::CdrsList => "cdr.read",
        Operation::AuditExport => "audit.export",
        Operation::ConfigurationReload => "configuration.reload",
        Operation::OverlaySet => "overlay.set",
        Operation::OverlayDelete => "overlay.delete",
        Operation::SubjectExport => "subject.export",
        Operation::SubjectErase => "subject.erase",
        _ => return crate::centre_cases::audited_as(operation),
    })
}

/// A request for an operation, about something of `agency`, by somebody called `asker`. What it needs is made first.
pub async fn make(world: &World, operation: Operation, agency: &str, asker: &str) -> Case {
    let path = operation.route().path.replace("{agency}", agency).replace("{entry}", "main");
    let method = operation.route().method.http();
    let request = |path: String| ask(method.as_str(), path);
    let n = world.fresh();
    match operation {
        Operation::Login => {
            case(By::Nothing, 201, request(path).json(&json!({ "user": "root", "password": crate::world::PASSWORD })))
        }
        Operation::Logout => case(By::Nothing, 204, request(path)),
        Operation::UserCreate => {
            case(By::Nothing, 201, request(path).json(&json!({ "name": format!("u{n}"), "roles": [] })))
        }
        Operation::UserRead => case(By::Nothing, 200, request(path.replace("{name}", "root"))),
        Operation::UserUpdate | Operation::UserDelete => {
            let body = json!({ "name": format!("u{n}"), "roles": [] });
            let made = world.root(ask("POST", "/api/v1/users").json(&body)).await.expect(201);
            let request = request(path.replace("{name}", &format!("u{n}"))).header("if-match", made.header("etag"));
            let good = if operation == Operation::UserDelete { 204 } else { 200 };
            case(By::Nothing, good, request.json(&json!({ "roles": [], "full_name": "Anna" })))
        }
        Operation::TokenCreate => case(By::Nothing, 201, request(path).json(&json!({ "label": "here" }))),
        Operation::TokenRevoke => {
            let made = ask("POST", "/api/v1/tokens").json(&json!({ "label": "there", "user": asker }));
            let made = world.root(made).await.expect(201).json();
            case(By::Nothing, 204, request(path.replace("{id}", made["id"].as_str().unwrap())))
        }
        Operation::AgencyCreate => {
            let body = json!({ "name": format!("a{n}"), "fallback": "operators" });
            case(By::Nothing, 201, request(path).json(&body))
        }
        Operation::AgencyUpdate => {
            let present = world.root(ask("GET", path.clone())).await.expect(200);
            let request = request(path).header("if-match", present.header("etag"));
            case(By::Agency, 200, request.json(&json!({ "fallback": "operators", "title": "Title" })))
        }
        Operation::AgencyDelete => {
            let body = json!({ "name": format!("a{n}"), "fallback": "operators" });
            world.root(ask("POST", "/api/v1/agencies").json(&body)).await.expect(201);
            case(By::Agency, 204, request(format!("/api/v1/agencies/a{n}")))
        }
        Operation::AgencyRead | Operation::KeysList | Operation::RetentionRead | Operation::EntryRead => {
            case(By::Agency, 200, request(path))
        }
        Operation::KeyAdd => case(By::Agency, 201, request(path).json(&json!({ "public_key": public_key(n) }))),
        Operation::KeyRevoke => {
            let body = json!({ "public_key": public_key(n) });
            let keys = ask("POST", format!("/api/v1/agencies/{agency}/keys"));
            let id = world.root(keys.json(&body)).await.expect(201).json()["id"].as_str().unwrap().to_owned();
            case(By::Agency, 204, request(path.replace("{key}", &id)))
        }
        Operation::RetentionSet | Operation::EntrySet => {
            let present = world.root(ask("GET", path.clone())).await.expect(200);
            let request = request(path).header("if-match", present.header("etag"));
            let body = match operation {
                Operation::RetentionSet => json!({ "cdr_days": 30, "recording_days": 3, "trace_days": 1 }),
                _ => json!({ "config": { "office": "1" }, "secrets": { "back-end": "env:BACK_END" } }),
            };
            case(By::Agency, 200, request.json(&body))
        }
        _ => more(world, operation, agency, path, asker).await,
    }
}

async fn more(world: &World, operation: Operation, agency: &str, path: String, asker: &str) -> Case {
    let n = world.fresh();
    let method = operation.route().method.http();
    let request = |path: String| ask(method.as_str(), path);
    match operation {
        Operation::NumbersList
        | Operation::VersionsList
        | Operation::DeploymentsList
        | Operation::CallsList
        | Operation::CdrsList
        | Operation::FaultsList
        | Operation::LogsList
        | Operation::Events => case(By::Agency, 200, request(format!("{path}?agency={agency}"))),
        Operation::NumberCreate => {
            live(world, agency).await;
            let body = json!({ "number": format!("7000{n}"), "agency": agency, "entry": "main" });
            case(By::Agency, 201, request(path).json(&body))
        }
        Operation::NumberRead | Operation::NumberUpdate | Operation::NumberDelete => {
            live(world, agency).await;
            let body = json!({ "number": format!("7000{n}"), "agency": agency, "entry": "main" });
            let made = world.root(ask("POST", "/api/v1/numbers").json(&body)).await.expect(201);
            let request =
                request(path.replace("{number}", &format!("7000{n}"))).header("if-match", made.header("etag"));
            let good = if operation == Operation::NumberDelete { 204 } else { 200 };
            case(By::Id, good, request.json(&json!({ "agency": agency, "entry": "main" })))
        }
        Operation::BundleUpload => {
            let bundle = world.bundle(agency, &format!("s{n}"), "1.0.0", &json!({}));
            let request = request(format!("{path}?agency={agency}")).bytes("application/octet-stream", bundle);
            case(By::Agency, 201, request)
        }
        Operation::VersionApprove => {
            let capabilities = json!({ "fetch": {} });
            let id = world.version_with(agency, &format!("s{n}"), "1.0.0", &capabilities).await;
            case(By::Id, 200, request(path.replace("{id}", &id)))
        }
        Operation::VersionRead
        | Operation::VersionDelete
        | Operation::VersionDifference
        | Operation::VersionFlow
        | Operation::VersionFlowPicture
        | Operation::VersionRefuse
        | Operation::VersionBundle => {
            let id = world.version(agency, &format!("s{n}"), "1.0.0").await;
            let good = if operation == Operation::VersionDelete { 204 } else { 200 };
            case(By::Id, good, request(path.replace("{id}", &id)))
        }
        Operation::Deploy => {
            let id = world.version(agency, &format!("s{n}"), "1.0.0").await;
            let present = live(world, agency).await;
            let request = request(path).if_match(present["revision"].as_u64().unwrap());
            case(By::Agency, 200, request.json(&json!({ "version": id })))
        }
        Operation::Release => {
            live(world, agency).await;
            let id = world.version(agency, &format!("s{n}"), "1.0.0").await;
            world.deploy(agency, "main", &id, 10).await;
            case(By::Agency, 200, request(path))
        }
        Operation::DeploymentRead
        | Operation::RollBack
        | Operation::DeploymentHistory
        | Operation::DeploymentOutcomes => {
            live(world, agency).await;
            case(By::Agency, 200, request(path))
        }
        Operation::CallRead => case(By::Id, 200, request(path.replace("{id}", of(&LIVE, agency)))),
        Operation::CallHangUp | Operation::CallLand => {
            case(By::Id, 202, request(path.replace("{id}", of(&LIVE, agency))))
        }
        Operation::CallJournal | Operation::CallReplay => {
            case(By::Id, 200, request(path.replace("{id}", of(&PAST, agency))))
        }
        Operation::Rehearse => {
            let id = world.version(agency, &format!("s{n}"), "1.0.0").await;
            case(By::Agency, 200, request(format!("{path}?script=s{n}&version={id}")))
        }
        Operation::CallTrace | Operation::RecordingsList | Operation::RecordingPlay => {
            case(By::Id, 200, request(path.replace("{id}", of(&PAST, agency)).replace("{name}", "message")))
        }
        Operation::OverlayRead | Operation::OverlayDelete => {
            let name = format!("o{n}");
            let put = ask("PUT", format!("/api/v1/overlays/{name}")).json(&json!({ "text": "Water rises." }));
            world.root(put).await.expect(201);
            let good = if operation == Operation::OverlayDelete { 204 } else { 200 };
            case(By::Nothing, good, request(path.replace("{name}", &name)))
        }
        Operation::OverlaySet => {
            let path = path.replace("{name}", &format!("o{n}"));
            case(By::Nothing, 201, request(path).json(&json!({ "text": "Water rises." })))
        }
        Operation::SubjectExport | Operation::SubjectErase => {
            let body = json!({ "number": "+79990000000", "reason": "asked in writing" });
            case(By::Nothing, 200, request(path).json(&body))
        }
        _ => crate::centre_cases::make(world, operation, agency, path, asker).await,
    }
}

/// The agency's entry `main` has something live.
pub async fn live(world: &World, agency: &str) -> Value {
    let present = world.root(ask("GET", format!("/api/v1/deployments/{agency}/main"))).await;
    if present.status.is_success() {
        return present.json();
    }
    let id = world.version(agency, "desk", "1.0.0").await;
    world.deploy(agency, "main", &id, 100).await
}

pub fn of<'a>(calls: &'a [(&str, &'a str)], agency: &str) -> &'a str {
    calls.iter().find(|(of, _)| *of == agency).unwrap().1
}

/// A well-formed minisign public key with an id of its own.
pub fn public_key(n: usize) -> String {
    let mut bytes = b"Ed".to_vec();
    bytes.extend((n as u64).to_le_bytes());
    bytes.extend([9; 32]);
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
