//! `gudok keygen`, `sign`, `verify`: who stands behind a bundle. minisign reads and writes the same files.

use super::arguments::Moment;
use super::keys::public_key;
use super::remote::{Failure, Outcome, Screen, ask_secret, fields, is_interactive, plain, write_secret};
use anyhow::{Context, anyhow};
use clap::Args;
use gudok_core::privacy::Secret;
use gudok_plugin_host::bundle::{Bundle, BundleLimits, with_signature};
use gudok_plugin_host::signature::{self, AgencyKey, PublicKey, SignatureRefusal, Signed, at_second};
use serde_json::json;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `gudok keygen` is told.
#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// Where the two files go: NAME.key for you alone, NAME.pub for the engine's admins. Neither is overwritten.
    #[arg(value_name = "NAME")]
    name: PathBuf,
    /// Whose key it is, for people.
    #[arg(long, default_value = "")]
    comment: String,
    /// Without a password: for a machine that signs by itself and guards the file.
    #[arg(long)]
    no_password: bool,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `gudok sign` is told.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The bundle; the signature is put into it, in the place of any that is there.
    bundle: PathBuf,
    /// The secret key's file. Its password is asked for; without a terminal it is a line on standard input.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The signature is good for so long, or until a moment.
    #[arg(long)]
    expires: Option<Moment>,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `gudok verify` is told.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The bundle.
    bundle: PathBuf,
    /// Who may have signed it: a public key's file or line; may be given several times.
    #[arg(long = "key", value_name = "FILE|KEY", required = true)]
    keys: Vec<String>,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `gudok keygen`.
pub(crate) fn keygen(screen: &Screen, arguments: &Keygen) -> Outcome {
    let (secret_file, public_file) = (beside(&arguments.name, "key"), beside(&arguments.name, "pub"));
    for file in [&secret_file, &public_file] {
        if file.exists() {
            return Err(Failure::Failed(anyhow!("{} is there already; nothing was made", file.display())));
        }
    }
    let password = if arguments.no_password { None } else { Some(new_password()?) };
    let made = signature::keygen(password.as_ref(), &arguments.comment).map_err(anyhow::Error::new)?;
    write_secret(&secret_file, made.secret_file.reveal().as_bytes())?;
    std::fs::write(&public_file, made.public.file()).with_context(|| format!("writing {}", public_file.display()))?;
    if arguments.json {
        let answer = json!({ "id": made.public.id().to_string(), "public_key": made.public.line() });
        screen.raw(&answer.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    screen.line(&format!("key {}", made.public.id()));
    screen.line(&format!("  {}  for you alone: it signs", secret_file.display()));
    screen.line(&format!("  {}  for the engine's admins: gudok key add {0} --agency …", public_file.display()));
    Ok(ExitCode::SUCCESS)
}

/// `gudok sign`.
pub(crate) fn sign(screen: &Screen, arguments: &Sign) -> Outcome {
    let limits = BundleLimits::default();
    let bundle = Bundle::open(&arguments.bundle, &limits).map_err(anyhow::Error::new)?;
    let secret =
        std::fs::read_to_string(&arguments.key).with_context(|| format!("reading {}", arguments.key.display()))?;
    let secret = Secret::new(&secret);
    let expires = arguments.expires.map(|expires| expires.timestamp(jiff::Timestamp::now())).transpose()?;
    let expires = expires.map(|expires| at_second(u64::try_from(expires.as_second()).unwrap_or(0)));
    let manifest = &bundle.manifest;
    let version = manifest.version.to_string();
    let make = |password: Option<&Secret>| {
        signature::sign(&bundle.sums, &manifest.agency, &manifest.name, &version, expires, &secret, password)
    };
    let made = match make(None) {
        Err(SignatureRefusal::PasswordNeeded) => {
            make(Some(&Secret::new(&ask_secret(&format!("Password of {}: ", arguments.key.display()))?)))
        }
        made => made,
    };
    let text = made.map_err(|refusal| told(&refusal))?;
    let bytes = std::fs::read(&arguments.bundle).with_context(|| format!("reading {}", arguments.bundle.display()))?;
    let signed = with_signature(&bytes, &text, &limits)
        .with_context(|| format!("putting the signature into {}", arguments.bundle.display()))?;
    replace(&arguments.bundle, &signed.bytes)?;
    let comment = text.lines().find_map(|line| line.strip_prefix("trusted comment: ")).unwrap_or_default();
    if arguments.json {
        screen.raw(&json!({ "bundle": arguments.bundle, "trusted_comment": comment }).to_string());
    } else {
        screen.line(&format!("{}: signed as {}", arguments.bundle.display(), plain(comment)));
    }
    Ok(ExitCode::SUCCESS)
}

/// `gudok verify`.
pub(crate) fn verify(screen: &Screen, arguments: &Verify) -> Outcome {
    let bundle = Bundle::open(&arguments.bundle, &BundleLimits::default()).map_err(anyhow::Error::new)?;
    let agency = &bundle.manifest.agency;
    let mut keys = Vec::new();
    for given in &arguments.keys {
        let key = PublicKey::parse(&public_key(given)?).map_err(|refusal| told(&refusal))?;
        keys.push(AgencyKey::new(agency, key));
    }
    let now = at_second(u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0));
    let id = signature::verify(Signed::from(&bundle), &keys, now).map_err(|refusal| told(&refusal))?;
    let script = format!("{agency}/{}@{}", bundle.manifest.name, bundle.manifest.version);
    if arguments.json {
        screen.raw(&json!({ "ok": true, "signed_by": id.to_string(), "script": script }).to_string());
    } else {
        let size = bundle.component.len() as u64;
        screen.line(&format!("{script} ({}) is signed by {id}", fields::size(size)));
    }
    Ok(ExitCode::SUCCESS)
}

fn told(refusal: &SignatureRefusal) -> Failure {
    Failure::Failed(anyhow!("{refusal}"))
}

fn beside(name: &Path, ending: &str) -> PathBuf {
    let mut file = name.as_os_str().to_owned();
    file.push(".");
    file.push(ending);
    file.into()
}

fn new_password() -> Result<Secret, Failure> {
    let password = ask_secret("Password for the new key: ")?;
    if password.is_empty() {
        return Err(Failure::Usage("an empty password protects nothing: --no-password says that you mean it".into()));
    }
    if is_interactive() && ask_secret("Once more: ")? != password {
        return Err(Failure::Failed(anyhow!("the two are not the same; nothing was made")));
    }
    Ok(Secret::new(&password))
}

/// The old file or the new one, at any moment.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = || format!("writing {}", path.display());
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    // The bundle is as readable as it was.
    file.as_file().set_permissions(std::fs::metadata(path).with_context(failed)?.permissions()).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    file.persist(path).with_context(failed)?;
    Ok(())
}
