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
    check(
        "[store]",
        "[campaigns]\ncalls_max = 9\n[scripts]\ninstances_max = 8\n[store]",
        &["[campaigns] calls_max = 9 is more than scripts may run at once"],
    );
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

const CENTRE: &str = r#"
[[trunk]]
name = "city"
proxy = "192.0.2.1"
[[trunk]]
name = "region"
sources = ["192.0.2.2"]
proxy = "192.0.2.2"
peer = true
[[queue]]
name = "general"
agency = "centre"
calendar = "day"
strategy = "round-robin"
wait_s_max = 40
act_before_s = 12
relax = [{ after_s = 10, levels = 1 }, { after_s = 20, levels = 2 }]
peers = ["tomsk"]
[queue.callback]
dial_first = "caller"
within_s = 600
trunk = "city"
shown = "+73840000122"
dialable = ["+7"]
barred = ["+7809"]
[[operator]]
name = "anna"
address = "sip:anna@127.0.0.1:5090"
queues = ["general"]
skills = { english = 2 }
[[operator]]
name = "boris"
password_file = "Cargo.toml"
queues = ["general"]
[[peer]]
name = "tomsk"
address = "122"
trunk = "region"
[registrar]
realm = "centre.example"
sources = ["127.0.0.0/8"]
[[number]]
number = "123"
agency = "centre"
area = "42/zarechny"
callback = "general"
[[overlay]]
name = "flood"
text = "Вода!"
areas = ["42"]
expires = "2026-05-05T06:00:00+07:00"
"#;

fn config_of(text: &str) -> Config {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/gudok.toml"));
    parse(path, text).unwrap()
}

#[test]
fn a_centre_is_taken() {
    use gudok_core::centre::{DialFirst, RingStrategy};
    use gudok_core::ids::{Operator, Peer, Queue, Trunk};
    use std::time::Duration;

    let config = config_of(&format!("{GOOD}{CENTRE}"));
    let centre = &config.routes.centre;
    let queue = &centre.queues[&Queue::new("general")];
    assert_eq!((queue.wait_max, queue.act_before), (Duration::from_secs(40), Duration::from_secs(12)));
    assert_eq!((queue.strategy, queue.relax.len(), queue.peers.len()), (RingStrategy::RoundRobin, 2, 1));
    let rules = queue.callback.as_ref().unwrap();
    assert_eq!((rules.dial_first, rules.within), (DialFirst::Caller, Duration::from_mins(10)));
    let boris = &centre.operators[&Operator::new("boris")];
    assert_eq!(boris.target.trunk, Some(Trunk::new(Trunk::REGISTERED)));
    assert_eq!(boris.target.address.reveal(), "boris");
    assert_eq!(centre.peers[&Peer::new("tomsk")].target.trunk, Some(Trunk::new("region")));
    let registrar = config.sip.registrar.as_ref().unwrap();
    assert_eq!(registrar.users.iter().map(|user| &*user.name).collect::<Vec<_>>(), ["boris"]);
    assert!(config.sip.trunks.iter().any(|trunk| trunk.peer && trunk.name.as_str() == "region"));
    let route = config.routes.route("123").unwrap();
    assert_eq!((route.callback.clone(), route.area.as_deref()), (Some(Queue::new("general")), Some("42/zarechny")));
    let overlay = &config.routes.overlays[0];
    assert_eq!((&*overlay.name, overlay.expires.is_some()), ("flood", true));
}

#[test]
fn every_fault_of_a_centre_is_named() {
    let check = |from: &str, to: &str, expect: &[&str]| {
        assert!(CENTRE.contains(from), "{from}");
        let faults = faults_of(&format!("{GOOD}{}", CENTRE.replace(from, to)));
        assert_eq!(faults.len(), expect.len(), "{to}: {faults:?}");
        for (fault, part) in faults.iter().zip(expect) {
            assert!(fault.contains(part), "{fault:?} does not say {part:?}");
        }
    };
    check("wait_s_max = 40", "wait_s_max = 41", &["decree 1931, point 5"]);
    check("within_s = 600", "within_s = 601", &["decree 1931, point 5"]);
    check("act_before_s = 12", "act_before_s = 41", &["before anybody waits"]);
    check("calendar = \"day\"", "calendar = \"night\"", &["no calendar is called \"night\""]);
    check("peers = [\"tomsk\"]", "peers = [\"omsk\"]", &["no peer is called \"omsk\""]);
    check("dialable = [\"+7\"]", "dialable = [\"7\"]", &["is no prefix of E.164"]);
    check("dialable = [\"+7\"]", "dialable = []", &["nobody could be called back"]);
    check("after_s = 20, levels = 2", "after_s = 10, levels = 1", &["each step of relax"]);
    check("queues = [\"general\"]\nskills", "queues = [\"special\"]\nskills", &["no queue is called \"special\""]);
    check("password_file = \"Cargo.toml\"\n", "", &["registers and has no password"]);
    check("[registrar]\nrealm = \"centre.example\"\nsources = [\"127.0.0.0/8\"]\n", "", &["nothing registers here"]);
    check(
        "name = \"city\"",
        "name = \"registered\"",
        &["the telephones' that register here", "no trunk is called \"city\"", "no trunk may be called"],
    );
    check("sources = [\"127.0.0.0/8\"]\n[[number]]", "[[number]]", &["[registrar] has no sources"]);
    check("realm = \"centre.example\"", "realm = \"\"", &["the realm must be"]);
    check("callback = \"general\"", "", &["leads to no script"]);
    check("strategy = \"round-robin\"", "strategy = \"loudest\"", &["unknown variant `loudest`"]);
    check("text = \"Вода!\"", "", &["neither text nor recording"]);
    check("text = \"Вода!\"", "recording = \"none.wav\"", &["cannot read"]);
    check("2026-05-05T06:00:00+07:00", "tomorrow", &["is no moment"]);
}
