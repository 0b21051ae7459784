//! No expectation is there for show: each is changed into one that is wrong, and the conversation has to fail.

use crate::{SAMPLES, bundle, trials};
use gudok_workbench::conversation::Step;
use gudok_workbench::conversation::run::{Bench, Trial};
use gudok_workbench::local::LocalHost;
use serde_json::json;

pub(crate) fn every_expectation_can_fail(host: &LocalHost) {
    let mut tried = 0;
    for name in SAMPLES {
        let bundle = bundle(name);
        let bench = Bench::new(host, &bundle).unwrap();
        for trial in trials(name) {
            for (at, step) in trial.conversation.steps.iter().enumerate() {
                for wrong in wrong(step) {
                    let mut changed: Trial = trial.clone();
                    changed.conversation.steps[at] = wrong.clone();
                    let outcome = bench.try_one(&changed).unwrap();
                    assert!(!outcome.passed(), "{name}, {:?}: {step:?} as {wrong:?} passes", trial.conversation.title);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 200, "{tried}");
    println!("{tried} wrong expectations, none passed");
}

/// The same step, so that it does not hold.
fn wrong(step: &Step) -> Vec<Step> {
    let other = || "слово, которого никто не говорит".to_owned();
    match step.clone() {
        Step::Says { .. } => vec![Step::Says { words: other() }],
        Step::Asks { words } if words == "…" => Vec::new(),
        Step::Asks { .. } => vec![Step::Asks { words: other() }],
        Step::BackEndAnswers { method, path, sent, status, body } => {
            let mut all = vec![Step::BackEndAnswers {
                method: method.clone(),
                path: "/elsewhere".into(),
                sent: sent.clone(),
                status,
                body: body.clone(),
            }];
            let method = if method == "GET" { "POST" } else { "GET" }.to_owned();
            all.push(Step::BackEndAnswers {
                method,
                path: path.clone(),
                sent: sent.clone(),
                status,
                body: body.clone(),
            });
            if sent.is_some() {
                let sent = Some(json!({"application": "1"}));
                all.push(Step::BackEndAnswers { method: "POST".into(), path, sent, status, body });
            }
            all
        }
        Step::ThenResult { .. } => vec![Step::ThenResult { code: "another".into() }],
        Step::ThenField { name, .. } => vec![
            Step::ThenField { name, value: "another".into() },
            Step::ThenField { name: "another".into(), value: String::new() },
        ],
        Step::ThenReached { name } => vec![Step::ThenNotReached { name }, Step::ThenReached { name: "another".into() }],
        Step::ThenNotReached { name } => vec![Step::ThenReached { name }],
        Step::ThenStored { bucket, key, .. } => vec![
            Step::ThenStored { bucket: bucket.clone(), key: key.clone(), value: Some(json!("another")) },
            Step::ThenNotStored { bucket, key },
        ],
        Step::ThenNotStored { bucket, key } => vec![Step::ThenStored { bucket, key, value: None }],
        Step::ThenTicket { kind, .. } => vec![
            Step::ThenTicket { kind, agency: Some("another".into()) },
            Step::ThenTicket { kind: "request".into(), agency: None },
            Step::ThenNoTicket,
        ],
        Step::ThenNoTicket => vec![Step::ThenTicket { kind: "complaint".into(), agency: None }],
        Step::ThenCallback { .. } => vec![Step::ThenCallback { queue: Some("another".into()) }, Step::ThenNoCallback],
        Step::ThenNoCallback => vec![Step::ThenCallback { queue: None }],
        Step::ThenSurvey { survey, question, score } => vec![
            Step::ThenSurvey { survey: survey.clone(), question, score: score - 1 },
            Step::ThenSurvey { survey, question: "another".into(), score },
        ],
        Step::ThenConnected { .. } => vec![Step::ThenConnected { name: "another".into() }],
        Step::ThenHeard { words } => vec![Step::ThenNeverHeard { words }, Step::ThenHeard { words: other() }],
        Step::ThenNeverHeard { words } => vec![Step::ThenHeard { words }],
        Step::ThenAtMost { .. } => vec![Step::ThenAtMost { seconds: 1 }],
        Step::ThenCpu { .. } => vec![Step::ThenCpu { ms: 0 }],
        Step::ThenMemory { .. } => vec![Step::ThenMemory { kib: 64 }],
        Step::ThenPlan { .. } => vec![Step::ThenPlan { plan: "dial".into() }],
        // What people do leads elsewhere, and what comes of it is looked at by the expectations.
        _ => Vec::new(),
    }
}
