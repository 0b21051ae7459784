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
