//! Listeners, trunks and their limits, in the SIP room's words.

use super::super::Faults;
use super::super::schema::{self, File};
use super::centre::RegistrarSettings;
use super::secret;
use gudok_core::privacy::PhoneNumber;
use gudok_sip::{
    Codec, Credentials, IpNet, Limits, Listener, RegistrarConfig, RegistrarSecret, RegistrarUser, RegistrationConfig,
    SessionTimerConfig, SipConfig, Transport, TrunkConfig, UnknownSource,
};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// RFC 3261's estimate of a round trip; a configuration has no say in it.
const SIP_T1: Duration = Duration::from_millis(500);

/// None where the SIP room would refuse it as a whole.
pub(super) fn sip(
    file: &File,
    registrar: Option<&RegistrarSettings>,
    folder: &Path,
    faults: &mut Faults<'_>,
) -> Option<SipConfig> {
    let listeners: Vec<Listener> = file.sip.listen.iter().filter_map(|listen| listener(listen, faults)).collect();
    let trunks = file.trunk.iter().map(|trunk| sip_trunk(trunk, folder, faults)).collect();
    let limits = &file.sip.limits;
    let config = SipConfig {
        listeners,
        advertised: file.sip.advertised,
        user_agent: concat!("gudok/", env!("CARGO_PKG_VERSION")).to_owned(),
        trunks,
        registrar: registrar.map(registrar_config),
        unknown_source: match file.sip.unknown_source {
            schema::UnknownSource::Refuse => UnknownSource::Refuse,
            schema::UnknownSource::Drop => UnknownSource::Drop,
        },
        limits: Limits {
            calls_max: limits.calls_max,
            calls_per_s_max: limits.calls_per_s_max,
            retry_after: Duration::from_secs(limits.retry_after_s),
            source_messages_per_s_max: limits.source_messages_per_s_max,
            ..Limits::default()
        },
        t1: SIP_T1,
    };
    if let Err(error) = config.check() {
        faults.add(0..0, error.to_string(), "correct it under [sip] or in the [[trunk]]");
        return None;
    }
    Some(config)
}

fn registrar_config(settings: &RegistrarSettings) -> RegistrarConfig {
    let users = settings.passwords.iter().map(|(login, password)| RegistrarUser {
        name: Arc::from(login.as_str()),
        secret: RegistrarSecret::Password(password.clone()),
        sources: Vec::new(),
    });
    let defaults = RegistrarConfig::of_realm(&settings.realm);
    RegistrarConfig {
        digests: settings.digests.clone().unwrap_or_else(|| defaults.digests.clone()),
        sources: settings.sources.clone(),
        users: users.collect(),
        expires_s_min: settings.expires_s_min,
        expires_s_max: settings.expires_s_max,
        ..defaults
    }
}

fn listener(text: &Spanned<String>, faults: &mut Faults<'_>) -> Option<Listener> {
    let parsed = text.get_ref().split_once("://").and_then(|(scheme, address)| {
        let transport = match scheme {
            "udp" => Transport::Udp,
            "tcp" => Transport::Tcp,
            _ => return None,
        };
        Some(Listener { transport, address: address.parse().ok()? })
    });
    if parsed.is_none() {
        let message = format!("{:?} is nothing to listen on", text.get_ref());
        faults.add(text.span(), message, "write \"udp://127.0.0.1:5060\" or \"tcp://[::1]:5060\"");
    }
    parsed
}

/// Addresses and networks.
pub(super) fn networks(texts: &[Spanned<String>], faults: &mut Faults<'_>) -> Vec<IpNet> {
    let mut all = Vec::new();
    for source in texts {
        let text = source.get_ref();
        match text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(Into::into)) {
            Some(network) => all.push(network),
            None => {
                let message = format!("{text:?} is no address or network");
                faults.add(source.span(), message, "write \"192.0.2.7\" or \"192.0.2.0/24\"");
            }
        }
    }
    all
}

fn sip_trunk(trunk: &schema::Trunk, folder: &Path, faults: &mut Faults<'_>) -> TrunkConfig {
    let sources = networks(&trunk.sources, faults);
    if sources.is_empty() && trunk.proxy.is_none() {
        let message = format!("the trunk {:?} has neither sources nor a proxy", trunk.name.get_ref());
        faults.add(trunk.name.span(), message, "say where its calls come from (`sources`) or go to (`proxy`)");
    }
    let password = trunk.password_file.as_ref().and_then(|file| secret(file, folder, faults));
    let credentials = trunk.username.as_deref().zip(password);
    let defaults = TrunkConfig::by_address(trunk.name.get_ref(), sources);
    TrunkConfig {
        proxy: trunk.proxy.clone(),
        transport: match trunk.transport {
            schema::TrunkTransport::Udp => Transport::Udp,
            schema::TrunkTransport::Tcp => Transport::Tcp,
        },
        domain: trunk.domain.clone(),
        credentials: credentials
            .map(|(username, password)| Credentials { username: PhoneNumber::new(username), password }),
        registration: trunk
            .register
            .as_deref()
            .map(|user| RegistrationConfig { user: PhoneNumber::new(user), expires_s: trunk.register_expires_s }),
        trusts_identity: trunk.trusts_identity,
        script_headers: trunk.script_headers.iter().map(|name| Arc::from(name.as_str())).collect(),
        codecs: trunk.codecs.as_ref().map_or(defaults.codecs, |names| codecs(names, faults)),
        allows_transcript: trunk.transcript,
        session_timer: match trunk.session_expires_s {
            None => defaults.session_timer,
            Some(0) => None,
            Some(expires_s) => Some(SessionTimerConfig { expires_s, ..SessionTimerConfig::default() }),
        },
        calls_max: trunk.calls_max,
        peer: trunk.peer,
        name: defaults.name,
        sources: defaults.sources,
    }
}

fn codecs(names: &[Spanned<String>], faults: &mut Faults<'_>) -> Arc<[Codec]> {
    let mut all = Vec::new();
    for name in names {
        match name.get_ref().to_ascii_uppercase().as_str() {
            "PCMA" => all.push(Codec::Pcma),
            "PCMU" => all.push(Codec::Pcmu),
            "G722" => all.push(Codec::G722),
            _ => faults.add(name.span(), format!("{:?} is no codec", name.get_ref()), "use PCMA, PCMU or G722"),
        }
    }
    all.into()
}
