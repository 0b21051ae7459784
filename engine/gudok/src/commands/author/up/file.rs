//! The configuration of an engine for one author: everything that the script's manifest names is there, everything
//! listens on this machine only, and one telephone stands for whoever is rung.

use gudok_plugin_host::manifest::{Capabilities, Kind, Manifest};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Where callers land whose script failed.
const FALLBACK: &str = "operators";
/// The group of operators that scripts name one by one.
const NAMED: &str = "named";
/// The way out of the engine; the telephone answers there, too.
const CITY: &str = "city";
/// Calls that one engine for one author takes at once.
const CALLS_MAX: u16 = 50;
/// What is shown to whoever is called back.
const SHOWN: &str = "+73000000122";
/// Ports for sound: engines of one machine begin at another place each, and pass over what is taken.
const SOUND_PORTS_FIRST: u16 = 20_000;
const SOUND_PORTS: u16 = 1_000;
const SOUND_RANGES: u16 = 10;

/// A script that the engine has.
#[derive(Debug)]
pub(super) struct Scripted<'a> {
    pub(super) bundle: &'a Path,
    pub(super) manifest: &'a Manifest,
}

impl Scripted<'_> {
    /// Where it is active.
    pub(super) fn entry(&self) -> &str {
        self.manifest.entries.first().map_or(self.manifest.name.as_str(), String::as_str)
    }

    fn reaches(&self, name: &str) -> bool {
        self.entry() == name || self.manifest.name == name || self.manifest.entries.iter().any(|entry| entry == name)
    }
}

/// What the file is to say.
#[derive(Debug)]
pub(super) struct EngineFile<'a> {
    /// The script that is tried, and others that it may hand callers to.
    pub(super) script: Scripted<'a>,
    pub(super) others: Vec<Scripted<'a>>,
    /// It leads to the script.
    pub(super) number: &'a str,
    pub(super) sip_port: u16,
    pub(super) http_port: u16,
    /// Who answers whatever the engine rings.
    pub(super) telephone: SocketAddr,
    /// The author's settings over the manifest's.
    pub(super) config: &'a BTreeMap<String, String>,
    /// A file for each secret that a manifest names.
    pub(super) secrets: &'a BTreeMap<String, PathBuf>,
    pub(super) store: PathBuf,
    pub(super) time_zone: &'a str,
    /// False where nothing on this machine can speak.
    pub(super) speaks: bool,
    /// Tells engines of one machine apart.
    pub(super) process: u32,
}

