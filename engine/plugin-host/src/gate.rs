//! The one gate for capabilities: granted = declared in the manifest ∩ approved by an admin.
//!
//! Whole interfaces are decided at load (what is not granted is not linked; for menus, whose module is the same for all, it
//! is linked and denies); parameters are decided here at every call:
//! buckets, secrets, origins, whom a caller may be handed to, where one may wait, and what may be promised. Each refusal names capability and parameter.

use crate::manifest::{
    Capabilities, Capability, FetchRights, PromiseRights, QueueRights, RecordingRights, SecretRights, StorageRights,
    TransferModeName, TransferRights,
};
use crate::ports::{OriginRule, Voucher};
use gudok_core::ids::Queue;
use gudok_core::privacy::PhoneNumber;
use gudok_core::script::{CallError, TransferMode, TransferTarget};
use reqwest::Url;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What an admin said to what a script's manifest declares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Approval {
    /// Yes to everything declared. That is no word of the admin's about where an origin leads: see [`Gate::vouch`].
    AsDeclared,
    /// Yes to this much, written by the admin: origins in it are his own.
    Only(Box<Capabilities>),
}

/// The gate of one script version.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Both must say yes; one of them where the approval is "as declared".
    keepers: Arc<[Capabilities]>,
    /// Origins that an admin wrote.
    vouched: Arc<BTreeSet<String>>,
    consent_required: bool,
}

impl Gate {
    /// From the manifest and the admin's word.
    #[must_use]
    pub fn new(declared: &Capabilities, approval: &Approval) -> Self {
        let mut keepers = vec![declared.clone()];
        let mut vouched = BTreeSet::new();
        if let Approval::Only(approved) = approval {
            keepers.push((**approved).clone());
            vouched.extend(approved.fetch.iter().flat_map(|rights| rights.origins.iter().cloned()));
        }
        let requires = |keeper: &Capabilities| keeper.recording.is_some_and(|rights| rights.consent_required);
        let consent_required = keepers.iter().any(requires);
        Self { keepers: keepers.into(), vouched: Arc::new(vouched), consent_required }
    }

    /// With an admin's word for these origins: he wrote them into the script's configuration. It grants nothing; what is
    /// granted may then lead into networks that are not public.
    #[must_use]
    pub fn vouch(mut self, origins: impl IntoIterator<Item = String>) -> Self {
        Arc::make_mut(&mut self.vouched).extend(origins);
        self
    }

    /// With a rule of the agency's: nothing is recorded without the caller's consent.
    #[must_use]
    pub const fn require_consent(mut self, required: bool) -> Self {
        self.consent_required |= required;
        self
    }

    /// Whether the capability is granted at all.
    #[must_use]
    pub fn grants(&self, capability: Capability) -> bool {
        self.keepers.iter().all(|keeper| keeper.has(capability))
    }

    /// Whether the manifest declares it: tells a refusal's remedy.
    #[must_use]
    pub fn declares(&self, capability: Capability) -> bool {
        self.keepers.first().is_some_and(|declared| declared.has(capability))
    }

    /// May this bucket be opened?
    pub(crate) fn bucket(&self, name: &str) -> Result<(), CallError> {
        let allows = |rights: &StorageRights| contains(&rights.buckets, name);
        self.decide(|keeper| keeper.storage.as_ref().is_some_and(allows), "storage", "bucket", name)
    }

    /// May this secret be used?
    pub(crate) fn secret(&self, name: &str) -> Result<(), CallError> {
        let allows = |rights: &SecretRights| contains(&rights.names, name);
        self.decide(|keeper| keeper.secrets.as_ref().is_some_and(allows), "secrets", "name", name)
    }

    /// May HTTP go there?
    pub(crate) fn origin(&self, url: &Url) -> Result<(), CallError> {
        let origin = url.origin().ascii_serialization();
        self.decide(|keeper| allows_origin(keeper, &origin), "fetch", "origin", &origin)
    }

    /// The same question for redirects, and by whose word.
    pub(crate) fn origin_rule(&self) -> OriginRule {
        let gate = self.clone();
        OriginRule::new(move |url| {
            gate.origin(url).ok()?;
            let by_admin = gate.vouched.contains(&url.origin().ascii_serialization());
            Some(if by_admin { Voucher::Admin } else { Voucher::Author })
        })
    }

