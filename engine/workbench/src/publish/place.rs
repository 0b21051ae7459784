//! Where in which registry: `oci://HOST[:PORT]/REPOSITORY[:TAG][@sha256:DIGEST]`.

use oci_client::Reference;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// What such a place begins with.
pub(super) const SCHEME: &str = "oci://";
/// Of the whole.
const CHARS_MAX: usize = 512;

/// A bundle's place in a registry.
#[derive(Clone, Debug)]
pub struct OciPlace {
    pub(super) reference: Reference,
    /// Whether a tag or a digest was given, or "latest" was meant for want of one.
    exact: bool,
}

/// What is no place in a registry.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{given:?} is no place in a registry: {why}. Write oci://HOST/REPOSITORY:TAG, such as oci://registry.example/scripts/desk:1.2.0"
)]
pub struct BadPlace {
    given: String,
    why: String,
}

impl OciPlace {
    /// Whether a text is meant as one.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// Whether the registry is on this machine: only there plain HTTP is spoken.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.reference.registry();
        let host = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inner, _)) => inner,
            None => host.split(':').next().unwrap_or_default(),
        };
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// With this tag, where neither a tag nor a digest was given.
    pub(super) fn with_usual_tag(&self, version: &str) -> Self {
        if self.exact {
            return self.clone();
        }
        // A semantic version may have a plus, a tag may not.
        let tag = version.replace('+', "_");
        let (host, repository) = (self.reference.registry().to_owned(), self.reference.repository().to_owned());
        Self { reference: Reference::with_tag(host, repository, tag), exact: true }
    }

    /// The same place by its digest.
    pub(super) fn pinned(&self, digest: &str) -> String {
        format!("{SCHEME}{}/{}@{digest}", self.reference.registry(), self.reference.repository())
    }
}

impl FromStr for OciPlace {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let bad = |why: &str| BadPlace { given: text.chars().take(CHARS_MAX).collect(), why: why.to_owned() };
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| bad("it does not begin with oci://"))?;
        if rest.len() > CHARS_MAX {
            return Err(bad("it is too long"));
        }
        let (host, path) = rest.split_once('/').ok_or_else(|| bad("it has no repository"))?;
        // Without this, a name without dots would be looked for at a public registry that nobody meant.
        if host.is_empty() || !(host.contains('.') || host.contains(':') || host == "localhost") {
            return Err(bad("its host has neither a dot nor a port"));
        }
        if host.contains('@') {
            return Err(bad("credentials do not belong into it"));
        }
        let reference = Reference::from_str(rest).map_err(|error| bad(&error.to_string()))?;
        let name = path.split('@').next().unwrap_or_default();
        let exact = name.rsplit('/').next().is_some_and(|last| last.contains(':')) || path.contains('@');
        if reference.digest().is_some_and(|digest| !digest.starts_with("sha256:")) {
            return Err(bad("its digest is not of sha256"));
        }
        Ok(Self { reference, exact })
    }
}

impl fmt::Display for OciPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_and_its_tag_is_the_version_where_none_is_given() {
        let check = |text: &str, expect: &str, loopback: bool| {
            let place: OciPlace = text.parse().unwrap();
            assert_eq!(place.with_usual_tag("1.2.0+ru").to_string(), expect);
            assert_eq!(place.is_loopback(), loopback, "{text}");
        };
        check("oci://127.0.0.1:5000/scripts/desk", "oci://127.0.0.1:5000/scripts/desk:1.2.0_ru", true);
        check("oci://localhost:5000/desk:beta", "oci://localhost:5000/desk:beta", true);
        check("oci://registry.example/a/b:1", "oci://registry.example/a/b:1", false);
        check("oci://127.0.0.1.evil.example/a:1", "oci://127.0.0.1.evil.example/a:1", false);
        let digest = format!("sha256:{}", "0".repeat(64));
        let pinned = format!("oci://registry.example/a@{digest}");
        check(&pinned, &pinned, false);
    }

    #[test]
    fn what_is_no_place_says_why() {
        let check = |text: &str, why: &str| {
            let error = text.parse::<OciPlace>().unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("such as oci://"), "{error}");
        };
        check("registry.example/a", "does not begin");
        check("oci://registry.example", "no repository");
        check("oci://desk/a", "neither a dot nor a port");
        check("oci://anna:secret@registry.example/a", "credentials");
        check("oci://registry.example/A", "");
    }
}
