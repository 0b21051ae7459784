//! Names and the way to them: the address that was checked is the address that is connected.
//!
//! A name is resolved here, its addresses are checked, and the client that then connects knows these addresses and no
//! resolver. So a name that is answered otherwise the next moment leads nowhere else.

use crate::ports::BoxFuture;
use reqwest::Client;
use reqwest::dns::{Name, Resolve, Resolving};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Finds the addresses of a name.
pub trait NameResolver: Send + Sync {
    /// All addresses. `name` is in lower case, as it stands in a URL.
    fn resolve(&self, name: &str) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>>;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl NameResolver for SystemResolver {
    fn resolve(&self, name: &str) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        Box::pin(
            async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.map(|address| address.ip()).collect()) },
        )
    }
}

/// What a client asks about names that were not resolved here: nothing is ever found.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoNames;

impl Resolve for NoNames {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(std::future::ready(Err("names are resolved before".into())))
    }
}

/// Names kept, all agencies together.
const NAMES_MAX: usize = 1024;
/// An answer is used so long: the system's resolver does not say how long it is good for.
const NAMES_KEPT: Duration = Duration::from_secs(10);
/// Clients kept, each with its open connections: one for each name and set of addresses.
const CLIENTS_MAX: usize = 256;

/// What is remembered of names.
#[derive(Debug, Default)]
pub(super) struct Memory {
    names: HashMap<String, (Vec<IpAddr>, Instant)>,
    clients: HashMap<(String, Vec<IpAddr>), (Client, Instant)>,
}

impl Memory {
    pub(super) fn addresses(&self, name: &str, now: Instant) -> Option<Vec<IpAddr>> {
        let (addresses, since) = self.names.get(name)?;
        (now.saturating_duration_since(*since) < NAMES_KEPT).then(|| addresses.clone())
    }

    pub(super) fn keep_addresses(&mut self, name: &str, addresses: &[IpAddr], now: Instant) {
        make_room(&mut self.names, NAMES_MAX, |(_, since)| *since);
        self.names.insert(name.to_owned(), (addresses.to_vec(), now));
    }

    pub(super) fn client(&mut self, name: &str, addresses: &[IpAddr], now: Instant) -> Option<Client> {
        let (client, used) = self.clients.get_mut(&(name.to_owned(), addresses.to_vec()))?;
        *used = now;
        Some(client.clone())
    }

    pub(super) fn keep_client(&mut self, name: &str, addresses: &[IpAddr], client: &Client, now: Instant) {
        make_room(&mut self.clients, CLIENTS_MAX, |(_, used)| *used);
        self.clients.insert((name.to_owned(), addresses.to_vec()), (client.clone(), now));
    }
}

/// Lets go of the oldest one where the map is full.
fn make_room<K: Clone + Eq + Hash, V>(map: &mut HashMap<K, V>, len_max: usize, age: impl Fn(&V) -> Instant) {
    if map.len() < len_max {
        return;
    }
    let oldest = map.iter().min_by_key(|(_, value)| age(value)).map(|(key, _)| key.clone());
    if let Some(oldest) = oldest {
        map.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded_and_ages() {
        let (mut memory, begin) = (Memory::default(), Instant::now());
        let address = ["8.8.8.8".parse().unwrap()];
        for count in 0..NAMES_MAX + 10 {
            memory.keep_addresses(&format!("n{count}"), &address, begin + Duration::from_millis(count as u64));
        }
        assert_eq!(memory.names.len(), NAMES_MAX);
        assert!(memory.addresses("n9", begin).is_none() && memory.addresses("n10", begin).is_some());
        assert!(memory.addresses("n10", begin + NAMES_KEPT * 2).is_none());
    }
}
