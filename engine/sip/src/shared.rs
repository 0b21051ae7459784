//! What all tasks of one engine share.

use crate::chain::{Chains, OnChain};
use crate::config::{Transport, TrunkConfig};
use crate::dialog::Dialogs;
use crate::gate::admission::{Permit, PlaceCount, Refused};
use crate::gate::{Gate, Verdict};
use crate::registrar::Registrar;
use crate::registration::Registrations;
use crate::signalling::Share;
use crate::transport::Transports;
use gudok_core::ids::Trunk;
use parking_lot::Mutex;
use rsipstack::sip::Host;
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transport::SipAddr;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) struct Shared {
    pub(crate) gate: Gate,
    pub(crate) endpoint: EndpointInnerRef,
    pub(crate) dialogs: Dialogs,
    pub(crate) transports: Transports,
    pub(crate) registrations: Registrations,
    pub(crate) registrar: Registrar,
    pub(crate) chains: Arc<Chains>,
    pub(crate) trunk_calls: Mutex<HashMap<Trunk, PlaceCount>>,
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) user_agent: String,
    pub(crate) t1: std::time::Duration,
    pub(crate) stop: CancellationToken,
}

/// The places that one call takes: in the engine, on its trunk, in a chain of centres.
#[derive(Debug)]
pub(crate) struct Places {
    _engine: Permit,
    _trunk: Option<Permit>,
    /// The call's part in a chain of centres.
    pub(crate) chain: Option<OnChain>,
}

impl Shared {
    /// The gate's verdict, now.
    pub(crate) fn judge<'a>(&self, message: &'a [u8], source: SocketAddr, transport: Transport) -> Verdict<'a> {
        self.gate.check(message, source, transport, Instant::now(), &|tag| self.dialogs.has(tag))
    }

    /// Takes the places for a call over `trunk`.
    pub(crate) fn enter(&self, trunk: &TrunkConfig, share: Share) -> Result<Places, Refused> {
        let engine = self.gate.admission.enter(share)?;
        let on_trunk = match trunk.calls_max {
            Some(max) => Some(self.trunk_calls.lock().entry(trunk.name.clone()).or_default().take(share, max)?),
            None => None,
        };
        Ok(Places { _engine: engine, _trunk: on_trunk, chain: None })
    }

    /// Finds the address of a host: a literal one at once, a name by DNS (SRV where no port is given).
    pub(crate) async fn resolve(&self, wanted: &SipAddr) -> Option<SocketAddr> {
        if let Host::IpAddr(_) = wanted.addr.host {
            return wanted.get_socketaddr().ok();
        }
        let found = self.endpoint.transport_layer.inner.domain_resolver.resolve(wanted).await.ok()?;
        found.get_socketaddr().ok()
    }
}
