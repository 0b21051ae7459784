//! Contacts, attempts and opt-outs.
use gudok_store::limits::{CONTACT_SEALED_BYTES_MAX, CONTACT_TEXT_BYTES_MAX, CONTACTS_ADD_MAX, OPT_OUTS_PUT_MAX};
use gudok_store::{
    AnsweredBy, Attempt, AttemptEnd, AttemptQuery, AttemptRow, CallId, CampaignSize, ContactQuery, ContactState,
    ContactStateKind, ContactWrite, DISPOSITION_CANCELLED, Disposition, Happened, NewContact, NumberKey, OptOut,
    OptOutQuery, OptOutScope, SealedContact, SledStore, Spent, Store, StoreError, SubjectKey, UtcMs,
};

use crate::{NOW, agency, open};

pub(crate) fn contact(number: u128) -> NewContact {
    NewContact {
        id: format!("id-{number}"),
        number: NumberKey(number),
        sealed: SealedContact(vec![number.to_le_bytes()[0]; 40]),
        masked: "+7********21".to_owned(),
        zone: ["Asia/Omsk", "Europe/Samara"][usize::from(number.is_multiple_of(3))].to_owned(),
        window: number.is_multiple_of(5).then_some(2),
        lang: number.is_multiple_of(2).then(|| "ru".to_owned()),
        area: Some(["42", "42/zarechny", "421"][usize::try_from(number % 3).unwrap()].to_owned()),
    }
}

pub(crate) fn add(store: &SledStore, campaign: &str, numbers: impl IntoIterator<Item = u128>) -> Vec<Option<u32>> {
    store.contacts_add(campaign, numbers.into_iter().map(contact).collect(), NOW).wait().unwrap().places
}

fn attempt(nth: u16) -> Attempt {
    let call = CallId::new(&format!("call-{nth}")).unwrap();
    Attempt { nth, call, claimed: UtcMs(nth.into()), dialled: None, ended: None, end: None }
}

pub(crate) fn claim(campaign: &str, no: u32, nth: u16) -> ContactWrite {
    let attempt = attempt(nth);
    ContactWrite {
        campaign: campaign.to_owned(),
        no,
        state: ContactState::Claimed { call: attempt.call.clone() },
        spent: Spent { claims: nth, ..Spent::default() },
        attempt: Some(attempt),
        ended: None,
    }
}

fn disposition(kind: u8) -> Disposition {
    Disposition { kind, words: Some("понятно".to_owned()), at: None }
}

pub(crate) fn end(campaign: &str, no: u32, nth: u16, kind: u8) -> ContactWrite {
    let end = AttemptEnd {
        disposition: disposition(kind),
        answered_by: Some(AnsweredBy::Human),
        answered: Some(UtcMs(5)),
        status: Some(200),
    };
    let attempt = Attempt { dialled: Some(UtcMs(4)), ended: Some(UtcMs(9)), end: Some(end), ..attempt(nth) };
    let spent = Spent { attempts: 1, today: 1, day: 20_000, last: None, in_a_row: 1, claims: nth };
    let state = ContactState::Done { disposition: kind, at: UtcMs(9) };
    ContactWrite { campaign: campaign.to_owned(), no, state, spent, attempt: Some(attempt), ended: None }
}

fn write(store: &SledStore, write: ContactWrite) {
    store.contact_write(write, NOW).wait().unwrap();
}

fn ends(store: &SledStore, campaign: &str, after: u64) -> Vec<AttemptRow> {
    let page = store.attempts(campaign, AttemptQuery::Ends { after, rows_max: 0 }).wait().unwrap();
    assert_eq!((page.corrupt, page.more_after), (0, None));
    page.attempts
}

fn places(store: &SledStore, query: ContactQuery) -> Vec<u32> {
    let page = store.contacts_page(query).wait().unwrap();
    assert_eq!((page.corrupt, page.more_after), (0, None));
    page.contacts.iter().map(|contact| contact.no).collect()
}

