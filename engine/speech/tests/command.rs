//! Programs that speak: a fake one in every mood, and the real espeak-ng.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::sync::Arc;

use gudok_speech::{
    Audio, Clip, CommandConfig, NoMedia, Piece, Prompt, RenderOptions, Speech, SpeechConfig, SpeechError, SpeechRate,
    TtsConfig,
};

/// A program of a few lines of shell, in a folder of its own with `tone.wav` beside it.
struct Program {
    folder: tempfile::TempDir,
}

impl Program {
    fn new(script: &str) -> Self {
        let program = Self { folder: tempfile::tempdir().unwrap() };
        let sound = Audio::new(vec![Piece::Pcm(Clip::new(vec![77; 800]))]).to_wav().unwrap();
        std::fs::write(program.path("tone.wav"), sound).unwrap();
        std::fs::write(program.path("program"), format!("cd {}\n{script}\n", program.folder.path().display())).unwrap();
        program
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    /// The shell reads the program: running a file that was just written fails while a neighbour forks ("text busy").
    fn room(&self, timeout_ms: u64) -> Speech {
        let program = self.path("program").display().to_string();
        let args = std::iter::once(program).chain(CommandConfig::default().args).collect();
        room(CommandConfig { command: "/bin/sh".to_owned(), args, ..CommandConfig::default() }, timeout_ms)
    }
}

fn room(command: CommandConfig, timeout_ms: u64) -> Speech {
    let mut config = SpeechConfig { tts: TtsConfig::Command(command), ..SpeechConfig::default() };
    config.limits.timeout_ms = timeout_ms;
    config.limits.utterance_ms_max = 20_000;
    Speech::new(config, Arc::new(NoMedia)).unwrap()
}

async fn say(speech: &Speech, text: &str) -> Result<Audio, SpeechError> {
    speech.render(&Prompt::text(text), &RenderOptions::default(), &NoMedia).await
}

#[track_caller]
fn fails_with(result: &Result<Audio, SpeechError>, because: &str) {
    let error = result.as_ref().unwrap_err();
    assert!(matches!(error, SpeechError::TtsFailed { .. }) && error.to_string().contains(because), "{error}");
}

#[tokio::test]
async fn text_goes_to_standard_input_and_never_through_a_shell() {
    let program = Program::new("cat > heard; echo \"$@\" > arguments; env > environment; cat tone.wav");
    let text = "Сумма; $(touch pwned) `touch pwned` -v x [[phonemes]] & \"кавычки\"";
    let options = RenderOptions { rate: SpeechRate::percent(80), ..RenderOptions::default() };
    let audio = program.room(10_000).render(&Prompt::text(text), &options, &NoMedia).await.unwrap();
    assert_eq!(audio.duration_ms(), 50);
    assert_eq!(program.read("heard"), "Сумма; $(touch pwned) `touch pwned` -v x [ [phonemes]] & \"кавычки\"\n");
    assert_eq!(program.read("arguments"), "--stdin --stdout -b 1 -z -v ru -s 120\n");
    assert!(!program.path("pwned").exists());
    assert!(!program.read("environment").contains("CARGO"), "the engine's environment is not the program's business");
}

#[tokio::test]
async fn a_program_that_fails_is_quoted() {
    let program = Program::new("cat > /dev/null; echo >&2; echo 'Error: no such voice' >&2; exit 3");
    let result = say(&program.room(10_000), "Да").await;
    fails_with(&result, "exit status: 3: Error: no such voice, voice `ru`");
    fails_with(&say(&Program::new("exit 0").room(10_000), "Да").await, "no sound");
    fails_with(&say(&Program::new("echo hello").room(10_000), "Да").await, "no sound file");
    fails_with(&say(&Program::new("kill -9 $$").room(10_000), "Да").await, "signal: 9");
    assert!(say(&Program::new("yes | head -c 1000000 >&2; cat tone.wav").room(10_000), "Да").await.is_ok());
    // It reads nothing: the pipe breaks, its answer counts all the same.
    assert!(say(&Program::new("exec cat tone.wav").room(10_000), &"Да ".repeat(1_300)).await.is_ok());
}

#[tokio::test]
async fn a_program_that_never_ends_is_stopped() {
    let program = Program::new("echo $$ > pid; exec cat /dev/zero > /dev/null");
    let error = say(&program.room(500), "Да").await.unwrap_err();
    assert!(matches!(error, SpeechError::TtsTimeout { limit_ms: 500, .. }), "{error}");
    let process = PathBuf::from(format!("/proc/{}", program.read("pid").trim()));
    // Killed when its future was dropped; the runtime reaps it at its next signal.
    for _ in 0..1_000 {
        let gone = std::fs::read_to_string(process.join("stat")).map_or(true, |stat| stat.contains(") Z "));
        if gone {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    unreachable!("the program still runs");
}

#[tokio::test]
async fn a_program_that_never_stops_writing_is_cut_off() {
    let result = say(&Program::new("exec cat /dev/zero").room(30_000), "Да").await;
    fails_with(&result, "it wrote more than");
}

#[tokio::test]
async fn a_missing_program_names_its_package() {
    let missing = CommandConfig { command: "/nonexistent/espeak-ng".to_owned(), ..CommandConfig::default() };
    let error = say(&room(missing, 1_000), "Да").await.unwrap_err();
    assert!(matches!(error, SpeechError::TtsMissing { .. }), "{error:?}");
    assert!(error.to_string().contains("install the package `espeak-ng`"), "{error}");
}

/// Needs the package espeak-ng, which the project's test script installs.
#[tokio::test]
async fn espeak_speaks_russian_and_english() {
    let speech = Speech::new(SpeechConfig::default(), Arc::new(NoMedia)).unwrap();
    let options = RenderOptions::default();
    let slow = RenderOptions { rate: SpeechRate::percent(60), ..options.clone() };
    let json = r#"[{"text":"У вас"},{"number":{"value":21,"gender":"feminine"}},{"text":"заявка."}]"#;
    let russian = speech.render(&Prompt::from_json(json).unwrap(), &options, &NoMedia).await.unwrap();
    let slower = speech.render(&Prompt::from_json(json).unwrap(), &slow, &NoMedia).await.unwrap();
    let english = r#"{"lang":"en","segments":[{"text":"You have"},{"number":{"value":21}},{"text":"requests."}]}"#;
    let english = speech.render(&Prompt::from_json(english).unwrap(), &options, &NoMedia).await.unwrap();
    for audio in [&russian, &slower, &english] {
        assert!((700..8_000).contains(&audio.duration_ms()), "{} ms", audio.duration_ms());
        let [Piece::Pcm(clip)] = &audio.pieces[..] else { unreachable!("{audio:?}") };
        assert!(clip.samples().iter().map(|sample| sample.unsigned_abs()).max() > Some(3_000), "too quiet");
    }
    assert!(
        slower.duration_ms() * 10 > russian.duration_ms() * 13,
        "{} {}",
        slower.duration_ms(),
        russian.duration_ms()
    );
    assert_ne!(russian, english);

    let unknown = Prompt::from_json(r#"{"lang":"zz","segments":[{"text":"x"}]}"#).unwrap();
    fails_with(&speech.render(&unknown, &options, &NoMedia).await, "voice `zz`");
}