impl EngineFile<'_> {
    /// As TOML.
    pub(super) fn text(&self) -> String {
        let mut text = String::from("# Written by `gudok up`, and gone with it.\n");
        self.node(&mut text);
        self.people(&mut text);
        self.agencies(&mut text);
        text
    }

    fn all(&self) -> impl Iterator<Item = &Scripted<'_>> {
        std::iter::once(&self.script).chain(&self.others)
    }

    fn rights(&self) -> impl Iterator<Item = &Capabilities> {
        self.all().map(|script| &script.manifest.capabilities)
    }

    fn node(&self, text: &mut String) {
        let lang = self.script.manifest.languages.first().map_or("ru-RU", String::as_str);
        let range = u16::try_from(self.process % u32::from(SOUND_RANGES)).unwrap_or(0);
        let first = SOUND_PORTS_FIRST + range * SOUND_PORTS;
        let _ = write!(
            text,
            "[node]\ntime_zone = {}\nlang = {}\ndrain_s_max = 1\n\n\
             [sip]\nlisten = [\"udp://127.0.0.1:{sip}\", \"tcp://127.0.0.1:{sip}\"]\n\n\
             [media]\nbind = \"127.0.0.1\"\nports = \"{first}-{}\"\n\n\
             [speech]\nprovider = \"{}\"\n\n\
             [http]\nlisten = \"127.0.0.1:{}\"\n\n\
             [store]\ndir = {}\nfree_percent_min = 0\n\n\
             [admin]\nunsigned = \"allow\"\n\n",
            quoted(self.time_zone),
            quoted(lang),
            first + SOUND_PORTS - 1,
            if self.speaks { "espeak-ng" } else { "none" },
            self.http_port,
            quoted(&self.store.to_string_lossy()),
            sip = self.sip_port,
        );
        let inside = self.origins_inside();
        if !inside.is_empty() {
            let _ = write!(text, "[scripts]\nfetch_allowed = {}\n\n", list(inside.iter().map(String::as_str)));
        }
        let _ = write!(
            text,
            "[[trunk]]\nname = \"this-machine\"\nsources = [\"127.0.0.0/8\"]\ntranscript = true\n\n\
             [[trunk]]\nname = {CITY:?}\nproxy = \"{}\"\ncampaigns = {{ calls_max = {CALLS_MAX}, calls_per_s_max = 5 }}\n\n",
            self.telephone,
        );
    }

    /// Groups, operators, extensions and queues: the one telephone is all of them.
    fn people(&self, text: &mut String) {
        let at = |name: &str| format!("sip:{name}@{}", self.telephone);
        let transfers = || self.rights().filter_map(|rights| rights.transfer.as_ref());
        let mut groups: BTreeSet<&str> = transfers().flat_map(|rights| &rights.groups).map(String::as_str).collect();
        groups.insert(FALLBACK);
        for group in groups.iter().filter(|group| **group != NAMED) {
            let operator = format!("{{ name = {}, address = {} }}", quoted(group), quoted(&at("operator")));
            let _ = write!(text, "[[group]]\nname = {}\noperators = [{operator}]\n\n", quoted(group));
        }
        let named: BTreeSet<&String> = transfers().flat_map(|rights| &rights.operators).collect();
        if !named.is_empty() {
            let operators: Vec<String> = named
                .iter()
                .map(|name| format!("{{ name = {}, address = {} }}", quoted(name), quoted(&at("operator"))))
                .collect();
            let _ = write!(text, "[[group]]\nname = {NAMED:?}\noperators = [{}]\n\n", operators.join(", "));
        }
        let extensions: BTreeSet<&String> = transfers().flat_map(|rights| &rights.extensions).collect();
        for number in extensions {
            let address = quoted(&at("extension"));
            let _ = write!(text, "[[extension]]\nnumber = {}\naddress = {address}\n\n", quoted(number));
        }
        for queue in self.queues() {
            let _ = write!(
                text,
                "[[queue]]\nname = {}\n\n[queue.callback]\ntrunk = {CITY:?}\nshown = {SHOWN:?}\ndialable = {}\n\n",
                quoted(queue),
                list(self.dialable().into_iter()),
            );
        }
        let _ = write!(
            text,
            "[[operator]]\nname = \"operator\"\naddress = {}\nqueues = {}\nalways_ready = true\n\n",
            quoted(&at("operator")),
            list(self.queues().into_iter()),
        );
    }

    fn agencies(&self, text: &mut String) {
        let mut agencies: BTreeSet<&str> = self.all().map(|script| script.manifest.agency.as_str()).collect();
        let promises = self.rights().filter_map(|rights| rights.promises.as_ref());
        agencies.extend(promises.flat_map(|rights| &rights.ticket_agencies).map(String::as_str));
        for agency in agencies {
            let _ = write!(
                text,
                "[[agency]]\nname = {}\nfallback = {FALLBACK:?}\nqueue = {FALLBACK:?}\noutbound = {CITY:?}\n",
                quoted(agency)
            );
            let reachable = self.reachable(agency);
            if !reachable.is_empty() {
                let places: Vec<String> =
                    reachable.iter().map(|(name, place)| format!("{} = {}", quoted(name), quoted(place))).collect();
                let _ = writeln!(text, "reachable = {{ {} }}", places.join(", "));
            }
            text.push('\n');
            for script in self.all().filter(|script| script.manifest.agency == agency) {
                self.script_of_agency(script, text);
            }
        }
        if self.script.manifest.kind != Kind::Campaign {
            let (agency, entry) = (quoted(&self.script.manifest.agency), quoted(self.script.entry()));
            let number = quoted(self.number);
            let _ = write!(text, "[[number]]\nnumber = {number}\nagency = {agency}\nentry = {entry}\n");
        }
    }

    fn script_of_agency(&self, script: &Scripted<'_>, text: &mut String) {
        let _ = write!(
            text,
            "[[agency.script]]\nentry = {}\nbundle = {}\napprove = \"as-declared\"\n",
            quoted(script.entry()),
            quoted(&script.bundle.to_string_lossy()),
        );
        if !self.config.is_empty() {
            let pairs: Vec<String> =
                self.config.iter().map(|(key, value)| format!("{} = {}", quoted(key), quoted(value))).collect();
            let _ = writeln!(text, "config = {{ {} }}", pairs.join(", "));
        }
        let names = script.manifest.capabilities.secrets.iter().flat_map(|rights| &rights.names);
        let files: Vec<String> = names
            .filter_map(|name| {
                Some(format!("{} = {}", quoted(name), quoted(&self.secrets.get(name)?.to_string_lossy())))
            })
            .collect();
        if !files.is_empty() {
            let _ = writeln!(text, "secrets = {{ {} }}", files.join(", "));
        }
        text.push('\n');
    }

    /// The scripts that an agency's scripts may hand callers to, of those that are here.
    fn reachable(&self, agency: &str) -> BTreeMap<&str, String> {
        let mut reachable = BTreeMap::new();
        for script in self.all().filter(|script| script.manifest.agency == agency) {
            let names = script.manifest.capabilities.transfer.iter().flat_map(|rights| &rights.scripts);
            for name in names {
                if let Some(other) = self.all().find(|other| other.reaches(name)) {
                    reachable.insert(name.as_str(), format!("{}/{}", other.manifest.agency, other.entry()));
                }
            }
        }
        reachable
    }

    fn queues(&self) -> BTreeSet<&str> {
        let named = self.rights().filter_map(|rights| rights.queues.as_ref()).flat_map(|rights| &rights.names);
        let promised = self.rights().filter_map(|rights| rights.promises.as_ref());
        let promised = promised.flat_map(|rights| &rights.callback_queues);
        named.chain(promised).map(String::as_str).chain([FALLBACK]).collect()
    }

    fn dialable(&self) -> BTreeSet<&str> {
        let promised = self.rights().filter_map(|rights| rights.promises.as_ref());
        promised.flat_map(|rights| &rights.dialable).map(String::as_str).chain(["+7"]).collect()
    }

    /// Back ends on this machine that a manifest names. What the author gives as configuration needs no word more.
    fn origins_inside(&self) -> BTreeSet<String> {
        let origins = self.rights().filter_map(|rights| rights.fetch.as_ref()).flat_map(|rights| &rights.origins);
        let addresses = origins.filter_map(|origin| {
            let url = reqwest::Url::parse(origin).ok()?;
            let host = url.host_str()?;
            let inside = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
            inside.then(|| format!("{host}:{}", url.port_or_known_default().unwrap_or(80)))
        });
        addresses.collect()
    }
}

/// As TOML has a text.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", items.map(quoted).collect::<Vec<_>>().join(", "))
}
