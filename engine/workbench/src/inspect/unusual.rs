//! What an admin should look at twice: rights without need, wide rights, large wishes.

use super::Tongue;
use super::rights::declared;
use crate::build::refused::uses;
use gudok_plugin_host::bundle::Bundle;
use gudok_plugin_host::manifest::{Kind, Limits};

/// Digits of a prefix with which a whole country can be called.
const WIDE_DIGITS: usize = 2;
/// Kept longer than this, recordings are a matter for the agency's lawyers.
const RETENTION_DAYS_USUAL: u16 = 90;
/// So many times the usual limit is a lot.
const TIMES_USUAL: u64 = 4;

pub(super) fn look(bundle: &Bundle, tongue: Tongue) -> Vec<String> {
    let mut told = Vec::new();
    rights(bundle, tongue, &mut told);
    in_vain(bundle, tongue, &mut told);
    large(bundle, tongue, &mut told);
    told
}

fn rights(bundle: &Bundle, tongue: Tongue, told: &mut Vec<String>) {
    let capabilities = &bundle.manifest.capabilities;
    let numbers = capabilities.transfer.iter().flat_map(|rights| &rights.numbers);
    let dialable = capabilities.promises.iter().flat_map(|rights| &rights.dialable);
    for prefix in numbers.chain(dialable).filter(|prefix| prefix.trim_start_matches('+').len() <= WIDE_DIGITS) {
        let say = tongue.say("широкое право: любой номер, начинающийся с", "a wide right: any number that begins with");
        told.push(format!("{say} {prefix}"));
    }
    let origins = capabilities.fetch.iter().flat_map(|rights| &rights.origins);
    let defaults = origins.clone().filter_map(|origin| bundle.manifest.config.get(origin.strip_prefix("config:")?));
    for origin in origins.chain(defaults).filter(|origin| origin.starts_with("http://")) {
        let say = tongue.say("без шифрования, любой на пути прочтёт", "unencrypted, whoever is on the way can read it");
        told.push(format!("{say}: {origin}"));
    }
    if capabilities.secrets.as_ref().is_some_and(|secrets| secrets.reveal) {
        let say = tongue.say(
            "видит текст секретов, а не только посылает их: обычно это не нужно",
            "sees the text of secrets, and does not only send them: usually that is not needed",
        );
        told.push(say.to_owned());
    }
    if let Some(recording) = &capabilities.recording {
        if !recording.consent_required {
            let say = tongue.say("может записывать без согласия звонящего", "may record without the caller's consent");
            told.push(say.to_owned());
        }
        if recording.retention_days_max > RETENTION_DAYS_USUAL {
            let say = tongue.say("хранит записи долго, дней:", "keeps recordings long, days:");
            told.push(format!("{say} {}", recording.retention_days_max));
        }
    }
    let leads_on = capabilities.queues.is_some() || capabilities.transfer.is_some() || capabilities.promises.is_some();
    if !leads_on && bundle.manifest.kind != Kind::Campaign {
        let say = tongue.say(
            "никуда не ведёт звонящего: ни к оператору, ни в очередь",
            "leads callers to no person: no operator, no queue",
        );
        told.push(say.to_owned());
    }
}

/// Rights that the component never names. One module walks all menus, and names whatever a menu can do.
fn in_vain(bundle: &Bundle, tongue: Tongue, told: &mut Vec<String>) {
    if bundle.manifest.kind == Kind::Menu {
        return;
    }
    for name in declared(&bundle.manifest.capabilities) {
        if !uses(&bundle.component, name) {
            let say = tongue.say("просит и не использует", "asks for and does not use");
            told.push(format!("{say}: {name}"));
        }
    }
}

fn large(bundle: &Bundle, tongue: Tongue, told: &mut Vec<String>) {
    let usual = Limits::default().rows();
    let asked = Limits::of(&bundle.manifest.limits, &Limits::caps_default()).rows();
    for ((name, usual), (_, asked)) in usual.into_iter().zip(asked) {
        if asked >= usual.saturating_mul(TIMES_USUAL) {
            let say = tongue.say("хочет много", "wants a lot");
            told.push(format!("{say}: {name} = {asked}, {} {usual}", tongue.say("обычно", "usually")));
        }
    }
}
