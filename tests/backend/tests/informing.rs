//! The sample campaigns, built as they are deployed, in the real script host, against callees whose keys are written down.
//! `scripts/build-plugins` has to run before.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use gudok_core::campaign::{CampaignContact, Disposition, Plan, PrepareFailure};
use gudok_core::ids::Operator;
use gudok_core::privacy::PhoneNumber;
use gudok_core::prompt::{Prompt, Segment};
use gudok_core::script::{CallError, EndReason, LandingCause, QueueEvent, ScriptEnd};
use gudok_core::time::Timestamp;
use gudok_plugin_host::Version;
use gudok_plugin_host::ports::AnsweredBy;
use std::sync::Arc;
use std::time::Duration;
use support::{Caller, Centre};

fn contact(fields: &[(&str, &str)]) -> CampaignContact {
    CampaignContact {
        id: Arc::from("17"),
        number: PhoneNumber::new("+79130000017"),
        attempt: 1,
        fields: fields.iter().map(|(name, value)| (Arc::from(*name), Arc::from(*value))).collect(),
    }
}

/// Owes 1,234.56 rubles, to be paid by the day after the tests' own.
fn debtor() -> CampaignContact {
    contact(&[("debt", "1 234,56"), ("due", "24.11.2026"), ("birth_year", "1961"), ("tax", "транспортный налог")])
}

/// What a person hears, word for word.
fn spoken(prompts: &[Arc<Prompt>]) -> String {
    use gudok_speech as speech;
    let room = speech::Speech::words_only().unwrap();
    let segment = |segment: &Segment| match segment {
        Segment::Text(text) => speech::Segment::Text(text.clone()),
        Segment::Number { value, .. } => speech::Segment::Number(speech::NumberSpec {
            value: *value,
            gender: speech::Gender::Masculine,
            case: speech::Case::Nominative,
        }),
        Segment::Counted { value, noun, .. } => speech::Segment::Counted(speech::Counted {
            value: *value,
            noun: speech::NounForms {
                one: noun.one.clone(),
                few: noun.few.clone(),
                many: noun.many.clone(),
                other: noun.other.clone(),
                gender: speech::Gender::Masculine,
            },
            case: speech::Case::Nominative,
        }),
        Segment::Money { minor_units, currency } => {
            speech::Segment::Money(speech::Money { minor_units: *minor_units, currency: currency.clone() })
        }
        Segment::Date { value, case, say_year, say_weekday } => speech::Segment::Date(speech::DateSpec {
            value: speech::Date::new(value.year, value.month, value.day).unwrap(),
            case: match case {
                gudok_core::prompt::Case::Genitive => speech::Case::Genitive,
                other => panic!("{other:?}"),
            },
            say_year: *say_year,
            say_weekday: *say_weekday,
        }),
        Segment::Digits { digits, .. } => speech::Segment::Digits(speech::DigitsSpec {
            digits: digits.clone(),
            grouping: speech::DigitGrouping::Auto,
        }),
        Segment::Silence(_) => speech::Segment::Silence(1_000),
        other => panic!("{other:?}"),
    };
    let words = |prompt: &Arc<Prompt>| {
        let prompt = speech::Prompt {
            segments: prompt.segments.iter().map(segment).collect(),
            lang: None,
            voice: None,
            cacheable: true,
        };
        room.words(&prompt, &speech::RenderOptions::default(), &speech::NoMedia).unwrap()
    };
    prompts.iter().map(words).collect::<Vec<_>>().join("\n")
}

/// How a talk with a person went: what came of it, and what was heard.
async fn talk(
    centre: &Centre,
    script: &Arc<Version>,
    contact: CampaignContact,
    callee: Caller,
) -> (ScriptEnd, Arc<Caller>) {
    let callee = Arc::new(callee);
    let report = centre.inform(script, contact, AnsweredBy::Human, &callee).await;
    assert_eq!(report.fault, None);
    (report.end, callee)
}

fn confirmed(words: &str) -> ScriptEnd {
    ScriptEnd::Informed(Disposition::Confirmed(words.into()))
}

fn failed(words: &str) -> ScriptEnd {
    ScriptEnd::Informed(Disposition::Failed(words.into()))
}

const HUNG_UP: ScriptEnd = ScriptEnd::Failed(CallError::Ended(EndReason::CallerHangup));