fn of(campaign: &str) -> ContactQuery {
    ContactQuery { campaign: campaign.to_owned(), ..ContactQuery::default() }
}

#[test]
fn contacts_get_places_in_order_and_a_number_is_taken_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert_eq!(add(&store, "flood", [1, 2, 1, 3]), [Some(0), Some(1), None, Some(2)], "twice in one batch");
    assert_eq!(add(&store, "flood", [4, 2, 5]), [Some(3), None, Some(4)], "in the campaign already");
    assert_eq!(add(&store, "tax", [2]), [Some(0)], "another campaign");
    assert_eq!(add(&store, "flood", []), []);
    drop(store);
    let store = open(folder.path());
    assert_eq!(add(&store, "flood", [6, 6]), [Some(5), None], "places go on after a restart");
    let kept = store.contact("flood", 4).wait().unwrap().unwrap();
    assert_eq!((kept.no, kept.who, kept.added), (4, contact(5), NOW));
    assert_eq!((kept.state, kept.spent), (ContactState::Waiting { not_before: None }, Spent::default()));
    assert_eq!(store.contact("flood", 6).wait().unwrap(), None);
    assert_eq!(store.contact("none", 0).wait().unwrap(), None);
    assert_eq!(store.campaign_size("flood").wait().unwrap(), CampaignSize { contacts: 6, ends: 0 });
    assert_eq!(store.campaign_size("none").wait().unwrap(), CampaignSize::default());
}

#[test]
fn seeds_are_read_page_by_page_with_their_zones() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    add(&store, "flood", 1..=7);
    add(&store, "flooe", [9]);
    write(&store, claim("flood", 2, 1));
    let (mut seeds, mut after) = (Vec::new(), None);
    loop {
        let page = store.contact_seeds("flood", after, 3).wait().unwrap();
        assert!(page.seeds.len() <= 3 && page.corrupt == 0);
        seeds.extend(page.seeds.into_iter().map(|seed| {
            let zone = page.zones[usize::from(seed.zone)].clone();
            (seed.no, seed.number.0, zone, seed.window, seed.state.kind(), seed.spent.claims)
        }));
        after = page.more_after;
        if after.is_none() {
            break;
        }
    }
    let expect = (1..=7_u128).zip(0..).map(|(number, no)| {
        let state = if no == 2 { ContactStateKind::Claimed } else { ContactStateKind::Waiting };
        (no, number, contact(number).zone, contact(number).window, state, u16::from(no == 2))
    });
    assert_eq!(seeds, expect.collect::<Vec<_>>());
}

#[test]
fn an_attempt_is_claimed_once_and_its_end_gets_a_number() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    add(&store, "flood", [1, 2]);
    write(&store, claim("flood", 0, 1));
    let again = store.contact_write(claim("flood", 0, 1), NOW).wait();
    assert!(matches!(again, Err(StoreError::AlreadyClaimed { contact: 0, nth: 1, .. })), "{again:?}");
    let call = CallId::new("call-1").unwrap();
    let kept = |no| store.contact("flood", no).wait().unwrap().unwrap();
    assert_eq!(kept(0).state, ContactState::Claimed { call });
    assert_eq!(ends(&store, "flood", 0), [], "it goes on");
    write(&store, end("flood", 0, 1, 12));
    write(&store, claim("flood", 1, 1));
    write(&store, end("flood", 1, 1, 0));
    write(&store, claim("flood", 0, 2));
    let going_on = store.attempts("flood", AttemptQuery::Contact(0)).wait().unwrap().attempts;
    assert_eq!(going_on.iter().map(|row| row.seq).collect::<Vec<_>>(), [Some(1), None]);
    write(&store, end("flood", 0, 2, 1));
    let order: Vec<_> = ends(&store, "flood", 0).iter().map(|row| (row.seq, row.contact)).collect();
    assert_eq!(order, [(Some(1), 0), (Some(2), 1), (Some(3), 0)]);
    let last = &ends(&store, "flood", 2)[0];
    assert_eq!(last.what, Happened::Attempt(end("flood", 0, 2, 1).attempt.unwrap()));
    // The answer was lost, and the same is written again: nobody sees it twice.
    write(&store, end("flood", 0, 2, 1));
    assert_eq!(ends(&store, "flood", 3), []);
    // It ended otherwise: a person decided about an unknown one. Whoever follows sees it once more.
    write(&store, end("flood", 1, 1, 20));
    let order: Vec<_> = ends(&store, "flood", 0).iter().map(|row| (row.seq, row.contact)).collect();
    assert_eq!(order, [(Some(1), 0), (Some(3), 0), (Some(4), 1)]);
    assert_eq!(kept(1).state, ContactState::Done { disposition: 20, at: UtcMs(9) });
    assert_eq!(store.campaign_size("flood").wait().unwrap(), CampaignSize { contacts: 2, ends: 4 });
    let error = store.contact_write(claim("flood", 7, 1), NOW).wait().unwrap_err();
    assert!(matches!(error, StoreError::NoContact { contact: 7, .. }), "{error}");
}

