//! Servers that speak: a small one on the loopback, in every mood.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use gudok_speech::{
    Audio, Clip, HttpConfig, NoMedia, Piece, Prompt, RenderOptions, Segment, Speech, SpeechConfig, SpeechError,
    TtsConfig,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Answers one request and gives back what it was asked.
async fn server(answer: Vec<u8>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/say", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        let mut part = [0; 4096];
        while !complete(&asked) {
            let count = stream.read(&mut part).await.unwrap();
            assert!(count > 0, "the client left early");
            asked.extend_from_slice(&part[..count]);
        }
        // The client may have seen enough and be gone: not the server's worry.
        let _ = stream.write_all(&answer).await;
        String::from_utf8(asked).unwrap()
    });
    (url, served)
}

fn complete(asked: &[u8]) -> bool {
    let text = String::from_utf8_lossy(asked);
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
    asked.len() >= head.len() + 4 + length.unwrap_or(0)
}

fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn room(url: &str, ssml: bool) -> Speech {
    let http = HttpConfig { url: url.to_owned(), token: Some("s3cret".to_owned()), ssml };
    let mut config = SpeechConfig { tts: TtsConfig::Http(http), ..SpeechConfig::default() };
    config.voices.insert("ru".parse().unwrap(), "irina".parse().unwrap());
    config.limits.utterance_ms_max = 1_000;
    config.limits.timeout_ms = 5_000;
    Speech::new(config, Arc::new(NoMedia)).unwrap()
}

async fn say(speech: &Speech, prompt: &Prompt) -> Result<Audio, SpeechError> {
    speech.render(prompt, &RenderOptions::default(), &NoMedia).await
}

fn sound() -> Vec<u8> {
    Audio::new(vec![Piece::Pcm(Clip::new(vec![77; 800]))]).to_wav().unwrap()
}

#[tokio::test]
async fn text_is_posted_and_a_wav_file_taken() {
    let (url, served) = server(answer("200 OK", &sound())).await;
    let audio = say(&room(&url, false), &Prompt::text("Добрый день")).await.unwrap();
    assert_eq!(audio.duration_ms(), 50);
    let asked = served.await.unwrap();
    assert!(asked.starts_with("POST /say?lang=ru-RU&voice=irina&rate=100 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.to_lowercase().contains("content-type: text/plain; charset=utf-8\r\n"), "{asked}");
    assert!(asked.contains("Bearer s3cret") && asked.ends_with("\r\n\r\nДобрый день"), "{asked}");
}

#[tokio::test]
async fn ssml_is_posted_as_ssml() {
    let (url, served) = server(answer("200 OK", &sound())).await;
    let ssml = "<speak>Да<break time='1s'/></speak>";
    say(&room(&url, true), &Prompt::new(vec![Segment::Ssml(ssml.to_owned())])).await.unwrap();
    let asked = served.await.unwrap();
    assert!(asked.to_lowercase().contains("content-type: application/ssml+xml"), "{asked}");
    assert!(asked.ends_with(ssml), "{asked}");
}

#[tokio::test]
async fn a_server_that_fails_is_named_without_its_secrets() {
    let redirect = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec();
    for (given, because) in [
        (answer("503 Service Unavailable", b""), "it answered 503"),
        (redirect, "it answered 302"),
        (answer("200 OK", b"<html>busy</html>"), "no sound file"),
        (answer("200 OK", &vec![0; 200_000]), "it sent more than 100096 bytes"),
        (b"rubbish\r\n\r\n".to_vec(), "127.0.0.1"),
        (answer("200 OK", &sound())[..200].to_vec(), "127.0.0.1"),
    ] {
        let (url, _served) = server(given).await;
        let error = say(&room(&url, false), &Prompt::text("Да")).await.unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, SpeechError::TtsFailed { .. }) && message.contains(because), "{message}");
        assert!(!message.contains("s3cret") && !message.contains("/say"), "{message}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_or_silent_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let http = HttpConfig { url, token: None, ssml: false };
    let mut config = SpeechConfig { tts: TtsConfig::Http(http), ..SpeechConfig::default() };
    config.limits.timeout_ms = 100;
    let silent = Speech::new(config, Arc::new(NoMedia)).unwrap();
    let error = say(&silent, &Prompt::text("Да")).await.unwrap_err();
    assert!(matches!(error, SpeechError::TtsTimeout { .. }), "{error}");

    // Port 0 is nobody's; a port that was given back may be another test's by now.
    let error = say(&room("http://127.0.0.1:0/", false), &Prompt::text("Да")).await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
}

#[test]
fn urls_are_checked_at_start_and_https_needs_no_installed_crypto_provider() {
    let with = |url: &str| {
        let http = HttpConfig { url: url.to_owned(), token: None, ssml: false };
        Speech::new(SpeechConfig { tts: TtsConfig::Http(http), ..SpeechConfig::default() }, Arc::new(NoMedia))
    };
    assert!(with("https://tts.example/say").is_ok());
    for bad in ["", "ftp://x", "http://", "tts.example"] {
        assert!(matches!(with(bad), Err(SpeechError::Config { .. })), "{bad}");
    }
}
