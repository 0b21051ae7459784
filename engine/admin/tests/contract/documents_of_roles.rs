//! docs/API.md says of every route what the table says.

use gudok_admin::access::{Gate, ROUTES, Reach, Role, Route};
use gudok_admin::problem::codes;

fn cell(reach: Reach) -> &'static str {
    match reach {
        Reach::No => "",
        Reach::Me => "own things",
        Reach::Own => "own agency",
        Reach::All => "all",
    }
}

fn row(route: &Route) -> String {
    let mut row = format!("| `{} {}` |", route.method.http(), route.path.trim_start_matches("/api/v1"));
    match route.gate {
        Gate::Open => row.push_str(" everybody | | | | | |"),
        Gate::Signed | Gate::Local => {
            for role in Role::ALL {
                let cell = cell(route.reach_of(role));
                row.push_str(&if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") });
            }
        }
    }
    row
}

#[test]
fn the_page_of_the_api_has_the_tables_rows() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/API.md");
    let page = std::fs::read_to_string(page).unwrap();
    let section = page.split("## Who may do what").nth(1).unwrap().split("\n## ").next().unwrap();
    let found: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = ROUTES.iter().map(row).collect();
    assert_eq!(found, expected, "write into docs/API.md:\n{}", expected.join("\n"));
}

#[test]
fn the_page_of_the_api_names_the_codes() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/API.md");
    let page = std::fs::read_to_string(page).unwrap();
    for code in codes::ALL {
        assert!(page.contains(&format!("`{}`", code.code)), "docs/API.md leaves out {}", code.code);
    }
}
