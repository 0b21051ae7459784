//! Secrets that an admin keeps for the agency.

use super::SecretHandle;
use crate::bindings::types;
use crate::host_call::Room;
use crate::state::CallState;
use gudok_core::script::CallError;
use wasmtime::component::Resource;

pub(super) fn link(room: &mut Room<'_>) -> wasmtime::Result<()> {
    room.answers("secret-named", secret_named)
}

pub(super) fn link_reveal(room: &mut Room<'_>) -> wasmtime::Result<()> {
    room.answers("reveal", reveal)
}

fn secret_named(state: &mut CallState, (name,): (String,)) -> Result<Resource<SecretHandle>, types::CallError> {
    let name = state.reader().text("name", name)?;
    state.version.gate.secret(&name)?;
    let missing = || CallError::NotFound(format!("secrets: {name:?} is granted, but no admin has set it"));
    let secret = state.ports.secrets.secret(&state.info.agency, &name).ok_or_else(missing)?;
    if !state.known_secrets.contains(&secret) {
        state.known_secrets.push(secret.clone());
    }
    Ok(Resource::new_own(state.secrets.insert(secret)))
}

fn reveal(state: &mut CallState, (secret,): (Resource<SecretHandle>,)) -> Result<String, types::CallError> {
    let secret = state.secrets.get(secret.rep()).ok_or_else(|| CallError::Internal("secret-slot".into()))?;
    Ok(secret.reveal().to_owned())
}
