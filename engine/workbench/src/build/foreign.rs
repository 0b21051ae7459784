//! What a module imports that no host gives: found before packing, when it can still be said which crate wants it.

use super::fault::{Fault, Place};
use crate::nearest::nearest;
use gudok_plugin_host::bundle::module_imports;
use gudok_plugin_host::manifest::{Capability, INTERFACE};
use std::collections::BTreeMap;

const STEP: &str = "imports";
/// Names of a module that are told; the rest are counted.
const NAMES_TOLD: usize = 3;
/// What wit-bindgen's modules import besides interfaces.
const OF_THE_TOOLS: [&str; 3] = ["$root", "[export]$root", "__main_module__"];
/// Interfaces that everybody has, besides those that are capabilities.
const FOR_EVERYBODY: [&str; 6] = ["types", "telephony", "prompts", "input", "host", "script"];

/// The first foreign thing that a core module imports; `file` is what is to be changed about it.
pub(super) fn look(wasm: &[u8], file: &str) -> Result<(), Fault> {
    let mut by_module: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (module, name) in module_imports(wasm) {
        by_module.entry(module).or_default().push(name);
    }
    match by_module.iter().find_map(|(module, names)| foreign(module, names, file)) {
        Some(fault) => Err(fault),
        None => Ok(()),
    }
}

fn foreign(module: &str, names: &[String], file: &str) -> Option<Fault> {
    if OF_THE_TOOLS.contains(&module) {
        return None;
    }
    let of_the_call = module.trim_start_matches("[export]");
    if let Some((interface, version)) = of_the_call.strip_prefix("gudok:ivr/").and_then(|rest| rest.split_once('@')) {
        return of_our_interface(interface, version, file);
    }
    let fault =
        Fault::of_script(STEP, format!("the script imports {} of `{module}`, which no host gives", told(names)))
            .at(Place::file(file))
            .note("a script reaches nothing but the interfaces of gudok:ivr: no files, sockets, clocks or browsers");
    Some(if module.starts_with("__wbindgen") {
        fault
            .note("`__wbindgen…` is what crates made for browsers import: wasm-bindgen, js-sys, web-sys")
            .remedy("See who brings it in: cargo tree --target wasm32-unknown-unknown -i wasm-bindgen")
            .remedy("Turn that crate's feature for browsers off (often `wasmbind`, `js` or `wasm-bindgen`): default-features = false")
    } else if module.starts_with("wasi") {
        fault
            .note("`wasi…` is the system interface: whatever was compiled for it opens files or asks the clock")
            .remedy("Build for wasm32-unknown-unknown, as `gudok build` does; leave out what needs a system")
            .remedy("Time and chance come from the host: `gudok_sdk::host::now`, `random_u64`")
    } else if module == "env" {
        fault
            .note("`env` is where functions of C are looked for that nobody defines")
            .remedy(format!("See which crate declares {} in an `extern \"C\"` block, and do without it", told(names)))
    } else if module.contains(':') {
        fault.remedy("Build against the interface of this tool alone: its WIT is in .gudok/wit")
    } else {
        fault.remedy("See which crate or package brings it in, and do without it")
    })
}

fn of_our_interface(interface: &str, version: &str, file: &str) -> Option<Fault> {
    let fits = version == INTERFACE || version.starts_with(&format!("{INTERFACE}."));
    let known = FOR_EVERYBODY.into_iter().chain(["campaign"]).chain(Capability::ALL.map(Capability::as_str));
    if fits && known.clone().any(|name| name == interface) {
        return None;
    }
    if fits {
        let fault = Fault::of_script(STEP, format!("the script imports `gudok:ivr/{interface}`, which there is not"))
            .at(Place::file(file))
            .note("the interface is in .gudok/wit, a file for each part");
        return Some(match nearest(interface, known) {
            Some(meant) => fault.remedy(format!("Did you mean `gudok:ivr/{meant}`?")),
            None => fault.remedy("Build against the WIT in .gudok/wit"),
        });
    }
    let age = if older(version) { "an older" } else { "another" };
    Some(
        Fault::of_script(STEP, format!("the script was built against {age} interface: gudok:ivr {version}"))
            .at(Place::file(file))
            .note(format!("this tool and its hosts speak gudok:ivr {INTERFACE}"))
            .remedy("Use the SDK of this tool: `gudok-sdk = { path = \".gudok/rust/plugins/sdk\" }`, and build again")
            .remedy("Bindings of your own: make them anew from .gudok/wit")
            .remedy("Is the tool the one that is behind? `gudok --version` against your engine's"),
    )
}

fn older(version: &str) -> bool {
    let of = |text: &str| text.split('.').map(|part| part.parse::<u32>().unwrap_or(0)).collect::<Vec<_>>();
    of(version) < of(INTERFACE)
}

fn told(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES_TOLD).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(NAMES_TOLD);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::expect_told;

    fn told(module: &str, names: &[&str]) -> Option<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        foreign(module, &names, "Cargo.toml").map(|fault| fault.rendered(false))
    }

    #[test]
    fn what_the_interface_has_is_not_foreign() {
        let check = |module: &str| assert_eq!(told(module, &["x"]), None, "{module}");
        check("gudok:ivr/telephony@0.1.0");
        check("[export]gudok:ivr/script@0.1.0");
        check("gudok:ivr/secrets-reveal@0.1.3");
        check("$root");
    }

    #[test]
    fn what_no_host_gives_is_told_with_who_wants_it() {
        let check = |module: &str, names: &[&str], file: &str| {
            expect_told(&format!("build/told/{file}.txt"), &told(module, names).unwrap_or_default());
        };
        check("__wbindgen_placeholder__", &["__wbindgen_describe"], "import-browser");
        check("wasi_snapshot_preview1", &["fd_write", "clock_time_get", "a", "b"], "import-wasi");
        check("env", &["sqlite3_open"], "import-c");
        check("gudok:ivr/telefony@0.1.0", &["x"], "import-misspelt");
        check("gudok:ivr/telephony@0.0.9", &["x"], "import-older");
        check("gudok:ivr/telephony@0.2.0", &["x"], "import-newer");
    }
}
