//! Which trunk a source belongs to.

use crate::config::TrunkConfig;
use gudok_core::ids::Trunk;
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Sources of all trunks: single addresses by hash, networks from the narrowest to the widest.
#[derive(Default, Debug)]
pub(crate) struct Sources {
    hosts: HashMap<IpAddr, Arc<TrunkConfig>>,
    networks: Vec<(IpNet, Arc<TrunkConfig>)>,
    by_name: HashMap<Trunk, Arc<TrunkConfig>>,
}

impl Sources {
    /// `resolved` are the addresses that the trunks' proxies were found at.
    pub(crate) fn new(trunks: &[Arc<TrunkConfig>], resolved: &[(Trunk, IpAddr)]) -> Self {
        let mut all = Self::default();
        for trunk in trunks {
            all.by_name.insert(trunk.name.clone(), Arc::clone(trunk));
            for network in &trunk.sources {
                if network.prefix_len() == network.max_prefix_len() {
                    all.hosts.insert(network.addr(), Arc::clone(trunk));
                } else {
                    all.networks.push((*network, Arc::clone(trunk)));
                }
            }
        }
        for (name, address) in resolved {
            if let Some(trunk) = all.by_name.get(name) {
                all.hosts.entry(*address).or_insert_with(|| Arc::clone(trunk));
            }
        }
        all.networks.sort_by_key(|(network, _)| std::cmp::Reverse(network.prefix_len()));
        all
    }

    pub(crate) fn trunk_of(&self, source: IpAddr) -> Option<&Arc<TrunkConfig>> {
        let source = source.to_canonical();
        self.hosts
            .get(&source)
            .or_else(|| self.networks.iter().find(|(network, _)| network.contains(&source)).map(|(_, trunk)| trunk))
    }

    pub(crate) fn trunk(&self, name: &Trunk) -> Option<&Arc<TrunkConfig>> {
        self.by_name.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_network_wins() {
        let net = |text: &str| text.parse::<IpNet>().unwrap();
        let trunks = [
            Arc::new(TrunkConfig::by_address("wide", vec![net("10.0.0.0/8"), net("2001:db8::/32")])),
            Arc::new(TrunkConfig::by_address("narrow", vec![net("10.1.0.0/16")])),
            Arc::new(TrunkConfig::by_address("host", vec![net("10.1.2.3/32")])),
        ];
        let resolved = [(Trunk::new("host"), "192.0.2.7".parse().unwrap())];
        let sources = Sources::new(&trunks, &resolved);
        let check = |source: &str, expect: Option<&str>| {
            let got = sources.trunk_of(source.parse().unwrap()).map(|trunk| trunk.name.as_str());
            assert_eq!(got, expect, "{source}");
        };
        check("10.9.9.9", Some("wide"));
        check("10.1.9.9", Some("narrow"));
        check("10.1.2.3", Some("host"));
        check("::ffff:10.1.2.3", Some("host"));
        check("2001:db8::1", Some("wide"));
        check("192.0.2.7", Some("host"));
        check("192.0.2.8", None);
    }
}
