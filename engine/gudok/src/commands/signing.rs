//! `gudok keygen`, `sign`, `verify`: who stands behind a bundle. minisign reads and writes the same files.

use super::arguments::Moment;
use super::keys::public_key;
use super::remote::{Failure, Outcome, Screen, ask_secret, config_folder, fields, is_interactive, plain, write_secret};
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
    /// Where the two files go: NAME.key for you alone, NAME.pub for the engine's admins. Neither is overwritten. Without a
    /// name they become your author's key, which `gudok deploy` and `publish` sign with.
    #[arg(value_name = "NAME")]
    name: Option<PathBuf>,
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
    /// The secret key's file; else GUDOK_KEY, else your author's key. Its password is asked for; without a terminal it is a
    /// line on standard input.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
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
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => author_key_folder()?.join(AUTHOR_KEY),
    };
    let (secret_file, public_file) = (beside(&name, "key"), beside(&name, "pub"));
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
    // It is looked at under its name: what is signed can be deployed.
    Bundle::open(&arguments.bundle, &BundleLimits::default()).map_err(anyhow::Error::new)?;
    let bytes = std::fs::read(&arguments.bundle).with_context(|| format!("reading {}", arguments.bundle.display()))?;
    let key = author_key(arguments.key.as_deref())?
        .ok_or_else(|| Failure::Usage("no key to sign with: --key FILE, or make your own with gudok keygen".into()))?;
    let (signed, comment) = signed(&bytes, &key, arguments.expires)?;
    replace(&arguments.bundle, &signed)?;
    if arguments.json {
        screen.raw(&json!({ "bundle": arguments.bundle, "trusted_comment": comment }).to_string());
    } else {
        screen.line(&format!("{}: signed as {}", arguments.bundle.display(), plain(&comment)));
    }
    Ok(ExitCode::SUCCESS)
}

/// A bundle with a signature in it, and what the signature is for. The key's password is asked for where it has one.
///
/// # Errors
/// Of the bundle, the key, the password.
pub(crate) fn signed(bytes: &[u8], key: &Path, expires: Option<Moment>) -> Result<(Vec<u8>, String), Failure> {
    let limits = BundleLimits::default();
    let bundle = Bundle::from_upload(bytes, &limits).map_err(anyhow::Error::new)?;
    let secret = std::fs::read_to_string(key).with_context(|| format!("reading {}", key.display()))?;
    let secret = Secret::new(&secret);
    let expires = expires.map(|expires| expires.timestamp(jiff::Timestamp::now())).transpose()?;
    let expires = expires.map(|expires| at_second(u64::try_from(expires.as_second()).unwrap_or(0)));
    let manifest = &bundle.manifest;
    let version = manifest.version.to_string();
    let make = |password: Option<&Secret>| {
        signature::sign(&bundle.sums, &manifest.agency, &manifest.name, &version, expires, &secret, password)
    };
    let made = match make(None) {
        Err(SignatureRefusal::PasswordNeeded) => {
            make(Some(&Secret::new(&ask_secret(&format!("Password of {}: ", key.display()))?)))
        }
        made => made,
    };
    let text = made.map_err(|refusal| told(&refusal))?;
    let signed = with_signature(bytes, &text, &limits).context("putting the signature into the bundle")?;
    let comment = text.lines().find_map(|line| line.strip_prefix("trusted comment: ")).unwrap_or_default();
    Ok((signed.bytes, comment.to_owned()))
}

/// What an author's own key is called, in the folder of this person's configuration.
const AUTHOR_KEY: &str = "author";
/// Names another key to sign with.
const KEY_VARIABLE: &str = "GUDOK_KEY";

/// The key to sign with: the one that is named, the one of the environment, or this person's own if there is one.
///
/// # Errors
/// Where one is named that is not there.
pub(crate) fn author_key(named: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    let variable = std::env::var_os(KEY_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(key) = named.map(Path::to_owned).or(variable) {
        return if key.is_file() {
            Ok(Some(key))
        } else {
            Err(Failure::Usage(format!("{} is no file: give the secret key that gudok keygen made", key.display())))
        };
    }
    // Without a home there is no key of one's own, and that is no fault.
    let own = config_folder().map(|folder| beside(&folder.join(AUTHOR_KEY), "key"));
    Ok(own.ok().filter(|key| key.is_file()))
}

fn author_key_folder() -> Result<PathBuf, Failure> {
    let folder = config_folder()?;
    std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    Ok(folder)
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
