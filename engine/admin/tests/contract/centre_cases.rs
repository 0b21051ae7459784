//! For every row of the table that is the centre's, a request that succeeds for who may.

use crate::cases::{By, Case, case, of};
use crate::world::{LIVE, PAST, World, ask};
use gudok_admin::access::Operation;
use gudok_admin::documents::{SurveyAnswerDocument, SurveyDocument, kinds};
use gudok_store::{LedgerChange, Put, UtcMs};
use serde_json::{Value, json};

/// What the audit says of a write or a look.
pub fn audited_as(operation: Operation) -> Option<&'static str> {
    Some(match operation {
        Operation::OperatorCreate => "operator.create",
        Operation::OperatorUpdate => "operator.update",
        Operation::OperatorDelete => "operator.delete",
        Operation::OperatorState => "operator.state",
        Operation::CallbackBook => "callback.book",
        Operation::CallbackNumber => "callback.number",
        Operation::CallbackCancel => "callback.cancel",
        Operation::CallbackTryAgain => "callback.try-again",
        Operation::CallbackConnected => "callback.connected",
        Operation::DeskLogin => "desk.login",
        Operation::DeskReady => "desk.ready",
        Operation::DeskPause => "desk.pause",
        Operation::DeskLogout => "desk.logout",
        Operation::DeskWrapUp => "desk.wrap-up",
        Operation::DeskTransfer => "desk.transfer",
        Operation::Supervise => "call.supervise",
        Operation::SuperviseEnd => "call.supervise-end",
        Operation::MarkSet => "recording.mark",
        Operation::TicketsList | Operation::TicketRead => "ticket.read",
        Operation::TicketCreate => "ticket.create",
        Operation::DeliveryRetry => "delivery.retry",
        Operation::WebhookSet => "webhook.set",
        Operation::WebhookDelete => "webhook.delete",
        Operation::GuideSet => "guide.set",
        Operation::GuideDelete => "guide.delete",
        Operation::OverlayRecord => "overlay.set",
        Operation::DirectorySet => "directory.set",
        Operation::DirectoryDelete => "directory.delete",
        Operation::DirectoryImport => "directory.import",
        _ => return crate::campaign_cases::audited_as(operation),
    })
}