#[tokio::test(flavor = "multi_thread")]
async fn a_debt_is_told_to_who_owes_it() {
    let centre = Centre::new().await;
    let tax = centre.load("tax").unwrap();
    let (end, callee) = talk(&centre, &tax, debtor(), Caller::entering(&["1", "1961", "1"])).await;
    assert_eq!(end, confirmed("understood"));
    let words = spoken(&callee.prompts.lock());
    for said in [
        "Здравствуйте. Вам звонит автоинформатор налоговой инспекции.",
        "введите четыре цифры года вашего рождения",
        "Сумма вашей задолженности: одна тысяча двести тридцать четыре рубля пятьдесят шесть копеек.",
        "Вид платежа: транспортный налог.",
        "Пожалуйста, заплатите не позднее двадцать четвёртого ноября две тысячи двадцать шестого года. Остался один день.",
        "Если всё понятно, нажмите один.",
        "Спасибо за внимание. До свидания.",
    ] {
        assert!(words.contains(said), "{said}\n{words}");
    }
    let before = words.split("Сумма вашей задолженности").next().unwrap();
    assert!(
        before.contains("года вашего рождения") && !before.contains("рубл") && !before.contains("налог."),
        "{before}"
    );
    assert_eq!(*callee.sensitive.lock(), [false, true, false], "the year is entered unseen");
    for prompt in callee.prompts.lock().iter() {
        let tells = prompt.segments.iter().any(|segment| matches!(segment, Segment::Money { .. }));
        assert_eq!(prompt.cacheable, !tells, "{prompt:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_and_days_have_the_right_forms() {
    let centre = Centre::new().await;
    let tax = centre.load("tax").unwrap();
    let check = async |debt: &str, due: &str, says: &[&str]| {
        let contact = contact(&[("debt", debt), ("due", due), ("inn_tail", "0042")]);
        let (_, callee) = talk(&centre, &tax, contact, Caller::entering(&["1", "0042", "1"])).await;
        let words = spoken(&callee.prompts.lock());
        for said in says {
            assert!(words.contains(said), "{said}\n{words}");
        }
    };
    check("1", "2026-11-24", &["Сумма вашей задолженности: один рубль", "Остался один день."]).await;
    check("2", "2026-11-25", &["два рубля", "Осталось два дня."]).await;
    check("5", "2026-11-28", &["пять рублей", "Осталось пять дней."]).await;
    check("11,11", "2026-12-04", &["одиннадцать рублей одиннадцать копеек", "Осталось одиннадцать дней."]).await;
    check("21,01", "2026-12-14", &["двадцать один рубль одна копейка", "Остался двадцать один день."]).await;
    check("102,02", "2026-12-15", &["сто два рубля две копейки", "Осталось двадцать два дня."]).await;
    check("1", "2026-11-23", &["Пожалуйста, заплатите сегодня: это последний день."]).await;
    check("1", "2026-11-22", &["Срок уплаты прошёл один день назад."]).await;
    check("1", "2026-11-18", &["Срок уплаты прошёл пять дней назад."]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_hears_of_a_debt() {
    let centre = Centre::new().await;
    let tax = centre.load("tax").unwrap();
    let private = |callee: &Caller| {
        let heard = callee.heard();
        ["задолж", "Money", "транспорт", "2026"].into_iter().find(|word| heard.contains(word))
    };
    let check = async |keys: &[&str], expect: ScriptEnd| {
        let (end, callee) = talk(&centre, &tax, debtor(), Caller::entering(keys)).await;
        assert_eq!(end, expect, "{keys:?}");
        assert_eq!(private(&callee), None, "{keys:?}\n{}", callee.heard());
        callee
    };
    let callee = check(&["1", "1962", "1964", "0000"], failed("identity not checked")).await;
    assert!(callee.heard().contains("Цифры не совпали."), "{}", callee.heard());
    assert!(callee.heard().ends_with("(hangup)"), "{}", callee.heard());
    check(&["1", "", ""], failed("identity not checked")).await;
    check(&["1", "*"], ScriptEnd::Informed(Disposition::WrongPerson)).await;
    check(&["3"], ScriptEnd::Informed(Disposition::WrongPerson)).await;
    check(&["2", "2", "3"], ScriptEnd::Informed(Disposition::WrongPerson)).await;
    check(&["", "", ""], failed("nobody wanted to listen")).await;
    check(&["2"; 20], failed("nobody wanted to listen")).await;
    check(&[], HUNG_UP).await;
    check(&["1"], HUNG_UP).await;
    // Half past two, and three hours.
    check(&["4"], ScriptEnd::Informed(Disposition::RetryAt(Timestamp::from_millis(1_795_386_600_000)))).await;

    let callee = Arc::new(Caller::entering(&[]));
    let report = centre.inform(&tax, debtor(), AnsweredBy::Machine, &callee).await;
    assert_eq!(report.end, ScriptEnd::Informed(Disposition::Voicemail));
    assert_eq!(private(&callee), None, "{}", callee.heard());
    assert!(callee.heard().contains("У нас есть для вас сообщение."), "{}", callee.heard());
}

#[tokio::test(flavor = "multi_thread")]
async fn nine_ends_such_calls_after_a_second_question() {
    let centre = Centre::new().await;
    let tax = centre.load("tax").unwrap();
    let stops = ScriptEnd::Informed(Disposition::DoNotCall);
    let check = async |callee: Caller, expect: &ScriptEnd| {
        let (end, callee) = talk(&centre, &tax, debtor(), callee).await;
        assert_eq!(end, *expect, "{}", callee.heard());
    };
    check(Caller::entering(&["9", "1"]), &stops).await;
    check(Caller::entering(&["1", "1961", "9", "1"]), &stops).await;
    check(Caller::entering(&["9", "2", "3"]), &ScriptEnd::Informed(Disposition::WrongPerson)).await;
    check(Caller::entering(&["9", "", "", "3"]), &ScriptEnd::Informed(Disposition::WrongPerson)).await;
    // Whoever has said yes has said it, however the call ends.
    check(Caller::entering(&["9", "1"]).leaving_at_the_goodbye(), &stops).await;
    check(Caller::entering(&["9"]), &HUNG_UP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_told_may_hear_it_again_or_talk_to_somebody() {
    let centre = Centre::new().await;
    let tax = centre.load("tax").unwrap();
    let delivered = ScriptEnd::Informed(Disposition::Delivered);
    let (end, callee) = talk(&centre, &tax, debtor(), Caller::entering(&["1", "1961", "2", "3", "", ""])).await;
    assert_eq!(end, delivered);
    let heard = callee.heard();
    assert_eq!(heard.matches("Сумма вашей задолженности").count(), 3, "{heard}");
    assert!(heard.contains("(pace Slow)"), "{heard}");
    let (end, _) = talk(&centre, &tax, debtor(), Caller::entering(&["1", "1961"])).await;
    assert_eq!(end, delivered, "they know by then");

    let answered = [QueueEvent::Answered(Operator::new("anna")), QueueEvent::Returned(Duration::from_secs(40))];
    let callee = Caller::entering(&["1", "1961", "0"]).waited(&answered);
    let (end, callee) = talk(&centre, &tax, debtor(), callee).await;
    assert_eq!(end, confirmed("talked to an operator"));
    assert!(callee.heard().contains("(queue operators, topic tax, back true)"), "{}", callee.heard());
    let callee = Caller::entering(&["0", "3"]).waited(&[QueueEvent::Closed(Some("08:00".into()))]);
    let (end, callee) = talk(&centre, &tax, debtor(), callee).await;
    assert_eq!(end, ScriptEnd::Informed(Disposition::WrongPerson));
    assert!(callee.heard().contains("Они начинают работу в <08:00>"), "{}", callee.heard());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_owes_nothing_is_not_called() {
    let centre = Centre::new().await;
    let tax = centre.load("tax").unwrap();
    let check = async |change: &[(&str, &str)], expect: Plan| {
        let mut fields = vec![("debt", "5"), ("due", "2026-12-01"), ("birth_year", "1961")];
        fields.retain(|(name, _)| change.iter().all(|(changed, _)| changed != name));
        fields.extend_from_slice(change);
        let report = centre.prepare(&tax, contact(&fields)).await;
        assert_eq!((report.plan, report.fault), (Ok(expect), None), "{change:?}");
    };
    check(&[], Plan::Dial).await;
    check(&[("debt", "0,00")], Plan::Skip("no debt".into())).await;
    // 09:00 of that day, by the agency's clock.
    check(&[("remind_from", "24.11.2026")], Plan::NotBefore(Timestamp::from_millis(1_795_485_600_000))).await;
    let report = centre.prepare(&tax, contact(&[("debt", "5"), ("due", "2026-12-01")])).await;
    assert!(matches!(report.plan, Ok(Plan::Skip(why)) if why.contains("birth_year")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_told_at_once_and_confirmed() {
    let centre = Centre::new().await;
    let flood = centre.load("flood").unwrap();
    let house = || contact(&[("level_cm", "21"), ("assembly", "школа номер три")]);
    let check = async |keys: &[&str], expect: ScriptEnd, times: usize| {
        let (end, callee) = talk(&centre, &flood, house(), Caller::entering(keys)).await;
        assert_eq!(end, expect, "{keys:?}\n{}", callee.heard());
        assert_eq!(callee.heard().matches("Внимание!").count(), times, "{keys:?}\n{}", callee.heard());
        callee
    };
    let callee = check(&["1"], confirmed("understood"), 1).await;
    let prompts = callee.prompts.lock().clone();
    assert!(!prompts[0].barge_in.dtmf, "the first time to its end");
    let words = spoken(&prompts);
    for said in [
        "Внимание! Предупреждение об опасности. Из-за подъёма воды",
        "Вода может подняться на двадцать один сантиметр.",
        "Место сбора: школа номер три.",
        "Если вы поняли предупреждение, нажмите один. Чтобы прослушать его ещё раз, нажмите два.",
        "Спасибо, ответ принят. Пожалуйста, предупредите соседей.",
    ] {
        assert!(words.contains(said), "{said}\n{words}");
    }
    assert!(words.starts_with("Внимание!"), "{words}");
    check(&["2", "1"], confirmed("understood"), 2).await;
    let callee = check(&["3", "1"], confirmed("understood"), 2).await;
    assert!(callee.heard().contains("(pace Slow)"), "{}", callee.heard());
    let delivered = || ScriptEnd::Informed(Disposition::Delivered);
    check(&["", "", ""], delivered(), 1).await;
    check(&[], delivered(), 1).await;
    check(&["2"; 20], delivered(), 7).await;
    // No operator is configured: the key is no choice.
    check(&["0", "0", "1"], confirmed("understood"), 1).await;

    let callee = Arc::new(Caller::entering(&[]));
    let report = centre.inform(&flood, house(), AnsweredBy::Machine, &callee).await;
    assert_eq!(report.end, ScriptEnd::Informed(Disposition::Voicemail));
    assert_eq!(callee.heard().matches("Внимание!").count(), 2, "{}", callee.heard());

    let (end, callee) = talk(&centre, &flood, house(), Caller::entering(&["1"]).speaking("en-US")).await;
    assert_eq!(end, confirmed("understood"));
    assert!(callee.heard().starts_with("Attention!"), "{}", callee.heard());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attack_costs_its_own_contact_and_nobody_else() {
    let centre = Centre::new().await;
    let hostile = centre.load("hostile-campaign").unwrap();
    let of = |attack: &str| contact(&[("attack", attack)]);
    let fine = async || {
        let report = centre.prepare(&hostile, of("")).await;
        assert_eq!(report.plan, Ok(Plan::Dial));
        let (end, _) = talk(&centre, &hostile, of(""), Caller::entering(&["1"])).await;
        assert_eq!(end, confirmed("heard"));
    };
    for (attack, cause) in [
        ("prepare-panic", LandingCause::Trap),
        ("prepare-loop", LandingCause::Cpu),
        ("prepare-memory", LandingCause::Memory),
        ("prepare-no-day", LandingCause::Error),
    ] {
        let report = centre.prepare(&hostile, of(attack)).await;
        assert_eq!(report.plan, Err(PrepareFailure::Script), "{attack}");
        assert_eq!(report.fault.map(|fault| fault.cause), Some(cause), "{attack}");
        fine().await;
    }
    let report = centre.prepare(&hostile, of("prepare-survey")).await;
    assert!(matches!(&report.plan, Ok(Plan::Skip(why)) if why.contains("there is no call yet")), "{report:?}");

    for (attack, expect) in [
        ("run-panic", ScriptEnd::Stopped(LandingCause::Trap)),
        ("run-loop", ScriptEnd::Stopped(LandingCause::Cpu)),
        ("run-memory", ScriptEnd::Stopped(LandingCause::Memory)),
        ("run-error", ScriptEnd::Failed(CallError::Invalid("the script's own fault".into()))),
        ("run-silent", ScriptEnd::Informed(Disposition::Delivered)),
    ] {
        assert_eq!(centre.prepare(&hostile, of(attack)).await.plan, Ok(Plan::Dial), "{attack}");
        let callee = Arc::new(Caller::entering(&["1"]));
        let report = centre.inform(&hostile, of(attack), AnsweredBy::Human, &callee).await;
        assert_eq!(report.end, expect, "{attack}");
        fine().await;
    }
    let report = centre.inform(&hostile, of("run-no-day"), AnsweredBy::Human, &Arc::new(Caller::entering(&[]))).await;
    assert!(
        matches!(&report.end, ScriptEnd::Failed(CallError::Invalid(why)) if why.contains("no moment")),
        "{report:?}"
    );
    let callee = Arc::new(Caller::entering(&[]).leaving_in_the_first_wait());
    let report = centre.inform(&hostile, of("run-linger"), AnsweredBy::Human, &callee).await;
    assert!(matches!(report.end, ScriptEnd::Stopped(LandingCause::Cpu | LandingCause::Timeout)), "{report:?}");
}
