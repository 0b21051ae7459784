//! What a host refuses, told to the author who can still change it: the file in the project, and what to do there.

use super::fault::{Fault, Place};
use crate::nearest::nearest;
use crate::project::{Language, Project};
use gudok_plugin_host::Finding;
use gudok_plugin_host::bundle::{BundleRefusal, MANIFEST, MEDIA_ENDINGS};
use gudok_plugin_host::check::StepName;
use gudok_plugin_host::manifest::Capability;

/// A module of which no component can be made.
pub(super) fn not_a_script(why: &str, source: &str, project: &Project) -> Fault {
    let why = why.split('\n').next().unwrap_or(why).trim_end_matches('.');
    let fault = Fault::of_script("imports", format!("what was compiled is no script: {why}")).at(Place::file(source));
    match project.language {
        Language::Rust => fault
            .note("a script names its function once: `gudok_sdk::service!(run);`, or `gudok_sdk::campaign!(prepare, run);`")
            .remedy("Name it in src/lib.rs, and depend on the SDK of this tool: path = \".gudok/rust/plugins/sdk\""),
        _ => fault.remedy("Build it with the SDK of this tool"),
    }
}

/// What does not fit into a bundle.
pub(super) fn packing(refusal: &BundleRefusal, project: &Project) -> Fault {
    match refusal {
        BundleRefusal::MissingMedia { name, lang } => missing_media(name, lang, project),
        BundleRefusal::UnknownLanguage { place, lang } => {
            let text = manifest_text(project);
            Fault::of_script("media", format!("{place} is in {lang}, a language that the manifest does not name"))
                .at(field_of(&text, "languages").label(format!("`{lang}` is not here")))
                .remedy(format!("Add \"{lang}\" to `languages`, or move the recording to one that is named"))
        }
        _ => {
            let finding = Finding::from(refusal);
            Fault::of_script("pack", finding.problem.clone())
                .at(place_of(&finding.field, project))
                .remedy(finding.remedy)
        }
    }
}

/// A recording that some language has and another has not, or that is only named.
fn missing_media(name: &str, lang: &str, project: &Project) -> Fault {
    let text = manifest_text(project);
    let in_language = |lang: &str| -> Vec<String> {
        let entries = std::fs::read_dir(project.folder.join("media").join(lang));
        let names = entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| MEDIA_ENDINGS.iter().any(|ending| name.ends_with(&format!(".{ending}")))).collect()
    };
    let stem = |file: &String| file.rsplit_once('.').map_or(file.clone(), |(stem, _)| stem.to_owned());
    let others: Vec<&String> = project
        .manifest
        .languages
        .iter()
        .filter(|other| *other != lang && in_language(other).iter().any(|file| stem(file) == name))
        .collect();
    let declared = project.manifest.media.iter().any(|media| media == name);
    let fault = Fault::of_script("media", format!("the recording `{name}` is missing in {lang}"));
    let fault = if declared {
        fault.at(field_of(&text, "media").marking(&format!("\"{name}\"")).label("it is asked for here"))
    } else {
        fault.at(Place::file(format!("media/{lang}/{name}.wav")))
    };
    let fault = match others.first() {
        Some(other) => fault.note(format!("it is there in {other}; a caller may choose any language of the manifest")),
        None => fault,
    };
    let here: Vec<String> = in_language(lang).iter().map(stem).collect();
    let fault = match nearest(name, here.iter().map(String::as_str)) {
        Some(meant) => {
            fault.remedy(format!("media/{lang}/ has `{meant}`: did you mean that? Then rename one of the two"))
        }
        None => fault,
    };
    fault
        .remedy(format!("Record it as media/{lang}/{name}.wav (or mp3, ogg, flac)"))
        .remedy(format!("Or have the words spoken: echo '[{{\"text\":\"…\"}}]' > p.json && gudok say p.json --lang {lang} --wav media/{lang}/{name}.wav"))
        .remedy(format!("Or take \"{lang}\" out of `languages` in manifest.toml"))
}

/// What a step of the host's check found.
pub(super) fn by_host(step: StepName, finding: &Finding, project: &Project, component: &[u8]) -> Fault {
    let fault = Fault::of_script(step.as_str(), finding.problem.clone()).remedy(finding.remedy.clone());
    let text = manifest_text(project);
    match (step, finding.field.strip_prefix("capabilities.")) {
        // fetch names the type of secrets: who uses it imports both, and only one is meant.
        (StepName::Grants, Some("secrets"))
            if !project.manifest.capabilities.has(Capability::Fetch) && uses(component, "fetch") =>
        {
            not_declared("fetch", &text)
        }
        (StepName::Grants, Some(capability)) => not_declared(capability, &text),
        (StepName::Interface, _) if finding.field == "kind" => fault.at(field_of(&text, "kind")).note(
            "kind = \"service\" goes with `gudok_sdk::service!`, kind = \"campaign\" with `gudok_sdk::campaign!`",
        ),
        _ => fault.at(place_of(&finding.field, project)),
    }
}

/// Whether a component names an interface.
pub(crate) fn uses(component: &[u8], interface: &str) -> bool {
    let import = format!("gudok:ivr/{interface}@");
    component.windows(import.len()).any(|window| window == import.as_bytes())
}

/// A capability that the script uses and the manifest does not ask for.
fn not_declared(capability: &str, text: &str) -> Fault {
    let example = match capability {
        "recording" => "recording = { retention_days_max = 30 }",
        "transfer" => "transfer = { groups = [\"operators\"], modes = [\"bridge\"] }",
        "queues" => "queues = { names = [\"operators\"] }",
        "directory" => "directory = {}",
        "promises" => "promises = { callback_queues = [\"operators\"] }",
        "storage" => "storage = { buckets = [\"state\"] }",
        "fetch" => "fetch = { origins = [\"https://api.example.org\"] }",
        "secrets" => "secrets = { names = [\"back-end\"] }",
        "secrets-reveal" => "secrets = { names = [\"back-end\"], reveal = true }",
        _ => "",
    };
    let place = match text.lines().position(|line| line.trim() == "[capabilities]") {
        Some(index) => Place::line(MANIFEST, text, index + 1).marking("[capabilities]").label("it is not in here"),
        None => Place::file(MANIFEST),
    };
    Fault::of_script("grants", format!("the script uses `{capability}`, and the manifest does not ask for it"))
        .at(place)
        .note("a script gets what its manifest asks for and an admin approves, and nothing else")
        .remedy(format!("Add it under [capabilities]: {example}"))
        .remedy("Or do not use it: what is imported without being asked for is refused")
}

/// The file of the project that a finding is about.
fn place_of(field: &str, project: &Project) -> Place {
    if project.folder.join(field).is_file() {
        return Place::file(field);
    }
    let text = manifest_text(project);
    let name = field.rsplit('.').next().unwrap_or(field);
    let place = field_of(&text, name);
    if place.line > 0 { place } else { Place::file(MANIFEST) }
}

fn manifest_text(project: &Project) -> String {
    std::fs::read_to_string(project.folder.join(MANIFEST)).unwrap_or_default()
}

/// The line of the manifest that sets a field.
fn field_of(text: &str, field: &str) -> Place {
    let sets =
        |line: &str| line.trim_start().strip_prefix(field).is_some_and(|rest| rest.trim_start().starts_with('='));
    match text.lines().position(sets) {
        Some(index) => Place::line(MANIFEST, text, index + 1).marking(field),
        None => Place::file(MANIFEST),
    }
}
