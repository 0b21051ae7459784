//! Damage done to the rows of campaigns, and a store of the engine before them.
use super::super::*;
use super::{NOW, damage, open};
use crate::{
    Attempt, AttemptQuery, CallId, ContactQuery, ContactState, ContactWrite, NewContact, NumberKey, SealedContact,
    Spent, Store, SubjectKey,
};

fn contact(number: NumberKey) -> NewContact {
    NewContact {
        id: "7".to_owned(),
        number,
        sealed: SealedContact(vec![1; 20]),
        masked: "+7********21".to_owned(),
        zone: "Asia/Omsk".to_owned(),
        window: Some(1),
        lang: None,
        area: None,
    }
}

fn claim(no: u32, nth: u16) -> ContactWrite {
    let call = CallId::new("c").unwrap();
    let attempt = Attempt { nth, call: call.clone(), claimed: NOW, dialled: None, ended: None, end: None };
    ContactWrite {
        campaign: "flood".to_owned(),
        no,
        state: ContactState::Claimed { call },
        spent: Spent { claims: nth, ..Spent::default() },
        attempt: Some(attempt),
        ended: None,
    }
}

fn row(tag: u8, rest: &[u8]) -> Vec<u8> {
    [&[tag, 5], &b"flood"[..], rest].concat()
}

fn filled(folder: &tempfile::TempDir) -> (SledStore, NumberKey) {
    let store = open(folder);
    let anna = NumberKey::from(&SubjectKey::new([1; 32]).hash("+79131234521"));
    let contacts = [NumberKey(1), anna, NumberKey(3)].map(contact);
    store.contacts_add("flood", contacts.to_vec(), NOW).wait().unwrap();
    store.contact_write(claim(1, 3), NOW).wait().unwrap();
    (store, anna)
}

#[test]
fn a_contact_of_whom_nobody_knows_where_it_stands_is_for_a_person_to_decide() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = filled(&folder);
    damage(&store, &row(keys::STAND, &1_u32.to_be_bytes()));
    let page = store.contact_seeds("flood", None, 0).wait().unwrap();
    let seed = &page.seeds[1];
    assert_eq!((page.seeds.len(), page.corrupt), (3, 0), "it is not forgotten");
    assert!(matches!(seed.state, ContactState::Unknown { .. }), "and not dialled again in silence");
    assert_eq!((seed.spent.claims, seed.window), (3, Some(1)), "what its other rows say is believed");
    assert_eq!(page.zones[usize::from(seed.zone)], "Asia/Omsk");
    assert!(store.stats().corrupt > 0);
    store.contact_write(claim(1, 4), NOW).wait().unwrap();
    assert!(matches!(store.contact("flood", 1).wait().unwrap().unwrap().state, ContactState::Claimed { .. }));
}

#[test]
fn a_damaged_contact_is_counted_and_the_others_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = filled(&folder);
    damage(&store, &row(keys::CONTACT, &1_u32.to_be_bytes()));
    let query = ContactQuery { campaign: "flood".to_owned(), ..ContactQuery::default() };
    let page = store.contacts_page(query).wait().unwrap();
    assert_eq!((page.contacts.len(), page.corrupt), (2, 1));
    assert!(matches!(store.contact("flood", 1).wait(), Err(StoreError::Corrupt { .. })), "served");
    damage(&store, &row(keys::ATTEMPT, &[&1_u32.to_be_bytes()[..], &3_u16.to_be_bytes()].concat()));
    let page = store.attempts("flood", AttemptQuery::Contact(1)).wait().unwrap();
    assert_eq!((page.attempts.len(), page.corrupt), (0, 1));
}

#[test]
fn a_damaged_count_is_counted_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = filled(&folder);
    damage(&store, &row(keys::CAMPAIGN, &[]));
    let added = store.contacts_add("flood", vec![contact(NumberKey(4))], NOW).wait().unwrap();
    assert_eq!(added.places, [Some(3)], "no place is given twice");
}

#[test]
fn damage_does_not_keep_a_person_from_being_erased() {
    let folder = tempfile::tempdir().unwrap();
    let (store, anna) = filled(&folder);
    damage(&store, &row(keys::NUMBER, &anna.0.to_be_bytes()));
    damage(&store, &row(keys::CONTACT, &1_u32.to_be_bytes()));
    assert!(store.contact("flood", 1).wait().is_err());
    let copies = || std::fs::read_dir(folder.path().join("quarantine")).unwrap().count();
    assert_eq!(copies(), 1);
    let subject = SubjectKey::new([1; 32]).hash("+79131234521");
    let erased = store.subject_erase(subject, NOW, 10).wait().unwrap();
    assert_eq!(erased.contacts, [("flood".to_owned(), 1)]);
    assert_eq!(copies(), 0, "no copy of hers is left");
    let key = anna.0.to_be_bytes();
    for item in store.core.db.iter() {
        let (name, value) = item.unwrap();
        assert!(!name.windows(16).chain(value.windows(16)).any(|part| part == key), "{name:?}");
    }
    while store.campaign_erase("flood", 1).wait().unwrap().more {}
    assert!(store.core.db.iter().keys().all(|key| key.unwrap().first() == Some(&b'0')), "nothing is left behind");
}

#[test]
fn a_store_of_the_engine_before_campaigns_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.leg_ended(super::leg("c").ended(super::end(20))).unwrap();
    store.settled().wait().unwrap();
    let value = envelope::seal(keys::META_SCHEMA, &2_u32.to_be_bytes());
    store.core.db.insert(keys::META_SCHEMA, value).unwrap();
    drop(store);
    let (store, _) = filled(&folder);
    let kept = store.core.read(keys::META_SCHEMA).unwrap().unwrap();
    assert_eq!((kept, schema::SCHEMA), (3_u32.to_be_bytes().to_vec(), 3));
    assert_eq!(store.cdrs(crate::CdrQuery::default()).wait().unwrap().cdrs.len(), 1);
    drop(store);
    assert_eq!(open(&folder).campaign_size("flood").wait().unwrap().contacts, 3);
}

#[test]
fn a_read_of_an_end_under_way_waits_until_it_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = filled(&folder);
    let read = || store.attempts("flood", AttemptQuery::Ends { after: 0, rows_max: 0 }).wait().unwrap();
    let commits = store.stats().commits;
    read();
    assert_eq!(store.stats().commits, commits);
    store.core.undurable.lock().insert(row(keys::END, &1_u64.to_be_bytes()));
    read();
    assert_eq!(store.stats().commits, commits + 1, "it waited for a commit");
}