#[test]
fn an_end_without_an_attempt_is_a_result_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    add(&store, "flood", [1]);
    let skip = |kind| ContactWrite {
        attempt: None,
        ended: Some(disposition(kind)),
        state: ContactState::Done { disposition: kind, at: NOW },
        ..claim("flood", 0, 0)
    };
    write(&store, skip(18));
    let found = ends(&store, "flood", 0);
    assert_eq!(found[0].what, Happened::Ended { at: NOW, disposition: disposition(18) });
    write(&store, skip(23));
    let found = ends(&store, "flood", 0);
    assert_eq!((found.len(), found[0].seq), (1, Some(2)), "of these the last counts");
}

#[test]
fn contacts_are_found_by_state_disposition_area_and_number() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    add(&store, "flood", 1..=30);
    for no in [3, 4, 10] {
        write(&store, claim("flood", no, 1));
        write(&store, end("flood", no, 1, if no == 10 { 12 } else { 0 }));
    }
    write(&store, claim("flood", 5, 1));
    let state = |state| ContactQuery { state: Some(state), ..of("flood") };
    assert_eq!(places(&store, state(ContactStateKind::Claimed)), [5]);
    assert_eq!(places(&store, state(ContactStateKind::Done)), [3, 4, 10]);
    assert_eq!(places(&store, state(ContactStateKind::Waiting)).len(), 26);
    assert_eq!(places(&store, ContactQuery { disposition: Some(12), ..of("flood") }), [10]);
    let done_after = ContactQuery { after: Some(3), ..state(ContactStateKind::Done) };
    assert_eq!(places(&store, done_after), [4, 10]);
    let area = |area: &str| ContactQuery { area: Some(area.to_owned()), ..of("flood") };
    assert_eq!(places(&store, area("42")).len(), 20, "421 is another one");
    assert_eq!(places(&store, area("42/zarechny")).len(), 10);
    let number = |number| ContactQuery { number: Some(NumberKey(number)), ..of("flood") };
    assert_eq!(places(&store, number(11)), [10]);
    assert!(places(&store, number(31)).is_empty());
    let (mut all, mut query) = (Vec::new(), ContactQuery { rows_max: 7, ..of("flood") });
    loop {
        let page = store.contacts_page(query.clone()).wait().unwrap();
        all.extend(page.contacts.iter().map(|contact| contact.no));
        query.after = page.more_after;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(all, (0..30).collect::<Vec<_>>());
}

