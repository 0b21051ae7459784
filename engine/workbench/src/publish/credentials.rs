//! Who may enter a registry: from the environment, or from where `docker login` and its like keep it. Read for one registry
//! at a time, and never shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use oci_client::secrets::RegistryAuth;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Of a configuration file.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// What helpers answer as a user where the secret is an identity token.
const TOKEN_USER: &str = "<token>";
/// Such a token is first exchanged at a place of the registry's own, which is more than is done here.
const IDENTITY_TOKEN: &str = "an identity token, which cannot be used here: set GUDOK_REGISTRY_USER and GUDOK_REGISTRY_PASSWORD, or GUDOK_REGISTRY_TOKEN";

/// Where to look.
pub(super) struct Credentials {
    user: Option<String>,
    password: Option<String>,
    token: Option<String>,
    files: Vec<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DockerConfig {
    auths: BTreeMap<String, DockerAuth>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DockerAuth {
    auth: Option<String>,
    identitytoken: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Helped {
    username: String,
    secret: String,
}

impl Credentials {
    pub(super) fn of_machine() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let folder = |name: &str| variable(name).map(PathBuf::from);
        let docker = folder("DOCKER_CONFIG").or_else(|| Some(folder("HOME")?.join(".docker")));
        let containers =
            folder("REGISTRY_AUTH_FILE").or_else(|| Some(folder("XDG_RUNTIME_DIR")?.join("containers/auth.json")));
        Self {
            user: variable("GUDOK_REGISTRY_USER"),
            password: variable("GUDOK_REGISTRY_PASSWORD"),
            token: variable("GUDOK_REGISTRY_TOKEN"),
            files: docker.map(|folder| folder.join("config.json")).into_iter().chain(containers).collect(),
        }
    }

    /// For this registry; without any, as anybody.
    pub(super) fn of(&self, host: &str) -> Result<RegistryAuth, String> {
        if let Some(token) = &self.token {
            return Ok(RegistryAuth::Bearer(token.clone()));
        }
        match (&self.user, &self.password) {
            (Some(user), Some(password)) => return Ok(RegistryAuth::Basic(user.clone(), password.clone())),
            (Some(_), None) => return Err("GUDOK_REGISTRY_USER is set, GUDOK_REGISTRY_PASSWORD is not".to_owned()),
            (None, _) => {}
        }
        for file in &self.files {
            if let Some(auth) = of_file(file, host)? {
                return Ok(auth);
            }
        }
        Ok(RegistryAuth::Anonymous)
    }
}

fn of_file(path: &Path, host: &str) -> Result<Option<RegistryAuth>, String> {
    let Ok(meta) = std::fs::metadata(path) else { return Ok(None) };
    let shown = path.display();
    if meta.len() > FILE_BYTES_MAX {
        return Err(format!("{shown} is too large"));
    }
    let text = std::fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
    // serde's own message could quote what stands there.
    let config: DockerConfig = serde_json::from_slice(&text)
        .map_err(|error| format!("{shown}, line {}: it is not as docker writes it", error.line()))?;
    let named = |name: &String| {
        let name = name.trim_start_matches("https://").trim_start_matches("http://");
        name.split('/').next() == Some(host)
    };
    let helper = config.cred_helpers.iter().find(|(name, _)| named(name)).map(|(_, helper)| helper.clone());
    let written = config.auths.iter().find(|(name, _)| named(name)).map(|(_, auth)| auth);
    let store = config.creds_store.filter(|_| written.is_some());
    if let Some(helper) = helper.or(store) {
        return ask_helper(&helper, host).map(Some);
    }
    let Some(auth) = written else { return Ok(None) };
    if auth.identitytoken.as_ref().is_some_and(|token| !token.is_empty()) {
        return Err(format!("{shown} has {IDENTITY_TOKEN}"));
    }
    let Some(encoded) = &auth.auth else { return Ok(None) };
    let bad = || format!("{shown}: the entry of {host} is not as docker writes it");
    let decoded = STANDARD.decode(encoded).map_err(|_| bad())?;
    let decoded = String::from_utf8(decoded).map_err(|_| bad())?;
    let (user, password) = decoded.split_once(':').ok_or_else(bad)?;
    Ok(Some(RegistryAuth::Basic(user.to_owned(), password.to_owned())))
}

/// `docker-credential-NAME get`: the host on standard input, JSON on standard output.
fn ask_helper(name: &str, host: &str) -> Result<RegistryAuth, String> {
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
        return Err("the name of its credential helper is no name".to_owned());
    }
    let program = format!("docker-credential-{name}");
    let failed = |why: String| format!("{program}: {why}");
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(host.as_bytes()).map_err(|error| failed(error.to_string()))?;
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed("it has nothing for this registry".to_owned()));
    }
    let helped: Helped = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed("its answer is not what helpers answer".to_owned()))?;
    if helped.username == TOKEN_USER {
        return Err(failed(format!("it has {IDENTITY_TOKEN}")));
    }
    Ok(RegistryAuth::Basic(helped.username, helped.secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(config: &str, host: &str) -> Result<RegistryAuth, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        std::fs::write(&file, config).unwrap();
        Credentials { user: None, password: None, token: None, files: vec![file] }.of(host)
    }

    #[test]
    fn docker_s_configuration_is_read_for_one_registry() {
        // anna:secret
        let config = r#"{"auths": {"https://r.example/v1/": {"auth": "YW5uYTpzZWNyZXQ="}, "t.example": {"identitytoken": "t"}}}"#;
        let anna = RegistryAuth::Basic("anna".to_owned(), "secret".to_owned());
        assert_eq!(of(config, "r.example").unwrap(), anna);
        assert!(of(config, "t.example").unwrap_err().contains("GUDOK_REGISTRY_USER"));
        assert_eq!(of(config, "other.example").unwrap(), RegistryAuth::Anonymous);
        assert_eq!(of(config, "r.example.evil").unwrap(), RegistryAuth::Anonymous);
    }

    #[test]
    fn a_fault_in_it_is_told_without_what_stands_there() {
        let check = |config: &str| {
            let error = of(config, "r.example").unwrap_err();
            assert!(!error.contains("c2VjcmV0") && !error.contains("secret"), "{error}");
        };
        check(r#"{"auths": {"r.example": {"auth": "c2VjcmV0"}}}"#);
        check(r#"{"auths": {"r.example": "c2VjcmV0"}}"#);
        check(r#"{"credHelpers": {"r.example": "../../bin/secret"}}"#);
    }

    #[test]
    fn the_environment_goes_first() {
        let of = |user: Option<&str>, password: Option<&str>, token: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            Credentials { user: own(user), password: own(password), token: own(token), files: Vec::new() }
                .of("r.example")
        };
        assert_eq!(of(Some("a"), Some("b"), None).unwrap(), RegistryAuth::Basic("a".into(), "b".into()));
        assert_eq!(of(None, None, Some("t")).unwrap(), RegistryAuth::Bearer("t".into()));
        assert!(of(Some("a"), None, None).unwrap_err().contains("GUDOK_REGISTRY_PASSWORD"));
    }
}