    /// May the caller be handed over there, that way?
    pub(crate) fn transfer(&self, target: &TransferTarget, mode: TransferMode) -> Result<(), CallError> {
        let mode_name = match mode {
            TransferMode::Blind => TransferModeName::Blind,
            TransferMode::Attended => TransferModeName::Attended,
            TransferMode::Bridge => TransferModeName::Bridge,
        };
        // A script of the same agency takes over inside the host: no way of SIP is involved.
        if !matches!(target, TransferTarget::Script(_)) {
            let allows = |rights: &TransferRights| rights.modes.contains(&mode_name);
            let name = format!("{mode:?}").to_lowercase();
            self.decide(|keeper| keeper.transfer.as_ref().is_some_and(allows), "transfer", "mode", &name)?;
        }
        let (parameter, name) = match target {
            TransferTarget::Group(name) => ("group", name.to_string()),
            TransferTarget::Operator(name) => ("operator", name.to_string()),
            TransferTarget::Extension(name) => ("extension", name.to_string()),
            TransferTarget::Number(number) => ("number", number.masked()),
            TransferTarget::Script(name) => ("script", name.to_string()),
        };
        let allows = |rights: &TransferRights| allows_target(rights, target);
        self.decide(|keeper| keeper.transfer.as_ref().is_some_and(allows), "transfer", parameter, &name)
    }

    /// May a caller wait there?
    pub(crate) fn queue(&self, queue: &Queue) -> Result<(), CallError> {
        let allows = |rights: &QueueRights| contains(&rights.names, queue.as_str());
        self.decide(|keeper| keeper.queues.as_ref().is_some_and(allows), "queues", "name", queue.as_str())
    }

    /// May its operators be promised to call back?
    pub(crate) fn callback_queue(&self, queue: &Queue) -> Result<(), CallError> {
        let allows = |rights: &PromiseRights| contains(&rights.callback_queues, queue.as_str());
        self.promise(allows, "callback_queue", queue.as_str())
    }

    /// May the script have that number called back? The caller's own number is no exception: it may be made up.
    pub(crate) fn dialable(&self, number: &PhoneNumber) -> Result<(), CallError> {
        let allows =
            |rights: &PromiseRights| rights.dialable.iter().any(|prefix| number.reveal().starts_with(prefix.as_str()));
        self.promise(allows, "dialable", &number.masked())
    }

    /// May a ticket go to that agency?
    pub(crate) fn ticket_agency(&self, agency: &str) -> Result<(), CallError> {
        self.promise(|rights| contains(&rights.ticket_agencies, agency), "ticket_agency", agency)
    }

    /// May answers to that survey be kept?
    pub(crate) fn survey(&self, name: &str) -> Result<(), CallError> {
        self.promise(|rights| contains(&rights.surveys, name), "survey", name)
    }

    fn promise(&self, allows: impl Fn(&PromiseRights) -> bool, parameter: &str, name: &str) -> Result<(), CallError> {
        self.decide(|keeper| keeper.promises.as_ref().is_some_and(&allows), "promises", parameter, name)
    }

    /// For how many days a recording may be kept at most.
    pub(crate) fn retention_days_max(&self) -> u16 {
        let days = |rights: &RecordingRights| rights.retention_days_max;
        self.keepers.iter().map(|keeper| keeper.recording.as_ref().map_or(0, days)).min().unwrap_or(0)
    }

    /// May the directory be read?
    pub(crate) fn directory(&self) -> Result<(), CallError> {
        self.whole(Capability::Directory)
    }

    /// May this be recorded, without asking the caller if it does not?
    pub(crate) fn recording(&self, asks_consent: bool) -> Result<(), CallError> {
        self.whole(Capability::Recording)?;
        if asks_consent || !self.consent_required {
            return Ok(());
        }
        Err(CallError::Denied("recording: consent-prompt is missing, and consent_required is the rule".to_owned()))
    }

    fn whole(&self, capability: Capability) -> Result<(), CallError> {
        if self.grants(capability) {
            return Ok(());
        }
        Err(CallError::Denied(format!("{}: not granted", capability.as_str())))
    }

