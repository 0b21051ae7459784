//! What a component asks for and offers, by name, before anything is compiled.

use crate::error::LoadRefusal;
use crate::gate::Gate;
use crate::interface;
use crate::manifest::{Capability, Kind};
use crate::text::shown;
use wasmparser::{BinaryReaderError, Parser, Payload};

/// The names of a component's imports and exports.
#[derive(Debug, Default)]
pub(crate) struct Surface {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Surface {
    /// Reads the names of the outermost component.
    pub(crate) fn read(wasm: &[u8]) -> Result<Self, LoadRefusal> {
        if !Parser::is_component(wasm) {
            return Err(LoadRefusal::NotAComponent("it is a core module, or not WebAssembly".into()));
        }
        let broken = |error: BinaryReaderError| LoadRefusal::NotAComponent(shown(&error.to_string()));
        let mut surface = Self::default();
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.map_err(broken)? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                // The outermost end leaves the depth at zero.
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(imports) if depth == 0 => {
                    for import in imports {
                        surface.imports.push(shown(import.map_err(broken)?.name.name));
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        surface.exports.push(shown(export.map_err(broken)?.name.name));
                    }
                }
                _ => {}
            }
        }
        Ok(surface)
    }

    /// Whether it is built against this host's interface, and for its kind.
    pub(crate) fn check_interface(&self, kind: Kind) -> Result<(), LoadRefusal> {
        for import in &self.imports {
            check_import(import)?;
        }
        let wanted = match kind {
            Kind::Service | Kind::Menu => "script",
            Kind::Campaign => "campaign",
        };
        let is_wanted =
            |name: &String| our_interface(name).is_some_and(|(name, version)| name == wanted && fits(version));
        if self.exports.iter().any(is_wanted) {
            return Ok(());
        }
        let export = format!("gudok:ivr/{wanted}@{}", interface::VERSION);
        Err(LoadRefusal::MissingExport { kind: kind.as_str(), export })
    }

    /// Whether it imports only what it is granted.
    pub(crate) fn check_grants(&self, gate: &Gate, kind: Kind) -> Result<(), LoadRefusal> {
        for import in &self.imports {
            let Some(capability) = our_interface(import).and_then(|(name, _)| Capability::from_name(name)) else {
                continue;
            };
            if kind == Kind::Menu && capability.is_of_every_menu() {
                continue;
            }
            // fetch's signatures name the type of a secret; whether more than the type is wanted is seen when it is linked.
            let type_only = capability == Capability::Secrets && gate.grants(Capability::Fetch);
            if !type_only {
                check_grant(import, capability, gate)?;
            }
        }
        Ok(())
    }
}

fn check_import(name: &str) -> Result<(), LoadRefusal> {
    let import = name.to_owned();
    let Some((interface, version)) = our_interface(name) else {
        return Err(LoadRefusal::ForbiddenImport { import });
    };
    if !fits(version) {
        return Err(LoadRefusal::InterfaceVersion { import, have: interface::VERSION });
    }
    if interface::FOR_EVERYBODY.contains(&interface) || Capability::from_name(interface).is_some() {
        return Ok(());
    }
    Err(LoadRefusal::ForbiddenImport { import })
}

/// Whether a capability is declared and approved, in this order.
pub(crate) fn check_grant(import: &str, capability: Capability, gate: &Gate) -> Result<(), LoadRefusal> {
    let (import, name) = (import.to_owned(), capability.as_str());
    if !gate.declares(capability) {
        return Err(LoadRefusal::NotDeclared { import, capability: name });
    }
    if !gate.grants(capability) {
        return Err(LoadRefusal::NotApproved { import, capability: name });
    }
    Ok(())
}

/// Takes `gudok:ivr/NAME@VERSION` apart.
pub(crate) fn our_interface(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("gudok:ivr/")?.split_once('@')
}

/// 0.1.x is one interface; patches of it only add.
fn fits(version: &str) -> bool {
    let have = semver::VersionReq {
        comparators: vec![semver::Comparator {
            op: semver::Op::Tilde,
            major: 0,
            minor: Some(1),
            patch: None,
            pre: semver::Prerelease::EMPTY,
        }],
    };
    semver::Version::parse(version).is_ok_and(|version| have.matches(&version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_fit_and_other_versions_do_not() {
        let check = |version: &str, expect: bool| assert_eq!(fits(version), expect, "{version}");
        check("0.1.0", true);
        check("0.1.7", true);
        check("0.2.0", false);
        check("1.1.0", false);
        check("0.1", false);
        check("", false);
    }
}
