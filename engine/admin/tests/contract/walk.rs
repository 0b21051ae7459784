//! The whole table: every route with every role, in one's own agency and in another's, and with every kind of credential
//! that must not count.

use crate::cases::{By, Case, audited_as, live, make};
use crate::world::{Ask, DAY_MS, PASSWORD, World, ask};
use gudok_admin::access::{Gate, Operation, ROUTES, Reach, Role, Route};
use serde_json::{Value, json};

const OWN: &str = "mfc";
const OTHER: &str = "zags";

struct Person {
    name: &'static str,
    role: Option<Role>,
    agency: Option<&'static str>,
}

const PEOPLE: [Person; 8] = [
    Person { name: "admin", role: Some(Role::Admin), agency: None },
    Person { name: "author", role: Some(Role::Author), agency: Some(OWN) },
    Person { name: "supervisor", role: Some(Role::Supervisor), agency: Some(OWN) },
    Person { name: "chief", role: Some(Role::Supervisor), agency: None },
    Person { name: "operator", role: Some(Role::Operator), agency: Some(OWN) },
    Person { name: "auditor", role: Some(Role::Auditor), agency: None },
    Person { name: "officer", role: Some(Role::EmergencyOfficer), agency: None },
    Person { name: "nobody", role: None, agency: None },
];

impl Person {
    fn roles(&self) -> Value {
        match (self.role, self.agency) {
            (None, _) => json!([]),
            (Some(role), None) => json!([{ "role": role }]),
            (Some(role), Some(agency)) => json!([{ "role": role, "agency": agency }]),
        }
    }

    /// What the table means for this person and something of that agency.
    fn expected(&self, route: &Route, case: &Case, agency: &str) -> u16 {
        if route.gate != Gate::Signed || route.reach.iter().all(|reach| *reach == Reach::Me) {
            return case.good;
        }
        let reach = self.role.map_or(Reach::No, |role| route.reach_of(role));
        let within = match (reach, self.agency) {
            (Reach::No, _) => return 403,
            (Reach::All | Reach::Me, _) | (Reach::Own, None) => true,
            (Reach::Own, Some(own)) => own == agency,
        };
        match (within, case.by) {
            (true, _) | (false, By::Nothing) => case.good,
            (false, By::Agency) => 403,
            (false, By::Id) => 404,
        }
    }
}