/// A request for an operation, about something of `agency`, by somebody called `asker`.
pub async fn make(world: &World, operation: Operation, agency: &str, path: String, asker: &str) -> Case {
    let method = operation.route().method.http();
    let request = |path: String| ask(method.as_str(), path);
    let n = world.fresh();
    if ["/api/v1/campaign", "/api/v1/opt-outs"].iter().any(|start| path.starts_with(start)) {
        return crate::campaign_cases::make(world, operation, agency, path, asker).await;
    }
    match operation {
        Operation::OperatorCreate => case(By::Nothing, 201, request(path).json(&operator(&format!("op-{n}")))),
        Operation::OperatorRead | Operation::OperatorState => {
            // An operator reaches oneself.
            let name = if asker == "operator" { asker.to_owned() } else { format!("of-{agency}") };
            let (operator, status) = if operation == Operation::OperatorRead {
                // The fake engine knows the operators whom the API has not made.
                let made = world.root(ask("POST", "/api/v1/operators").json(&self::operator(&name))).await;
                assert!([201, 409].contains(&made.status.as_u16()), "{}", made.text());
                (request(path.replace("{name}", &name)), 200)
            } else {
                (request(path.replace("{name}", &name)).json(&json!({ "state": "pause", "reason": "lunch" })), 202)
            };
            case(By::Id, status, operator)
        }
        Operation::OperatorUpdate | Operation::OperatorDelete => {
            let name = format!("op-{n}");
            let made = world.root(ask("POST", "/api/v1/operators").json(&operator(&name))).await.expect(201);
            let request = request(path.replace("{name}", &name)).header("if-match", made.header("etag"));
            let good = if operation == Operation::OperatorDelete { 204 } else { 200 };
            case(By::Nothing, good, request.json(&operator(&name)))
        }
        Operation::OperatorsList
        | Operation::QueuesList
        | Operation::CallbacksList
        | Operation::TicketsList
        | Operation::DeliveriesList
        | Operation::GuidesList
        | Operation::DirectoryList
        | Operation::DirectoryExport
        | Operation::ReportRead
        | Operation::SurveysList => listed(operation, agency, request(path), asker),
        Operation::QueueRead => {
            let queue = if agency == "mfc" { "help" } else { "births" };
            case(By::Id, 200, request(path.replace("{queue}", queue)))
        }
        Operation::CallbackBook => {
            let queue = if agency == "mfc" { "help" } else { "births" };
            let body = json!({ "queue": queue, "number": "+79990000000", "topic": "passport", "agency": agency });
            case(By::Agency, 201, request(path).json(&body))
        }
        Operation::CallbackRead
        | Operation::CallbackNumber
        | Operation::CallbackCancel
        | Operation::CallbackTryAgain
        | Operation::CallbackConnected => case(By::Id, 200, request(path.replace("{id}", &format!("cb-{agency}-{n}")))),
        Operation::DeskLogin | Operation::DeskReady | Operation::DeskPause | Operation::DeskLogout => {
            case(By::Nothing, 202, request(path))
        }
        Operation::DeskWrapUp => case(By::Nothing, 204, request(path).json(&json!({ "code": "solved" }))),
        Operation::DeskTransfer => case(By::Nothing, 204, request(path).json(&json!({ "target": "queue:common" }))),
        Operation::Supervise => {
            let body = json!({ "how": "listen", "phone": "of-mfc" });
            case(By::Id, 202, request(path.replace("{id}", of(&LIVE, agency))).json(&body))
        }
        Operation::SuperviseEnd => case(By::Id, 204, request(path.replace("{id}", of(&LIVE, agency)))),
        _ => written(world, operation, agency, path, n).await,
    }
}

/// A list of one agency; an operator's own things are of no agency.
fn listed(operation: Operation, agency: &str, mut request: crate::world::Ask, asker: &str) -> Case {
    if operation == Operation::OperatorsList && asker == "operator" {
        return case(By::Nothing, 200, request);
    }
    request.path = format!("{}?agency={agency}", request.path);
    case(By::Agency, 200, request)
}

async fn written(world: &World, operation: Operation, agency: &str, path: String, n: usize) -> Case {
    let method = operation.route().method.http();
    let request = |path: String| ask(method.as_str(), path);
    match operation {
        Operation::MarkRead | Operation::MarkSet => {
            let path = path.replace("{id}", of(&PAST, agency)).replace("{name}", "message");
            let body = json!({ "score": 4, "note": "polite" });
            let present = world.root(ask("GET", path.clone())).await;
            let mut request = request(path.clone());
            if present.status.is_success() {
                request = request.header("if-match", present.header("etag"));
            } else if operation == Operation::MarkRead {
                world.root(ask("PUT", path).json(&body)).await.expect(200);
            }
            case(By::Id, 200, request.json(&body))
        }
        Operation::TicketCreate => {
            let body = json!({ "kind": "complaint", "agency": agency, "text": "It is cold." });
            case(By::Agency, 201, request(path).json(&body))
        }
        Operation::TicketRead | Operation::DeliveryRetry => {
            let number = ticket(world, agency).await;
            case(By::Agency, 200, request(path.replace("{number}", &escaped(&number))))
        }
        Operation::WebhookRead | Operation::WebhookSet | Operation::WebhookDelete => {
            let body = json!({ "url": "https://mfc.example/hook", "secret": "env:HOOK" });
            let whole = format!("/api/v1/agencies/{agency}/webhook");
            let mut etag = world.root(ask("GET", whole.clone())).await.header("etag").to_owned();
            if etag.is_empty() {
                let set = world.root(ask("PUT", whole).json(&body)).await.expect(200);
                set.header("etag").clone_into(&mut etag);
            }
            let good = if operation == Operation::WebhookDelete { 204 } else { 200 };
            case(By::Agency, good, request(path).header("if-match", etag).json(&body))
        }
        Operation::GuideRead | Operation::GuideSet | Operation::GuideDelete => {
            let topic = format!("topic-{n}");
            let etag = guide(world, agency, &topic).await;
            let good = if operation == Operation::GuideDelete { 204 } else { 200 };
            let request = request(path.replace("{topic}", &topic)).header("if-match", etag);
            case(By::Agency, good, request.json(&json!({ "text": "Ask for the office." })))
        }
        Operation::DirectorySearch => {
            let path = format!("{path}?q=passport&agency={agency}");
            case(By::Agency, 200, request(path))
        }
        Operation::DirectoryRead | Operation::DirectoryDelete => {
            let id = format!("faq-{n}");
            entry(world, agency, &id).await;
            let good = if operation == Operation::DirectoryDelete { 204 } else { 200 };
            case(By::Id, good, request(path.replace("{id}", &id)))
        }
        Operation::DirectorySet => {
            let path = path.replace("{id}", &format!("faq-{n}"));
            case(By::Agency, 201, request(path).json(&entry_body(agency)))
        }
        Operation::DirectoryImport => {
            let table = format!("id,kind,agency,title\nrow-{n},faq,{agency},Where {n}?\n");
            let request = request(format!("{path}?format=csv")).bytes("text/csv", table.into_bytes());
            // What is another agency's is a bad row, not a refusal.
            case(By::Nothing, 200, request)
        }
        Operation::OverlayRecord => {
            let path = path.replace("{name}", &format!("o{n}"));
            case(By::Nothing, 200, request(path).bytes("audio/wav", b"RIFF audio".to_vec()))
        }
        _ => case(By::Nothing, 200, request(path)),
    }
}

