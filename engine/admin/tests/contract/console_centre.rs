//! The pages of the people of the centre, as a browser asks for them: with htmx a part of a page, without it a page.

use crate::centre_engine::OWED;
use crate::console::{Reader, encoded, form, goes_to, is_page};
use crate::world::{LIVE, Reply, World};
use serde_json::json;

async fn operator(world: &World) -> Reader {
    Reader::of(world, "of-mfc", json!([{ "role": "operator", "agency": "mfc" }])).await
}

/// One with a call on the desk.
async fn talking(world: &World) -> Reader {
    Reader::of(world, "desk-of-file", json!([{ "role": "operator", "agency": "mfc" }])).await
}

async fn supervisor(world: &World) -> Reader {
    Reader::of(world, "senior", json!([{ "role": "supervisor", "agency": "mfc" }])).await
}

/// A form of a page that goes on.
async fn part(world: &World, who: &Reader, path: &str, fields: &[(&str, &str)]) -> Reply {
    let csrf = ("csrf", who.csrf.as_str());
    let fields = fields.iter().copied().chain([csrf]);
    let fields: Vec<String> = fields.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    world.send(form(who.ask("POST", path).header("hx-request", "true"), &fields.join("&"))).await
}

/// A form with a file or a long text, as browsers send it.
pub(crate) async fn with_file(
    world: &World,
    who: &Reader,
    path: &str,
    fields: &[(&str, &str)],
    file: (&str, &[u8]),
) -> Reply {
    let mut body = Vec::new();
    for (name, value) in [("csrf", who.csrf.as_str())].iter().chain(fields) {
        body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    let name = if file.1.is_empty() { "" } else { "file" };
    let head = format!("--b\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{name}\"\r\n", file.0);
    body.extend(head.bytes());
    body.extend(b"Content-Type: application/octet-stream\r\n\r\n");
    body.extend(file.1);
    body.extend(b"\r\n--b--\r\n");
    world.send(who.ask("POST", path).bytes("multipart/form-data; boundary=b", body)).await
}

#[track_caller]
fn is_part(reply: &Reply, status: u16, says: &str) {
    let text = reply.text();
    assert_eq!(reply.status.as_u16(), status, "{text}");
    assert!(!text.contains("<html") && !text.contains('⟦'), "{text}");
    assert!(text.contains(says), "no {says:?} in {text}");
}

#[tokio::test]
async fn an_operator_works_at_the_desk() {
    let world = World::new().await;
    let anna = talking(&world).await;
    let page = anna.get(&world, "/console/desk").await.expect(200);
    is_page(&page);
    let text = page.text();
    assert!(text.contains("+7********21") && text.contains("<dt>office</dt>"), "{text}");
    assert!(!text.contains("of Some(&#34;zags&#34;)") && !text.contains("zags"), "another agency's part of the call");
    assert!(!text.contains(OWED) && text.contains("cb-mfc-1"), "a number in clear, or no callback");
    goes_to(&anna.get(&world, "/console/").await, "/console/desk");

    for (path, fields, order) in [
        ("/console/desk/pause", &[("reason", "lunch")][..], "desk-of-file Pause(Own(\"lunch\"))"),
        ("/console/desk/ready", &[][..], "desk-of-file Ready"),
        ("/console/desk/logout", &[][..], "desk-of-file LogOut(Own)"),
        ("/console/desk/login", &[][..], "desk-of-file LogIn"),
    ] {
        is_part(&part(&world, &anna, path, fields).await, 200, "bar-word");
        assert_eq!(world.engine.state.lock().centre_orders.last().unwrap(), order);
        goes_to(&anna.post(&world, path, fields).await, "/console/desk");
    }
    is_part(&part(&world, &anna, "/console/desk/wrap-up", &[("code", "solved")]).await, 200, "bar-word");
    assert_eq!(world.engine.state.lock().centre_orders.last().unwrap(), "desk-of-file says solved ");
    // What is refused is said in the bar, and the page goes on.
    is_part(&part(&world, &anna, "/console/desk/wrap-up", &[("code", "")]).await, 200, "note bad");
    let strange = world.send(form(anna.ask("POST", "/console/desk/ready"), "csrf=other")).await;
    assert_eq!(strange.status.as_u16(), 403);
}

#[tokio::test]
async fn the_desks_forms_answer_in_their_place() {
    let world = World::new().await;
    let anna = talking(&world).await;
    let ticket = [("kind", "complaint"), ("story", "No water."), ("call", LIVE[0].1), ("contact", "+79990000042")];
    let made = part(&world, &anna, "/console/desk/ticket", &ticket).await;
    is_part(&made, 200, "К-2026-000001");
    assert!(!made.text().contains("9990000042"), "the number stands in the answer");
    let empty = part(&world, &anna, "/console/desk/ticket", &[("kind", "complaint"), ("story", " ")]).await;
    is_part(&empty, 422, "ticket-story-wrong");
    let whole = anna.post(&world, "/console/desk/ticket", &ticket).await.expect(200);
    is_page(&whole);
    assert!(whole.text().contains("К-2026-000002"));

    let gives = part(&world, &anna, "/console/desk/transfer", &[("target", "queue:help")]).await;
    is_part(&gives, 200, "note good");
    let gives = part(&world, &anna, "/console/desk/transfer", &[("target", ""), ("other", "122")]).await;
    is_part(&gives, 200, "122");
    is_part(&part(&world, &anna, "/console/desk/transfer", &[("target", "")]).await, 422, "transfer-other-wrong");
    is_part(&part(&world, &anna, "/console/desk/transfer", &[("target", "queue:nothing")]).await, 200, "note bad");

    let promise = [("number", OWED), ("queue", "help"), ("topic", "passport")];
    let promised = part(&world, &anna, "/console/desk/callback", &promise).await;
    is_part(&promised, 200, "note good");
    assert!(!promised.text().contains(OWED), "the number stands in the answer");
    is_part(
        &part(&world, &anna, "/console/desk/callback", &[("number", "x"), ("queue", "help")]).await,
        422,
        "note bad",
    );
}

#[tokio::test]
async fn an_answer_is_found_and_may_be_called_wrong() {
    let world = World::new().await;
    let root = Reader::root(&world).await;
    let entry =
        [("id", "passport-term"), ("title", "Паспорт"), ("kind", "faq"), ("agency", "mfc"), ("text", "Десять дней.")];
    goes_to(
        &root.post(&world, "/console/directory/new", &entry).await,
        "/console/directory/passport-term?notice=created",
    );
    let again = root.post(&world, "/console/directory/new", &entry).await.expect(422);
    assert!(again.text().contains("id=\"id-wrong\""), "{}", again.text());

    let anna = talking(&world).await;
    let found = anna.ask("GET", "/console/desk/search?q=%D0%9F%D0%B0%D1%81%D0%BF%D0%BE%D1%80%D1%82");
    let found = world.send(found.header("hx-request", "true")).await;
    is_part(&found, 200, "Десять дней.");
    let page = anna.get(&world, "/console/desk?q=%D0%9F%D0%B0%D1%81%D0%BF%D0%BE%D1%80%D1%82").await.expect(200);
    is_page(&page);
    assert!(page.text().contains("Десять дней."));
    let wrong = [("entry", "passport-term"), ("version", "1"), ("text", "It takes five days now.")];
    is_part(&part(&world, &anna, "/console/desk/wrong", &wrong).await, 200, "К-2026-000001");
    let ticket = root.get(&world, "/console/tickets/mfc/%D0%9A-2026-000001").await.expect(200);
    is_page(&ticket);
    assert!(ticket.text().contains("/console/directory/passport-term") && ticket.text().contains("five days"));
    let retried = root.post(&world, "/console/tickets/mfc/%D0%9A-2026-000001/retry", &[]).await;
    goes_to(&retried, "/console/deliveries?notice=retried");
    assert!(root.get(&world, "/console/deliveries?state=waiting").await.expect(200).text().contains("К-2026-000001"));
}

#[tokio::test]
async fn a_supervisor_leads_the_floor() {
    let world = World::new().await;
    let vera = supervisor(&world).await;
    let page = vera.get(&world, "/console/floor").await.expect(200);
    is_page(&page);
    let text = page.text();
    assert!(text.contains("help") && !text.contains("births"), "another agency's queue");
    assert!(text.contains("OF-MFC") && !text.contains("OF-ZAGS"), "another agency's operator");
    assert!(!text.contains(OWED));
    is_page(&vera.get(&world, "/console/callbacks").await.expect(200));

    let done = part(&world, &vera, "/console/operators/of-mfc/pause", &[]).await;
    assert_eq!(done.status.as_u16(), 204, "{}", done.text());
    goes_to(&vera.post(&world, "/console/operators/of-mfc/ready", &[]).await, "/console/floor");
    is_page(&vera.get(&world, "/console/operators/of-mfc/logout").await.expect(200));
    // Whose operator it is not is told above the page, which goes on.
    let refused = part(&world, &vera, "/console/operators/of-zags/pause", &[]).await;
    assert_eq!((refused.status.as_u16(), refused.header("hx-retarget")), (404, "#refused"));
    is_part(&refused, 404, "note bad");

    is_page(&vera.get(&world, "/console/callbacks/cb-mfc-1/cancel").await.expect(200));
    goes_to(&vera.post(&world, "/console/callbacks/cb-mfc-1/cancel", &[]).await, "/console/callbacks");
    for what in ["try-again", "connected"] {
        let done = part(&world, &vera, &format!("/console/callbacks/cb-mfc-1/{what}"), &[]).await;
        assert_eq!(done.status.as_u16(), 204, "{}", done.text());
    }
    assert_eq!(vera.post(&world, "/console/callbacks/cb-zags-1/cancel", &[]).await.status.as_u16(), 404);

    let page = format!("/console/calls/{}/supervise", LIVE[0].1);
    is_page(&vera.get(&world, &page).await.expect(200));
    let there = format!("{page}?notice=supervised");
    goes_to(&vera.post(&world, &page, &[("how", "whisper"), ("phone", "senior")]).await, &there);
    let ghost = vera.post(&world, &page, &[("how", "barge"), ("phone", "ghost")]).await.expect(422);
    assert!(ghost.text().contains("id=\"phone-wrong\""), "{}", ghost.text());
    goes_to(&vera.post(&world, &format!("{page}/end"), &[]).await, "/console/floor?notice=unsupervised");
    let anna = operator(&world).await;
    assert_eq!(anna.get(&world, &page).await.status.as_u16(), 403, "an operator listens in");
    assert_eq!(anna.get(&world, "/console/reports").await.status.as_u16(), 403);
}

#[tokio::test]
async fn an_announcement_sounds_in_one_step() {
    let world = World::new().await;
    let officer = Reader::of(&world, "officer", json!([{ "role": "emergency-officer" }])).await;
    goes_to(&officer.get(&world, "/console/").await, "/console/emergency");
    let fields = [("text", "Вода поднимается."), ("lang", "ru-RU"), ("hours", "3"), ("areas", "42/zarechny")];
    let started = with_file(&world, &officer, "/console/emergency", &fields, ("audio", b"")).await;
    goes_to(&started, "/console/emergency?notice=sounding");
    let spoken = [("hours", ""), ("agencies", "mfc")];
    world.engine.pass(1_500);
    let started = with_file(&world, &officer, "/console/emergency", &spoken, ("audio", b"RIFF....")).await;
    goes_to(&started, "/console/emergency?notice=sounding");
    world.engine.pass(1_500);
    let noise = with_file(&world, &officer, "/console/emergency", &spoken, ("audio", b"noise")).await.expect(422);
    is_page(&noise);
    let nothing = with_file(&world, &officer, "/console/emergency", &[("text", "")], ("audio", b"")).await.expect(422);
    assert!(nothing.text().contains("id=\"text-wrong\""), "{}", nothing.text());
    let page = officer.get(&world, "/console/emergency").await.expect(200);
    is_page(&page);
    let text = page.text();
    assert!(text.contains("Вода поднимается.") && text.contains("42/zarechny") && text.contains("0:01"), "{text}");
    let name = text.split("/console/emergency/").nth(1).unwrap().split('/').next().unwrap();
    is_page(&officer.get(&world, &format!("/console/emergency/{name}/end")).await.expect(200));
    let ended = officer.post(&world, &format!("/console/emergency/{name}/end"), &[]).await;
    goes_to(&ended, "/console/emergency?notice=silenced");
    let anna = operator(&world).await;
    let refused = with_file(&world, &anna, "/console/emergency", &fields, ("audio", b"")).await;
    assert_eq!(refused.status.as_u16(), 403);
    let mut stranger = officer;
    stranger.csrf = "another".into();
    let refused = with_file(&world, &stranger, "/console/emergency", &fields, ("audio", b"")).await;
    assert_eq!(refused.status.as_u16(), 403, "a form of another session");
}

#[tokio::test]
async fn a_table_is_checked_before_it_is_imported() {
    let world = World::new().await;
    let root = Reader::root(&world).await;
    let table = "id,kind,agency,title,text\nmfc-1,office,mfc,Office,Here\nmfc-2,<nowhere>,mfc,X,Y\n";
    let fields = [("dry_run", "true"), ("format", "csv")];
    let checked = with_file(&world, &root, "/console/directory/import", &fields, ("file", table.as_bytes())).await;
    let checked = checked.expect(200);
    is_page(&checked);
    let text = checked.text();
    assert!(text.contains("import-now") && text.contains("&#60;nowhere&#62;"), "{text}");
    assert!(!text.contains("<nowhere>"), "what a table says is markup");
    assert_eq!(root.get(&world, "/console/directory/mfc-1").await.status.as_u16(), 404, "a check has written");
    let rows = [("format", "csv"), ("rows", table)];
    let again = with_file(&world, &root, "/console/directory/import", &rows, ("file", b"")).await;
    is_page(&again.expect(200));
    is_page(&root.get(&world, "/console/directory/mfc-1").await.expect(200));
    let none = with_file(&world, &root, "/console/directory/import", &[("dry_run", "true")], ("file", b"")).await;
    assert!(none.expect(422).text().contains("id=\"file-wrong\""));
}

#[tokio::test]
async fn guides_are_written_and_read() {
    let world = World::new().await;
    let vera = supervisor(&world).await;
    let guide = [("agency", "mfc"), ("topic", "passport"), ("text", "Greet.\r\n\r\nBook: https://mfc.example/slots")];
    goes_to(&vera.post(&world, "/console/guides/new", &guide).await, "/console/guides?notice=created");
    assert_eq!(vera.post(&world, "/console/guides/new", &guide).await.status.as_u16(), 422, "the name is taken");
    is_page(&vera.get(&world, "/console/guides/mfc/passport").await.expect(200));
    let anna = talking(&world).await;
    let desk = anna.get(&world, "/console/desk").await.expect(200).text();
    assert!(desk.contains("href=\"https://mfc.example/slots\"") && desk.contains("Greet."), "{desk}");
    is_page(&vera.get(&world, "/console/guides/mfc/passport/delete").await.expect(200));
}
