//! Whoever the engine rings on this machine: an operator, an extension, a number in the city. One telephone answers for
//! all of them, says who it is, and talks for a while.

use crate::commands::remote::{Screen, plain};
use crate::config::{ProviderConfig, SpeechSettings};
use gudok_phone::{CallOptions, OnIncoming, Phone, PhoneConfig};
use gudok_speech::{LangTag, NoMedia, Prompt, RenderOptions, Segment};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

/// Beside the author's own telephone: a trunk is told by the address that its calls come from.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), 0);
const RINGS_FOR: Duration = Duration::from_secs(1);
const TALKS_FOR: Duration = Duration::from_secs(12);
/// The longest that it waits for the next call before it looks again.
const INCOMING_WAIT: Duration = Duration::from_secs(3_600);
/// How it greets, in the script's language where it knows that one.
const GREETINGS: [(&str, &str); 2] = [
    ("ru", "Здравствуйте, оператор слушает. Разговор закончится через несколько секунд."),
    ("en", "Hello, this is the operator. The talk ends in some seconds."),
];

/// Starts it.
///
/// # Errors
/// Where no sockets are to be had.
pub(super) async fn start(lang: &str, folder: &Path, speaks: bool, screen: Screen) -> anyhow::Result<SocketAddr> {
    let microphone = if speaks { greeting(lang, folder).await.unwrap_or_default() } else { Vec::new() };
    let phone = Phone::start(PhoneConfig {
        bind: ADDRESS,
        user: "operator".into(),
        on_incoming: OnIncoming::Answer { after: RINGS_FOR },
        options: CallOptions { microphone, ..CallOptions::default() },
        ..PhoneConfig::default()
    })
    .await?;
    let address = phone.local_addr();
    tokio::spawn(async move {
        loop {
            let Ok(incoming) = phone.incoming(INCOMING_WAIT).await else { continue };
            screen.note(&format!("the telephone rings: {} is called", plain(&shown(incoming.user()))));
            tokio::spawn(async move {
                let call = incoming.call();
                // Whoever ends it first; a call that is over needs no hang-up.
                if call.wait_ended(RINGS_FOR + TALKS_FOR).await.is_err() {
                    let _ = call.hangup();
                }
            });
        }
    });
    Ok(address)
}

/// Who is called. Of a number, the last digits.
fn shown(user: &str) -> String {
    const SHOWN_DIGITS: usize = 4;
    let digits = user.strip_prefix('+').unwrap_or(user);
    match digits.len().checked_sub(SHOWN_DIGITS) {
        Some(hidden) if hidden > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("a number that ends in {}", &digits[hidden..])
        }
        _ => user.to_owned(),
    }
}

/// Whether this machine can speak.
pub(super) async fn speaks() -> bool {
    spoken("en", "one").await.is_ok()
}

async fn greeting(lang: &str, folder: &Path) -> anyhow::Result<Vec<i16>> {
    let own = GREETINGS.iter().find(|(tag, _)| lang.starts_with(tag)).unwrap_or(&GREETINGS[1]);
    let file = folder.join("operator.wav");
    std::fs::write(&file, spoken(own.0, own.1).await?)?;
    Ok(gudok_phone::read_wav(&file)?)
}

/// As a WAV file.
async fn spoken(lang: &str, text: &str) -> anyhow::Result<Vec<u8>> {
    let settings = SpeechSettings { provider: ProviderConfig::EspeakNg { command: None }, ..SpeechSettings::default() };
    let speech = crate::serve::speech(&settings, None)?;
    let options = RenderOptions { default_lang: lang.parse::<LangTag>()?, ..RenderOptions::default() };
    let prompt = Prompt::new(vec![Segment::Text(text.to_owned())]);
    Ok(speech.render(&prompt, &options, &NoMedia).await?.to_wav()?)
}
