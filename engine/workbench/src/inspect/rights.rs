//! Each right as a sentence: what may happen, to whom, and no further than where.

use super::Tongue;
use gudok_plugin_host::bundle::Bundle;
use gudok_plugin_host::manifest::{
    Capabilities, Kind, Limits, PromiseRights, RecordingRights, SecretRights, TransferModeName, TransferRights,
};

/// All of them; that there is none, too.
pub(super) fn in_words(bundle: &Bundle, tongue: Tongue) -> Vec<String> {
    let capabilities = &bundle.manifest.capabilities;
    let mut told = Vec::new();
    if bundle.manifest.kind == Kind::Campaign {
        told.push(tongue.say("звонить людям из списка кампании", "call the people on a campaign's list").to_owned());
    }
    told.extend(capabilities.transfer.iter().flat_map(|rights| transfer(rights, tongue)));
    told.extend(capabilities.queues.iter().map(|rights| {
        let say = tongue.say("поставить звонящего в очередь", "let callers wait in the queue");
        format!("{say} {}", names(&rights.names, tongue))
    }));
    told.extend(capabilities.promises.iter().flat_map(|rights| promises(rights, tongue)));
    told.extend(capabilities.recording.iter().map(|rights| recording(*rights, tongue)));
    if capabilities.directory.is_some() {
        told.push(tongue.say("читать справочник центра", "read the centre's directory").to_owned());
    }
    if let Some(rights) = &capabilities.storage {
        let say = tongue.say("хранить данные между звонками в разделах", "keep data between calls in the buckets");
        let kib = Limits::of(&bundle.manifest.limits, &Limits::caps_default()).storage_kib;
        let most = tongue.say("не больше", "at most");
        let unit = tongue.say("КиБ", "KiB");
        told.push(format!("{say} {}, {most} {kib} {unit}", names(&rights.buckets, tongue)));
    }
    if let Some(rights) = &capabilities.fetch {
        let say = tongue.say("обращаться по HTTP только к", "send HTTP requests to nobody but");
        told.push(format!("{say} {}", origins(bundle, &rights.origins, tongue)));
    }
    told.extend(capabilities.secrets.iter().flat_map(|rights| secrets(bundle, rights, tongue)));
    if told.is_empty() {
        let none = tongue.say("вести сам разговор, и больше ничего", "lead the call itself, and nothing else");
        told.push(none.to_owned());
    }
    told
}

fn transfer(rights: &TransferRights, tongue: Tongue) -> Vec<String> {
    let to = [
        (
            tongue.say("перевести звонящего на операторов группы", "hand callers to operators of the group"),
            &rights.groups,
        ),
        (tongue.say("перевести звонящего на оператора", "hand callers to the operator"), &rights.operators),
        (tongue.say("перевести звонящего на внутренний номер", "hand callers to the extension"), &rights.extensions),
        (tongue.say("передать звонящего скрипту", "hand callers to the script"), &rights.scripts),
    ];
    let mut told: Vec<String> = to
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(say, list)| format!("{say} {}", names(list, tongue)))
        .collect();
    if !rights.numbers.is_empty() {
        let say = tongue.say(
            "позвонить и перевести звонящего только на номера, начинающиеся с",
            "call, and hand callers to, no numbers but those that begin with",
        );
        told.push(format!("{say} {}", prefixes(&rights.numbers, tongue)));
    }
    let mode = |mode: &TransferModeName| match mode {
        TransferModeName::Blind => tongue.say("сразу, без возврата", "at once, and for good"),
        TransferModeName::Attended => tongue.say("предупредив того, кто ответит", "after talking to who answers"),
        TransferModeName::Bridge => tongue.say("оставаясь на линии", "staying on the line"),
    };
    if let (Some(last), false) = (told.last_mut(), rights.modes.is_empty()) {
        let modes: Vec<&str> = rights.modes.iter().map(mode).collect();
        let how = tongue.say("переводит так", "hands over like this");
        *last = format!("{last} ({how}: {})", modes.join("; "));
    }
    told
}

