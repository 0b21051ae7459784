//! The node's key: 32 random bytes beside the store, and what is derived from them.
//!
//! One file to guard, one file to back up. Whoever has it can forge the audit's head mark and try telephone numbers
//! against the records' hashes; whoever loses it cannot verify the audit's end any more, and the records' hashes find
//! nobody again.

use anyhow::{Context, ensure};
use gudok_core::ids::{Agency, Entry};
use gudok_core::privacy::PhoneNumber;
use gudok_store::limits::CONTACT_SEALED_BYTES_MAX;
use gudok_store::{NumberKey, Party, Sealed, SealedContact, SubjectHash, SubjectKey};
use hmac::{Hmac, Mac};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::Sha256;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

/// The key's name in the store's folder.
pub(crate) const NODE_KEY_FILE: &str = "node-key";
const KEY_BYTES: usize = 32;
/// What a ciphertext is for: it opens as nothing else.
const SEALED_AS: &[u8] = b"gudok sealed number 1";
const SEALED_CONTACT_AS: &[u8] = b"gudok sealed contact 1";
const SEALED_JOURNAL_AS: &[u8] = b"gudok sealed journal 1";
/// Read and write for the owner only.
const OWNER_ONLY: u32 = 0o600;
const OTHERS: u32 = 0o077;

/// The node's key. Shows nothing of itself.
#[derive(Clone)]
pub(crate) struct NodeKey([u8; KEY_BYTES]);

impl std::fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NodeKey(…)")
    }
}

impl NodeKey {
    /// Reads the key of a store's folder, or makes one at the first start.
    ///
    /// # Errors
    /// Where it cannot be read or written, is no key, or others may read it.
    pub(crate) fn open(store_dir: &Path) -> anyhow::Result<Self> {
        let path = store_dir.join(NODE_KEY_FILE);
        match Self::read(&path) {
            Err(error)
                if error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::NotFound) =>
            {
                let key = Self(rand::random());
                key.write(&path).with_context(|| format!("writing the node's key {}", path.display()))?;
                Ok(key)
            }
            read => read.with_context(|| format!("the node's key {}", path.display())),
        }
    }

    /// For a start without the folder that has the key: good for what nobody keeps.
    pub(crate) fn ephemeral() -> Self {
        Self(rand::random())
    }

    /// Reads a key that must be there.
    ///
    /// # Errors
    /// As [`NodeKey::open`].
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let mode = std::fs::metadata(path)?.permissions().mode();
        ensure!(mode & OTHERS == 0, "others may read it; chmod 600 {}", path.display());
        let text = std::fs::read_to_string(path)?;
        let key = crate::hex::hash(text.trim());
        key.map(Self).context("it is no key of 64 hexadecimal digits; restore it from a backup")
    }

    /// Whole or not at all: a crash on the way leaves no half key.
    fn write(&self, path: &Path) -> std::io::Result<()> {
        let aside = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(&aside)?;
        writeln!(file, "{}", crate::hex::hex(&self.0))?;
        file.sync_all()?;
        std::fs::rename(&aside, path)?;
        File::open(path.parent().unwrap_or_else(|| Path::new(".")))?.sync_all()
    }

    /// For the audit's head mark.
    pub(crate) fn audit(&self) -> [u8; KEY_BYTES] {
        self.derived("gudok audit head")
    }

    /// For the hashes by which a person's records are found.
    pub(crate) fn subject(&self) -> SubjectKey {
        SubjectKey::new(self.derived("gudok subject"))
    }

    /// For numbers that must be dialled again: callbacks, tickets.
    pub(crate) fn sealing(&self) -> SealingKey {
        SealingKey::new(&self.derived("gudok sealed number"))
    }

    /// For the journals of calls.
    pub(crate) fn journal(&self) -> JournalKey {
        JournalKey(SealingKey::new(&self.derived("gudok sealed journal")))
    }

    /// For dividing callers between versions.
    pub(crate) fn sticky(&self) -> StickyKey {
        StickyKey(self.derived("gudok sticky"))
    }

    fn derived(&self, label: &str) -> [u8; KEY_BYTES] {
        hmac(&self.0, &[label.as_bytes()])
    }
}

fn hmac(key: &[u8; KEY_BYTES], parts: &[&[u8]]) -> [u8; KEY_BYTES] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Sends the same caller to the same version, and tells nobody outside which callers those are.
#[derive(Clone)]
pub(crate) struct StickyKey([u8; KEY_BYTES]);

impl StickyKey {
    /// Of a caller at an entry; drawn anew where the number was withheld.
    pub(crate) fn sticky(&self, caller: Option<&str>, agency: &Agency, entry: &Entry) -> u64 {
        let Some(caller) = caller else { return rand::random() };
        let parts = [caller.as_bytes(), b"|", agency.as_str().as_bytes(), b"/", entry.as_str().as_bytes()];
        let hash = hmac(&self.0, &parts);
        u64::from_be_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]])
    }
}

