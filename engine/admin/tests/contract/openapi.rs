//! The API's description agrees with the table and with itself.

use crate::world::{World, ask};
use gudok_admin::access::{Gate, ROUTES};
use serde_json::Value;
use std::collections::BTreeSet;

async fn document() -> Value {
    let world = World::bare(|_| {});
    let reply = world.send(ask("GET", "/api/v1/openapi.json")).await.expect(200);
    assert_eq!(reply.header("content-type"), "application/json");
    reply.json()
}

#[tokio::test]
async fn it_describes_the_table_and_nothing_else() {
    let document = document().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, _) in item.as_object().unwrap() {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let table: BTreeSet<_> =
        ROUTES.iter().map(|route| (route.method.http().to_string(), route.path.to_owned())).collect();
    assert_eq!(described, table);
}

#[tokio::test]
async fn every_operation_says_who_may_and_what_may_go_wrong() {
    let document = document().await;
    let mut ids = BTreeSet::new();
    for route in ROUTES {
        let method = route.method.http().to_string().to_lowercase();
        let operation = &document["paths"][route.path][&method];
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{route:?}");
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty(), "{route:?} has no words");
        let responses = operation["responses"].as_object().unwrap();
        let good = responses.keys().any(|status| status.starts_with('2'));
        assert!(good, "{route:?}");
        for status in ["400", "405", "406", "414", "421", "429", "431", "500", "503"] {
            assert!(responses.contains_key(status), "{route:?} leaves out {status}");
        }
        for (status, response) in responses.iter().filter(|(status, _)| !status.starts_with('2')) {
            let content = response["content"].as_object().unwrap();
            assert!(content.contains_key("application/problem+json"), "{route:?} {status}");
        }
        if route.gate == Gate::Signed {
            assert!(responses.contains_key("401") && responses.contains_key("403"), "{route:?}");
            assert_eq!(operation["security"].as_array().unwrap().len(), 2, "{route:?}");
        }
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let in_path: BTreeSet<_> = parameters
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
            .collect();
        let of_path: BTreeSet<_> =
            route.path.split('/').filter(|part| part.starts_with('{')).map(str::to_owned).collect();
        assert_eq!(in_path, of_path, "{route:?}");
    }
}

#[tokio::test]
async fn every_reference_leads_to_a_schema() {
    let document = document().await;
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 30);
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                references.insert(reference.to_owned());
            }
            fields.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}
