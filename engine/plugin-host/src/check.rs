//! The check before a bundle goes live: step by step, each told with its time, and what to do where it failed.
//!
//! Cheap steps go on after a failure, so that an author hears of everything at once. Compiling does not: nobody's component
//! is compiled before it is known who signed it. What comes after (trying the script out) is the engine's, which adds its
//! own [`Step`].

use crate::bundle::{Archive, Bundle, BundleLimits, BundleRefusal, Described};
use crate::error::{Error, LoadRefusal};
use crate::finding::Finding;
use crate::host::{Admission, ScriptHost, gate};
use crate::signature::{self, AgencyKey, KeyId, KnownVersion, SignatureRefusal, Signed};
use crate::surface::Surface;
use crate::text::shown;
use crate::version::Version;
use gudok_core::time::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is looked at, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum StepName {
    /// The ZIP file, its names and sizes, and SHA256SUMS.
    Archive,
    /// manifest.toml, and that it is of the agency and the name that it came under.
    Manifest,
    /// Who stands behind it, and whether it may come back.
    Signature,
    /// What script.wasm imports and exports.
    Interface,
    /// Whether it imports only what is declared and approved.
    Grants,
    /// Whether every recording is there, in every language.
    Media,
    Compile,
    /// The engine's: the script is tried out.
    Smoke,
}

impl StepName {
    /// As the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Manifest => "manifest",
            Self::Signature => "signature",
            Self::Interface => "interface",
            Self::Grants => "grants",
            Self::Media => "media",
            Self::Compile => "compile",
            Self::Smoke => "smoke",
        }
    }
}

/// How a step ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// All is well.
    Ok,
    /// It is not, and this is to be done.
    Failed(Finding),
    /// It was not looked at; why.
    Skipped(String),
}

impl Outcome {
    /// As the API writes it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }
}

/// One step of a check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Which.
    pub name: StepName,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// How far signatures are asked for.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// It must be signed by one of these.
    Signed(&'a [AgencyKey]),
    /// It may do without; one that is there must be right.
    UnsignedToo(&'a [AgencyKey]),
    /// An admin put the file there himself.
    File,
}

/// A bundle that asks to go live.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The file.
    pub bytes: &'a [u8],
    /// What it was called, where that is known: it must fit the manifest.
    pub file_name: Option<&'a str>,
    /// Whose script it is to be.
    pub agency: &'a str,
    /// Whose signature it needs.
    pub trust: Trust<'a>,
    /// Versions of agency and script that were taken in before; those of other scripts do not matter.
    pub known: &'a [KnownVersion],
    /// Whether a version that is not newer than the released one is meant.
    pub allow_downgrade: bool,
    /// What is approved, and the settings that it will have.
    pub admission: &'a Admission,
    /// How large it may be.
    pub limits: &'a BundleLimits,
    /// Now.
    pub now: Timestamp,
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Checked {
    /// Every step, in order.
    pub steps: Vec<Step>,
    /// The bundle, where it could be read.
    pub bundle: Option<Bundle>,
    /// The version, ready for calls, where nothing failed.
    pub version: Option<Arc<Version>>,
    /// The key that signed it, where that was looked at and right.
    pub signed_by: Option<KeyId>,
}

impl Checked {
    /// Whether nothing failed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.version.is_some() && self.findings().next().is_none()
    }

    /// What failed, in order.
    pub fn findings(&self) -> impl Iterator<Item = (StepName, &Finding)> {
        self.steps.iter().filter_map(|step| match &step.outcome {
            Outcome::Failed(finding) => Some((step.name, finding)),
            Outcome::Ok | Outcome::Skipped(_) => None,
        })
    }

    /// Adds a step and its time, and gives what the step gave.
    fn step<T>(&mut self, name: StepName, work: impl FnOnce() -> Result<T, Outcome>) -> Option<T> {
        let began = Instant::now();
        let (given, outcome) = match work() {
            Ok(given) => (Some(given), Outcome::Ok),
            Err(outcome) => (None, outcome),
        };
        self.steps.push(Step { name, outcome, took: began.elapsed() });
        given
    }

    fn skip(&mut self, names: &[StepName], why: &str) {
        let step = |name: &StepName| Step { name: *name, outcome: Outcome::Skipped(why.into()), took: Duration::ZERO };
        self.steps.extend(names.iter().map(step));
    }

    fn failed(&self) -> bool {
        self.findings().next().is_some()
    }
}

fn failed<'a, E>(error: &'a E) -> Outcome
where
    Finding: From<&'a E>,
{
    Outcome::Failed(error.into())
}

