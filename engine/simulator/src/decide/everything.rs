//! Routes in which everything is there that a manifest names: groups, telephones, scripts, queues with operators.

use gudok_core::calendar::Calendar;
use gudok_core::centre::{
    CallbackRules, CentreSettings, DialFirst, OperatorSettings, QueueSettings, RingStrategy, UnknownRule,
};
use gudok_core::ids::{Agency, Operator, Queue, Trunk};
use gudok_core::leg::DialTarget;
use gudok_core::privacy::PhoneNumber;
use gudok_core::routing::Routes;
use gudok_plugin_host::manifest::Capabilities;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const OPERATOR: &str = "operator-of-queues";
const TRUNK: &str = "city";
const WAITING_MAX: usize = 100;
/// As the decree has it (p5): by then every caller has an operator, another centre, or the offer of a callback.
const WAIT_MAX: Duration = Duration::from_secs(40);
const ACT_BEFORE: Duration = Duration::from_secs(12);
const OFFER_AGAIN_AFTER: Duration = Duration::from_secs(60);
const ANNOUNCE_EVERY: Duration = Duration::from_secs(15);
const RING_MAX: Duration = Duration::from_secs(12);
const WRAP_UP: Duration = Duration::from_secs(5);
const SERVICE_LEVEL: Duration = Duration::from_secs(20);
const CALLBACK_WITHIN: Duration = Duration::from_mins(10);
const CALLBACK_RETRY_AFTER: Duration = Duration::from_secs(90);
const CALLBACK_RING_MAX: Duration = Duration::from_secs(25);
const CALLBACKS_OPEN_MAX: usize = 1_000;

/// Routes with everything that the manifest's capabilities name, for a script of that agency.
#[must_use]
pub fn routes_of(capabilities: &Capabilities, agency: &Agency) -> Routes {
    let routes = crate::smoke::routes_for(capabilities, agency);
    let queues = capabilities.queues.iter().flat_map(|rights| &rights.names);
    let called_back = capabilities.promises.iter().flat_map(|rights| &rights.callback_queues);
    let names: BTreeSet<Queue> = queues.chain(called_back).map(|name| Queue::new(name)).collect();
    if names.is_empty() {
        return routes;
    }
    let operator = OperatorSettings {
        name: Operator::new(OPERATOR),
        shown_name: Arc::from(OPERATOR),
        target: DialTarget { trunk: None, address: PhoneNumber::new(OPERATOR) },
        queues: names.iter().cloned().collect(),
        skills: BTreeMap::new(),
        always_ready: false,
    };
    let dialable = capabilities.promises.as_ref().map(|rights| rights.dialable.clone()).unwrap_or_default();
    let centre = CentreSettings {
        queues: names.into_iter().map(|name| (name.clone(), Arc::new(queue(name, &dialable)))).collect(),
        operators: BTreeMap::from([(operator.name.clone(), Arc::new(operator))]),
        peers: BTreeMap::new(),
    };
    Routes { centre: Arc::new(centre), ..routes }
}

fn queue(name: Queue, dialable: &[String]) -> QueueSettings {
    // The rules of the centre's own offer are not the script's: any Russian number may be called back by it.
    let dialable = if dialable.is_empty() { vec!["+7".to_owned()] } else { dialable.to_vec() };
    QueueSettings {
        name,
        agency: None,
        calendar: Arc::new(Calendar::always_open(TimeZone::UTC)),
        strategy: RingStrategy::LongestIdle,
        waiting_max: WAITING_MAX,
        wait_max: WAIT_MAX,
        act_before: ACT_BEFORE,
        offer_again_after: OFFER_AGAIN_AFTER,
        announce_every: ANNOUNCE_EVERY,
        ring_max: RING_MAX,
        wrap_up: WRAP_UP,
        misses_max: 0,
        relax: Vec::new(),
        peers: Vec::new(),
        callback: Some(CallbackRules {
            dial_first: DialFirst::Operator,
            within: CALLBACK_WITHIN,
            attempts_max: 1,
            retry_after: CALLBACK_RETRY_AFTER,
            ring_max: CALLBACK_RING_MAX,
            unknown: UnknownRule::Ask,
            open_max: CALLBACKS_OPEN_MAX,
            per_number_max: CALLBACKS_OPEN_MAX,
            trunk: Trunk::new(TRUNK),
            shown: None,
            dialable,
            barred: Vec::new(),
        }),
        service_level: SERVICE_LEVEL,
    }
}
