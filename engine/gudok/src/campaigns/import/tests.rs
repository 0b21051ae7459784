//! Lists as people send them, from their bytes to contacts.

use super::report::finish;
use super::rows::{Rules, Taker};
use super::run::Reading;
use super::{PROBLEMS_MAX, Prefixes};
use crate::keys::{NodeKey, Subjects};
use bytes::Bytes;
use gudok_admin::ports::{ByteStream, ContactsReport, EngineRefusal, ListFormat};
use gudok_core::routing::NumberPlan;
use gudok_store::NewContact;
use gudok_store::limits::CONTACTS_ADD_MAX;
use std::sync::{Arc, LazyLock};

static KEY: LazyLock<NodeKey> = LazyLock::new(NodeKey::ephemeral);

fn rules() -> Rules {
    Rules {
        plan: NumberPlan {
            country_code: "7".to_owned(),
            trunk_prefix: "8".to_owned(),
            international_prefixes: vec!["810".to_owned()],
            national_len: 10,
        },
        prefixes: Arc::new(Prefixes::read("7381;Asia/Omsk\n375;Europe/Minsk\n").unwrap()),
        zone: Arc::from("Europe/Samara"),
        windows: vec!["Mornings".to_owned(), "Evenings".to_owned()],
        subjects: Subjects::new(&KEY),
    }
}

/// In pieces of so many bytes.
fn stream(bytes: &[u8], piece: usize) -> ByteStream {
    let pieces: Vec<_> = bytes.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    Box::pin(futures_util::stream::iter(pieces))
}

async fn take(format: ListFormat, bytes: ByteStream) -> Result<(ContactsReport, Vec<NewContact>), EngineRefusal> {
    let mut taker = Taker::new(rules());
    let mut taken = Vec::new();
    let mut reading = Reading::start(format, bytes, CONTACTS_ADD_MAX, move |line, row| taker.contact(line, row));
    while let Some(batch) = reading.next().await {
        assert!(batch.len() <= CONTACTS_ADD_MAX);
        taken.extend(batch.into_iter().map(|(_, contact)| contact));
    }
    let mut report = reading.end().await?;
    finish(&mut report);
    Ok((report, taken))
}

async fn csv(text: &str) -> (ContactsReport, Vec<NewContact>) {
    take(ListFormat::Csv, stream(text.as_bytes(), 7)).await.unwrap()
}

async fn refused(bytes: &[u8]) -> EngineRefusal {
    take(ListFormat::Csv, stream(bytes, 1_000)).await.unwrap_err()
}

fn problems(report: &ContactsReport) -> Vec<(u64, &str, &str)> {
    let told = report.problems.iter();
    told.map(|problem| (problem.line, problem.column.as_str(), problem.kind.as_str())).collect()
}

fn number(contact: &NewContact) -> String {
    rules().subjects.open_contact(&contact.sealed).unwrap().number.reveal().to_owned()
}

const BAD: &str = "Number;ID;Zone;window;lang;area;Имя\n\
    9131234567;a;;;;;Анна\n\
    8 (913) 123-45-68;b;Asia/Tomsk;EVENINGS;en;42/zarechny;\"Пётр; \"\"младший\"\"\n (второй)\"\n\
    +375291234567;c;;;;;Ян\n\
    +33145678901;d;;;;;Жан\n\
    +33145678901;e;Europe/Paris;;;;Жан\n\
    112;f;;;;;\n\
    позже;g;;;;;\n\
    ;h;;;;;\n\
    +7 913 123 45 67;i;;;;;Анна\n\
    \n\
    ;;;;;;\n\
    89131234569;j;Asia/Nowhere;;;;\n\
    89131234569;k;;nights;;;\n\
    89131234569;l;;;по-русски;;\n\
    89131234569;m;;;;;;;лишнее\n\
    83812123456;;;;;;Омич\n";

