//! A call's host calls on the screen: all of them, or back and forth through them.

use crate::commands::remote::{Failure, Outcome, Screen, fields, is_interactive, plain};
use serde_json::Value;
use std::io::{BufRead, Write};
use std::process::ExitCode;

/// Lines of a step's arguments that are shown.
const DETAIL_LINES_MAX: usize = 40;

/// What may be typed.
const HELP: &str = "n or Enter: next · p: back · a number: there · l: a list from here · q: quit";
/// Lines of a list.
const LIST_LINES: usize = 15;

/// All of them, a line each; prompts and answers stand out by themselves.
pub(super) fn print(screen: &Screen, steps: &[Value]) {
    steps.iter().for_each(|step| screen.line(&line(step)));
}

fn line(step: &Value) -> String {
    let at = clock(fields::count(step, "at_ms"));
    plain(&format!("{:>4}  {at:>9}  {}", fields::count(step, "seq"), fields::text(step, "line")))
}

fn clock(at_ms: u64) -> String {
    format!("{}:{:02}.{:03}", at_ms / 60_000, at_ms / 1_000 % 60, at_ms % 1_000)
}

/// Back and forth, until somebody quits or standard input ends.
pub(super) fn walk(screen: &Screen, steps: &[Value]) -> Outcome {
    if steps.is_empty() {
        screen.note("there is no step");
        return Ok(ExitCode::SUCCESS);
    }
    screen.note(HELP);
    let mut at = 0;
    show(screen, steps, at);
    for typed in std::io::stdin().lock().lines() {
        let typed = typed.map_err(|error| Failure::Failed(error.into()))?;
        match order(typed.trim(), at, steps.len()) {
            Order::Quit => break,
            Order::List => {
                print(screen, &steps[at..(at + LIST_LINES).min(steps.len())]);
                prompt(steps.len(), at);
            }
            Order::To(place) => {
                at = place;
                show(screen, steps, at);
            }
            Order::Unknown(why) => {
                screen.note(&why);
                prompt(steps.len(), at);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Order {
    To(usize),
    List,
    Quit,
    Unknown(String),
}

fn order(typed: &str, at: usize, len: usize) -> Order {
    match typed {
        "" | "n" if at + 1 < len => Order::To(at + 1),
        "" | "n" => Order::Unknown("this is the last step".to_owned()),
        "p" if at > 0 => Order::To(at - 1),
        "p" => Order::Unknown("this is the first step".to_owned()),
        "l" => Order::List,
        "q" => Order::Quit,
        number => match number.parse::<usize>() {
            Ok(seq) if (1..=len).contains(&seq) => Order::To(seq - 1),
            Ok(_) => Order::Unknown(format!("steps are 1 to {len}")),
            Err(_) => Order::Unknown(HELP.to_owned()),
        },
    }
}

/// One step with all that is known at that place.
fn show(screen: &Screen, steps: &[Value], at: usize) {
    let step = &steps[at];
    let head = format!(
        "[{} of {}]  +{}  {}",
        at + 1,
        steps.len(),
        clock(fields::count(step, "at_ms")),
        fields::text(step, "function")
    );
    screen.line(&plain(&head));
    screen.line(&plain(&format!("  {}", fields::text(step, "line"))));
    let named = fields::text(step, "step");
    if !named.is_empty() {
        screen.line(&plain(&format!("  step:   {named}")));
    }
    let logged = steps[..=at].iter().rev().find(|step| step["function"] == "host.log");
    if let Some(log) = logged {
        screen.line(&plain(&format!("  log:    {} ({})", fields::text(log, "line"), fields::count(log, "seq"))));
    }
    detail(screen, "asked", &step["args"]);
    detail(screen, "answer", &step["result"]);
    prompt(steps.len(), at);
}

fn detail(screen: &Screen, name: &str, value: &Value) {
    let text = match value {
        Value::Null => return,
        value => serde_json::to_string_pretty(value).unwrap_or_default(),
    };
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    screen.line(&plain(&format!("  {:<7} {first}", format!("{name}:"))));
    for line in lines.by_ref().take(DETAIL_LINES_MAX) {
        screen.line(&plain(&format!("          {line}")));
    }
    if lines.next().is_some() {
        screen.line("          …");
    }
}

/// Where a person types.
fn prompt(len: usize, at: usize) {
    if is_interactive() {
        // A terminal that takes nothing will say so at the next read.
        let _ = write!(std::io::stderr(), "{}/{len}> ", at + 1).and_then(|()| std::io::stderr().flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_back_and_forth_and_not_beyond() {
        let check = |typed: &str, at: usize, expect: Order| assert_eq!(order(typed, at, 3), expect, "{typed} at {at}");
        check("", 0, Order::To(1));
        check("n", 1, Order::To(2));
        check("p", 1, Order::To(0));
        check("3", 0, Order::To(2));
        check("q", 0, Order::Quit);
        check("l", 0, Order::List);
        check("n", 2, Order::Unknown("this is the last step".into()));
        check("p", 0, Order::Unknown("this is the first step".into()));
        check("4", 0, Order::Unknown("steps are 1 to 3".into()));
        check("0", 0, Order::Unknown("steps are 1 to 3".into()));
        check("x", 0, Order::Unknown(HELP.into()));
    }

    #[test]
    fn a_step_is_one_line() {
        let step = serde_json::json!({"seq": 7, "at_ms": 61_250, "line": "say “hello” → heard"});
        assert_eq!(line(&step), "   7   1:01.250  say “hello” → heard");
    }
}
