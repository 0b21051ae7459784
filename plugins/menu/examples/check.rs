//! Checks menus before they are packed: `cargo run --example check -- FILE…`

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut good = true;
    for file in std::env::args().skip(1) {
        let faults: Vec<String> = match std::fs::read_to_string(&file) {
            Ok(text) => match gudok_menu::read(&text) {
                Ok(tree) => gudok_menu::advice(&tree),
                Err(faults) => faults.iter().map(ToString::to_string).collect(),
            },
            Err(error) => vec![error.to_string()],
        };
        for fault in &faults {
            eprintln!("{file} {fault}");
        }
        good &= faults.is_empty();
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