pub fn operator(name: &str) -> Value {
    json!({ "name": name, "shown_name": "Anna", "queues": ["help"], "skills": { "en": 2 } })
}

/// Registers a ticket and answers with its number.
pub async fn ticket(world: &World, agency: &str) -> String {
    let body = json!({ "kind": "complaint", "agency": agency, "text": "It is cold.", "number": crate::world::CALLER });
    let made = world.root(ask("POST", "/api/v1/tickets").json(&body)).await.expect(201);
    made.json()["number"].as_str().unwrap().to_owned()
}

/// Sets a guide and answers with its ETag.
pub async fn guide(world: &World, agency: &str, topic: &str) -> String {
    let body = json!({ "text": "Ask for the office.", "title": topic, "wrap_up_codes": [] });
    let put = ask("PUT", format!("/api/v1/guides/{agency}/{topic}")).json(&body);
    world.root(put).await.expect(201).header("etag").to_owned()
}

pub fn entry_body(agency: &str) -> Value {
    json!({ "kind": "faq", "agency": agency, "title": "Where is a passport given?", "text": "At the office." })
}

/// Sets an entry of the directory.
pub async fn entry(world: &World, agency: &str, id: &str) {
    let put = ask("PUT", format!("/api/v1/directory/{id}")).json(&entry_body(agency));
    world.root(put).await.expect(201);
}

/// A caller of the agency's past call has answered a survey.
pub async fn survey(world: &World, agency: &str) {
    let call = of(&PAST, agency);
    let answer = SurveyAnswerDocument { question: "polite".into(), score: Some(5), text: String::new() };
    let document = SurveyDocument {
        agency: agency.parse().unwrap(),
        survey: "after-call".into(),
        call: call.into(),
        at_ms: crate::world::BEGIN_MS,
        answers: vec![answer],
    };
    let id = format!("{agency}/{call}/after-call");
    let body = serde_json::to_vec(&document).unwrap();
    let put = Put { kind: kinds::SURVEY.into(), id, body, expires: None };
    let change = LedgerChange { puts: vec![put], ..LedgerChange::default() };
    world.store.ledger_commit(change, UtcMs(crate::world::BEGIN_MS)).await.unwrap();
}

/// As a path has it.
pub fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || byte == b'-' {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
