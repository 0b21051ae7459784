//! From a core module, as compilers give it, to a component.

use wit_component::ComponentEncoder;

/// Makes a component of a core module in which wit-bindgen left its interface. A component stays as it is.
///
/// # Errors
/// What is wrong with the module, in the words of the component tools.
pub fn componentize(module: &[u8]) -> Result<Vec<u8>, String> {
    if wasmparser::Parser::is_component(module) {
        return Ok(module.to_vec());
    }
    let encoder = ComponentEncoder::default().validate(true).module(module);
    encoder.and_then(|mut encoder| encoder.encode()).map_err(|error| format!("{error:#}"))
}

/// What a core module, or each of a component's own modules, imports: module and name, in their order. For messages; bytes
/// that are no WebAssembly have none.
#[must_use]
pub fn module_imports(wasm: &[u8]) -> Vec<(String, String)> {
    let sections = wasmparser::Parser::new(0).parse_all(wasm).map_while(Result::ok);
    let imports = sections.filter_map(|payload| match payload {
        wasmparser::Payload::ImportSection(section) => Some(section),
        _ => None,
    });
    imports
        .flat_map(|section| section.into_imports().map_while(Result::ok).collect::<Vec<_>>())
        .map(|import| (crate::text::shown(import.module), crate::text::shown(import.name)))
        .collect()
}
