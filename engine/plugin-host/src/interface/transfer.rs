//! Handing the caller to another party.

use super::{Call, misfit};
use crate::bindings::{transfer, types};
use crate::convert;
use crate::host_call::{Room, WaitsFor};
use crate::ports::BoxFuture;
use crate::state::CallState;
use gudok_core::script::{Reply, Request};
use wasmtime::component::Resource;

type Params = (Resource<Call>, transfer::Target, transfer::TransferOptions);

pub(super) fn link(room: &mut Room<'_>) -> wasmtime::Result<()> {
    room.waits("transfer", WaitsFor::Person, hand_over)
}

fn hand_over(
    state: &mut CallState,
    (_, target, options): Params,
) -> BoxFuture<'_, Result<transfer::TransferOutcome, types::CallError>> {
    Box::pin(async move {
        let target = state.reader().target(&target)?;
        let options = Box::new(state.reader().transfer(options)?);
        state.version.gate.transfer(&target, options.mode)?;
        match state.ask(Request::Transfer { target, options }).await? {
            Reply::Transfer(outcome) => Ok(convert::transfer_outcome(outcome)),
            other => Err(misfit(&other).into()),
        }
    })
}