#[test]
fn what_is_too_large_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let refused = |rows: Vec<NewContact>| store.contacts_add("flood", rows, NOW).wait().unwrap_err();
    let sealed = SealedContact(vec![0; CONTACT_SEALED_BYTES_MAX + 1]);
    let error = refused(vec![contact(1), NewContact { sealed, ..contact(2) }]);
    assert!(matches!(error, StoreError::TooLarge { limit: CONTACT_SEALED_BYTES_MAX, .. }), "{error}");
    let error = refused(vec![NewContact { id: "x".repeat(CONTACT_TEXT_BYTES_MAX + 1), ..contact(2) }]);
    assert!(matches!(error, StoreError::TooLarge { limit: CONTACT_TEXT_BYTES_MAX, .. }), "{error}");
    let many = (0..=CONTACTS_ADD_MAX as u128).map(contact).collect();
    assert!(refused(many).to_string().contains("at most 500"));
    assert!(matches!(store.contacts_add("", vec![], NOW).wait(), Err(StoreError::BadName { .. })));
    assert_eq!(store.campaign_size("flood").wait().unwrap(), CampaignSize::default());
    let largest = NewContact {
        sealed: SealedContact(vec![0; CONTACT_SEALED_BYTES_MAX]),
        id: "x".repeat(CONTACT_TEXT_BYTES_MAX),
        ..contact(1)
    };
    store.contacts_add("flood", vec![largest.clone()], NOW).wait().unwrap();
    assert_eq!(store.contact("flood", 0).wait().unwrap().unwrap().who, largest);
    let mut long = end("flood", 0, 1, 1);
    long.attempt.as_mut().unwrap().end.as_mut().unwrap().disposition.words = Some("я\n".repeat(1_000));
    write(&store, long);
    let Happened::Attempt(kept) = &ends(&store, "flood", 0)[0].what else { panic!("no attempt") };
    let words = kept.end.as_ref().unwrap().disposition.words.as_ref().unwrap();
    assert!(words.len() <= CONTACT_TEXT_BYTES_MAX && !words.contains('\n'));
}

#[test]
fn a_campaign_is_erased_in_bounded_steps_and_its_name_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    add(&store, "flood", 0..40);
    add(&store, "flooe", 0..3);
    for no in 0..10 {
        write(&store, claim("flood", no, 1));
        write(&store, end("flood", no, 1, 0));
    }
    let mut steps = Vec::new();
    loop {
        let step = store.campaign_erase("flood", 15).wait().unwrap();
        steps.push(step.removed);
        if !step.more {
            break;
        }
    }
    assert!(steps.iter().all(|removed| *removed <= 16) && steps.iter().sum::<u64>() == 50, "{steps:?}");
    assert!(places(&store, of("flood")).is_empty());
    assert_eq!(ends(&store, "flood", 0), []);
    assert_eq!(places(&store, of("flooe")), [0, 1, 2], "another campaign's stay");
    assert_eq!(add(&store, "flood", [7]), [Some(0)]);
    assert_eq!(store.campaign_size("flood").wait().unwrap(), CampaignSize { contacts: 1, ends: 0 });
}

