//! Who signed a bundle, as far as that can be known here.

use super::Tongue;
use gudok_plugin_host::bundle::Bundle;
use gudok_plugin_host::signature::{self, AgencyKey, SignatureRefusal, Signed, at_second};
use jiff::Timestamp;

/// A signature that ends sooner than this is worth a word.
const SOON_DAYS: i64 = 30;

#[derive(Default)]
pub(super) struct Signature {
    pub(super) told: Vec<String>,
    pub(super) unusual: Vec<String>,
}

pub(super) fn look(bundle: &Bundle, keys: &[AgencyKey], now: Timestamp, tongue: Tongue) -> Signature {
    let mut signature = Signature::default();
    let moment = at_second(u64::try_from(now.as_second()).unwrap_or(0));
    match signature::verify(Signed::from(bundle), keys, moment) {
        Ok(key) => {
            let (signed, right) =
                (tongue.say("подписано ключом", "signed by the key"), tongue.say("и подпись верна", "and it is right"));
            signature.told.push(format!("{signed} {key}, {right}"));
        }
        Err(SignatureRefusal::Missing) => {
            signature.told.push(tongue.say("нет", "there is none").to_owned());
            signature.unusual.push(
                tongue
                    .say(
                        "не подписано: никто за него не отвечает, и движок его не примет",
                        "it is not signed: nobody answers for it, and an engine does not take it",
                    )
                    .to_owned(),
            );
        }
        // Nobody said which keys are believed.
        Err(SignatureRefusal::UnknownKey { key }) if keys.is_empty() => {
            let signed = tongue.say("говорит, что подписано ключом", "it says to be signed by the key");
            let check =
                tongue.say("проверить: gudok inspect --key ФАЙЛ.pub", "to check it: gudok inspect --key FILE.pub");
            signature.told.push(format!("{signed} {key}; {check}"));
        }
        Err(refusal) => {
            let wrong = tongue.say("подпись не годится", "the signature is not good");
            signature.told.push(format!("{wrong}: {refusal}"));
            signature.unusual.push(wrong.to_owned());
        }
    }
    if let Some(comment) = comment(bundle) {
        let is_for = tongue.say("подпись дана на", "it is for");
        signature.told.push(format!("{is_for} {}", comment.split(' ').next().unwrap_or_default()));
        if let Some(expires) = expires(&comment) {
            let until = tongue.say("годится до", "it is good until");
            signature.told.push(format!("{until} {expires}"));
            let left_s = expires.as_second() - now.as_second();
            if left_s < SOON_DAYS * 86_400 {
                let soon =
                    tongue.say("подпись скоро кончится или уже кончилась", "the signature ends soon, or has ended");
                signature.unusual.push(format!("{soon}: {expires}"));
            }
        }
    }
    signature
}

/// The trusted comment as it stands there, fit for a screen.
fn comment(bundle: &Bundle) -> Option<String> {
    let text = std::str::from_utf8(bundle.signature.as_deref()?).ok()?;
    let comment = text.lines().find_map(|line| line.strip_prefix("trusted comment: "))?;
    const CHARS_MAX: usize = 200;
    Some(comment.chars().take(CHARS_MAX).flat_map(char::escape_debug).collect())
}

fn expires(comment: &str) -> Option<Timestamp> {
    let (_, seconds) = comment.split_once(" expires:")?;
    Timestamp::from_second(seconds.parse().ok()?).ok()
}
