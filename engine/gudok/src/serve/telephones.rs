//! Telephones that register: the centre hears which operators can be rung, and the SIP room who may register.

use crate::centre::Centre;
use crate::director::Director;
use gudok_core::centre::OperatorOrder;
use gudok_core::ids::Operator;
use gudok_sip::{RegistrarEvent, RegistrarEvents, SipEngine};
use std::sync::Arc;

/// Tells the centre of every telephone that comes or goes.
pub(super) async fn follow(mut events: RegistrarEvents, centre: Centre) {
    while let Some(event) = events.next().await {
        let (user, reachable) = match event {
            RegistrarEvent::Registered { user } => (user, true),
            RegistrarEvent::Gone { user } => (user, false),
        };
        let told = centre.order(Operator::new(&user), OperatorOrder::Reachable(reachable)).await;
        if let Err(refusal) = told {
            tracing::debug!(%refusal, "a telephone that is no operator's");
        }
    }
}

/// Operators of the ledger have come, gone or got another password.
pub(super) async fn keep_known(director: Arc<Director>, sip: Arc<SipEngine>) {
    let mut phones = director.phones();
    while phones.changed().await.is_ok() {
        phones.mark_unchanged();
        if let Err(error) = sip.reload(&director.sip_config(&director.config())) {
            tracing::error!(%error, "the telephones of the API's operators were not taken");
        }
    }
}