#[test]
fn an_erased_person_leaves_a_place_and_their_opt_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let anna = SubjectKey::new([1; 32]).hash("+79131234521");
    let her = NumberKey::from(&anna);
    for campaign in ["flood", "tax", "old"] {
        add(&store, campaign, [1, her.0, 2]);
    }
    write(&store, claim("flood", 1, 1));
    write(&store, end("flood", 1, 1, 12));
    write(&store, claim("flood", 1, 2));
    write(&store, claim("flood", 0, 1));
    write(&store, end("flood", 0, 1, 0));
    write(&store, claim("old", 1, 1));
    write(&store, end("old", 1, 1, 0));
    store.opt_outs_put(vec![opt_out(her.0, OptOutScope::Global)]).wait().unwrap();

    let erased = store.subject_erase(anna, NOW, 2).wait().unwrap();
    assert!(erased.more, "two of three campaigns");
    let rest = store.subject_erase(anna, NOW, 2).wait().unwrap();
    assert_eq!((erased.attempts + rest.attempts, rest.more), (3, false));
    let mut contacts = [erased.contacts, rest.contacts].concat();
    contacts.sort();
    assert_eq!(contacts, [("flood", 1), ("old", 1), ("tax", 1)].map(|(name, no)| (name.to_owned(), no)));
    assert_eq!(store.subject_erase(anna, NOW, 2).wait().unwrap(), gudok_store::Erased::default());

    assert_eq!(store.contact("flood", 1).wait().unwrap(), None);
    assert_eq!(places(&store, of("flood")), [0, 2]);
    assert!(places(&store, ContactQuery { number: Some(her), ..of("flood") }).is_empty());
    assert_eq!(store.attempts("flood", AttemptQuery::Contact(1)).wait().unwrap().attempts, []);
    assert_eq!(ends(&store, "flood", 0).len(), 1, "others' results stay");
    let seed = |campaign: &str| store.contact_seeds(campaign, Some(0), 1).wait().unwrap().seeds.remove(0);
    assert_eq!((seed("flood").no, seed("flood").number), (1, NumberKey(0)));
    assert_eq!(seed("flood").state, ContactState::Done { disposition: DISPOSITION_CANCELLED, at: NOW });
    assert_eq!(seed("old").state, ContactState::Done { disposition: 0, at: UtcMs(9) }, "figures still sum up");
    // The call that was on ends: nothing of it is kept, and nobody is in trouble for it.
    write(&store, end("flood", 1, 2, 0));
    assert_eq!(seed("flood").state, ContactState::Done { disposition: DISPOSITION_CANCELLED, at: NOW });
    assert_eq!(ends(&store, "flood", 0).len(), 1);
    let opted = store.opt_outs(OptOutQuery { number: Some(her), ..OptOutQuery::default() }).wait().unwrap();
    assert_eq!(opted.opt_outs.len(), 1);
    assert_eq!(add(&store, "flood", [her.0]), [Some(3)], "who comes by another list is another contact");
}

pub(crate) fn opt_out(number: u128, scope: OptOutScope) -> OptOut {
    OptOut { number: NumberKey(number), scope, protected: false, since: NOW, by: "script".to_owned() }
}

#[test]
fn opt_outs_are_by_scope_keep_their_moment_and_stay_protected() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (mfc, tax) = (OptOutScope::Agency(agency("mfc")), OptOutScope::Agency(agency("tax")));
    let rows = vec![opt_out(1, OptOutScope::Global), opt_out(1, mfc.clone()), opt_out(2, tax.clone())];
    assert_eq!(store.opt_outs_put(rows).wait().unwrap(), 3);
    let again = OptOut { protected: true, since: UtcMs(NOW.0 + 5), by: "anna".to_owned(), ..opt_out(1, mfc.clone()) };
    assert_eq!(store.opt_outs_put(vec![again]).wait().unwrap(), 0);
    assert_eq!(store.opt_outs_put(vec![opt_out(1, mfc.clone())]).wait().unwrap(), 0);
    let find = |query: OptOutQuery| store.opt_outs(query).wait().unwrap().opt_outs;
    let of_one = find(OptOutQuery { number: Some(NumberKey(1)), ..OptOutQuery::default() });
    assert_eq!(of_one.len(), 2);
    let kept = of_one.iter().find(|kept| kept.scope == mfc).unwrap();
    assert_eq!((kept.protected, kept.since, kept.by.as_str()), (true, NOW, "script"));
    assert_eq!(find(OptOutQuery { scope: Some(tax.clone()), ..OptOutQuery::default() }).len(), 1);
    let (mut all, mut query) = (0, OptOutQuery { rows_max: 1, ..OptOutQuery::default() });
    loop {
        let page = store.opt_outs(query.clone()).wait().unwrap();
        assert_eq!(page.corrupt, 0);
        all += page.opt_outs.len();
        query.after = page.more_after;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(all, 3);
    assert!(store.opt_out_delete(NumberKey(1), mfc.clone()).wait().unwrap());
    assert!(!store.opt_out_delete(NumberKey(1), mfc).wait().unwrap());
    assert_eq!(find(OptOutQuery::default()).len(), 2);
    let many = (0..=OPT_OUTS_PUT_MAX as u128).map(|n| opt_out(n, OptOutScope::Global)).collect();
    assert!(matches!(store.opt_outs_put(many).wait(), Err(StoreError::BadName { .. })));
}
