//! A menu as data has no source: its bundle has the one module that walks all menus, which this tool carries.

use super::fault::Fault;
use super::rust::cargo;
use super::step::Step;
use crate::sdk::menu_module;

/// The module.
pub(super) fn compile(step: &mut Step<'_>) -> Result<Vec<u8>, Fault> {
    if let Some(module) = menu_module() {
        return Ok(module.to_vec());
    }
    // This program was built from its sources before the menus' module was: then it is built from them here.
    step.at("the module of all menus, which this tool was built without");
    let folder = step.sdk.folder.join("rust/plugins");
    let fault = |fault: Fault| {
        fault
            .note("this gudok was built without the module of all menus, so it has to be compiled here")
            .remedy("A gudok of a release has it: no Rust is needed for menus then")
    };
    cargo(step, &folder, &["-p", "gudok-menu"]).map_err(fault)
}
