//! What kind of address it is: only public ones are reached without an admin's word.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Kinds of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Anybody's on the internet.
    Public,
    /// A network of somebody's own: RFC 1918, RFC 6598, RFC 4193.
    Private,
    /// This machine.
    Loopback,
    /// The link, and the clouds' metadata services there and elsewhere.
    LinkLocal,
    /// An IPv4 address in IPv6's clothes (NAT64, 6to4, Teredo, SIIT, compatible): whoever translates decides where it leads.
    Translated,
    /// For documentation, benchmarks and protocols.
    Reserved,
    /// Nobody's: unspecified, multicast, broadcast, class E. No admin can mean it.
    Nobody,
}

impl Kind {
    /// In words, for a refusal.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Private => "a private network",
            Self::Loopback => "this machine",
            Self::LinkLocal => "a link-local or metadata address",
            Self::Translated => "an address that is translated to another",
            Self::Reserved => "a reserved address",
            Self::Nobody => "an address of nobody",
        }
    }

    /// Of an address. An IPv4-mapped one is the IPv4 address that it is.
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => Self::of_v6(v6),
        }
    }

    /// By IANA's registry of special-purpose IPv4 addresses, and the metadata services outside of it.
    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [0, ..] | [224..=255, ..] => Self::Nobody,
            [127, ..] => Self::Loopback,
            // The second is Azure's, the third Alibaba's (in RFC 6598), the fourth Oracle's.
            [169, 254, ..] | [168, 63, 129, 16] | [100, 100, 100, 200] | [192, 0, 0, 192] => Self::LinkLocal,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Self::Private,
            [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [198, 18 | 19, ..] => Self::Reserved,
            // Relays of 6to4.
            [192, 88, 99, _] => Self::Translated,
            _ => Self::Public,
        }
    }

    /// By IANA's registry of special-purpose IPv6 addresses. What lies outside of global unicast (2000::/3) is public for
    /// nobody.
    fn of_v6(address: Ipv6Addr) -> Self {
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0] | [0xff00..=0xffff, ..] => Self::Nobody,
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            // Unique local, and what was called site-local before.
            [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Self::Private,
            // Compatible, SIIT, NAT64 with the known and with a local prefix, Teredo, 6to4.
            [0, 0, 0, 0, 0, 0, _, _]
            | [0, 0, 0, 0, 0xffff, 0, _, _]
            | [0x64, 0xff9b, 0 | 1, ..]
            | [0x2001, 0, ..]
            | [0x2002, ..] => Self::Translated,
            // Protocols (2001::/23) and documentation.
            [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Self::Reserved,
            [0x2000..=0x3fff, ..] => Self::Public,
            _ => Self::Reserved,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_its_kind() {
        let check = |addresses: &[&str], expect: Kind| {
            for address in addresses {
                assert_eq!(Kind::of(address.parse().unwrap()), expect, "{address}");
            }
        };
        check(
            &["8.8.8.8", "1.1.1.1", "95.213.0.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1"],
            Kind::Public,
        );
        check(
            &["11.0.0.1", "192.167.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "::ffff:8.8.8.8"],
            Kind::Public,
        );
        check(&["2606:4700::1111", "2a02:6b8::feed", "2001:4860:4860::8888", "2001:200::1"], Kind::Public);
        check(&["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.0.1"], Kind::Private);
        check(&["fc00::1", "fd00:ec2::254", "fec0::1", "::ffff:10.1.2.3"], Kind::Private);
        check(&["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"], Kind::Loopback);
        check(&["169.254.169.254", "fe80::1", "febf::1", "::ffff:169.254.1.1", "168.63.129.16"], Kind::LinkLocal);
        check(&["100.100.100.200", "192.0.0.192"], Kind::LinkLocal);
        check(&["64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "64:ff9b:1:ffff::a00:1"], Kind::Translated);
        check(
            &["2002:7f00:1::", "2001::1", "2001:0:4136:e378::1", "::ffff:0:127.0.0.1", "::127.0.0.1"],
            Kind::Translated,
        );
        check(&["::8.8.8.8", "192.88.99.1"], Kind::Translated);
        check(&["192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.9.9", "192.0.0.8"], Kind::Reserved);
        check(&["2001:db8::1", "3fff::1", "3fff:fff::1", "2001:2::1", "2001:10::1", "2001:20::1"], Kind::Reserved);
        check(&["100::1", "5f00::1", "4000::1", "64:ff9b:2::1", "1::1"], Kind::Reserved);
        check(&["0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"], Kind::Nobody);
        check(&["::", "ff02::1", "::ffff:0.0.0.0"], Kind::Nobody);
    }
}
