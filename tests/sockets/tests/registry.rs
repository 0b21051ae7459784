//! Bundles by way of an OCI registry: Debian's docker-registry on loopback, with a password, and the real program on both
//! sides. What is pushed is inspected, deployed and heard; what is not what it says is refused.

use anyhow::{Context, ensure};
use gudok_phone::{Phone, PhoneConfig};
use gudok_sockets::desk::{AGENCY, PLACE, draft};
use gudok_sockets::{Desk, program};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

const USER: &str = "anna";
const PASSWORD: &str = "secret-of-anna";
/// The password as bcrypt has it, of the lowest cost.
const PASSWORD_HASHED: &str = "$2b$04$4rpAW5GtTvnwmB7deOw2YusFcuE0fk54wrZvNbJBXOyy.U7LHIHOK";

/// A registry that knows one person.
struct Registry {
    host: String,
    // In this order: it is stopped before its folder goes.
    _process: Child,
    _folder: TempDir,
}

impl Registry {
    async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        // The port is free a moment before the registry takes it.
        let host = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let passwords = folder.path().join("htpasswd");
        std::fs::write(&passwords, format!("{USER}:{PASSWORD_HASHED}\n"))?;
        let config = folder.path().join("config.yml");
        std::fs::write(
            &config,
            format!(
                "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {host}\n\
                 auth:\n  htpasswd:\n    realm: here\n    path: {}\n",
                folder.path().join("data").display(),
                passwords.display(),
            ),
        )?;
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process =
            command.kill_on_drop(true).spawn().context("docker-registry: run scripts/install-deps --test")?;
        let mut lines = BufReader::new(process.stderr.take().context("its log")?).lines();
        loop {
            let line = lines.next_line().await?.context("the registry ended before it listened")?;
            if line.contains("listening on") {
                break;
            }
        }
        // A pipe that nobody empties would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { host, _process: process, _folder: folder })
    }

    fn place(&self, rest: &str) -> String {
        format!("oci://{}/scripts/{rest}", self.host)
    }
}

/// An author at a terminal of their own.
struct Author {
    home: TempDir,
    url: String,
    token: String,
}

struct Said {
    code: i32,
    out: String,
    complaint: String,
}

impl Said {
    fn fine(self) -> anyhow::Result<String> {
        ensure!(self.code == 0, "exit code {}: {}{}", self.code, self.out, self.complaint);
        Ok(self.out)
    }

    fn refused(self, words: &str) -> anyhow::Result<()> {
        ensure!(self.code == 1 && self.complaint.contains(words), "{}: {}{}", self.code, self.out, self.complaint);
        Ok(())
    }
}

impl Author {
    fn at(desk: &Desk, token: &str) -> anyhow::Result<Self> {
        let url = format!("http://{}", desk.engine.http);
        Ok(Self { home: tempfile::tempdir()?, url, token: token.to_owned() })
    }

    fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(program("gudok")?);
        command.args(arguments).current_dir(self.home.path()).kill_on_drop(true);
        for (name, folder) in [("XDG_CONFIG_HOME", "config"), ("DOCKER_CONFIG", "docker"), ("GUDOK_CACHE", "cache")] {
            command.env(name, self.home.path().join(folder));
        }
        command.env("GUDOK_URL", &self.url).env("GUDOK_TOKEN", &self.token);
        // A proxy is not asked for what is on this machine: nobody listens there.
        command.env("HTTP_PROXY", "http://127.0.0.1:9").env("http_proxy", "http://127.0.0.1:9");
        Ok(command)
    }

    async fn gudok(&self, arguments: &[&str]) -> anyhow::Result<Said> {
        self.ends(self.command(arguments)?).await
    }

    async fn ends(&self, mut command: Command) -> anyhow::Result<Said> {
        let output = command.stdin(Stdio::null()).output().await?;
        let said = Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout)?,
            complaint: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        ensure!(!said.out.contains(PASSWORD) && !said.complaint.contains(PASSWORD), "the password is told");
        Ok(said)
    }

    async fn fine(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.gudok(arguments).await?.fine().with_context(|| arguments.join(" "))
    }

    async fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let out = self.fine(&[arguments, &["--json"]].concat()).await?;
        serde_json::from_str(&out).with_context(|| out.clone())
    }

    /// As `docker login` keeps it.
    fn logs_in(&self, host: &str) -> anyhow::Result<()> {
        // anna:secret-of-anna in base64.
        const ENCODED: &str = "YW5uYTpzZWNyZXQtb2YtYW5uYQ==";
        let folder = self.home.path().join("docker");
        std::fs::create_dir_all(&folder)?;
        let config = serde_json::json!({ "auths": { host: { "auth": ENCODED } } });
        Ok(std::fs::write(folder.join("config.json"), config.to_string())?)
    }

    /// Writes a version's bundle, signed by the desk's author.
    fn packs(&self, desk: &Desk, version: u32) -> anyhow::Result<PathBuf> {
        let file = self.home.path().join(format!("probe-1.0.{version}.ivr"));
        std::fs::write(&file, desk.author.bundle(&draft(version)?)?)?;
        Ok(file)
    }
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("the path is no text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_goes_through_a_registry_to_a_caller() -> anyhow::Result<()> {
    let (registry, desk) = (Registry::start().await?, Desk::open(None).await?);
    let author = Author::at(&desk, &desk.api.token)?;
    let file = author.packs(&desk, 2)?;
    let to = registry.place("probe");
    // Nobody gets in without the password, and is told how to.
    author.gudok(&["publish", text(&file)?, "--to", &to]).await?.refused("docker login")?;
    author.logs_in(&registry.host)?;
    let published = author.json(&["publish", text(&file)?, "--to", &to]).await?;
    let pinned = published["place"].as_str().context("no place")?.to_owned();
    ensure!(pinned.starts_with(&format!("{to}@sha256:")), "{pinned}");
    // The tag is the version; what is there is what was sent.
    let inspected = author.json(&["inspect", &format!("{to}:1.0.2"), "--lang", "ru"]).await?;
    ensure!(inspected["pinned"] == *pinned && inspected["version"] == "1.0.2", "{inspected:#}");
    let key = inspected["words"]["signed"][0].as_str().unwrap_or_default();
    ensure!(key.contains(&desk.author.key_id()), "{inspected:#}");
    // The environment's credentials go first.
    let mut wrong = author.command(&["inspect", &pinned])?;
    wrong.env("GUDOK_REGISTRY_USER", USER).env("GUDOK_REGISTRY_PASSWORD", "another");
    author.ends(wrong).await?.refused("without the right credentials")?;
    let mut right = author.command(&["inspect", &pinned])?;
    right.env("GUDOK_REGISTRY_USER", USER).env("GUDOK_REGISTRY_PASSWORD", PASSWORD);
    author.ends(right).await?.fine()?;
    // Somebody puts another version under the tag: the digest is still the old one.
    let another = author.packs(&desk, 3)?;
    author.fine(&["publish", text(&another)?, "--to", &format!("{to}:1.0.2")]).await?;
    let moved = author.json(&["inspect", &format!("{to}:1.0.2")]).await?;
    ensure!(moved["version"] == "1.0.3" && moved["pinned"] != *pinned, "{moved:#}");
    author.fine(&["deploy", &pinned, PLACE, "--approve"]).await?;
    let phone = Phone::start(PhoneConfig::default()).await?;
    let (call, heard) = desk.call(&phone).await?;
    ensure!(heard == 2, "version {heard} answers");
    call.hangup()?;
    // What is not there says so, and what is no bundle.
    let zeros = "0".repeat(64);
    author.gudok(&["inspect", &format!("{to}@sha256:{zeros}")]).await?.refused("is not there")?;
    author.gudok(&["inspect", &format!("{to}:9.9.9")]).await?.refused("is not there")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_project_is_signed_published_and_deployed_by_its_author() -> anyhow::Result<()> {
    let desk = Desk::open(None).await?;
    let author = Author::at(&desk, &desk.api.token)?;
    let made = author.json(&["keygen", "--no-password"]).await?;
    let public_key = made["public_key"].as_str().context("no key")?;
    desk.api.add_key(AGENCY, public_key).await?;
    author.fine(&["new", "hello", "--template", "menu", "--agency", AGENCY, "--yes"]).await?;
    let published = author.json(&["publish", "hello"]).await?;
    ensure!(published["version"]["script"] == "hello", "{published:#}");
    ensure!(published["version"]["signed_by"] == made["id"], "{published:#}");
    let live = desk.api.stable(PLACE).await?;
    ensure!(published["version"]["version"] != *live, "publishing put it live");
    author.fine(&["deploy", "hello", PLACE, "--approve"]).await?;
    ensure!(published["version"]["version"] == *desk.api.stable(PLACE).await?, "another version is live");
    Ok(())
}

/// A registry that answers every request with the same manifest, whatever it was asked for.
async fn liar(manifest: &'static str) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 16 * 1024];
                let _ = stream.read(&mut request).await;
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\n\
                     Content-Length: {}\r\nConnection: close\r\n\r\n",
                    manifest.len()
                );
                let _ = stream.write_all(format!("{head}{manifest}").as_bytes()).await;
            });
        }
    });
    Ok(address)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_registry_says_is_believed_as_far_as_digests_reach() -> anyhow::Result<()> {
    const OF_AN_IMAGE: &str = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;
    const OF_A_BUNDLE: &str = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.gudok.bundle.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"application/vnd.gudok.bundle.v1+zip","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":5}]}"#;
    const OF_A_GIANT: &str = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.gudok.bundle.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"application/vnd.gudok.bundle.v1+zip","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":999999999999}]}"#;
    let home = tempfile::tempdir()?;
    let author = Author { home, url: "http://127.0.0.1:9".to_owned(), token: "none".to_owned() };
    let inspects = async |manifest: &'static str, rest: &str| {
        let address = liar(manifest).await?;
        author.gudok(&["inspect", &format!("oci://{address}/a{rest}")]).await
    };
    let zeros = format!("@sha256:{}", "0".repeat(64));
    inspects(OF_A_BUNDLE, &zeros).await?.refused("is not what was asked for")?;
    inspects(OF_AN_IMAGE, ":1").await?.refused("is no Gudok bundle")?;
    // The layer's answer is the manifest again: more than was announced, and not of that digest.
    inspects(OF_A_BUNDLE, ":1").await?.refused("is not what was asked for")?;
    inspects(OF_A_GIANT, ":1").await?.refused("a bundle has at most")?;
    author.gudok(&["inspect", "oci://anna:x@127.0.0.1/a:1"]).await?.refused("credentials do not belong")?;
    Ok(())
}