#[tokio::test]
async fn each_row_has_its_outcome() {
    let (report, contacts) = csv(BAD).await;
    let numbers: Vec<_> = contacts.iter().map(number).collect();
    assert_eq!(numbers, ["+79131234567", "+79131234568", "+375291234567", "+33145678901", "+73812123456"]);
    let zones: Vec<_> = contacts.iter().map(|contact| contact.zone.as_str()).collect();
    assert_eq!(zones, ["Europe/Samara", "Asia/Tomsk", "Europe/Minsk", "Europe/Paris", "Asia/Omsk"]);
    assert_eq!(contacts[4].id, "18", "the line's number where the list has no id");
    let second = &contacts[1];
    let facts = (second.id.as_str(), second.window, second.lang.as_deref(), second.area.as_deref());
    assert_eq!(facts, ("b", Some(1), Some("en"), Some("42/zarechny")));
    assert_eq!(second.masked, "+7********68");
    let fields = rules().subjects.open_contact(&second.sealed).unwrap().fields;
    assert_eq!(fields, [("Имя".to_owned(), "Пётр; \"младший\"\n (второй)".to_owned())]);
    assert_eq!(
        problems(&report),
        [
            (6, "number", "number-foreign"),
            (8, "number", "number-short"),
            (9, "number", "number-letters"),
            (10, "number", "number-empty"),
            (11, "number", "duplicate-in-file"),
            (14, "zone", "zone-unknown"),
            (15, "window", "window-unknown"),
            (16, "lang", "lang-unknown"),
            (17, "", "row-cells"),
        ]
    );
    assert_eq!((report.rows, report.duplicates, report.bad), (14, 1, 8));
    assert_eq!(report.rows, contacts.len() as u64 + report.duplicates + report.bad, "the report sums up");
    assert_eq!((report.charset.as_str(), report.fields), ("utf-8", vec!["Имя".to_owned()]));
    let told = serde_json::to_string(&report.problems).unwrap();
    assert!(!told.contains("913123") && !told.contains("позже") && !told.contains("33145"), "{told}");
    assert!(report.problems.iter().all(|problem| !problem.problem.is_empty() && !problem.remedy.is_empty()));
}

#[tokio::test]
async fn a_list_in_windows_1251_is_read_as_one_in_utf_8() {
    let bytes = encoding_rs::WINDOWS_1251.encode(BAD).0.into_owned();
    for piece in [1, 13, bytes.len()] {
        let (report, contacts) = take(ListFormat::Csv, stream(&bytes, piece)).await.unwrap();
        assert_eq!((report.charset.as_str(), contacts.len(), report.bad), ("windows-1251", 5, 8));
        let fields = rules().subjects.open_contact(&contacts[0].sealed).unwrap().fields;
        assert_eq!(fields, [("Имя".to_owned(), "Анна".to_owned())]);
    }
}

#[tokio::test]
async fn commas_and_tabs_separate_too() {
    for sign in [",", "\t"] {
        let (report, contacts) = csv(&format!("id{sign}number\r\nx{sign}89131234567\r\n")).await;
        assert_eq!((report.bad, contacts.len(), contacts[0].id.as_str()), (0, 1, "x"));
    }
}

#[tokio::test]
async fn json_lines_are_read_in_any_order_of_fields() {
    let text = "{\"number\": 79131234567, \"debt\": 12.5, \"name\": \"Анна\", \"id\": \"7\"}\n\n\
        {\"id\": 8, \"number\": \"8 913 123-45-68\", \"name\": null, \"vip\": true}\n\
        {\"number\": \"+79131234567\"}\n\
        [1]\n\
        {\"number\": \"89131234569\", \"address\": {\"street\": \"x\"}}\n\
        {\"id\": \"9\"}\n";
    let (report, contacts) = take(ListFormat::Jsonl, stream(text.as_bytes(), 3)).await.unwrap();
    let fields = |at: usize| rules().subjects.open_contact(&contacts[at].sealed).unwrap().fields;
    assert_eq!(contacts.iter().map(|contact| contact.id.as_str()).collect::<Vec<_>>(), ["7", "8"]);
    let cell = |name: &str, cell: &str| (name.to_owned(), cell.to_owned());
    let mut first = fields(0);
    first.sort();
    assert_eq!((first, fields(1)), (vec![cell("debt", "12.5"), cell("name", "Анна")], vec![cell("vip", "true")]));
    let expect = [
        (4, "number", "duplicate-in-file"),
        (5, "", "row-json"),
        (6, "address", "field-nested"),
        (7, "number", "number-empty"),
    ];
    assert_eq!(problems(&report), expect);
    let long = format!("{{\"number\": \"1\", \"x\": \"{}\"}}\n{{\"number\": \"89131234567\"}}", "y".repeat(70_000));
    let (report, contacts) = take(ListFormat::Jsonl, stream(long.as_bytes(), 9_999)).await.unwrap();
    assert_eq!((problems(&report), contacts.len()), (vec![(1, "", "row-long")], 1));
}

