//! Configurations for tests, put together from parts.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};

/// Media ports of one engine.
const PORTS_PER_ENGINE: u16 = 2_000;
const PORTS_FIRST: u16 = 20_000;
const PORT_RANGES: u16 = 10;

/// An operator's telephone.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The name under which scripts ask for it.
    pub name: String,
    /// `sip:…`
    pub address: String,
}

/// One script behind an entry.
#[derive(Debug, Clone)]
struct Script {
    agency: String,
    entry: String,
    bundle: PathBuf,
    /// TOML lines of its own: `approve`, `config`, `secrets`.
    extra: String,
}

/// A configuration in the making. Without further words: the trunk `local` on loopback with transcript, an operators'
/// group that works from 06:00 to midnight in Asia/Novokuznetsk.
#[derive(Debug, Clone)]
pub struct ConfigBuilder {
    scripts: Vec<Script>,
    numbers: Vec<(String, String, String)>,
    operators: Vec<Operator>,
    /// Whole TOML tables.
    extra: String,
    agency_extra: Vec<(String, String)>,
    sip_extra: String,
    http_extra: String,
    free_percent_min: u8,
    media_ports: Option<(u16, u16)>,
    fetch_allowed: Vec<SocketAddr>,
    pub(crate) log: Option<String>,
}

impl Default for ConfigBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl ConfigBuilder {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self {
            scripts: Vec::new(),
            numbers: Vec::new(),
            operators: Vec::new(),
            extra: String::new(),
            agency_extra: Vec::new(),
            sip_extra: String::new(),
            http_extra: String::new(),
            free_percent_min: 1,
            media_ports: None,
            fetch_allowed: Vec::new(),
            log: None,
        }
    }

    /// A script at `agency/entry`; `extra` is TOML of its `[[agency.script]]`.
    #[must_use]
    pub fn script(mut self, agency: &str, entry: &str, bundle: PathBuf, extra: &str) -> Self {
        self.scripts.push(Script { agency: agency.into(), entry: entry.into(), bundle, extra: extra.into() });
        self
    }

    /// A number that leads to `agency/entry`.
    #[must_use]
    pub fn number(mut self, number: &str, agency: &str, entry: &str) -> Self {
        self.numbers.push((number.into(), agency.into(), entry.into()));
        self
    }

    /// An operator of the group `operators`.
    #[must_use]
    pub fn operator(mut self, name: &str, at: SocketAddr) -> Self {
        self.operators.push(Operator { name: name.into(), address: format!("sip:{name}@{at}") });
        self
    }

    /// TOML of an `[[agency]]`, such as `reachable`.
    #[must_use]
    pub fn agency(mut self, agency: &str, toml: &str) -> Self {
        self.agency_extra.push((agency.into(), toml.into()));
        self
    }

    /// More whole tables.
    #[must_use]
    pub fn extra(mut self, toml: &str) -> Self {
        self.extra.push_str(toml);
        self.extra.push('\n');
        self
    }

    /// More lines or sub-tables of `[sip]`.
    #[must_use]
    pub fn sip(mut self, toml: &str) -> Self {
        self.sip_extra.push_str(toml);
        self.sip_extra.push('\n');
        self
    }

    /// More lines of `[http]`.
    #[must_use]
    pub fn http(mut self, toml: &str) -> Self {
        self.http_extra.push_str(toml);
        self.http_extra.push('\n');
        self
    }

    /// So much of the disk must be free for promises to be made.
    #[must_use]
    pub const fn free_percent_min(mut self, percent: u8) -> Self {
        self.free_percent_min = percent;
        self
    }

    /// Other media ports than one of the shared ranges: for more calls than those have room for.
    #[must_use]
    pub const fn media_ports(mut self, first: u16, last: u16) -> Self {
        self.media_ports = Some((first, last));
        self
    }

    /// A back end on loopback that scripts may ask; otherwise they reach the internet only.
    #[must_use]
    pub fn fetch_allowed(mut self, at: SocketAddr) -> Self {
        self.fetch_allowed.push(at);
        self
    }

    /// What the engine logs, as `RUST_LOG` would have it.
    #[must_use]
    pub fn log(mut self, filter: &str) -> Self {
        self.log = Some(filter.to_owned());
        self
    }

    /// The file's text, with its data below `dir`.
    #[must_use]
    pub fn text(&self, dir: &std::path::Path) -> String {
        let (first, last) = self.media_ports.unwrap_or_else(|| {
            let first = next_ports();
            (first, first + PORTS_PER_ENGINE - 1)
        });
        let mut text = format!(
            "[node]\ntime_zone = \"Asia/Novokuznetsk\"\ndrain_s_max = 5\n\n\
             [sip]\nlisten = [\"udp://127.0.0.1:0\", \"tcp://127.0.0.1:0\"]\n{}\n\
             [media]\nports = \"{first}-{last}\"\nrtp_timeout_s = 20\n\n\
             [http]\nlisten = \"127.0.0.1:0\"\n{}\n\
             [store]\ndir = {:?}\nfree_percent_min = {}\n\n\
             [[trunk]]\nname = \"local\"\nsources = [\"127.0.0.0/8\"]\ntranscript = true\n\n\
             [[calendar]]\nname = \"day\"\nhours = {{ daily = [\"06:00-24:00\"] }}\n\n\
             [[group]]\nname = \"operators\"\ncalendar = \"day\"\noperators = [\n",
            self.sip_extra,
            self.http_extra,
            dir.join("store"),
            self.free_percent_min,
        );
        for operator in &self.operators {
            let _ = writeln!(text, "  {{ name = {:?}, address = {:?} }},", operator.name, operator.address);
        }
        text.push_str("]\n");
        let mut agencies: Vec<&str> = self.scripts.iter().map(|script| script.agency.as_str()).collect();
        agencies.sort_unstable();
        agencies.dedup();
        for agency in agencies {
            let _ = writeln!(text, "\n[[agency]]\nname = {agency:?}\nfallback = \"operators\"");
            for (_, toml) in self.agency_extra.iter().filter(|(name, _)| name == agency) {
                let _ = writeln!(text, "{toml}");
            }
            for script in self.scripts.iter().filter(|script| script.agency == agency) {
                let (entry, bundle) = (&script.entry, &script.bundle);
                let _ = writeln!(text, "[[agency.script]]\nentry = {entry:?}\nbundle = {bundle:?}\n{}", script.extra);
            }
        }
        for (number, agency, entry) in &self.numbers {
            let _ = writeln!(text, "\n[[number]]\nnumber = {number:?}\nagency = {agency:?}\nentry = {entry:?}");
        }
        if !self.fetch_allowed.is_empty() {
            let places: Vec<String> = self.fetch_allowed.iter().map(|at| format!("{:?}", at.to_string())).collect();
            let _ = writeln!(text, "\n[scripts]\nfetch_allowed = [{}]", places.join(", "));
        }
        text.push('\n');
        text.push_str(&self.extra);
        text
    }
}

/// Tests run side by side in threads and processes: each engine begins at another place of the range.
fn next_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let process = u16::try_from(std::process::id() % u32::from(PORT_RANGES)).unwrap_or(0);
    let range = (process + NEXT.fetch_add(1, Ordering::Relaxed)) % PORT_RANGES;
    PORTS_FIRST + range * PORTS_PER_ENGINE
}
