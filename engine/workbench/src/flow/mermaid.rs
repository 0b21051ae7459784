//! A sheet as Mermaid, for documents that draw it themselves.

use super::card::link_text;
use super::sheet::{Change, Label, Place, Shape, Sheet, Way};
use super::words::Lang;
use std::fmt::Write as _;

/// Of a box; a document's picture has no room for more.
const TEXT_CHARS_MAX: usize = 160;

/// Writes a sheet as a `flowchart TD`.
#[must_use]
pub fn mermaid(sheet: &Sheet, lang: Lang) -> String {
    let mut out = format!("%% {}\nflowchart TD\n", comment(&sheet.title));
    for (at, place) in sheet.places.iter().enumerate() {
        let _ = writeln!(out, "  p{at}{}", boxed(place.shape, &words(sheet, place, lang)));
    }
    for way in &sheet.ways {
        let _ = writeln!(out, "  {}", arrow(way));
    }
    let all = || sheet.places.iter().enumerate();
    let named = |out: &mut String, class: &str, style: &str, which: Vec<String>| {
        if !which.is_empty() {
            let _ = writeln!(out, "  classDef {class} {style}\n  class {} {class}", which.join(","));
        }
    };
    let by = |test: &dyn Fn(&Place) -> bool| {
        all().filter(|(_, place)| test(place)).map(|(at, _)| format!("p{at}")).collect()
    };
    named(&mut out, "flawed", "stroke:#c62222,stroke-width:3px", by(&|place| !place.flaws.is_empty()));
    named(&mut out, "added", "stroke:#1e8e4a,stroke-width:3px", by(&|place| place.change == Change::Added));
    named(
        &mut out,
        "removed",
        "stroke:#c62222,stroke-width:3px,stroke-dasharray:7 4",
        by(&|place| place.change == Change::Removed),
    );
    named(&mut out, "changed", "stroke:#b26a00,stroke-width:3px", by(&|place| place.change == Change::Changed));
    out
}

fn words(sheet: &Sheet, place: &Place, lang: Lang) -> String {
    let mut lines = vec![quoted(&place.shape.name(lang).to_uppercase())];
    if !place.title.is_empty() {
        lines.push(quoted(&place.title));
    }
    for link in &place.links {
        let keys: Vec<&str> = link.labels.iter().filter_map(|label| label.key.as_deref()).collect();
        let keys = if keys.is_empty() { String::new() } else { format!("{}: ", keys.join(" ")) };
        lines.push(quoted(&format!("{keys}{}", link_text(sheet, place, link, lang))));
    }
    for flaw in &place.flaws {
        lines.push(quoted(&format!("⚠ {}", flaw.name)));
    }
    lines.join("<br/>")
}

fn boxed(shape: Shape, text: &str) -> String {
    match shape {
        Shape::Start | Shape::End => format!("([\"{text}\"])"),
        Shape::Operator | Shape::Transfer => format!("{{{{\"{text}\"}}}}"),
        Shape::BackEnd => format!("[/\"{text}\"/]"),
        Shape::Promise | Shape::Recording => format!("[[\"{text}\"]]"),
        Shape::Message => format!("(\"{text}\")"),
        Shape::Question | Shape::Step => format!("[\"{text}\"]"),
    }
}

fn arrow(way: &Way) -> String {
    let line = match (way.usual, way.trouble) {
        (true, _) => "==>",
        (false, true) => "-.->",
        (false, false) => "-->",
    };
    let text: Vec<String> = way.labels.iter().map(label).filter(|text| !text.is_empty()).collect();
    let text = if text.is_empty() { String::new() } else { format!("|\"{}\"|", text.join("<br/>")) };
    format!("p{} {line}{text} p{}", way.from, way.to)
}

fn label(label: &Label) -> String {
    match (&label.key, label.told()) {
        (Some(key), "") => quoted(key),
        (Some(key), text) => quoted(&format!("{key} · {text}")),
        (None, text) => quoted(text),
    }
}

/// A text within Mermaid's quotes: what means something to Mermaid, to its Markdown or to HTML is named by its code.
fn quoted(text: &str) -> String {
    let mut written = String::new();
    for c in text.chars().take(TEXT_CHARS_MAX) {
        match c {
            c if c.is_whitespace() => written.push(' '),
            c if c.is_control() => written.push(char::REPLACEMENT_CHARACTER),
            '"' | '\'' | '<' | '>' | '&' | '#' | '`' | '*' | '_' | '~' | '\\' | '[' | ']' | '{' | '}' | '|' | ';'
            | '%' => {
                let _ = write!(written, "#{};", u32::from(c));
            }
            c => written.push(c),
        }
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        written.push('…');
    }
    written
}

/// On one line, and no directive of Mermaid's.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || "{}%".contains(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_quotes() {
        let evil = "\"]; click p0 \"javascript:x\" %%{init}%% <b>&#|`**\n end";
        let place = |shape| Place { shape, title: evil.to_owned(), ..Place::default() };
        let sheet = Sheet {
            title: evil.to_owned(),
            places: Shape::ALL.into_iter().map(place).collect(),
            ways: vec![Way { from: 0, to: 1, labels: vec![Label::key("1", evil)], ..Way::default() }],
            ..Sheet::default()
        };
        let text = mermaid(&sheet, Lang::En);
        // The comment, the kind of chart, a line a place, and the way.
        assert_eq!(text.lines().count(), 2 + Shape::ALL.len() + 1, "{text}");
        for line in text.lines().skip(2) {
            assert_eq!(line.matches('"').count(), 2, "{line}");
            let inner = line.split('"').nth(1).unwrap().replace("<br/>", "");
            assert!(!inner.contains(['<', '>', '`', '*', '[', ']', '{', '}', '|', '%']), "{inner}");
        }
        assert!(!text.lines().next().unwrap().contains("%%{"), "{text}");
    }

    #[test]
    fn ways_have_their_lines() {
        let way = |usual, trouble| Way {
            from: 0,
            to: 1,
            labels: vec![Label::key("#", "")],
            usual,
            trouble,
            ..Way::default()
        };
        assert_eq!(arrow(&way(true, false)), "p0 ==>|\"#35;\"| p1");
        assert_eq!(arrow(&way(false, true)), "p0 -.->|\"#35;\"| p1");
        assert_eq!(arrow(&Way { labels: vec![], ..way(false, false) }), "p0 --> p1");
    }
}