/// Sends, and looks at the head of the answer only: an event stream has no end.
async fn status(world: &World, ask: Ask) -> u16 {
    use tower::ServiceExt;
    world.router.clone().oneshot(ask.request()).await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_every_role_as_the_table_says() {
    let world = World::new().await;
    for agency in [OWN, OTHER] {
        live(&world, agency).await;
    }
    let mut walked = 0;
    for person in &PEOPLE {
        let mut token = world.user(person.name, person.roles()).await;
        for route in ROUTES {
            for agency in [OWN, OTHER] {
                let case = make(&world, route.operation, agency, person.name).await;
                let expected = person.expected(route, &case, agency);
                let found = status(&world, case.ask.token(&token)).await;
                assert_eq!(found, expected, "{route:?} by {} about {agency}", person.name);
                if route.operation == Operation::Logout {
                    token = world.log_in(person.name).await;
                }
                walked += 1;
            }
        }
    }
    assert_eq!(walked, ROUTES.len() * PEOPLE.len() * 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_count_as_a_credential_does_not() {
    let world = World::new().await;
    let admin = json!([{ "role": "admin" }]);
    let token = |reply: crate::world::Reply| reply.json()["token"].as_str().unwrap().to_owned();
    let revoked = world.user("revoked", admin.clone()).await;
    world.send(ask("POST", "/api/v1/logout").token(&revoked)).await.expect(204);
    let disabled = world.user("disabled", admin.clone()).await;
    let shut_out = json!({ "roles": admin, "disabled": true });
    world.change("/api/v1/users/disabled", &shut_out).await.expect(200);
    let deleted = world.user("deleted", admin.clone()).await;
    world.root(ask("DELETE", "/api/v1/users/deleted")).await.expect(204);
    world.user("deleted", json!([])).await;
    let changed = world.user("changed", admin.clone()).await;
    let new_password = json!({ "roles": admin, "password": "another-password-entirely" });
    world.change("/api/v1/users/changed", &new_password).await.expect(200);
    let soon = gudok_admin::time::written(crate::world::BEGIN_MS + 1_000);
    let short = json!({ "label": "short", "expires": soon });
    let expired = token(world.root(ask("POST", "/api/v1/tokens").json(&short)).await.expect(201));
    world.engine.pass(1_001);
    let unknown = format!("gdk_{}", "x".repeat(43));
    let tokens = [revoked, disabled, deleted, changed, expired, unknown, "gdk_short".to_owned(), PASSWORD.to_owned()];
    for route in ROUTES.iter().filter(|route| route.gate == Gate::Signed) {
        let path = route.path.replace("{agency}", OWN).replace("{entry}", "main").replace("{name}", "root");
        let path = path.replace("{id}", "0123456789abcdef").replace("{number}", "1").replace("{topic}", "passport");
        let path = path.replace("{queue}", "help");
        let request = || ask(route.method.http().as_str(), path.clone());
        world.send(request()).await.refused(401, "unauthenticated");
        for token in &tokens {
            world.send(request().token(token)).await.refused(401, "unauthenticated");
        }
        world.send(request().header("authorization", "Basic cm9vdDpyb290")).await.refused(401, "unauthenticated");
        let cookie = format!("gudok_session={}", "x".repeat(43));
        if !route.method.writes() {
            world.send(request().header("cookie", cookie)).await.refused(401, "unauthenticated");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_reads_freely_and_writes_with_its_token_only() {
    let world = World::new().await;
    for agency in [OWN, OTHER] {
        live(&world, agency).await;
    }
    // A desk is its operator's alone.
    let roles = json!({ "roles": [{ "role": "admin" }, { "role": "operator", "agency": OWN }] });
    world.change("/api/v1/users/root", &roles).await.expect(200);
    let (mut cookie, mut csrf) = world.session("root").await;
    for route in ROUTES.iter().filter(|route| route.gate == Gate::Signed) {
        let case = make(&world, route.operation, OWN, "root").await;
        let ask = case.ask.header("cookie", &cookie);
        if route.method.writes() {
            world.send(ask.clone()).await.refused(403, "csrf");
            world.send(ask.clone().header("x-csrf-token", "wrong")).await.refused(403, "csrf");
            let elsewhere = ask.clone().header("x-csrf-token", &csrf).header("origin", "https://evil.example");
            world.send(elsewhere).await.refused(403, "csrf");
        }
        let found = status(&world, ask.header("x-csrf-token", &csrf)).await;
        assert_eq!(found, case.good, "{route:?}");
        if route.operation == Operation::Logout {
            let old = world.send(crate::world::ask("GET", "/api/v1/me").header("cookie", &cookie)).await;
            old.refused(401, "unauthenticated");
            (cookie, csrf) = world.session("root").await;
        }
    }
    world.engine.pass(DAY_MS);
    let late = world.send(ask("GET", "/api/v1/me").header("cookie", cookie)).await;
    late.refused(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_and_every_look_is_in_the_audit_and_nothing_else_is() {
    let world = World::new().await;
    for agency in [OWN, OTHER] {
        live(&world, agency).await;
    }
    let mut token = world.user("admin", json!([{ "role": "admin" }, { "role": "operator", "agency": OWN }])).await;
    for route in ROUTES {
        let case = make(&world, route.operation, OWN, "admin").await;
        let before = world.audit_seq().await;
        let found = status(&world, case.ask.token(&token)).await;
        assert_eq!(found, case.good, "{route:?}");
        let entries = world.audit_after(before).await;
        match audited_as(route.operation) {
            None => assert!(entries.is_empty(), "{route:?} wrote {entries:?}"),
            Some(action) => {
                let written = entries.iter().any(|(found, _, actor)| {
                    found == action && (actor == "admin" || route.operation == Operation::Login)
                });
                assert!(written, "{route:?} wrote {entries:?}");
            }
        }
        assert!(!route.method.writes() || audited_as(route.operation).is_some(), "{route:?} writes unseen");
        if route.operation == Operation::Logout {
            token = world.log_in("admin").await;
        }
    }
    let report = world.store.audit_verify().await.unwrap();
    assert!(report.is_whole(), "{:?}", report.faults);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_show_ones_own_agency_only() {
    let world = World::new().await;
    for agency in [OWN, OTHER] {
        live(&world, agency).await;
        let body = json!({ "number": format!("7{}", agency.len()), "agency": agency, "entry": "main" });
        world.root(ask("POST", "/api/v1/numbers").json(&body)).await.expect(201);
        crate::centre_cases::ticket(&world, agency).await;
        crate::centre_cases::guide(&world, agency, "passport").await;
        crate::centre_cases::survey(&world, agency).await;
        crate::centre_cases::entry(&world, agency, &format!("faq-{agency}")).await;
        world.engine.campaign_of(&format!("spring-{agency}"), agency, false, "running");
        world.engine.opt_out_of(&format!("{:032x}", agency.len()), Some(agency));
    }
    let supervisor = world.user("supervisor", json!([{ "role": "supervisor", "agency": OWN }])).await;
    let lists = [
        ("/api/v1/agencies", "items", "/name"),
        ("/api/v1/numbers", "items", "/agency"),
        ("/api/v1/versions", "items", "/agency"),
        ("/api/v1/deployments", "items", "/agency"),
        ("/api/v1/calls", "items", "/agency"),
        ("/api/v1/logs", "items", "/agency"),
        ("/api/v1/faults", "faults", "/agency"),
        ("/api/v1/cdrs", "cdrs", "/began/agency"),
        ("/api/v1/operators", "items", "/agencies/0"),
        ("/api/v1/callbacks", "items", "/agency"),
        ("/api/v1/tickets", "items", "/agency"),
        ("/api/v1/deliveries", "items", "/agency"),
        ("/api/v1/guides", "items", "/agency"),
        ("/api/v1/directory", "items", "/agency"),
        ("/api/v1/directory/search?q=passport", "items", "/agency"),
        ("/api/v1/surveys", "items", "/agency"),
        ("/api/v1/campaigns", "items", "/document/agency"),
        ("/api/v1/opt-outs", "items", "/agency"),
    ];
    for (path, items, agency) in lists {
        let all = world.root(ask("GET", path)).await.expect(200).json();
        let own = world.send(ask("GET", path).token(&supervisor)).await.expect(200).json();
        let agencies = |reply: &Value| -> Vec<String> {
            let items = reply[items].as_array().unwrap();
            items.iter().map(|item| item.pointer(agency).unwrap().as_str().unwrap().to_owned()).collect()
        };
        assert!(agencies(&all).iter().any(|found| found == OTHER), "{path}: {all}");
        let own = agencies(&own);
        assert!(!own.is_empty() && own.iter().all(|found| found == OWN), "{path}: {own:?}");
    }
    let tokens = world.send(ask("GET", "/api/v1/tokens").token(&supervisor)).await.expect(200).json();
    assert!(tokens["items"].as_array().unwrap().iter().all(|token| token["user"] == "supervisor"), "{tokens}");
}
