//! The contract of [`gudok_store::Store`], shown on the embedded backend.
#![allow(clippy::unwrap_used, clippy::panic)]

mod audit;
mod backup;
mod blobs;
mod buckets;
mod campaigns;
mod crash;
mod export;
mod ledger;
mod legs;
mod retention;
mod space;

use std::path::Path;

use gudok_store::{
    AgencyId, Bucket, BucketName, CallId, Cdr, Direction, EndedBy, HangupCause, LegBegan, LegEnded, Mode, Party, Quota,
    ScriptName, SledStore, StoreOptions, UtcMs,
};

const QUOTA: Quota = Quota { bytes_max: 1 << 40, keys_max: 1_000_000, value_bytes_max: 1 << 20, key_bytes_max: 1_000 };
const NOW: UtcMs = UtcMs(1_000_000);

fn open(folder: &Path) -> SledStore {
    SledStore::open(StoreOptions::at(folder)).unwrap()
}

fn agency(name: &str) -> AgencyId {
    AgencyId::new(name).unwrap()
}

fn bucket_of(agency: &str, script: &str, bucket: &str) -> Bucket {
    Bucket {
        agency: AgencyId::new(agency).unwrap(),
        script: ScriptName::new(script).unwrap(),
        bucket: BucketName::new(bucket).unwrap(),
    }
}

fn bucket() -> Bucket {
    bucket_of("mfc", "booking", "slots")
}

fn leg(agency: &str, call: &str, leg: u16) -> LegBegan {
    let call_id = CallId::new(call).unwrap();
    LegBegan {
        call_id: call_id.clone(),
        leg,
        parent: None,
        chain_id: call_id,
        agency: AgencyId::new(agency).unwrap(),
        entry: "main".to_owned(),
        script: "menu".to_owned(),
        script_version: "1.0.0".to_owned(),
        direction: Direction::Inbound,
        caller: Party::masked("+79131234521"),
        called: Party::own_number("+73842000000"),
        trunk: "carrier".to_owned(),
        started_ms: UtcMs(10),
        mode: Mode::Automatic,
        language: "ru".to_owned(),
        area: String::new(),
        campaign: None,
    }
}

fn cdr(agency: &str, call: &str, number: u16, ended_ms: u64) -> Cdr {
    leg(agency, call, number).ended(LegEnded::new(UtcMs(ended_ms), HangupCause::Normal, EndedBy::Caller))
}