#[tokio::test]
async fn a_list_that_cannot_be_read_says_why() {
    for (bytes, problem, remedy) in [
        (&b""[..], "The list is empty", "first row"),
        (b"telefon;name\n1;a\n", "there are: telefon, name", "\"number\""),
        (b"89131234567;Anna\n89131234568;Boris\n", "No column is called number; there are: Anna", "first row"),
        (b"number;;x\n", "Column 2 has no name", "Name each column"),
        (b"number;x;X;x\n", "Two columns are called x", "Name each column"),
        (b"PK\x03\x04", "spreadsheet", "CSV UTF-8"),
        (b"\xff\xfen\0u\0", "UTF-16", "UTF-8"),
    ] {
        let refusal = refused(bytes).await;
        assert!(refusal.problem.contains(problem) && refusal.remedy.contains(remedy), "{refusal:?}");
        assert!(!refusal.problem.contains("913"), "{refusal:?}");
    }
    let open = format!("number;x\n89131234567;\"{}", "1;2\n".repeat(200_000));
    let refusal = refused(open.as_bytes()).await;
    assert!(refusal.remedy.contains("a quote that is not closed"), "{refusal:?}");
    let mut late = format!("number;x\n89131234567;Анна{}\n", "я".repeat(9_000)).into_bytes();
    late.extend_from_slice(b"89131234568;\xc0\xed\xed\xe0\n");
    let (report, contacts) = take(ListFormat::Csv, stream(&late, 100)).await.unwrap();
    assert_eq!((contacts.len(), problems(&report)), (0, vec![(2, "", "row-long"), (3, "", "charset")]));
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_told_and_what_came_before_was_kept() {
    let rows: String = (0..1_200).map(|n| format!("8913{n:07}\n")).collect();
    let good = Bytes::from(format!("number\n{rows}"));
    let broken = vec![Ok(good), Err(std::io::Error::other("the line went down"))];
    let mut kept = 0;
    let mut taker = Taker::new(rules());
    let bytes: ByteStream = Box::pin(futures_util::stream::iter(broken));
    let take = move |line, row| taker.contact(line, row);
    let mut reading = Reading::start(ListFormat::Csv, bytes, CONTACTS_ADD_MAX, take);
    while let Some(batch) = reading.next().await {
        kept += batch.len();
    }
    let refusal = reading.end().await.unwrap_err();
    assert!(refusal.problem.contains("the line went down") && refusal.remedy.contains("Send it again"), "{refusal:?}");
    assert_eq!(kept, 1_000, "whole batches");
}

#[tokio::test]
async fn a_store_that_takes_no_more_ends_the_reading() {
    let rows = (0..).map(|n| Ok(Bytes::from(if n == 0 { "number\n".to_owned() } else { format!("8913{n:07}\n") })));
    let mut taker = Taker::new(rules());
    let endless: ByteStream = Box::pin(futures_util::stream::iter(rows));
    let take = move |line, row| taker.contact(line, row);
    let mut reading = Reading::start(ListFormat::Csv, endless, CONTACTS_ADD_MAX, take);
    assert_eq!(reading.next().await.unwrap().len(), CONTACTS_ADD_MAX);
    // An endless list, and nobody keeps what is read: it ends.
    assert!(reading.end().await.is_ok());
}

#[allow(clippy::print_stderr, reason = "figures for people")]
#[tokio::test]
async fn a_million_identical_rows_are_one_contact_and_little_memory() {
    const ROWS: u64 = 1_000_000;
    let before = peak_kib();
    let piece = Bytes::from("8 (913) 123-45-67;Анна\n".repeat(1_000));
    let heading = std::iter::once(Bytes::from("number;name\n"));
    let pieces = heading.chain(std::iter::repeat_n(piece, 1_000)).map(Ok);
    let began = std::time::Instant::now();
    let (report, contacts) = take(ListFormat::Csv, Box::pin(futures_util::stream::iter(pieces))).await.unwrap();
    let took = began.elapsed();
    assert_eq!((report.rows, contacts.len() as u64, report.duplicates), (ROWS, 1, ROWS - 1));
    assert_eq!((report.kinds["duplicate-in-file"], report.problems.len()), (ROWS - 1, PROBLEMS_MAX));
    let grown = peak_kib().saturating_sub(before);
    eprintln!("a million identical rows: {took:.2?}, {grown} KiB more at the peak");
    // Measured at a few hundred KiB; other tests run beside this one.
    assert!(grown < 64 * 1024, "{grown} KiB");
}

/// The most memory that this process had.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}
