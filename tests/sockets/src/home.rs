//! An author at home: an empty folder, a cache of their own, and a path with nothing of ours on it but `gudok`.

use crate::{Api, Engine, program};
use anyhow::{Context, ensure};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;

/// A command of the author's: the first build of a language may compile all that its scripts stand on.
const COMMAND_MAX: Duration = Duration::from_secs(600);
/// Where compilers and interpreters are looked for, behind the machine's own path.
const PATH_BASE: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];
/// Programs that an author's machine may have.
const TOOLS: [&str; 6] = ["cargo", "rustc", "node", "npm", "python3", "uv"];

/// Where they are installed, by the variables that say so: the folder below the machine's own home where none does.
const INSTALLATIONS: [(&str, &str); 3] =
    [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup"), ("PYENV_ROOT", ".pyenv")];
/// How this machine reaches registries of packages is the machine's business.
const REACHES_REGISTRIES: [&str; 12] = [
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "PIP_",
    "npm_config_",
    "RUSTUP_TOOLCHAIN",
];

/// The home.
#[derive(Debug)]
pub struct Home {
    dir: TempDir,
    path: String,
    url: String,
    token: String,
}

/// A project that `gudok new` made.
#[derive(Debug)]
pub struct Made {
    /// Its folder.
    pub folder: PathBuf,
}

impl Home {
    /// An empty one, whose owner is an admin of that engine.
    ///
    /// # Errors
    /// Where the binary was not built.
    pub fn empty(engine: &Engine, api: &Api) -> anyhow::Result<Self> {
        let mut home = Self::without_engine()?;
        home.url = format!("http://{}", engine.http);
        home.token.clone_from(&api.token);
        Ok(home)
    }

    /// An empty one, whose owner knows no engine.
    ///
    /// # Errors
    /// Where the binary was not built.
    pub fn without_engine() -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let bin = dir.path().join("bin");
        std::fs::create_dir(&bin)?;
        std::os::unix::fs::symlink(program("gudok")?, bin.join("gudok"))?;
        let mut path = bin.display().to_string();
        for folder in tool_folders() {
            let _ = write!(path, ":{}", folder.display());
        }
        for folder in PATH_BASE {
            let _ = write!(path, ":{folder}");
        }
        Ok(Self { dir, path, url: String::new(), token: String::new() })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// A program with this home around it, and nothing else of who runs the tests.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.dir.path())
            .env("PATH", &self.path)
            .env("NO_COLOR", "1")
            .env("LANG", "C.UTF-8");
        // A compiler's or interpreter's own installation is a tool, too, and not the author's.
        let machine = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        for (name, folder) in INSTALLATIONS {
            command.env(name, std::env::var_os(name).map_or_else(|| machine.join(folder), PathBuf::from));
        }
        let reaches = |name: &str| REACHES_REGISTRIES.iter().any(|begins| name.starts_with(begins));
        command.envs(std::env::vars().filter(|(name, _)| reaches(name)));
        if !self.url.is_empty() {
            command.env("GUDOK_URL", &self.url).env("GUDOK_TOKEN", &self.token);
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs `gudok` in a folder, and gives what it says.
    ///
    /// # Errors
    /// Where it fails; with what it says.
    pub async fn run(&self, folder: &Path, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = self.command("gudok");
        command.args(arguments).current_dir(folder);
        let running = tokio::time::timeout(COMMAND_MAX, command.output());
        let output = running.await.with_context(|| format!("gudok {arguments:?} is not done"))??;
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "gudok {}: {}\n{said}", arguments.join(" "), output.status);
        Ok(said)
    }

    /// Makes a project.
    ///
    /// # Errors
    /// Where `gudok new` fails.
    pub async fn new_project(&self, name: &str, template: &str, language: &str, agency: &str) -> anyhow::Result<Made> {
        let mut arguments = vec!["new", name, "--yes", "--template", template, "--agency", agency];
        if !language.is_empty() {
            arguments.extend(["--language", language]);
        }
        self.run(self.folder(), &arguments).await?;
        Ok(Made { folder: self.folder().join(name) })
    }

    /// What this machine has not that a project needs, as `gudok doctor` says it.
    ///
    /// # Errors
    /// Where the binary cannot be run.
    pub async fn lacks(&self, made: &Made) -> anyhow::Result<Option<String>> {
        let mut command = self.command("gudok");
        let output = command.arg("doctor").current_dir(&made.folder).output().await?;
        Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    /// Makes a pair of keys.
    ///
    /// # Errors
    /// Where `gudok keygen` fails.
    pub async fn make_key(&self, name: &str) -> anyhow::Result<()> {
        self.run(self.folder(), &["keygen", name, "--no-password"]).await.map(drop)
    }

    /// The file of a secret key.
    #[must_use]
    pub fn secret_key(&self, name: &str) -> String {
        self.folder().join(format!("{name}.key")).display().to_string()
    }

    /// The line of a public key.
    ///
    /// # Errors
    /// Where there is none.
    pub fn public_key(&self, name: &str) -> anyhow::Result<String> {
        let file = std::fs::read_to_string(self.folder().join(format!("{name}.pub")))?;
        Ok(file.lines().rfind(|line| !line.is_empty()).context("an empty key")?.to_owned())
    }
}

impl Made {
    /// What `gudok build` left.
    ///
    /// # Errors
    /// Where it left nothing.
    pub fn bundle(&self) -> anyhow::Result<String> {
        let target = self.folder.join("target");
        let mut files = std::fs::read_dir(&target).with_context(|| target.display().to_string())?.flatten();
        let bundle = files.find(|file| file.path().extension().is_some_and(|ending| ending == "ivr"));
        Ok(bundle.with_context(|| format!("no bundle in {}", target.display()))?.path().display().to_string())
    }

    /// The first of the campaign's own sample contacts as a list of one, at that number.
    ///
    /// # Errors
    /// Where the project has none.
    pub fn contacts(&self, number: &str) -> anyhow::Result<String> {
        let lines = std::fs::read_to_string(self.folder.join("data/contacts.jsonl"))?;
        let first: serde_json::Value = serde_json::from_str(lines.lines().next().context("no contacts")?)?;
        let (mut head, mut row) = ("number".to_owned(), number.to_owned());
        for (name, value) in first.as_object().context("a contact is an object")? {
            if name == "keys" || name == "id" {
                continue;
            }
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let _ = write!(head, ",{name}");
            let _ = write!(row, ",\"{value}\"");
        }
        Ok(format!("{head}\n{row}\n"))
    }
}

/// Where the tools are that this machine has.
fn tool_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut found = Vec::new();
    for tool in TOOLS {
        found.extend(folders.iter().find(|folder| folder.join(tool).is_file()).cloned());
    }
    found.sort();
    found.dedup();
    found
}