/// Checks a bundle. Takes as long as compiling does: call it on a thread that may block.
#[must_use]
pub fn check(host: &ScriptHost, candidate: &Candidate<'_>) -> Checked {
    use StepName as Name;
    let mut checked = Checked::default();
    let archive = checked
        .step(Name::Archive, || Archive::read(candidate.bytes, candidate.limits).map_err(|refusal| failed(&refusal)));
    let Some(archive) = archive else {
        const REST: [Name; 6] =
            [Name::Manifest, Name::Signature, Name::Interface, Name::Grants, Name::Media, Name::Compile];
        checked.skip(&REST, "the archive cannot be read");
        return checked;
    };
    let Some(described) = checked.step(Name::Manifest, || manifest(archive, candidate)) else {
        const REST: [Name; 5] = [Name::Signature, Name::Interface, Name::Grants, Name::Media, Name::Compile];
        checked.skip(&REST, "the manifest cannot be used");
        return checked;
    };
    checked.signed_by = checked.step(Name::Signature, || signed(&described, candidate));
    let surface = checked.step(Name::Interface, || interface(&described));
    match &surface {
        Some(surface) => drop(checked.step(Name::Grants, || grants(surface, &described, candidate))),
        None => checked.skip(&[Name::Grants], "its imports are not known"),
    }
    checked.bundle = checked.step(Name::Media, || described.sorted().map_err(|refusal| failed(&refusal)));
    if checked.failed() {
        checked.skip(&[Name::Compile], "nothing is compiled that is refused anyway");
        return checked;
    }
    compile(host, &mut checked, candidate.admission);
    checked
}

fn manifest(archive: Archive, candidate: &Candidate<'_>) -> Result<Described, Outcome> {
    let described = archive.described().map_err(|refusal| failed(&refusal))?;
    let manifest = &described.manifest;
    let expected = manifest.file_name();
    if let Some(found) = candidate.file_name.filter(|found| *found != expected) {
        return Err(failed(&BundleRefusal::WrongFileName { found: shown(found), expected }));
    }
    if manifest.agency != candidate.agency {
        return Err(Outcome::Failed(Finding {
            field: "agency".to_owned(),
            problem: format!("it is a bundle of the agency {:?}, and not of {:?}", manifest.agency, candidate.agency),
            remedy: "Deploy it to its own agency, or build it for this one".to_owned(),
        }));
    }
    Ok(described)
}

fn signed(described: &Described, candidate: &Candidate<'_>) -> Result<KeyId, Outcome> {
    let refused = |refusal: SignatureRefusal| failed(&refusal);
    signature::check_replay(
        &described.manifest,
        &described.content_sha256(),
        candidate.known,
        candidate.allow_downgrade,
    )
    .map_err(refused)?;
    let signed = Signed {
        sums: described.sums(),
        signature: described.signature(),
        agency: &described.manifest.agency,
        name: &described.manifest.name,
        version: &described.manifest.version,
    };
    match candidate.trust {
        Trust::File => Err(Outcome::Skipped("an admin put the file there".to_owned())),
        Trust::UnsignedToo(_) if signed.signature.is_none() => {
            Err(Outcome::Skipped("it has none, and this host takes bundles without".to_owned()))
        }
        Trust::Signed(keys) | Trust::UnsignedToo(keys) => {
            signature::verify(signed, keys, candidate.now).map_err(refused)
        }
    }
}

fn interface(described: &Described) -> Result<Surface, Outcome> {
    let surface = Surface::read(&described.component).map_err(|refusal| failed(&refusal))?;
    surface.check_interface(described.manifest.kind).map_err(|refusal| failed(&refusal))?;
    Ok(surface)
}

fn grants(surface: &Surface, described: &Described, candidate: &Candidate<'_>) -> Result<(), Outcome> {
    let gate = gate(&described.manifest, candidate.admission).map_err(|refusal| failed(&refusal))?;
    surface.check_grants(&gate, described.manifest.kind).map_err(|refusal| failed(&refusal))
}

/// What is found only when the compiled component is linked belongs to the step that would have looked for it.
fn compile(host: &ScriptHost, checked: &mut Checked, admission: &Admission) {
    let Some(bundle) = &checked.bundle else { return };
    let began = Instant::now();
    let loaded = host.load(bundle, admission);
    let took = began.elapsed();
    let mut outcome = Outcome::Ok;
    match loaded {
        Ok(version) => checked.version = Some(version),
        Err(error) => {
            let finding = Outcome::Failed((&error).into());
            let belongs_to = step_of(&error);
            match checked.steps.iter_mut().find(|step| step.name == belongs_to) {
                Some(step) => step.outcome = finding,
                None => outcome = finding,
            }
        }
    }
    checked.steps.push(Step { name: StepName::Compile, outcome, took });
}

const fn step_of(error: &Error) -> StepName {
    let Error::Load { refusal, .. } = error else { return StepName::Compile };
    match refusal {
        LoadRefusal::InterfaceVersion { .. }
        | LoadRefusal::ForbiddenImport { .. }
        | LoadRefusal::MissingExport { .. }
        | LoadRefusal::NotAComponent(_)
        | LoadRefusal::TypeMismatch(_) => StepName::Interface,
        LoadRefusal::NotDeclared { .. } | LoadRefusal::NotApproved { .. } | LoadRefusal::OriginOfConfig { .. } => {
            StepName::Grants
        }
        LoadRefusal::TooLarge(_) | LoadRefusal::Compile(_) => StepName::Compile,
    }
}
