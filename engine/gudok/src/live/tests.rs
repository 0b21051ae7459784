use super::*;

fn beginning(id: u128) -> Beginning {
    Beginning {
        id: CallId::from_random(id),
        agency: Agency::new("mfc"),
        entry: Entry::new("desk"),
        caller: "+7********67".into(),
        called: "122".into(),
        lang: "ru-RU".into(),
        area: None,
        at: Timestamp::from_millis(1_000),
    }
}

fn version() -> ScriptVersion {
    ScriptVersion { script: gudok_core::ids::ScriptName::new("mfc"), version: "1.0.0".into(), bundle_sha256: [7; 32] }
}

#[tokio::test]
async fn a_call_is_seen_reached_and_remembered() {
    let (calls, mut kept) = LiveCalls::new(64);
    let mut events = calls.events();
    let (watched, mut said) = calls.began(beginning(1));
    let id = CallId::from_random(1);
    watched.script_began(&Agency::new("mfc"), &Entry::new("desk"), &version(), Timestamp::from_millis(1_010));
    watched.step("office", Timestamp::from_millis(1_500));
    let seen = &calls.list(None)[0];
    assert_eq!((seen.step.as_str(), seen.state.as_str(), seen.label.as_str()), ("office", "script", "1.0.0"));
    assert!(calls.list(Some(&Agency::new("other"))).is_empty());
    let (agency, entry) = (Agency::new("mfc"), Entry::new("desk"));
    assert_eq!(calls.say_to_version(&agency, &entry, &[8; 32], &Control::HangUp), 0);
    assert_eq!(calls.say_to_version(&agency, &entry, &[7; 32], &Control::HangUp), 1);
    assert!(matches!(said.recv().await, Some(Control::HangUp)));
    watched.state(CallState::Landed);
    drop(watched);
    assert!(calls.list(None).is_empty() && !calls.say(id, Control::HangUp));
    let trace = calls.trace(id).unwrap();
    assert!(!trace.live);
    let lines: Vec<(u32, &str)> = trace.lines.iter().map(|line| (line.at_ms, line.kind.as_str())).collect();
    assert_eq!(lines, [(10, "script"), (500, "step")]);
    assert_eq!(kept.recv().await.unwrap().id, id.to_string(), "a landed call's trace is to be kept");
    let mut kinds = Vec::new();
    while let Ok(event) = events.try_recv() {
        kinds.push(matches!(event, Event::CallEnded(_)));
    }
    assert_eq!(kinds, [false, false, false, false, true]);
    assert_eq!(calls.shared.bytes.load(Relaxed), 0, "what a call took is given back");
    calls.forget(&[id]);
    assert!(calls.trace(id).is_none());
}

#[tokio::test]
async fn a_trace_keeps_its_beginning_and_its_end_and_counts_the_rest() {
    let (calls, _kept) = LiveCalls::new(100);
    let (watched, _said) = calls.began(beginning(2));
    for at in 0..1_000 {
        watched.line(Timestamp::from_millis(1_000 + at), TraceKind::Host, format!("call {at} {}", "ы".repeat(600)));
    }
    let trace = calls.trace(CallId::from_random(2)).unwrap();
    assert_eq!((trace.lines.len(), trace.dropped), (100, 900));
    assert!(trace.lines[0].text.starts_with("call 0 ") && trace.lines[99].text.starts_with("call 999 "));
    assert!(trace.lines[99].text.chars().count() <= 401);
}

#[tokio::test]
async fn only_so_many_ended_calls_are_remembered() {
    let (calls, _kept) = LiveCalls::new(8);
    for id in 0..ENDED_CALLS_MAX as u128 + 10 {
        drop(calls.began(beginning(id)));
    }
    assert!(calls.trace(CallId::from_random(9)).is_none());
    assert!(calls.trace(CallId::from_random(10)).is_some());
}
