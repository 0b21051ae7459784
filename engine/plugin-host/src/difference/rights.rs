//! Rights compared: which of them are more than what was approved.

use super::{Change, Changed, sorted};
use crate::manifest::{Capabilities, Capability, FROM_CONFIG, Manifest};
use crate::text::shown;

/// What a capability is granted with.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Parameter {
    /// Each name is a right.
    Names(Vec<String>),
    /// Each prefix is a right to all numbers that begin with it.
    Prefixes(Vec<String>),
    /// More is more.
    Days(u64),
    /// Having it is a right.
    Freedom(bool),
    /// Having it is less of a right.
    Duty(bool),
}

impl Parameter {
    fn text(&self) -> String {
        match self {
            Self::Names(names) | Self::Prefixes(names) if names.is_empty() => "nobody".to_owned(),
            Self::Names(names) | Self::Prefixes(names) => shown(&sorted(names).join(", ")),
            Self::Days(days) => days.to_string(),
            Self::Freedom(is) | Self::Duty(is) => is.to_string(),
        }
    }

    /// Whether nothing is allowed by `self` that `other` does not allow.
    fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Names(mine), Self::Names(others)) => mine.iter().all(|name| others.contains(name)),
            (Self::Prefixes(mine), Self::Prefixes(others)) => {
                mine.iter().all(|prefix| others.iter().any(|wider| prefix.starts_with(wider.as_str())))
            }
            (Self::Days(mine), Self::Days(others)) => mine <= others,
            (Self::Freedom(mine), Self::Freedom(others)) => *others || !*mine,
            (Self::Duty(mine), Self::Duty(others)) => *mine || !*others,
            _ => false,
        }
    }
}

type Named = (&'static str, Parameter);

/// How the rights that `new` asks for differ from those that `old` asked for (none, where nothing was). What is added or
/// widened, nobody has approved by approving `old`.
#[must_use]
pub fn rights(old: Option<&Manifest>, new: &Manifest) -> Vec<Changed> {
    let nothing = Capabilities::default();
    let before = old.map_or(&nothing, |old| &old.capabilities);
    let mut changes = Vec::new();
    for capability in Capability::ALL {
        // Its being there is told as `secrets.reveal`.
        if capability == Capability::SecretsReveal {
            continue;
        }
        let was = old.filter(|_| before.has(capability)).map(|old| parameters(old, capability));
        let is = new.capabilities.has(capability).then(|| parameters(new, capability));
        match (was, is) {
            (Some(was), Some(is)) => changes.extend(parameters_changed(capability, &was, &is)),
            (was, is) => {
                let text = |parameters: Vec<Named>| whole(&parameters);
                changes.extend(Changed::between(capability.as_str(), was.map(text), is.map(text)));
            }
        }
    }
    changes
}

fn parameters_changed(capability: Capability, was: &[Named], is: &[Named]) -> Vec<Changed> {
    let changed = |((name, was), (_, is)): (&Named, &Named)| {
        let change = match (is.is_within(was), was.is_within(is)) {
            (true, true) => return None,
            (false, _) => Change::Widened,
            (true, false) => Change::Narrowed,
        };
        let name = format!("{}.{name}", capability.as_str());
        Some(Changed { name, change, from: Some(was.text()), to: Some(is.text()) })
    };
    was.iter().zip(is).filter_map(changed).collect()
}

/// A capability with all that it is granted with, in one line.
fn whole(parameters: &[Named]) -> String {
    let says_something = |parameter: &Parameter| match parameter {
        Parameter::Names(names) | Parameter::Prefixes(names) => !names.is_empty(),
        Parameter::Days(_) => true,
        Parameter::Freedom(is) | Parameter::Duty(is) => *is,
    };
    let told = parameters.iter().filter(|(_, parameter)| says_something(parameter));
    let told: Vec<String> = told.map(|(name, parameter)| format!("{name}: {}", parameter.text())).collect();
    if told.is_empty() { "granted".to_owned() } else { told.join("; ") }
}

/// The same names in the same order for every manifest, so that two can be laid side by side.
fn parameters(manifest: &Manifest, capability: Capability) -> Vec<Named> {
    let names = |list: &[String]| Parameter::Names(list.to_vec());
    let Capabilities { recording, transfer, queues, directory: _, promises, storage, fetch, secrets } =
        &manifest.capabilities;
    match capability {
        Capability::Recording => {
            let rights = recording.unwrap_or_default();
            vec![
                ("retention_days_max", Parameter::Days(rights.retention_days_max.into())),
                ("consent_required", Parameter::Duty(rights.consent_required)),
            ]
        }
        Capability::Transfer => {
            let rights = transfer.clone().unwrap_or_default();
            let modes = rights.modes.iter().map(|mode| mode.as_str().to_owned()).collect();
            vec![
                ("groups", names(&rights.groups)),
                ("operators", names(&rights.operators)),
                ("extensions", names(&rights.extensions)),
                ("numbers", Parameter::Prefixes(rights.numbers)),
                ("scripts", names(&rights.scripts)),
                ("modes", Parameter::Names(modes)),
            ]
        }
        Capability::Queues => vec![("names", names(&queues.clone().unwrap_or_default().names))],
        Capability::Directory => Vec::new(),
        Capability::Promises => {
            let rights = promises.clone().unwrap_or_default();
            vec![
                ("callback_queues", names(&rights.callback_queues)),
                ("ticket_agencies", names(&rights.ticket_agencies)),
                ("surveys", names(&rights.surveys)),
                ("dialable", Parameter::Prefixes(rights.dialable)),
            ]
        }
        Capability::Storage => vec![("buckets", names(&storage.clone().unwrap_or_default().buckets))],
        Capability::Fetch => {
            let origins = fetch.iter().flat_map(|rights| &rights.origins);
            vec![("origins", Parameter::Names(origins.map(|origin| resolved(manifest, origin)).collect()))]
        }
        Capability::Secrets | Capability::SecretsReveal => {
            let rights = secrets.clone().unwrap_or_default();
            vec![("names", names(&rights.names)), ("reveal", Parameter::Freedom(rights.reveal))]
        }
    }
}

/// An origin by its key leads where the author's default says, unless an admin set it: another default is another right.
fn resolved(manifest: &Manifest, origin: &str) -> String {
    let default = origin.strip_prefix(FROM_CONFIG).and_then(|key| manifest.config.get(key));
    default.map_or_else(|| origin.to_owned(), |default| format!("{origin} (if not configured: {default})"))
}
