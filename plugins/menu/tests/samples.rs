//! Every menu in this workspace is whole.
#![allow(clippy::unwrap_used, clippy::panic)]

#[test]
fn every_menu_of_the_sample_agencies_is_whole() {
    let mut read = 0;
    for agency in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap() {
        let menu = agency.unwrap().path().join("data").join(gudok_menu::DATA_FILE);
        if let Ok(text) = std::fs::read_to_string(&menu) {
            let tree = gudok_menu::read(&text).unwrap_or_else(|faults| panic!("{}: {faults:#?}", menu.display()));
            let advice = gudok_menu::advice(&tree);
            assert!(advice.is_empty(), "{}: {advice:#?}", menu.display());
            read += 1;
        }
    }
    assert!(read > 0, "there is no menu to check");
}
