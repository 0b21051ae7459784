//! A configuration is taken whole, or refused with every fault, its line and its remedy.

use super::*;

const GOOD: &str = r#"
[node]
time_zone = "UTC"
[sip]
listen = ["udp://127.0.0.1:5070"]
[store]
dir = "data"
[[trunk]]
name = "local"
sources = ["127.0.0.0/8"]
[[calendar]]
name = "day"
hours = { daily = ["06:00-24:00"], sun = [] }
exceptions = { 2026-01-01 = [] }
[[group]]
name = "operators"
calendar = "day"
operators = [{ name = "anna", address = "sip:anna@127.0.0.1:5090" }]
[[agency]]
name = "centre"
fallback = "operators"
[[agency.script]]
entry = "main"
bundle = "Cargo.toml"
[[number]]
number = "122"
agency = "centre"
entry = "main"
"#;

fn faults_of(text: &str) -> Vec<String> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/gudok.toml"));
    match parse(path, text) {
        Ok(_) => Vec::new(),
        Err(ConfigError::Malformed { faults, .. }) => faults.iter().map(|fault| fault.message().to_owned()).collect(),
        Err(error) => vec![error.to_string()],
    }
}

#[test]
fn a_good_file_is_taken() {
    assert_eq!(faults_of(GOOD), Vec::<String>::new());
}

#[test]
fn every_fault_is_named_at_once() {
    let check = |from: &str, to: &str, expect: &[&str]| {
        assert!(GOOD.contains(from), "{from}");
        let faults = faults_of(&GOOD.replace(from, to));
        assert_eq!(faults.len(), expect.len(), "{to}: {faults:?}");
        for (fault, part) in faults.iter().zip(expect) {
            assert!(fault.contains(part), "{fault:?} does not say {part:?}");
        }
    };
    check("agency = \"centre\"", "agency = \"center\"", &["no agency is called \"center\""]);
    check("fallback = \"operators\"", "fallback = \"people\"", &["no group is called \"people\""]);
    check("entry = \"main\"\nbundle", "entry = \"menu\"\nbundle", &["has no script at the entry \"main\""]);
    check("bundle = \"Cargo.toml\"", "bundle = \"none.ivr\"", &["no bundle is at"]);
    check("\"UTC\"", "\"Asia/Nowhere\"", &["no time zone is called"]);
    check("06:00-24:00", "24:00-06:00", &["are no hours"]);
    check("udp://", "sctp://", &["is nothing to listen on", "no listener"]);
    check("127.0.0.0/8", "localnet", &["is no address or network", "has neither sources nor a proxy"]);
    check("sip:anna@127.0.0.1:5090", "anna", &["is not an address"]);
    check("number = \"122\"", "number = \"122\"\nlang = 7", &["expected a string"]);
    let http = |to: &str| format!("[http]\nlisten = {to}\n[store]\ndir");
    check("[store]\ndir", &http("\"192.0.2.7:8070\""), &["is not on loopback"]);
    check(
        "[store]\ndir",
        &http("\"127.0.0.1:1\"\ntls = { certificate = \"none\", key = \"Cargo.toml\" }"),
        &["no certificate"],
    );
    check("[store]\ndir", "[admin]\ntrace_events_max = 1\n[store]\ndir", &["a trace of 1 lines"]);
    check("[store]\ndir", "[admin]\nunsigned = \"maybe\"\n[store]\ndir", &["unknown variant `maybe`"]);
    check("[store]\ndir", "[scripts]\nfetch_allowed = [\"10.0.0.1\"]\n[store]\ndir", &["has no port"]);
    check("[store]\ndir", "[store]\nfolder", &["unknown field `folder`"]);
    check("name = \"centre\"", "name = ", &["string values must be quoted"]);
}
