//! How a bundle's check went, and what a version changes: shown before anything goes live.

use super::remote::{Cell, Paint, Screen, Table, fields};
use serde_json::Value;

/// What a difference is made of, and what each part is called.
const PARTS: [(&str, &str); 6] = [
    ("capabilities", "right"),
    ("limits", "limit"),
    ("menus", "menu"),
    ("media", "media"),
    ("numbers", "number"),
    ("config", "config"),
];
/// Changes of one part that are shown; a bundle may have thousands of recordings.
const CHANGES_SHOWN: usize = 40;

/// The check, step by step.
pub(crate) fn print_report(screen: &Screen, report: &Value) {
    let mut table = Table::new(&["CHECK", "RESULT", "TOOK", ""]);
    for step in report["steps"].as_array().into_iter().flatten() {
        let took = step["took_ms"].as_u64().map(|ms| format!("{ms} ms")).unwrap_or_default();
        let said: Vec<String> = ["field", "problem", "remedy"]
            .iter()
            .map(|name| fields::text(step, name))
            .filter(|text| !text.is_empty())
            .collect();
        table.row([
            fields::cell(step, "step"),
            Cell::state(fields::text(step, "result")),
            Cell::figure(took),
            Cell::new(said.join(": ")),
        ]);
    }
    if !table.is_empty() {
        screen.table(&table);
    }
}

/// What changes.
pub(crate) fn print_difference(screen: &Screen, difference: &Value) {
    if !difference.is_object() {
        return;
    }
    let against = difference["against"].as_str();
    match against {
        Some(id) => screen.line(&format!("changes against {}:", fields::short(id))),
        None => screen.line("nothing to compare with: this is the first version"),
    }
    let table = changes(difference);
    if !table.is_empty() {
        screen.table(&table);
    } else if against.is_some() {
        screen.line("  none that the manifest, the menus or the media tell");
    }
    if against.is_some() && difference["new_rights"] == true {
        screen.note("it may do something that the other might not");
    }
}

fn changes(difference: &Value) -> Table {
    let mut table = Table::new(&["", "", "", "", ""]);
    for (part, name) in PARTS {
        let changes = difference[part].as_array().map_or(&[][..], Vec::as_slice);
        for change in changes.iter().take(CHANGES_SHOWN) {
            let (from, to) = (fields::text(change, "from"), fields::text(change, "to"));
            let values = match (from.is_empty(), to.is_empty()) {
                (true, _) => to,
                (false, true) => from,
                (false, false) => format!("{from} → {to}"),
            };
            table.row([
                Cell::new(""),
                Cell::new(name).paint(Paint::Faint),
                fields::cell(change, "name"),
                Cell::state(fields::text(change, "change")),
                Cell::new(values),
            ]);
        }
        if changes.len() > CHANGES_SHOWN {
            let more = format!("and {} more", changes.len() - CHANGES_SHOWN);
            table.row([Cell::new(""), Cell::new(name).paint(Paint::Faint), Cell::new(more)]);
        }
    }
    table
}

/// The rights that are new, in words, for the question whether they are approved.
pub(crate) fn new_rights(difference: &Value) -> Vec<String> {
    let wider = |change: &&Value| matches!(change["change"].as_str(), Some("added" | "widened"));
    let changes = difference["capabilities"].as_array().into_iter().flatten().filter(wider);
    changes.map(|change| format!("{} {}", fields::text(change, "name"), fields::text(change, "to"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_says_what_was_and_what_will_be() {
        let difference = json!({
            "against": "aa", "new_rights": true,
            "capabilities": [{"name": "fetch", "change": "widened", "from": "https://a", "to": "https://a, https://b"}],
            "limits": [], "menus": [], "numbers": [], "config": [{"name": "office", "change": "removed", "from": "1"}],
            "media": (0..42).map(|at| json!({"name": format!("m{at}"), "change": "added"})).collect::<Vec<_>>(),
        });
        let lines = changes(&difference).lines(false);
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>().join(" "),
            "right fetch widened https://a → https://a, https://b"
        );
        assert!(lines.iter().any(|line| line.contains("and 2 more")), "{lines:?}");
        assert_eq!(new_rights(&difference), ["fetch https://a, https://b"]);
    }
}