/// Encrypts numbers that must be dialled again: ChaCha20-Poly1305 (RFC 8439) under a random nonce, which goes first.
#[derive(Clone)]
pub(crate) struct SealingKey(Arc<LessSafeKey>);

impl SealingKey {
    fn new(key: &[u8; KEY_BYTES]) -> Self {
        #[expect(clippy::expect_used, reason = "the algorithm's keys are 32 bytes")]
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("a key of 32 bytes");
        Self(Arc::new(LessSafeKey::new(key)))
    }

    /// None only for what is no number: a text longer than the store keeps.
    fn seal(&self, number: &PhoneNumber) -> Option<Sealed> {
        let sealed = self.seal_bytes(SEALED_AS, number.reveal().as_bytes().to_vec())?;
        (sealed.len() <= Sealed::BYTES_MAX).then(|| Sealed::from_ciphertext(sealed))
    }

    fn open(&self, sealed: &Sealed) -> Option<PhoneNumber> {
        let clear = self.open_bytes(SEALED_AS, sealed.ciphertext())?;
        std::str::from_utf8(&clear).ok().map(PhoneNumber::new)
    }

    fn seal_bytes(&self, sealed_as: &[u8], mut clear: Vec<u8>) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        self.0.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(sealed_as), &mut clear).ok()?;
        Some([&nonce[..], &clear].concat())
    }

    fn open_bytes(&self, sealed_as: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let clear_len = self.0.open_in_place(nonce, Aad::from(sealed_as), &mut text).ok()?.len();
        text.truncate(clear_len);
        Some(text)
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

/// Seals the journals of calls: what callers entered stands in them.
#[derive(Clone, Debug)]
pub(crate) struct JournalKey(SealingKey);

impl JournalKey {
    /// Seals a page. It opens with this head and with no other.
    pub(crate) fn seal(&self, head: &[u8], page: &[u8]) -> Option<Vec<u8>> {
        self.0.seal_bytes(&[SEALED_JOURNAL_AS, head].concat(), page.to_vec())
    }

    /// The page; none where a bit of it or of its head is another than it was, or the key is.
    pub(crate) fn open(&self, head: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.0.open_bytes(&[SEALED_JOURNAL_AS, head].concat(), sealed)
    }
}

/// What is personal of a campaign's contact. Lives in memory while somebody is dialled or added, and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ClearContact {
    /// E.164.
    pub(crate) number: PhoneNumber,
    /// The list's other columns, in its order.
    pub(crate) fields: Vec<(String, String)>,
}

impl std::fmt::Debug for ClearContact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClearContact(…)")
    }
}

/// Parties of call records get their subject's hash; parties who must be called again are sealed.
#[derive(Clone, Debug)]
pub(crate) struct Subjects {
    /// None while the engine runs without the folder that has the node's key: then people are only masked.
    keys: Option<(SubjectKey, SealingKey)>,
}

impl Subjects {
    pub(crate) fn new(key: &NodeKey) -> Self {
        Self { keys: Some((key.subject(), key.sealing())) }
    }

    /// Without the node's key.
    pub(crate) const fn masked_only() -> Self {
        Self { keys: None }
    }

    /// A person's number, masked, with the hash of its canonical form where it has one.
    pub(crate) fn party(&self, number: &PhoneNumber, canonical: Option<&PhoneNumber>) -> Party {
        let party = Party::masked(number.reveal());
        match (canonical, &self.keys) {
            (Some(canonical), Some((key, _))) => party.with_hash(key, canonical.reveal()),
            _ => party,
        }
    }

    /// A person whose number must be dialled again: masked, found by its hash, and sealed. `number` in its canonical form.
    pub(crate) fn sealed(&self, number: &PhoneNumber) -> Option<Party> {
        let (_, sealing) = self.keys.as_ref()?;
        Some(self.party(number, Some(number)).with_sealed(sealing.seal(number)?))
    }

    /// By which a person's things are found; none without the node's key. `number` in its canonical form.
    pub(crate) fn hash(&self, number: &PhoneNumber) -> Option<SubjectHash> {
        self.keys.as_ref().map(|(subject, _)| subject.hash(number.reveal()))
    }

    /// The key under which a campaign, and an opt-out, know a number. `number` in its canonical form.
    pub(crate) fn number_key(&self, number: &PhoneNumber) -> Option<NumberKey> {
        let (subject, _) = self.keys.as_ref()?;
        Some(NumberKey::from(&subject.hash(number.reveal())))
    }