    fn decide(
        &self,
        allows: impl Fn(&Capabilities) -> bool,
        capability: &str,
        parameter: &str,
        name: &str,
    ) -> Result<(), CallError> {
        if self.keepers.iter().all(allows) {
            return Ok(());
        }
        const NAME_CHARS_SHOWN_MAX: usize = 64;
        let shown: String = name.chars().take(NAME_CHARS_SHOWN_MAX).collect();
        Err(CallError::Denied(format!("{capability}: {parameter} {shown:?}")))
    }
}

fn allows_origin(keeper: &Capabilities, origin: &str) -> bool {
    let allows = |rights: &FetchRights| contains(&rights.origins, origin);
    keeper.fetch.as_ref().is_some_and(allows)
}

fn allows_target(rights: &TransferRights, target: &TransferTarget) -> bool {
    match target {
        TransferTarget::Group(name) => contains(&rights.groups, name.as_str()),
        TransferTarget::Operator(name) => contains(&rights.operators, name),
        TransferTarget::Extension(name) => contains(&rights.extensions, name),
        TransferTarget::Number(number) => {
            rights.numbers.iter().any(|prefix| number.reveal().starts_with(prefix.as_str()))
        }
        TransferTarget::Script(name) => contains(&rights.scripts, name),
    }
}

