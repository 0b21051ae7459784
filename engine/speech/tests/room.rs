//! The room's contract: what is recorded, spoken, kept and refused. The provider is a fake that counts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gudok_speech::{
    Audio, Clip, ErrorClass, Languages, MediaLibrary, MediaLimits, NoMedia, Pace, Piece, Prompt, RenderOptions,
    Segment, Speech, SpeechConfig, SpeechError, SpeechRate, Spoken, SpokenFuture, TtsConfig, TtsProvider, Utterance,
    WhenAsked,
};

/// Speaks a text as one sample a character, 100 ms long, and notes what it was asked.
#[derive(Default)]
struct Fake {
    asked: Mutex<Vec<String>>,
    at_once: AtomicUsize,
    at_once_most: AtomicUsize,
    /// Virtual time that an utterance takes.
    takes: Duration,
    ssml: bool,
    broken: bool,
}

impl Fake {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl TtsProvider for Fake {
    fn identity(&self) -> String {
        "fake".to_owned()
    }

    fn name(&self) -> String {
        "fake".to_owned()
    }

    fn reads_ssml(&self) -> bool {
        self.ssml
    }

    fn speak<'a>(&'a self, utterance: &'a Utterance) -> SpokenFuture<'a> {
        Box::pin(async move {
            let (lang, rate) = (&utterance.lang, utterance.rate.as_percent());
            self.asked.lock().unwrap().push(format!("{lang} {rate} {}", utterance.text));
            let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.at_once_most.fetch_max(at_once, Ordering::SeqCst);
            tokio::time::sleep(self.takes).await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            if self.broken {
                return Ok(Spoken::File(b"no sound".to_vec()));
            }
            let level = i16::try_from(utterance.text.chars().count()).unwrap();
            Ok(Spoken::File(sound(level)))
        })
    }
}

fn sound(level: i16) -> Vec<u8> {
    Audio::new(vec![Piece::Pcm(Clip::new(vec![level; 1_600]))]).to_wav().unwrap()
}

fn room_with(fake: Fake, config: SpeechConfig) -> (Speech, Arc<Fake>) {
    let fake = Arc::new(fake);
    let speech = Speech::assemble(config, Arc::new(NoMedia), Languages::default(), fake.clone()).unwrap();
    (speech, fake)
}

fn room() -> (Speech, Arc<Fake>) {
    room_with(Fake::default(), SpeechConfig::default())
}

fn prompt(json: &str) -> Prompt {
    Prompt::from_json(json).unwrap()
}

fn library(files: &[(&str, i16)]) -> MediaLibrary {
    let mut library = MediaLibrary::default();
    for (path, level) in files {
        library.add(path, sound(*level), &MediaLimits::default()).unwrap();
    }
    library
}

/// "100 ms of 7" as `7`, silence as `_300`.
fn shown(audio: &Audio) -> String {
    let pieces = audio.pieces.iter().map(|piece| match piece {
        Piece::Pcm(clip) => clip.samples()[0].to_string(),
        Piece::Silence { ms } => format!("_{ms}"),
    });
    pieces.collect::<Vec<_>>().join(" ")
}

const REQUESTS: &str =
    r#"{"counted":{"value":21,"noun":{"one":"заявка","few":"заявки","many":"заявок","gender":"feminine"}}}"#;

#[tokio::test]
async fn neighbouring_words_are_one_utterance() {
    let (speech, fake) = room();
    let json = format!(
        r#"[{{"text":"У  вас\n"}},{REQUESTS},{{"text":"."}},{{"silence":300}},{{"text":"…"}},{{"text":"Ждите"}}]"#
    );
    let audio = speech.render(&prompt(&json), &RenderOptions::default(), &NoMedia).await.unwrap();
    assert_eq!(fake.asked(), ["ru-RU 100 У вас двадцать одна заявка.", "ru-RU 100 … Ждите"]);
    assert_eq!(shown(&audio), "27 _300 7");
    assert_eq!(audio.duration_ms(), 500);
}

#[tokio::test]
async fn language_voice_and_pace_reach_the_provider() {
    let (speech, fake) = room();
    let options = RenderOptions { rate: SpeechRate::percent(70), ..RenderOptions::default() };
    let json = r#"{"lang":"en-GB","segments":[{"number":{"value":21}}]}"#;
    speech.render(&prompt(json), &options, &NoMedia).await.unwrap();
    assert_eq!(fake.asked(), ["en-GB 70 twenty-one"]);
}

#[tokio::test]
async fn ssml_becomes_texts_and_pauses_or_goes_through_as_it_is() {
    let ssml = "<speak>Запишите <break time='1s'/><prosody rate='50%'>код</prosody><say-as interpret-as='digits'>05</say-as></speak>";
    let prompt = Prompt::new(vec![Segment::Ssml(ssml.to_owned())]);
    let (speech, fake) = room();
    let audio = speech.render(&prompt, &RenderOptions::default(), &NoMedia).await.unwrap();
    assert_eq!(fake.asked(), ["ru-RU 100 Запишите", "ru-RU 50 код", "ru-RU 100 ноль, пять"]);
    assert_eq!(shown(&audio), "8 _1000 3 10");
    assert_eq!(speech.words(&prompt, &RenderOptions::default(), &NoMedia).unwrap(), "Запишите код ноль, пять");

    let (speech, fake) = room_with(Fake { ssml: true, ..Fake::default() }, SpeechConfig::default());
    speech.render(&prompt, &RenderOptions::default(), &NoMedia).await.unwrap();
    assert_eq!(fake.asked(), [format!("ru-RU 100 {ssml}")]);
}

#[tokio::test]
async fn recorded_words_come_before_synthesis() {
    let (speech, fake) = room();
    let options = RenderOptions::default();
    let media = library(&[
        ("welcome.wav", 9),
        ("ru/numbers/21.feminine.genitive.wav", 21),
        ("ru/words/пять.wav", 5),
        ("ru/words/рублей.wav", 50),
        ("ru/words/ноль.wav", 1),
    ]);
    let json = r#"[{"media":"welcome"},{"number":{"value":21,"gender":"feminine","case":"genitive"}},
        {"money":{"minor_units":500,"currency":"RUB"}},{"digits":{"digits":"05","grouping":"one-by-one"}}]"#;
    let audio = speech.render(&prompt(json), &options, &media).await.unwrap();
    assert_eq!(shown(&audio), "9 21 5 50 1 _200 5");
    assert!(fake.asked().is_empty());

