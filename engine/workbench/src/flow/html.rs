//! A sheet as one page: the picture, and beside it, for each box, what is said there, how to get there, what is wrong and
//! where one goes from there. Everything is in the file; nothing is fetched.

use super::details::{PlaceDetails, WayDetails, details};
use super::sheet::{Change, Sheet};
use super::svg::{STYLE, SvgStyle, svg};
use super::text::escaped;
use super::words::Lang;
use std::fmt::Write as _;

const PAGE_STYLE: &str = include_str!("page.css");
const PAGE_SCRIPT: &str = include_str!("page.js");

/// Writes a sheet as a page.
#[must_use]
pub fn html(sheet: &Sheet, lang: Lang) -> String {
    let picture = svg(sheet, SvgStyle { lang, bare: true });
    let title = escaped(&sheet.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\
         <title>{title}</title><style>{STYLE}{PAGE_STYLE}</style></head>\n<body><main><div class=\"picture\" tabindex=\"0\">{picture}</div>\
         <div class=\"details\"><h1>{title}</h1><p class=\"hint\">{}</p><p class=\"all\">{}</p>",
        lang.tag(),
        lang.of("Нажмите на прямоугольник, чтобы узнать подробности.", "Click a box to see its details."),
        lang.of("Все места разговора по порядку:", "All places of the dialog, in order:"),
    );
    for place in details(sheet, lang) {
        section(&mut out, &place, lang);
    }
    let _ = write!(out, "</div></main>\n<script>{PAGE_SCRIPT}</script></body></html>\n");
    out
}

fn section(out: &mut String, place: &PlaceDetails, lang: Lang) {
    let mut kind = place.kind_name.to_owned();
    for more in [place.step.as_deref(), Some(place.lang.as_str()).filter(|lang| !lang.is_empty())].into_iter().flatten()
    {
        let _ = write!(kind, " · {more}");
    }
    if place.change != Change::Same {
        let _ = write!(kind, " · {}", place.change.name(lang));
    }
    let _ = write!(
        out,
        "\n<section id=\"{}\"><p class=\"kind\">{}</p><h2>{}</h2>",
        place.id,
        escaped(&kind),
        escaped(&place.title)
    );
    let head = |out: &mut String, text: &str| {
        let _ = write!(out, "<h3>{text}</h3>");
    };
    if let Some(was) = &place.was {
        head(out, lang.of("Раньше говорилось", "Said before"));
        let _ = write!(out, "<p><del>{}</del></p>", escaped(was));
    }
    if !place.said.is_empty() && place.said != place.title {
        head(out, lang.of("Что говорится", "What is said"));
        let tag = if place.was.is_some() { "ins" } else { "span" };
        let lines: Vec<String> = place.said.lines().map(escaped).collect();
        let _ = write!(out, "<p><{tag}>{}</{tag}></p>", lines.join("<br>"));
    }
    for flaw in &place.findings {
        let _ = write!(
            out,
            "<h3 class=\"bad\">{}</h3><p>{} <code>{}</code></p>",
            escaped(&flaw.name),
            escaped(&flaw.message),
            escaped(&flaw.kind)
        );
        command(out, &flaw.replay);
    }
    head(out, lang.of("Как сюда попасть", "How to get here"));
    if place.keys.is_empty() {
        let _ = write!(out, "<p>{}</p>", lang.of("Звонок приходит сюда сам.", "A call comes here by itself."));
    } else {
        let keys: Vec<String> = place.keys.split_whitespace().map(pressed).collect();
        let _ = write!(out, "<p>{}</p>", keys.join(" "));
    }
    command(out, &place.replay);
    if !place.ways.is_empty() {
        head(out, lang.of("Куда отсюда", "Where one goes from here"));
        let ways: Vec<String> = place.ways.iter().map(way).collect();
        let _ = write!(out, "<ul>{}</ul>", ways.concat());
    }
    out.push_str("</section>");
}

fn command(out: &mut String, command: &str) {
    if !command.is_empty() {
        let _ = write!(out, "<p><code class=\"command\">{}</code></p>", escaped(command));
    }
}

fn way(way: &WayDetails) -> String {
    let keys: String = way.keys.iter().map(|key| format!("{} ", pressed(key))).collect();
    format!("<li>{keys}{} → <a href=\"#{}\">{}</a></li>", escaped(&way.text), way.to, escaped(&way.to_title))
}

fn pressed(key: &str) -> String {
    format!("<kbd>{}</kbd>", escaped(key))
}
