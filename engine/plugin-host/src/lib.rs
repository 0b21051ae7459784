//! Runs an agency's script in its sandbox.
mod bindings {
    #![allow(missing_docs)]
    wasmtime::component::bindgen!({
        path: "../../wit/v0.1.0",
        world: "imports",
        additional_derives: [PartialEq],
    });
}