fn promises(rights: &PromiseRights, tongue: Tongue) -> Vec<String> {
    let mut told = Vec::new();
    let mut tell = |say: &str, list: String| told.push(format!("{say} {list}"));
    if !rights.callback_queues.is_empty() {
        let say =
            tongue.say("пообещать, что перезвонят операторы очереди", "promise a call back by operators of the queue");
        tell(say, names(&rights.callback_queues, tongue));
    }
    if !rights.dialable.is_empty() {
        let say = tongue.say(
            "попросить перезвонить только на номера, начинающиеся с",
            "have no numbers called back but those that begin with",
        );
        tell(say, prefixes(&rights.dialable, tongue));
    }
    if !rights.ticket_agencies.is_empty() {
        let say = tongue.say("регистрировать обращения к агентству", "register tickets for the agency");
        tell(say, names(&rights.ticket_agencies, tongue));
    }
    if !rights.surveys.is_empty() {
        let say = tongue.say("сохранять ответы опроса", "keep answers to the survey");
        tell(say, names(&rights.surveys, tongue));
    }
    told
}

fn recording(rights: RecordingRights, tongue: Tongue) -> String {
    let (say, most, days) = (
        tongue.say("записывать разговор", "record the call"),
        tongue.say("запись хранится не дольше", "kept no longer than"),
        tongue.say("дн.", "days"),
    );
    let consent = if rights.consent_required {
        tongue.say("только с согласия звонящего", "only with the caller's consent")
    } else {
        tongue.say("согласие звонящего не обязательно", "the caller's consent is not required")
    };
    format!("{say}: {consent}; {most} {} {days}", rights.retention_days_max)
}

/// A secret that is not revealed goes with `fetch` only, so where it goes is known.
fn secrets(bundle: &Bundle, rights: &SecretRights, tongue: Tongue) -> Vec<String> {
    let fetch = bundle.manifest.capabilities.fetch.as_ref();
    let to = fetch.map(|fetch| origins(bundle, &fetch.origins, tongue));
    let sent = match &to {
        Some(to) => format!("{} {to}", tongue.say("и посылать его только на", "and send it to nobody but")),
        None => tongue.say("и никуда его не послать", "and send it nowhere").to_owned(),
    };
    let how = if rights.reveal {
        tongue.say("прочитать сам текст секрета", "read the text of the secret")
    } else {
        tongue.say("взять, не видя текста, секрет", "use, without seeing its text, the secret")
    };
    rights.names.iter().map(|name| format!("{how} {name} {sent}")).collect()
}

/// An origin of the configuration is where the admin says; the author's default beside it.
pub(super) fn origins(bundle: &Bundle, list: &[String], tongue: Tongue) -> String {
    let one = |origin: &String| match origin.strip_prefix("config:") {
        Some(key) => {
            let set = tongue.say("адрес из настройки", "the address in the setting");
            match bundle.manifest.config.get(key) {
                Some(value) => {
                    format!("{set} {key} ({} {value})", tongue.say("если не задана,", "where it is not set,"))
                }
                None => format!("{set} {key}"),
            }
        }
        None => origin.clone(),
    };
    if list.is_empty() {
        return tongue.say("никому", "nobody").to_owned();
    }
    list.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn names(list: &[String], tongue: Tongue) -> String {
    if list.is_empty() { tongue.say("ни одной", "none").to_owned() } else { list.join(", ") }
}

fn prefixes(list: &[String], tongue: Tongue) -> String {
    let or = tongue.say(" или ", " or ");
    list.iter().map(|prefix| format!("{prefix}…")).collect::<Vec<_>>().join(or)
}

/// Every capability that is declared, by its interface's name.
pub(super) fn declared(capabilities: &Capabilities) -> Vec<&'static str> {
    use gudok_plugin_host::manifest::Capability;
    Capability::ALL.into_iter().filter(|capability| capabilities.has(*capability)).map(Capability::as_str).collect()
}
