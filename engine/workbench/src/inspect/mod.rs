//! What a bundle is and may do, in the words of whoever has to approve it.
//!
//! Nothing is believed that is not looked at: what the component does not use is told as asked for in vain, and a signature
//! is only said to be right where a key was given to check it with.

mod rights;
mod signed;
mod tongue;
mod unusual;

pub use tongue::Tongue;

use gudok_plugin_host::bundle::Bundle;
use gudok_plugin_host::manifest::{Kind, LimitWishes, Limits};
use gudok_plugin_host::signature::AgencyKey;
use jiff::Timestamp;
use serde::Serialize;

/// A bundle in words.
#[derive(Clone, Debug, Serialize)]
pub struct Inspected {
    /// Agency, name, version, kind: a line.
    pub who: String,
    /// Names and values: languages, size, hash.
    pub facts: Vec<(String, String)>,
    /// What it may do, a sentence each.
    pub may: Vec<String>,
    /// Who signed it, a sentence each.
    pub signed: Vec<String>,
    /// Limits that are not as usual, a sentence each.
    pub limits: Vec<String>,
    /// What an admin should look at twice, a sentence each.
    pub unusual: Vec<String>,
}

/// Puts a bundle into words. `keys` are whose signatures are believed.
#[must_use]
pub fn inspect(bundle: &Bundle, bytes: u64, keys: &[AgencyKey], now: Timestamp, tongue: Tongue) -> Inspected {
    let manifest = &bundle.manifest;
    let kind = match manifest.kind {
        Kind::Service => tongue.say("отвечает на звонки", "answers calls"),
        Kind::Menu => tongue.say("меню без программы, отвечает на звонки", "a menu without a program, answers calls"),
        Kind::Campaign => tongue.say("кампания, звонит людям сама", "a campaign, calls people by itself"),
    };
    let of = tongue.say("агентства", "of the agency");
    let who = format!("{} {}, {of} {}: {kind}", manifest.name, manifest.version, manifest.agency);
    let signature = signed::look(bundle, keys, now, tongue);
    let mut unusual = unusual::look(bundle, tongue);
    unusual.extend(signature.unusual);
    Inspected {
        who,
        facts: facts(bundle, bytes, tongue),
        may: rights::in_words(bundle, tongue),
        signed: signature.told,
        limits: limits(&manifest.limits, tongue),
        unusual,
    }
}

fn facts(bundle: &Bundle, bytes: u64, tongue: Tongue) -> Vec<(String, String)> {
    let manifest = &bundle.manifest;
    let kib = |bytes: u64| format!("{} {}", bytes.div_ceil(1024), tongue.say("КиБ", "KiB"));
    let entries = if manifest.entries.is_empty() {
        tongue.say("любой", "any").to_owned()
    } else {
        manifest.entries.join(", ")
    };
    let hash: String = bundle.content_sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let rows = [
        (tongue.say("языки", "languages"), manifest.languages.join(", ")),
        (tongue.say("вход", "entries"), entries),
        (tongue.say("интерфейс", "interface"), format!("gudok:ivr {}", manifest.interface)),
        (tongue.say("файл", "file"), kib(bytes)),
        (tongue.say("программа", "script"), kib(bundle.component.len() as u64)),
        (tongue.say("записей", "recordings"), bundle.media.len().to_string()),
        (tongue.say("файлов данных", "data files"), bundle.data.len().to_string()),
        (tongue.say("содержимое", "content"), format!("sha256 {hash}")),
    ];
    rows.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What is asked for beside what every script has.
fn limits(wishes: &LimitWishes, tongue: Tongue) -> Vec<String> {
    let (caps, usual) = (Limits::caps_default(), Limits::default().rows());
    let asked = Limits::of(wishes, &caps).rows();
    let told = usual.into_iter().zip(asked).zip(caps.rows()).filter(|(((_, usual), (_, asked)), _)| usual != asked);
    told.map(|(((name, usual), (_, asked)), (_, cap))| {
        let (than, most) = (tongue.say("обычно", "usually"), tongue.say("не больше", "at most"));
        format!("{name} = {asked} ({than} {usual}, {most} {cap})")
    })
    .collect()
}

impl Inspected {
    /// As lines for a person.
    #[must_use]
    pub fn lines(&self, tongue: Tongue) -> Vec<String> {
        use unicode_width::UnicodeWidthStr;
        let mut lines = vec![self.who.clone()];
        let width = self.facts.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
        for (name, value) in &self.facts {
            lines.push(format!("  {name}{}  {value}", " ".repeat(width - name.width())));
        }
        let sections = [
            (tongue.say("Может", "It may"), &self.may),
            (tongue.say("Подпись", "Signature"), &self.signed),
            (tongue.say("Пределы не как обычно", "Limits that are not as usual"), &self.limits),
            (tongue.say("Необычно", "Unusual"), &self.unusual),
        ];
        for (title, told) in sections {
            if told.is_empty() {
                continue;
            }
            lines.push(String::new());
            lines.push(format!("{title}:"));
            lines.extend(told.iter().map(|line| format!("  - {line}")));
        }
        lines
    }
}

#[cfg(test)]
mod tests;
