//! Authors: who make versions of a script, sign them, and hand them in. Bad ones too.

use crate::bundles::{Files, parts, zipped};
use anyhow::{Context, ensure};
use gudok_core::time::Timestamp;
use gudok_plugin_host::signature::{self, NewKey};
use std::fmt::Write as _;

/// An author with a key of their own.
#[derive(Debug)]
pub struct Author {
    /// For whom they write.
    pub agency: String,
    key: NewKey,
}

impl Author {
    /// Makes a key.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn of(agency: &str) -> anyhow::Result<Self> {
        Ok(Self { agency: agency.to_owned(), key: signature::keygen(None, "a test's")? })
    }

    /// The key that an admin adds to the agency.
    #[must_use]
    pub fn public_key(&self) -> &str {
        self.key.public.line()
    }

    /// Its id.
    #[must_use]
    pub fn key_id(&self) -> String {
        self.key.public.id().to_string()
    }

    /// The key that signs, as the file has it.
    #[must_use]
    pub fn secret_file(&self) -> &str {
        self.key.secret_file.reveal()
    }

    /// A signed bundle of this author's agency.
    ///
    /// # Errors
    /// Where the draft is so bad that nothing can be signed.
    pub fn bundle(&self, draft: &Draft) -> anyhow::Result<Vec<u8>> {
        let draft = draft.clone().agency(&self.agency)?;
        self.signed(&draft, &self.agency, None)
    }

    /// A bundle signed as if it were of that agency, and no longer than until then.
    ///
    /// # Errors
    /// Where the draft is so bad that nothing can be signed.
    pub fn signed(&self, draft: &Draft, agency: &str, expires: Option<Timestamp>) -> anyhow::Result<Vec<u8>> {
        let (sums, secret) = (draft.sums()?, &self.key.secret_file);
        let (name, version) = (draft.field("name")?, draft.field("version")?);
        let signature = signature::sign(sums.as_bytes(), agency, &name, &version, expires, secret, None)?;
        draft.with_signature(&signature)
    }
}

/// A version of a script in the making: the files of a bundle.
#[derive(Debug, Clone)]
pub struct Draft(Files);

impl Draft {
    /// What `scripts/build-plugins` made of a folder of `plugins/`.
    ///
    /// # Errors
    /// Where the bundle was not built.
    pub fn of(plugin: &str) -> anyhow::Result<Self> {
        Ok(Self(parts(plugin)?))
    }

    /// With another name.
    ///
    /// # Errors
    /// Where the manifest has none.
    pub fn name(self, name: &str) -> anyhow::Result<Self> {
        self.line("name", &format!("{name:?}"))
    }

    /// With another version.
    ///
    /// # Errors
    /// Where the manifest has none.
    pub fn version(self, version: &str) -> anyhow::Result<Self> {
        self.line("version", &format!("{version:?}"))
    }

    /// Of another agency.
    ///
    /// # Errors
    /// Where the manifest has none.
    pub fn agency(self, agency: &str) -> anyhow::Result<Self> {
        self.line("agency", &format!("{agency:?}"))
    }

    /// For one entry only: the one at which it is tried out.
    ///
    /// # Errors
    /// Where the manifest has no languages, behind which the line goes.
    pub fn entry(self, entry: &str) -> anyhow::Result<Self> {
        if self.field_line("entries").is_some() {
            return self.line("entries", &format!("[{entry:?}]"));
        }
        let languages = self.field_line("languages").context("the manifest has no languages")?;
        self.edit(&languages, &format!("{languages}\nentries = [{entry:?}]"))
    }

    /// With another value in a line of the manifest.
    ///
    /// # Errors
    /// Where the manifest has no such line.
    pub fn line(self, field: &str, value: &str) -> anyhow::Result<Self> {
        let old = self.field_line(field).with_context(|| format!("the manifest has no {field}"))?;
        self.edit(&old, &format!("{field} = {value}"))
    }

    /// With other words in the manifest.
    ///
    /// # Errors
    /// Where they are not there.
    pub fn edit(mut self, from: &str, to: &str) -> anyhow::Result<Self> {
        let manifest = self.manifest()?;
        ensure!(manifest.contains(from), "{from} is not in {manifest}");
        self.0.insert("manifest.toml".to_owned(), manifest.replacen(from, to, 1).into_bytes());
        Ok(self)
    }

    /// With a file more, or another one in a place.
    #[must_use]
    pub fn file(mut self, place: &str, content: impl Into<Vec<u8>>) -> Self {
        self.0.insert(place.to_owned(), content.into());
        self
    }

    /// With a component that nobody has compiled yet: something that nobody reads is added to it.
    ///
    /// # Errors
    /// Where there is no component.
    pub fn not_compiled_yet(mut self, word: &str) -> anyhow::Result<Self> {
        const CUSTOM_SECTION: u8 = 0;
        let component = self.0.get_mut("script.wasm").context("no component")?;
        let word = word.as_bytes();
        // One byte of LEB128 each.
        let length = u8::try_from(word.len()).ok().filter(|length| *length < 0x7f).context("too long a word")?;
        component.extend([CUSTOM_SECTION, length + 1, length]);
        component.extend(word);
        Ok(self)
    }

    /// The component.
    ///
    /// # Errors
    /// Where there is none.
    pub fn component(&self) -> anyhow::Result<Vec<u8>> {
        Ok(self.0.get("script.wasm").context("no component")?.clone())
    }

    /// Unsigned.
    ///
    /// # Errors
    /// Where it cannot be a ZIP file.
    pub fn unsigned(&self) -> anyhow::Result<Vec<u8>> {
        self.zip(None)
    }

    /// With a signature that may be anything.
    ///
    /// # Errors
    /// Where it cannot be a ZIP file.
    pub fn with_signature(&self, signature: &str) -> anyhow::Result<Vec<u8>> {
        self.zip(Some(signature))
    }

    /// Its SHA256SUMS.
    ///
    /// # Errors
    /// None, but of the system.
    pub fn sums(&self) -> anyhow::Result<String> {
        let mut sums = String::new();
        for (place, bytes) in &self.0 {
            writeln!(sums, "{}  {place}", crate::bundles::sha256(bytes))?;
        }
        Ok(sums)
    }

    /// The version's id: the hash of its SHA256SUMS.
    ///
    /// # Errors
    /// None, but of the system.
    pub fn id(&self) -> anyhow::Result<String> {
        Ok(crate::bundles::sha256(self.sums()?.as_bytes()))
    }

    fn zip(&self, signature: Option<&str>) -> anyhow::Result<Vec<u8>> {
        let mut files = self.0.clone();
        files.insert("SHA256SUMS".to_owned(), self.sums()?.into_bytes());
        files.extend(signature.map(|signature| ("signature".to_owned(), signature.as_bytes().to_vec())));
        zipped(files.iter().map(|(place, bytes)| (place.as_str(), bytes.as_slice())))
    }

    fn manifest(&self) -> anyhow::Result<String> {
        let manifest = self.0.get("manifest.toml").context("no manifest")?;
        Ok(String::from_utf8(manifest.clone())?)
    }

    fn field_line(&self, field: &str) -> Option<String> {
        let begins = format!("{field} = ");
        self.manifest().ok()?.lines().find(|line| line.starts_with(&begins)).map(str::to_owned)
    }

    fn field(&self, field: &str) -> anyhow::Result<String> {
        let line = self.field_line(field).with_context(|| format!("the manifest has no {field}"))?;
        Ok(line.split('"').nth(1).with_context(|| line.clone())?.to_owned())
    }
}