fn contains(list: &[String], name: &str) -> bool {
    list.iter().any(|listed| listed == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_core::ids::Group;
    use gudok_core::privacy::PhoneNumber;

    fn capabilities(toml: &str) -> Capabilities {
        toml::from_str(toml).unwrap()
    }

    const DECLARED: &str = r#"
        storage = { buckets = ["a", "b"] }
        fetch = { origins = ["https://x.example", "https://y.example:8443"] }
        secrets = { names = ["token"], reveal = true }
        transfer = { groups = ["first"], numbers = ["+7495", "+7499"], modes = ["blind", "bridge"], scripts = ["menu"] }
        recording = { retention_days_max = 90 }
        queues = { names = ["first", "second"] }
        promises = { callback_queues = ["first"], ticket_agencies = ["housing"], surveys = ["talk"], dialable = ["+7384", "+79"] }
    "#;

    fn gate(approved: Option<&str>) -> Gate {
        let approval = approved.map_or(Approval::AsDeclared, |toml| Approval::Only(Box::new(capabilities(toml))));
        Gate::new(&capabilities(DECLARED), &approval)
    }

    #[test]
    fn a_grant_is_declared_and_approved() {
        let narrow = gate(Some("storage = { buckets = [\"b\", \"c\"] }"));
        assert!(narrow.grants(Capability::Storage));
        assert!(!narrow.grants(Capability::Fetch), "declared, not approved");
        assert!(narrow.declares(Capability::Fetch));
        assert!(narrow.bucket("b").is_ok());
        let check = |name| assert!(matches!(narrow.bucket(name), Err(CallError::Denied(_))), "{name}");
        check("a"); // declared, not approved
        check("c"); // approved, not declared
        check("");
        let as_declared = gate(None);
        assert!(as_declared.grants(Capability::SecretsReveal));
        assert!(!gate(Some("secrets = { names = [\"token\"] }")).grants(Capability::SecretsReveal));
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let gate = gate(None);
        let check =
            |url: &str, allowed: bool| assert_eq!(gate.origin(&Url::parse(url).unwrap()).is_ok(), allowed, "{url}");
        check("https://x.example/a?b=c", true);
        check("https://x.example:443/", true);
        check("https://X.EXAMPLE/", true);
        check("https://y.example:8443/", true);
        check("https://y.example/", false);
        check("http://x.example/", false);
        check("https://x.example.evil.example/", false);
        check("https://x.example@evil.example/", false);
        check("https://sub.x.example/", false);
        check("file:///etc/passwd", false);
    }

    #[test]
    fn a_caller_goes_only_where_it_is_granted() {
        let gate = gate(None);
        let check = |target: TransferTarget, mode: TransferMode, allowed: bool| {
            assert_eq!(gate.transfer(&target, mode).is_ok(), allowed, "{target:?} {mode:?}");
        };
        check(TransferTarget::Group(Group::new("first")), TransferMode::Blind, true);
        check(TransferTarget::Group(Group::new("first")), TransferMode::Attended, false);
        check(TransferTarget::Group(Group::new("second")), TransferMode::Blind, false);
        check(TransferTarget::Number(PhoneNumber::new("+74951234567")), TransferMode::Bridge, true);
        check(TransferTarget::Number(PhoneNumber::new("+78001234567")), TransferMode::Bridge, false);
        check(TransferTarget::Number(PhoneNumber::new("74951234567")), TransferMode::Bridge, false);
        check(TransferTarget::Script("menu".into()), TransferMode::Attended, true);
        check(TransferTarget::Script("other".into()), TransferMode::Blind, false);
        check(TransferTarget::Operator("anna".into()), TransferMode::Blind, false);
        check(TransferTarget::Extension("100".into()), TransferMode::Blind, false);
        let denied = gate.transfer(&TransferTarget::Number(PhoneNumber::new("+78001234567")), TransferMode::Blind);
        assert!(!denied.unwrap_err().to_string().contains("1234567"), "numbers are masked");
    }

    #[test]
    fn callers_wait_where_it_is_granted() {
        let check = |gate: &Gate, queue: &str, allowed: bool| {
            assert_eq!(gate.queue(&Queue::new(queue)).is_ok(), allowed, "{queue}");
        };
        check(&gate(None), "first", true);
        check(&gate(None), "third", false);
        let narrow = gate(Some("queues = { names = [\"second\", \"third\"] }"));
        check(&narrow, "first", false);
        check(&narrow, "second", true);
        check(&narrow, "third", false);
        check(&gate(Some("")), "first", false);
    }

    #[test]
    fn promises_are_made_within_the_grant() {
        let gate = gate(None);
        assert!(gate.callback_queue(&Queue::new("first")).is_ok());
        assert!(gate.callback_queue(&Queue::new("second")).is_err(), "callers may wait there, and are not called back");
        assert!(gate.ticket_agency("housing").is_ok() && gate.ticket_agency("taxes").is_err());
        assert!(gate.survey("talk").is_ok() && gate.survey("other").is_err());
        let check = |number: &str, allowed: bool| {
            assert_eq!(gate.dialable(&PhoneNumber::new(number)).is_ok(), allowed, "{number}");
        };
        check("+73842000000", true);
        check("+79131234567", true);
        check("+78091234567", false);
        check("+4420712345678", false);
        let denied = gate.dialable(&PhoneNumber::new("+78091234567")).unwrap_err();
        assert_eq!(denied, CallError::Denied("promises: dialable \"+7********67\"".into()));
        let without = Gate::new(&capabilities("promises = {}"), &Approval::AsDeclared);
        assert!(without.dialable(&PhoneNumber::new("+79131234567")).is_err(), "an empty list allows nobody");
    }

    #[test]
    fn the_shorter_retention_counts() {
        assert_eq!(gate(None).retention_days_max(), 90);
        assert_eq!(gate(Some("recording = { retention_days_max = 7 }")).retention_days_max(), 7);
        assert_eq!(gate(Some("")).retention_days_max(), 0);
    }

    #[test]
    fn consent_is_required_where_anybody_requires_it() {
        let check =
            |gate: &Gate, asks: bool, allowed: bool| assert_eq!(gate.recording(asks).is_ok(), allowed, "{asks}");
        check(&gate(None), false, true);
        let strict = gate(Some("recording = { consent_required = true }"));
        check(&strict, false, false);
        check(&strict, true, true);
        check(&gate(None).require_consent(true), false, false);
        check(&strict.require_consent(false), false, false);
    }

    #[test]
    fn only_what_an_admin_wrote_is_an_admins_word() {
        let check = |gate: &Gate, url: &str, expect: Option<Voucher>| {
            assert_eq!(gate.origin_rule().voucher(&Url::parse(url).unwrap()), expect, "{url}");
        };
        let as_declared = gate(None);
        check(&as_declared, "https://x.example/", Some(Voucher::Author));
        check(&as_declared, "https://z.example/", None);
        let vouched = as_declared.vouch(["https://x.example".to_owned(), "https://z.example".to_owned()]);
        check(&vouched, "https://x.example/", Some(Voucher::Admin));
        check(&vouched, "https://x.example:444/", None);
        check(&vouched, "https://y.example:8443/", Some(Voucher::Author));
        check(&vouched, "https://z.example/", None);
        let written = gate(Some("fetch = { origins = [\"https://x.example\"] }"));
        check(&written, "https://x.example/", Some(Voucher::Admin));
        check(&written, "https://y.example:8443/", None);
    }
}