    // One word is not recorded: the whole segment is spoken, not half of it.
    let json = r#"[{"money":{"minor_units":600,"currency":"RUB"}}]"#;
    speech.render(&prompt(json), &options, &media).await.unwrap();
    assert_eq!(fake.asked(), ["ru-RU 100 шесть рублей"]);
}

#[tokio::test]
async fn a_bundle_comes_before_the_house() {
    let house = Arc::new(library(&[("beep.wav", 1), ("bye.wav", 2)]));
    let fake = Arc::new(Fake::default());
    let speech = Speech::assemble(SpeechConfig::default(), house, Languages::default(), fake).unwrap();
    let json = r#"[{"media":"beep"},{"media":"bye"}]"#;
    let audio = speech.render(&prompt(json), &RenderOptions::default(), &library(&[("beep.wav", 7)])).await.unwrap();
    assert_eq!(shown(&audio), "7 2");

    let missing = speech.check(&prompt(r#"[{"media":"beeep"}]"#), &RenderOptions::default(), &NoMedia).unwrap_err();
    assert_eq!(missing.class(), ErrorClass::NotFound);
    let message = missing.to_string();
    assert!(message.contains("`beeep`") && message.contains("the nearest is `beep`"), "{message}");
}

#[tokio::test]
async fn words_are_the_transcript() {
    let (speech, fake) = room();
    let mut media = library(&[("welcome.wav", 9), ("jingle.wav", 8)]);
    media.add("welcome.txt", "Добрый день!".as_bytes().to_vec(), &MediaLimits::default()).unwrap();
    let json = format!(
        r#"[{{"media":"welcome"}},{{"text":"У вас"}},{REQUESTS},{{"text":"."}},{{"media":"jingle"}},{{"tone":"beep"}},{{"silence":9}},{{"spell":"аБ1"}}]"#
    );
    assert_eq!(
        speech.words(&prompt(&json), &RenderOptions::default(), &media).unwrap(),
        "Добрый день! У вас двадцать одна заявка. [media:jingle] [tone:beep] а, бэ, один"
    );
    assert!(fake.asked().is_empty());
    assert!(Speech::words_only().unwrap().words(&prompt(&json), &RenderOptions::default(), &media).is_ok());
}

#[tokio::test]
async fn a_language_without_grammar_is_left_to_the_voice_or_said_in_the_fallback() {
    let (speech, fake) = room();
    let (options, json) =
        (RenderOptions::default(), r#"{"lang":"tt-RU","segments":[{"text":"Исәнмесез"},{"number":{"value":2}}]}"#);
    speech.render(&prompt(json), &options, &NoMedia).await.unwrap();
    assert_eq!(fake.asked(), ["tt-RU 100 Исәнмесез 2"]);

    let config = SpeechConfig { fallback_lang: Some("ru".parse().unwrap()), ..SpeechConfig::default() };
    let (speech, fake) = room_with(Fake::default(), config);
    speech.render(&prompt(json), &options, &NoMedia).await.unwrap();
    assert_eq!(fake.asked(), ["tt-RU 100 Исәнмесез", "ru 100 два"]);
}

#[tokio::test]
async fn a_prompt_that_makes_no_sense_is_refused_before_anything_is_spoken() {
    let (speech, fake) = room();
    let refused = |segments: Vec<Segment>| {
        let prompt = Prompt::new(segments);
        speech.check(&prompt, &RenderOptions::default(), &NoMedia).unwrap_err().to_string()
    };
    let text = Segment::Text("Первое".to_owned());
    assert!(refused(vec![text.clone(), Segment::Silence(60_001)]).contains("segment 2 (`silence`)"));
    assert!(refused(vec![text.clone(), Segment::Spell("ا".to_owned())]).contains("character 1 has no name"));
    let money = gudok_speech::Money { minor_units: 1, currency: "XAU".to_owned() };
    assert!(refused(vec![text, Segment::Money(money)]).contains("RUB"));
    assert!(fake.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_hundred_calls_share_one_synthesis() {
    let (speech, fake) = room_with(Fake { takes: Duration::from_secs(1), ..Fake::default() }, SpeechConfig::default());
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let speech = speech.clone();
        calls.spawn(async move {
            let audio = speech.render(&Prompt::text("Ждите ответа"), &RenderOptions::default(), &NoMedia).await;
            let Piece::Pcm(clip) = audio.unwrap().pieces.remove(0) else { panic!("silence") };
            clip
        });
    }
    let clips = calls.join_all().await;
    assert_eq!(fake.asked().len(), 1);
    assert!(clips.iter().all(|clip| Arc::ptr_eq(clip.samples(), clips[0].samples()) && clip.key() == clips[0].key()));
    assert_eq!((speech.stats().utterances, speech.stats().synthesised), (100, 1));
}

#[tokio::test(start_paused = true)]
async fn when_the_first_caller_hangs_up_the_next_has_it_spoken() {
    let (speech, fake) = room_with(Fake { takes: Duration::from_secs(1), ..Fake::default() }, SpeechConfig::default());
    let render = || {
        let speech = speech.clone();
        async move { speech.render(&Prompt::text("Ждите"), &RenderOptions::default(), &NoMedia).await }
    };
    let first = tokio::spawn(render());
    tokio::task::yield_now().await;
    let second = tokio::spawn(render());
    tokio::time::sleep(Duration::from_millis(500)).await;
    first.abort();
    assert!(second.await.unwrap().is_ok());
    assert_eq!(fake.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn synthesis_is_limited_in_number_and_time() {
    let mut config = SpeechConfig::default();
    config.limits.concurrency_max = 2;
    config.limits.waiting_max = 3;
    config.limits.timeout_ms = 2_000;
    let (speech, fake) = room_with(Fake { takes: Duration::from_secs(1), ..Fake::default() }, config.clone());
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..10 {
        let speech = speech.clone();
        calls.spawn(async move {
            speech.render(&Prompt::text(format!("Текст {n}")), &RenderOptions::default(), &NoMedia).await
        });
    }
    let results = calls.join_all().await;
    let busy =
        results.iter().filter(|result| result.as_ref().is_err_and(|error| error.class() == ErrorClass::Busy)).count();
    assert_eq!((results.iter().filter(|result| result.is_ok()).count(), busy), (5, 5));
    assert_eq!(fake.at_once_most.load(Ordering::SeqCst), 2);
    assert_eq!(speech.stats().refused_busy, 5);

    let (slow, _) = room_with(Fake { takes: Duration::from_secs(3), ..Fake::default() }, config);
    let late = slow.render(&Prompt::text("Медленно"), &RenderOptions::default(), &NoMedia).await.unwrap_err();
    assert!(matches!(late, SpeechError::TtsTimeout { limit_ms: 2_000, .. }), "{late}");
    assert_eq!(slow.stats().failures, 1);
}

#[tokio::test]
async fn an_answer_that_is_no_sound_is_an_error_and_not_remembered() {
    let (speech, fake) = room_with(Fake { broken: true, ..Fake::default() }, SpeechConfig::default());
    for _ in 0..2 {
        let error = speech.render(&Prompt::text("Да"), &RenderOptions::default(), &NoMedia).await.unwrap_err();
        assert!(error.to_string().contains("no sound file"), "{error}");
    }
    assert_eq!(fake.asked().len(), 2);
}

fn with_folder(folder: &Path) -> SpeechConfig {
    let mut config = SpeechConfig::default();
    config.cache.folder = Some(folder.to_owned());
    config
}

fn files_in(folder: &Path) -> Vec<std::path::PathBuf> {
    let shelves = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    shelves.flat_map(|shelf| std::fs::read_dir(shelf).unwrap().map(|entry| entry.unwrap().path())).collect()
}

#[tokio::test]
async fn speech_outlives_a_restart_and_damage_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let (options, prompt) = (RenderOptions::default(), Prompt::text("Здравствуйте"));
    let (speech, fake) = room_with(Fake::default(), with_folder(folder.path()));
    let first = speech.render(&prompt, &options, &NoMedia).await.unwrap();
    assert_eq!(fake.asked().len(), 1);

    let (speech, fake) = room_with(Fake::default(), with_folder(folder.path()));
    assert_eq!(speech.render(&prompt, &options, &NoMedia).await.unwrap(), first);
    assert_eq!((fake.asked().len(), speech.stats().disk_hits), (0, 1));

    let files = files_in(folder.path());
    let [file] = files.as_slice() else { panic!("{files:?}") };
    std::fs::write(file, "damaged").unwrap();
    let (speech, fake) = room_with(Fake::default(), with_folder(folder.path()));
    assert_eq!(speech.render(&prompt, &options, &NoMedia).await.unwrap(), first);
    assert_eq!((fake.asked().len(), speech.stats().disk_corrupt), (1, 1));
    assert_eq!(files_in(folder.path()).len(), 1, "it was written anew");

    let slower = RenderOptions { rate: SpeechRate::percent(80), ..options };
    speech.render(&prompt, &slower, &NoMedia).await.unwrap();
    assert_eq!(fake.asked().len(), 2, "another pace is another utterance");
}

#[tokio::test]
async fn what_is_private_does_not_reach_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let options = RenderOptions::default();
    let (speech, fake) = room_with(Fake::default(), with_folder(folder.path()));
    let digits = prompt(r#"[{"text":"Ваш номер"},{"digits":{"digits":"89130001122"}}]"#);
    for _ in 0..2 {
        speech.render(&digits, &options, &NoMedia).await.unwrap();
    }
    assert_eq!((fake.asked().len(), files_in(folder.path()).len()), (1, 0));

    let secret = prompt(r#"{"cacheable":false,"segments":[{"text":"Диагноз"}]}"#);
    for _ in 0..2 {
        speech.render(&secret, &options, &NoMedia).await.unwrap();
    }
    assert_eq!((fake.asked().len(), files_in(folder.path()).len()), (3, 0));
}

#[tokio::test]
async fn deploying_prepares_prompts_and_names_those_that_fail() {
    let (speech, fake) = room();
    let prompts = vec![Prompt::text("Раз"), prompt(r#"[{"media":"absent"}]"#), Prompt::text("Два")];
    let report = speech.prerender(prompts, &RenderOptions::default(), Arc::new(NoMedia)).await;
    assert_eq!((report.ready, report.duration_ms), (2, 200));
    assert!(matches!(report.failed.as_slice(), [(1, SpeechError::MediaMissing { .. })]), "{report:?}");
    speech.render(&Prompt::text("Раз"), &RenderOptions::default(), &NoMedia).await.unwrap();
    assert_eq!(fake.asked().len(), 2);
}

#[tokio::test]
async fn without_a_synthesiser_a_call_goes_on_if_so_set() {
    let with = |when_asked| {
        let config = SpeechConfig { tts: TtsConfig::None { when_asked }, ..SpeechConfig::default() };
        Speech::new(config, Arc::new(NoMedia)).unwrap()
    };
    let (prompt, options) = (Prompt::text("Сорок символов, это около трёх секунд..."), RenderOptions::default());
    assert_eq!(with(WhenAsked::Error).render(&prompt, &options, &NoMedia).await.unwrap_err(), SpeechError::TtsOff);
    let audio = with(WhenAsked::Silence).render(&prompt, &options, &NoMedia).await.unwrap();
    assert_eq!(audio.pieces, [Piece::Silence { ms: 2_800 }]);
}

#[tokio::test]
async fn tones_are_made_once() {
    let (speech, _) = room();
    let audio =
        speech.render(&prompt(r#"[{"tone":"busy"},{"tone":"busy"}]"#), &RenderOptions::default(), &NoMedia).await;
    let [Piece::Pcm(first), Piece::Pcm(second)] = &audio.unwrap().pieces[..] else { panic!("not two tones") };
    assert!(Arc::ptr_eq(first.samples(), second.samples()));
}

/// Every kind of segment that needs a grammar.
const ALL_WORDED: &str = r##"{"lang":"kk","segments":[{"number":{"value":-21,"gender":"feminine","case":"dative"}},{"silence":1},
    {"ordinal":{"value":5}},{"silence":1},{"decimal":{"unscaled":-314,"scale":2}},{"silence":1},
    {"counted":{"value":1,"noun":{"one":"өтініш","other":"өтініштер"}}},{"silence":1},
    {"counted":{"value":21,"noun":{"one":"өтініш","other":"өтініштер"}}},{"silence":1},
    {"digits":{"digits":"+7 (913) 000-11-22","grouping":"auto"}},{"silence":1},{"money":{"minor_units":-12345,"currency":"RUB"}},{"silence":1},
    {"date":{"value":"2026-05-05","say_year":true,"say_weekday":true}},{"silence":1},{"date":{"value":"2026-05-05"}},{"silence":1},
    {"time":"08:30"},{"silence":1},{"duration":3725000},{"silence":1},{"duration":65000},{"silence":1},{"spell":"Ә1-№"},{"silence":1},
    {"ssml":"<speak>Код<say-as interpret-as='digits'>05</say-as></speak>"}]}"##;

#[tokio::test]
async fn a_language_that_nobody_described_is_read_neutrally_and_never_fails() {
    let (speech, fake) = room();
    speech.render(&prompt(ALL_WORDED), &RenderOptions::default(), &NoMedia).await.unwrap();
    let mut expect: Vec<String> = [
        "-21",
        "5",
        "-3.14",
        "1 өтініш",
        "21 өтініштер",
        "+ 7, 9 1 3, 0 0 0, 1 1, 2 2",
        "-123.45 R U B",
        "5, 5, 2026",
        "5, 5",
        "8, 30",
        "1, 2, 5",
        "1, 5",
        "ә, 1, -, №",
        "Код 0, 5",
    ]
    .iter()
    .map(|text| format!("kk 100 {text}"))
    .collect();
    let mut asked = fake.asked();
    expect.sort();
    asked.sort();
    assert_eq!(asked, expect);
}

#[tokio::test]
async fn a_third_language_is_data() {
    let words = r#"{"kk": {"numbers": {"0": "нөл", "1": "бір", "2": "екі", "5": "бес"}, "ordinals": {"5": "бесінші"}, "minus": "минус",
        "point": "бүтін", "months": ["қаңтар","ақпан","наурыз","сәуір","мамыр","маусым","шілде","тамыз","қыркүйек","қазан","қараша","желтоқсан"],
        "weekdays": ["дүйсенбі","сейсенбі","сәрсенбі","бейсенбі","жұма","сенбі","жексенбі"], "hour": {"one": "сағат"}, "minute": {"one": "минут"},
        "second": {"one": "секунд"}, "currencies": {"RUB": {"major": {"one": "рубль"}, "minor": {"one": "тиын"}}}, "symbols": {"-": "сызықша"}}}"#;
    let config = SpeechConfig { languages: serde_json::from_str(words).unwrap(), ..SpeechConfig::default() };
    let tts = gudok_speech::TtsConfig::None { when_asked: gudok_speech::WhenAsked::Error };
    let speech = Speech::new(SpeechConfig { tts, ..config }, Arc::new(NoMedia)).unwrap();
    let said = speech.words(&prompt(ALL_WORDED), &RenderOptions::default(), &NoMedia).unwrap();
    let expect = "минус 21 бесінші минус 3 бүтін бір 4 бір өтініш 21 өтініштер + 7, 9 бір 3, нөл нөл нөл, бір бір, екі екі \
        -123 рубль 45 тиын сейсенбі, бес мамыр 2026 бес мамыр 8 сағат 30 минут бір сағат екі минут бес секунд бір минут бес секунд \
        ә, бір, сызықша, № Код нөл, бес";
    assert_eq!(said, expect.replace("-123", "минус 123"));
    for bad in [
        r#"{"kk": {"months": ["a"]}}"#,
        r#"{"kk": {"weekdays": ["a"]}}"#,
        r#"{"kk": {"hour": {"one": ""}}}"#,
        r#"{"kk": {"currencies": {"RUB": {"major": {"one": "x"}, "decimals": 9}}}}"#,
        r#"{"ru": {}}"#,
    ] {
        let config = SpeechConfig { languages: serde_json::from_str(bad).unwrap(), ..SpeechConfig::default() };
        assert!(matches!(config.check(), Err(SpeechError::Config { .. })), "{bad}");
    }
    assert!(
        serde_json::from_str::<std::collections::BTreeMap<String, gudok_speech::LanguageWords>>(
            r#"{"kk":{"monts":[]}}"#
        )
        .is_err()
    );
}

#[tokio::test]
async fn a_slow_caller_hears_a_slower_voice_and_recordings_apart() {
    let (speech, fake) = room();
    let media = library(&[("welcome.wav", 9), ("bye.wav", 8), ("ru/words/пять.wav", 5), ("ru/words/рублей.wav", 50)]);
    let json = r#"[{"media":"welcome"},{"text":"У вас"},{"text":"долг"},{"money":{"minor_units":500,"currency":"RUB"}},
        {"silence":300},{"media":"bye"},{"tone":"beep"},{"media":"bye"},{"media":"welcome"}]"#;
    let slow = RenderOptions { pace: Pace::Slow, ..RenderOptions::default() };
    let audio = speech.render(&prompt(json), &slow, &media).await.unwrap();
    assert_eq!(fake.asked(), ["ru-RU 75 У вас долг"]);
    let (front, back) = (shown(&audio), shown(&audio));
    assert!(front.starts_with("9 _500 10 _500 5 50 _300 8 _500 "), "{front}");
    assert!(back.ends_with(" _500 8 _500 9"), "{back}");
    let normal = speech.render(&prompt(json), &RenderOptions::default(), &media).await.unwrap();
    assert!(shown(&normal).starts_with("9 10 5 50 _300 8 "), "{}", shown(&normal));
    assert_eq!(fake.asked().len(), 2, "each pace is spoken and kept for itself");
    let config = SpeechConfig {
        slow: gudok_speech::SlowSpeech { rate: SpeechRate::percent(60), pause_ms: 0 },
        ..SpeechConfig::default()
    };
    let (speech, fake) = room_with(Fake::default(), config);
    let twice = RenderOptions { rate: SpeechRate::percent(90), ..slow };
    let audio = speech.render(&prompt(json), &twice, &media).await.unwrap();
    assert_eq!(fake.asked(), ["ru-RU 54 У вас долг"]);
    assert!(!shown(&audio).contains("_500"));
}