    /// What is personal of a campaign's contact, sealed. None without the node's key, or where it is more than the store
    /// keeps.
    pub(crate) fn seal_contact(&self, clear: &ClearContact) -> Option<SealedContact> {
        let (_, sealing) = self.keys.as_ref()?;
        let text = serde_json::to_vec(&(clear.number.reveal(), &clear.fields)).ok()?;
        let sealed = sealing.seal_bytes(SEALED_CONTACT_AS, text)?;
        (sealed.len() <= CONTACT_SEALED_BYTES_MAX).then_some(SealedContact(sealed))
    }

    /// What is personal of a contact; none where it was sealed by another node's key.
    pub(crate) fn open_contact(&self, sealed: &SealedContact) -> Option<ClearContact> {
        let (_, sealing) = self.keys.as_ref()?;
        let text = sealing.open_bytes(SEALED_CONTACT_AS, &sealed.0)?;
        let (number, fields): (String, Vec<(String, String)>) = serde_json::from_slice(&text).ok()?;
        Some(ClearContact { number: PhoneNumber::new(&number), fields })
    }

    /// The number of somebody who must be called again; none where it was erased, or sealed by another node's key.
    pub(crate) fn reveal(&self, party: &Party) -> Option<PhoneNumber> {
        let (_, sealing) = self.keys.as_ref()?;
        sealing.open(party.sealed()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_is_for_the_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let first = NodeKey::open(dir.path()).unwrap();
        let again = NodeKey::open(dir.path()).unwrap();
        assert_eq!(first.0, again.0);
        let path = dir.path().join(NODE_KEY_FILE);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
        assert_ne!(first.audit(), first.derived("gudok sticky"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = format!("{:#}", NodeKey::open(dir.path()).unwrap_err());
        assert!(refused.contains("chmod 600"), "{refused}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "half").unwrap();
        assert!(NodeKey::open(dir.path()).is_err(), "a damaged key is not replaced by another");
    }

    #[test]
    fn a_sealed_number_is_opened_by_its_key_only() {
        let number = PhoneNumber::new("+79131234567");
        let subjects = Subjects::new(&NodeKey([7; KEY_BYTES]));
        let party = subjects.sealed(&number).unwrap();
        let written = serde_json::to_string(&party).unwrap();
        assert!(!written.contains("1234567"), "{written}");
        let read: Party = serde_json::from_str(&written).unwrap();
        assert_eq!(subjects.reveal(&read).unwrap().reveal(), "+79131234567");
        let again = subjects.sealed(&number).unwrap();
        assert_ne!(party.sealed(), again.sealed(), "two of one number cannot be told to be the same by their seal");
        assert_eq!(party.hash(), again.hash());
        assert!(Subjects::new(&NodeKey([8; KEY_BYTES])).reveal(&party).is_none());
        assert!(subjects.reveal(&Party::erased()).is_none());
    }

    #[test]
    fn a_sealed_contact_is_opened_by_its_key_only() {
        let clear = ClearContact {
            number: PhoneNumber::new("+79131234567"),
            fields: vec![("name".into(), "Анна".into()), ("debt".into(), "21".into())],
        };
        let subjects = Subjects::new(&NodeKey([7; KEY_BYTES]));
        let sealed = subjects.seal_contact(&clear).unwrap();
        let seen = String::from_utf8_lossy(&sealed.0).into_owned();
        assert!(!seen.contains("1234567") && !seen.contains("Анна"), "{seen}");
        assert_eq!(subjects.open_contact(&sealed), Some(clear.clone()));
        assert_eq!(Subjects::new(&NodeKey([8; KEY_BYTES])).open_contact(&sealed), None);
        assert_eq!(subjects.open_contact(&SealedContact(sealed.0[1..].to_vec())), None);
        let long = ClearContact { fields: vec![("text".into(), "x".repeat(CONTACT_SEALED_BYTES_MAX))], ..clear };
        assert_eq!(subjects.seal_contact(&long), None);
        assert_eq!(Subjects::masked_only().seal_contact(&long), None);
    }

    #[test]
    fn a_caller_stays_where_it_was_put_and_entries_draw_apart() {
        let key = NodeKey([7; KEY_BYTES]).sticky();
        let (agency, desk, other) = (Agency::new("mfc"), Entry::new("desk"), Entry::new("other"));
        let of = |caller, entry| key.sticky(Some(caller), &agency, entry);
        assert_eq!(of("+79131234567", &desk), of("+79131234567", &desk));
        assert_ne!(of("+79131234567", &desk), of("+79131234568", &desk));
        assert_ne!(of("+79131234567", &desk), of("+79131234567", &other));
        assert_ne!(key.sticky(None, &agency, &desk), key.sticky(None, &agency, &desk));
    }
}
