//! Where the commands find the engine and the token: the environment, or a file that only its owner may read.

use super::Remote;
use super::failure::Failure;
use anyhow::Context;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where `gudok login` goes when nothing says another place: the demonstration's engine.
const URL_DEFAULT: &str = "http://127.0.0.1:8070";

/// Every login of this person, by the engine's address: a token goes to the engine that gave it and nowhere else.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Credentials {
    /// The engine that was logged in to last.
    pub(crate) current: Option<String>,
    #[serde(default)]
    pub(crate) servers: BTreeMap<String, Login>,
}

/// One login.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<String>,
    /// The certificate authority that was trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
}

/// An engine, and who asks it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) url: Url,
    pub(crate) token: Option<String>,
    pub(crate) ca: Option<PathBuf>,
}

impl Credentials {
    /// Reads the file; an empty one where there is none.
    pub(crate) fn load() -> Result<Self, Failure> {
        let path = path()?;
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(serde_json::from_str(&text)
                .with_context(|| format!("{} cannot be read; delete it and log in again", path.display()))?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => {
                Err(Failure::Failed(anyhow::Error::new(error).context(format!("reading {}", path.display()))))
            }
        }
    }

    /// Writes the file, readable for its owner only, the old one or the new one at any moment.
    pub(crate) fn save(&self) -> Result<PathBuf, Failure> {
        let path = path()?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let saved = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).and_then(|()| {
            // Created with 0600.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.as_file().sync_all()?;
            Ok(file.persist(&path)?)
        });
        saved.with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    /// Which engine the command line, the environment and the file mean, in that order.
    pub(crate) fn server(&self, remote: &Remote) -> Result<Server, Failure> {
        self.chosen(remote, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn chosen(&self, remote: &Remote, environment: impl Fn(&str) -> Option<String>) -> Result<Server, Failure> {
        let named = remote.url.clone().or_else(|| environment("GUDOK_URL")).or_else(|| self.current.clone());
        let url = normal_url(named.as_deref().unwrap_or(URL_DEFAULT))?;
        let login = self.servers.get(url.as_str());
        Ok(Server {
            token: environment("GUDOK_TOKEN").or_else(|| login.map(|login| login.token.clone())),
            ca: remote
                .ca
                .clone()
                .or_else(|| environment("GUDOK_CA").map(PathBuf::from))
                .or_else(|| login.and_then(|login| login.ca.clone())),
            url,
        })
    }
}

/// `$XDG_CONFIG_HOME/gudok/credentials.json`, or below `~/.config`.
fn path() -> Result<PathBuf, Failure> {
    Ok(config_folder()?.join("credentials.json"))
}

/// Where this person's own files are.
pub(crate) fn config_folder() -> Result<PathBuf, Failure> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let config = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let config = config.or_else(|| set("HOME").map(|home| home.join(".config")));
    let config = config.ok_or_else(|| {
        Failure::Usage("neither XDG_CONFIG_HOME nor HOME is set: use GUDOK_URL and GUDOK_TOKEN".into())
    })?;
    Ok(config.join("gudok"))
}

/// An engine's address as it is compared. Passwords and tokens do not go over a network in the clear.
pub(crate) fn normal_url(text: &str) -> Result<Url, Failure> {
    let usage = |why: &str| Failure::Usage(format!("{text:?} is no engine's address: {why}"));
    let mut url = Url::parse(text).map_err(|error| usage(&error.to_string()))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(usage("use https; plain http goes to this machine only (http://127.0.0.1:8070)")),
        _ => return Err(usage("it begins with https:// or, on this machine, http://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(usage("a user and a password do not belong into it: use gudok login"));
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// Whether the address is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Credentials {
        let login = Login { token: "gdk_file".into(), ..Login::default() };
        Credentials {
            current: Some("http://127.0.0.1:8070/".into()),
            servers: BTreeMap::from([("http://127.0.0.1:8070/".into(), login)]),
        }
    }

    #[test]
    fn a_token_goes_to_the_engine_that_gave_it() {
        let here = file().chosen(&Remote::default(), |_| None).unwrap();
        assert_eq!(here.token.as_deref(), Some("gdk_file"));
        let remote = Remote { url: Some("https://other.example".into()), ..Remote::default() };
        let other = file().chosen(&remote, |_| None).unwrap();
        assert_eq!((other.url.as_str(), other.token), ("https://other.example/", None));
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let set = |name: &str| match name {
            "GUDOK_URL" => Some("http://127.0.0.1:8070".to_owned()),
            "GUDOK_TOKEN" => Some("gdk_env".to_owned()),
            _ => None,
        };
        assert_eq!(file().chosen(&Remote::default(), set).unwrap().token.as_deref(), Some("gdk_env"));
    }

    #[test]
    fn nothing_goes_over_a_network_in_the_clear() {
        for refused in
            ["http://10.0.0.1:8070", "http://centre.example", "ftp://127.0.0.1", "127.0.0.1:8070", "https://a:b@c"]
        {
            assert!(matches!(normal_url(refused), Err(Failure::Usage(_))), "{refused}");
        }
        for taken in
            ["http://127.0.0.1:8070/", "http://[::1]:8070", "http://localhost", "https://centre.example/gudok/"]
        {
            assert!(normal_url(taken).is_ok(), "{taken}");
        }
        assert_eq!(normal_url("https://c.example/gudok/").unwrap().as_str(), "https://c.example/gudok");
    }
}
