//! Where an admin lets scripts go besides the internet.

use super::address::Kind;
use crate::ports::Voucher;
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A place that an admin opened to scripts: a network or a host, and a port. Written `10.1.0.0/16:443`, `10.1.2.3:8080`,
/// `[fd00:1::/64]:443` or `back-end.example:443`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AllowedTarget {
    host: AllowedHost,
    port: u16,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum AllowedHost {
    Network(IpNet),
    /// In lower case, without a dot at the end.
    Name(String),
}

/// What is wrong with the text of an [`AllowedTarget`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{text:?} {problem}. Write a network or host and a port: \"10.1.0.0/16:443\", \"[fd00:1::/64]:443\", \"back-end.example:443\""
)]
pub struct BadTarget {
    /// As it was written.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl FromStr for AllowedTarget {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        let bad = |problem| BadTarget { text: text.to_owned(), problem };
        let (host, port) = text.rsplit_once(':').ok_or_else(|| bad("has no port"))?;
        let port: u16 =
            port.parse().ok().filter(|port| *port != 0).ok_or_else(|| bad("has no port from 1 to 65535"))?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let network = match (bare.parse::<IpNet>(), bare.parse::<IpAddr>()) {
            (Ok(network), _) => Some(network),
            (_, Ok(address)) => Some(IpNet::from(address)),
            _ => None,
        };
        if let Some(network) = network {
            if network.prefix_len() == 0 {
                return Err(bad("is every address there is"));
            }
            if network.trunc() != network {
                return Err(bad("has bits behind its prefix"));
            }
            return Ok(Self { host: AllowedHost::Network(network), port });
        }
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        // What ends in a number is an address to everybody else.
        let last_is_number = name.rsplit('.').next().is_none_or(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        if name.is_empty() || last_is_number || !name.bytes().all(legal) {
            return Err(bad("is neither a network nor the name of a host"));
        }
        Ok(Self { host: AllowedHost::Name(name), port })
    }
}

impl fmt::Display for AllowedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            AllowedHost::Network(network @ IpNet::V6(_)) => write!(f, "[{network}]:{}", self.port),
            AllowedHost::Network(network) => write!(f, "{network}:{}", self.port),
            AllowedHost::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

impl AllowedTarget {
    fn covers(&self, name: Option<&str>, address: IpAddr, port: u16) -> bool {
        self.port == port
            && match &self.host {
                AllowedHost::Network(network) => network.contains(&address),
                AllowedHost::Name(allowed) => name == Some(allowed.as_str()),
            }
    }
}

/// Whether a request may connect to an address. `name` is what was resolved to it, in lower case and without a dot at the
/// end; none where the address itself was written.
pub(super) fn may_connect(
    allowed: &[AllowedTarget],
    voucher: Voucher,
    name: Option<&str>,
    address: IpAddr,
    port: u16,
) -> Result<(), Kind> {
    let address = address.to_canonical();
    let kind = Kind::of(address);
    let by_admin = match (kind, name) {
        (Kind::Public, _) => return Ok(()),
        (Kind::Nobody, _) => return Err(kind),
        // The admin wrote this very address.
        (_, None) => true,
        (Kind::Loopback, Some(name)) => name == "localhost",
        // Who writes a name means the host, wherever in his networks it stands; but names change hands, and never is this
        // machine or the link meant.
        (Kind::Private, Some(_)) => true,
        (Kind::LinkLocal | Kind::Translated | Kind::Reserved, Some(_)) => false,
    };
    let vouched = by_admin && voucher == Voucher::Admin;
    if vouched || allowed.iter().any(|target| target.covers(name, address, port)) { Ok(()) } else { Err(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_written() {
        let check = |text: &str, expect: &str| assert_eq!(text.parse::<AllowedTarget>().unwrap().to_string(), expect);
        check("10.1.0.0/16:443", "10.1.0.0/16:443");
        check("10.1.2.3:8080", "10.1.2.3/32:8080");
        check("[fd00:1::/64]:443", "[fd00:1::/64]:443");
        check("[::1]:80", "[::1/128]:80");
        check("Back-End.Example.:443", "back-end.example:443");
        let check = |text: &str, problem: &str| {
            let error = text.parse::<AllowedTarget>().unwrap_err().to_string();
            assert!(error.contains(problem) && error.contains("Write a network"), "{error}");
        };
        check("10.1.0.0/16", "no port");
        check("10.1.0.0/16:0", "no port from 1");
        check("10.1.2.3/16:443", "bits behind its prefix");
        check("0.0.0.0/0:443", "every address");
        check("::/0:443", "every address");
        check("10.1.2:443", "neither a network");
        check(":443", "neither a network");
        check("*.example:443", "neither a network");
        check("http://a.example:443", "neither a network");
    }

    #[test]
    fn an_admin_opens_exactly_what_is_written() {
        let allowed: Vec<AllowedTarget> =
            ["10.1.0.0/16:443", "back.example:8080", "[fd00::/8]:443"].map(|text| text.parse().unwrap()).into();
        let check = |voucher, name: Option<&str>, address: &str, port, expect: bool| {
            let is = may_connect(&allowed, voucher, name, address.parse().unwrap(), port).is_ok();
            assert_eq!(is, expect, "{voucher:?} {name:?} {address} {port}");
        };
        let author = |name, address, port, expect| check(Voucher::Author, name, address, port, expect);
        author(None, "8.8.8.8", 1, true);
        author(None, "10.1.2.3", 443, true);
        author(None, "::ffff:10.1.2.3", 443, true);
        author(None, "10.1.2.3", 80, false);
        author(None, "10.2.0.1", 443, false);
        author(Some("any.example"), "10.1.2.3", 443, true);
        author(Some("back.example"), "127.0.0.1", 8080, true);
        author(Some("back.example"), "127.0.0.1", 8081, false);
        author(Some("not.back.example"), "127.0.0.1", 8080, false);
        author(Some("localhost"), "127.0.0.1", 80, false);
        author(None, "fd00::1", 443, true);
        author(None, "0.0.0.0", 443, false);
        let admin = |name, address, port, expect| check(Voucher::Admin, name, address, port, expect);
        admin(None, "127.0.0.1", 8090, true);
        admin(None, "169.254.169.254", 80, true);
        admin(None, "192.0.2.7", 80, true);
        admin(None, "0.0.0.0", 80, false);
        admin(None, "224.0.0.1", 80, false);
        admin(Some("localhost"), "::1", 80, true);
        admin(Some("api.example"), "10.9.9.9", 80, true);
        admin(Some("api.example"), "127.0.0.1", 80, false);
        admin(Some("api.example"), "169.254.169.254", 80, false);
        admin(Some("api.example"), "64:ff9b::a00:1", 80, false);
    }
}
