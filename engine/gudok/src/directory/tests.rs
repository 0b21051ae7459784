//! The directory on a real store.

use super::*;
use gudok_core::ids::Agency;
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::{DirectoryError, DirectoryPort, EntryKind as PortKind, Scope};
use gudok_store::{LedgerChange, Put, SledStore, StoreOptions};

fn document(kind: &str, title: &str, hours: Option<&str>, place: Option<&str>) -> DirectoryDocument {
    DirectoryDocument {
        kind: kind.into(),
        agency: "mfc".into(),
        municipality: place.map(Into::into),
        title: title.into(),
        phone: Some("+7 3842 00-00-00, доб. 5".into()),
        hours: hours.map(Into::into),
        fields: [("service".to_owned(), "паспорт".to_owned()), ("topic".to_owned(), "passport".to_owned())].into(),
        lang: "ru-RU".into(),
        version: 3,
        updated: "2026-05-05".into(),
        ..DirectoryDocument::default()
    }
}

async fn put(directory: &LiveDirectory, id: &str, body: Vec<u8>) {
    let put = Put { kind: kinds::DIRECTORY.into(), id: id.into(), body, expires: None };
    let change = LedgerChange { puts: vec![put], ..LedgerChange::default() };
    directory.store.ledger_commit(change, UtcMs(1)).await.unwrap();
}

fn scope(place: Option<&str>, now: &str) -> Scope {
    let now: jiff::Timestamp = now.parse().unwrap();
    Scope {
        agency: Agency::new("mfc"),
        municipality: place.map(Into::into),
        lang: "ru-RU".into(),
        answers_max: 5,
        now: Timestamp::from_micros(now.as_microsecond().try_into().unwrap()),
    }
}

#[tokio::test]
async fn scripts_are_answered_with_versions_hours_and_the_nearest_office() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SledStore::open(StoreOptions::at(folder.path().join("records"))).unwrap());
    let zone = TimeZone::fixed(jiff::tz::offset(7));
    let directory = LiveDirectory::new(store, EngineClock::new(zone.clone(), None), zone, "ru-RU".into());
    assert_eq!(directory.load().await.unwrap(), 0);
    let json = |document| serde_json::to_vec(&document).unwrap();
    put(&directory, "o-1", json(document("office", "МФЦ на Северной", Some("mon-fri 09:00-18:00"), Some("north"))))
        .await;
    put(&directory, "o-2", json(document("office", "Головной офис", None, None))).await;
    put(&directory, "f-1", json(document("faq", "Как заменить паспорт?", None, None))).await;
    put(&directory, "bad", b"{\"kind\": \"shop\"}".to_vec()).await;
    assert_eq!(directory.load().await.unwrap(), 3, "what is no entry is left out, and the rest is there");

    let query = vec![(Arc::from("service"), Arc::from("Паспорт"))];
    let night = scope(Some("north"), "2026-05-05T02:30:00+07:00");
    let offices = directory.find_offices(query.clone(), night.clone()).await.unwrap();
    assert_eq!(offices.iter().map(|office| &*office.id).collect::<Vec<_>>(), ["o-1", "o-2"]);
    let office = &offices[0];
    assert_eq!((office.version, office.open_now, office.updated.day), (3, false, 5));
    assert_eq!(office.opens_next, Some(scope(None, "2026-05-05T09:00:00+07:00").now));
    assert_eq!(office.phone.as_ref().unwrap().reveal(), "+73842000000");
    assert_eq!((office.hours.len(), office.hours[4].weekday, office.hours[4].to), (5, 5, (18, 0)));
    let by_id = vec![(Arc::from("id"), Arc::from("o-2"))];
    assert_eq!(directory.find_offices(by_id, night.clone()).await.unwrap().len(), 1);

    let answers = directory.search_faq("замена паспортов".into(), night.clone()).await.unwrap();
    assert_eq!((&*answers[0].id, answers[0].score, answers[0].version), ("f-1", 100, 3));
    let topic = Some(Arc::from("passport"));
    assert_eq!(directory.find_entries(PortKind::Faq, topic, night.clone()).await.unwrap().len(), 1);
    let empty = directory.search_faq(" ".into(), night.clone()).await;
    assert!(matches!(empty, Err(DirectoryError::Invalid(_))));

    let mfc = Agency::new("mfc");
    assert!(!directory.is_open(&mfc, "o-1", night.now).await.unwrap());
    let day = scope(None, "2026-05-05T10:00:00+07:00").now;
    assert!(directory.is_open(&mfc, "o-1", day).await.unwrap());
    assert!(matches!(directory.is_open(&mfc, "nothing", day).await, Err(DirectoryError::NotFound(_))));

    let search = DirectorySearch { text: "офис".into(), limit: 5, ..DirectorySearch::default() };
    assert_eq!(directory.search(&search).iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["o-2"]);
    let others = DirectorySearch { agencies: Some(vec!["mvd".into()]), ..search };
    assert!(directory.search(&others).is_empty());
}
