//! Every page in both languages: words, nesting, labels, tokens; and what each role is shown.

mod campaigns;
mod centre;
mod centre_samples;
mod html;
mod pages;
mod samples;

use super::texts::{Lang, MISSING};
use super::{audit, nav};
use crate::access::{Operation, Role};
use centre_samples as at_work;
use html::Page;

#[test]
fn every_page_is_well_made_in_both_languages() {
    let kept = std::env::var_os("GUDOK_CONSOLE_PAGES").map(std::path::PathBuf::from);
    for lang in Lang::ALL {
        for (name, text) in pages::all(lang) {
            if let Some(folder) = &kept {
                std::fs::create_dir_all(folder).unwrap();
                std::fs::write(folder.join(format!("{name}-{}.html", lang.tag())), &text).unwrap();
            }
            let page = Page::of(&text).whole();
            assert!(page.faults.is_empty(), "{name} in {}: {:#?}", lang.tag(), page.faults);
            assert!(!text.contains(MISSING), "{name} in {} has a text without words", lang.tag());
            assert_eq!(page.all("html").next().unwrap().get("lang"), lang.tag());
        }
        let dialog = Page::of(&pages::dialog(lang));
        assert!(dialog.faults.is_empty(), "{:?}", dialog.faults);
    }
}

#[test]
fn english_pages_are_english() {
    let cyrillic = |c: char| ('а'..='я').contains(&c.to_ascii_lowercase()) || ('А'..='Я').contains(&c);
    for (name, text) in pages::all(Lang::En) {
        let page = Page::of(&text);
        // What agencies and people are called stays as it is; the console's own words are in what it labels with.
        for tag in
            page.tags.iter().filter(|tag| matches!(tag.name.as_str(), "label" | "button" | "caption" | "dt" | "h1"))
        {
            let people = at_work::operators();
            let text = people.iter().fold(tag.text.clone(), |text, one| text.replace(&one.shown_name, ""));
            let own = !text.contains("Многофункциональный") && tag.get("lang") != "ru";
            assert!(!own || !text.contains(cyrillic), "{name}: <{}> says {:?}", tag.name, tag.text.trim());
        }
    }
}

/// Keys that templates and handlers name outright exist. Those made of data are seen by the pages above.
#[test]
fn every_named_text_exists() {
    let sources = [
        ("agency.html", include_str!("../../../templates/agency.html")),
        ("deployment.html", include_str!("../../../templates/deployment.html")),
    ];
    for (name, text) in sources {
        for part in text.split("c.t(\"").skip(1) {
            let key = part.split('"').next().unwrap();
            assert!(Lang::Ru.find(key).is_some(), "{name} names {key}");
        }
    }
    for lang in Lang::ALL {
        for action in audit::ACTIONS {
            assert!(lang.find(&format!("action.{action}")).is_some(), "{} has no words for {action}", lang.tag());
        }
        for role in Role::ALL {
            assert!(lang.find(&format!("role.{}", role.as_str())).is_some());
        }
        for what in ["hangup", "land"] {
            for part in ["title", "text", "yes"] {
                assert!(lang.find(&format!("{what}.{part}")).is_some());
            }
        }
    }
}

#[test]
fn what_a_role_may_not_do_is_not_shown() {
    let shown = |role, agency: Option<&str>| {
        let me = samples::principal(role, agency);
        let items = nav::for_reader(&me).into_iter().flat_map(|group| group.items);
        items.map(|item| item.href.trim_start_matches("/console/")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        shown(Role::Admin, None),
        "calls records floor callbacks emergency campaigns opt-outs tickets directory guides reports surveys deployments versions logs faults \
         agencies numbers users tokens subjects audit configuration"
    );
    assert_eq!(
        shown(Role::Operator, Some("mfc")),
        "desk calls callbacks emergency opt-outs tickets directory guides deployments agencies numbers tokens"
    );
    assert_eq!(shown(Role::EmergencyOfficer, None), "emergency campaigns agencies numbers tokens");
    assert!(
        shown(Role::Supervisor, Some("mfc"))
            .starts_with("calls records floor callbacks emergency campaigns opt-outs tickets")
    );
    assert!(shown(Role::Auditor, None).ends_with("users tokens audit configuration"));
    assert_eq!(nav::home(&samples::principal(Role::Operator, Some("mfc"))), "/console/desk");
    assert_eq!(nav::place_of("/console/overlays/flood"), "/console/emergency");

    let calls = samples::calls();
    let acts = |role, agency| {
        let c = samples::ctx_of(samples::principal(role, agency), Lang::En, "/console/calls");
        let table = super::calls::Table::of(&c, &calls);
        table.rows.iter().filter(|row| row.may_act).map(|row| row.call.agency.clone()).collect::<Vec<_>>()
    };
    assert_eq!(acts(Role::Admin, None).len(), 9);
    assert_eq!(acts(Role::Supervisor, Some("mfc")), ["mfc", "mfc", "mfc"]);
    assert!(acts(Role::Auditor, None).is_empty());
    assert!(
        !samples::ctx_of(samples::principal(Role::Author, Some("mfc")), Lang::En, "/").may_in(Operation::Deploy, "mfc")
    );
}

#[test]
fn what_was_said_by_a_caller_or_a_script_is_no_markup() {
    let mut trace = samples::trace();
    trace.lines[3].text = "<script>alert(1)</script>".into();
    let c = samples::ctx(Lang::En, "/console/calls");
    let page = super::calls::CallPage::of(&c, &trace, &Default::default(), Vec::new());
    let text = askama::Template::render(&page).unwrap();
    assert!(!text.contains("<script>alert"), "it would run");
    assert!(Page::of(&text).faults.is_empty());
}
