//! The part of SSML that scripts may use. Everything else is refused by name.
//!
//! | element | attributes |
//! | --- | --- |
//! | `speak` (the root) | `version` |
//! | `p`, `s` | none |
//! | `break` | `time` ("500ms", "1.5s"; at most 10 s) or `strength` |
//! | `emphasis` | `level`; changes nothing where the provider reads plain text |
//! | `prosody` | `rate`: x-slow, slow, medium, fast, x-fast or 50% to 200% |
//! | `say-as` | `interpret-as="digits"` only |
//!
//! A provider that reads SSML gets the text as it is; for the others it becomes texts and pauses.

use roxmltree::{Document, Node, ParsingOptions};

use crate::error::shortened;
use crate::lang::SpeechRate;
use crate::tts::{Markup, Utterance};

/// Elements inside elements.
const DEPTH_MAX: usize = 16;
/// Elements and texts in one document.
const NODES_MAX: u32 = 1_000;
/// Longest pause of one `break`.
const BREAK_MS_MAX: u32 = 10_000;
const SENTENCE_PAUSE_MS: u32 = 250;
const PARAGRAPH_PAUSE_MS: u32 = 500;

const ALLOWED: &str = "speak, p, s, break, emphasis, prosody rate, say-as interpret-as=\"digits\"";

/// One step of a document for a provider that reads plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Said at this rate.
    Text { text: String, rate: SpeechRate },
    /// Digits said one by one, at this rate.
    Digits { digits: String, rate: SpeechRate },
    /// A pause.
    Pause { ms: u32 },
}

/// Reads a document. The error is a sentence for the author.
pub(crate) fn parse(text: &str) -> Result<Vec<Part>, String> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| format!("not well-formed: {error}"))?;
    let root = document.root_element();
    if root.tag_name().name() != "speak" {
        return Err(format!("the root is `{}`: wrap it all in <speak>…</speak>", shortened(root.tag_name().name())));
    }
    let mut reader = Reader { parts: Vec::new(), owed_ms: 0 };
    reader.element(root, SpeechRate::NORMAL, 0)?;
    Ok(reader.parts)
}

/// An utterance as a document at its rate, for a provider that reads SSML.
pub(crate) fn at_rate(utterance: &Utterance) -> String {
    let percent = utterance.rate.as_percent();
    let inside = match utterance.markup {
        Markup::Plain => escaped(&utterance.text),
        Markup::Ssml => content(&utterance.text).unwrap_or_default().to_owned(),
    };
    format!("<speak><prosody rate=\"{percent}%\">{inside}</prosody></speak>")
}

/// What stands inside the root. The document has been read before.
fn content(document: &str) -> Option<&str> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let parsed = Document::parse_with_options(document, options).ok()?;
    let root = parsed.root_element();
    let (first, last) = (root.first_child()?, root.last_child()?);
    document.get(first.range().start..last.range().end)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

struct Reader {
    parts: Vec<Part>,
    /// The pause after a sentence or paragraph: due only if something follows.
    owed_ms: u32,
}

impl Reader {
    fn element(&mut self, node: Node<'_, '_>, rate: SpeechRate, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("more than {DEPTH_MAX} elements inside each other"));
        }
        let name = node.tag_name().name();
        match name {
            "speak" if depth == 0 => {
                only(node, &["version"])?;
                self.children(node, rate, depth)?;
            }
            "p" | "s" => {
                only(node, &[])?;
                self.children(node, rate, depth)?;
                self.owed_ms = self.owed_ms.max(if name == "p" { PARAGRAPH_PAUSE_MS } else { SENTENCE_PAUSE_MS });
            }
            "break" => self.pause(node)?,
            "emphasis" => {
                only(node, &["level"])?;
                one_of(node, "level", &["strong", "moderate", "none", "reduced"])?;
                self.children(node, rate, depth)?;
            }
            "prosody" => {
                only(node, &["rate"])?;
                let rate = rate.times(prosody_rate(node.attribute("rate").unwrap_or("medium"))?);
                self.children(node, rate, depth)?;
            }
            "say-as" => self.digits(node, rate)?,
            _ => return Err(format!("<{}> is not allowed: use {ALLOWED}", shortened(name))),
        }
        Ok(())
    }

    fn children(&mut self, node: Node<'_, '_>, rate: SpeechRate, depth: usize) -> Result<(), String> {
        for child in node.children() {
            if child.is_element() {
                self.element(child, rate, depth + 1)?;
            } else if child.is_text() {
                self.text(child.text().unwrap_or_default(), rate);
            } else if !child.is_comment() {
                return Err(format!("processing instructions are not allowed: use {ALLOWED}"));
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &str, rate: SpeechRate) {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.is_empty() {
            return;
        }
        self.settle();
        match self.parts.last_mut() {
            // Emphasis splits a sentence in the document only.
            Some(Part::Text { text, rate: same }) if *same == rate => crate::words::append(text, &words),
            _ => self.parts.push(Part::Text { text: words, rate }),
        }
    }

    fn digits(&mut self, node: Node<'_, '_>, rate: SpeechRate) -> Result<(), String> {
        only(node, &["interpret-as"])?;
        one_of(node, "interpret-as", &["digits"])?;
        if node.attribute("interpret-as").is_none() || node.children().any(|child| child.is_element()) {
            return Err("<say-as> needs interpret-as=\"digits\" and holds nothing but digits".to_owned());
        }
        let digits: String = node.text().unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err("<say-as interpret-as=\"digits\"> holds something else than digits 0-9".to_owned());
        }
        self.settle();
        self.parts.push(Part::Digits { digits, rate });
        Ok(())
    }

    fn pause(&mut self, node: Node<'_, '_>) -> Result<(), String> {
        only(node, &["time", "strength"])?;
        if node.has_children() {
            return Err("<break> holds nothing: write <break time=\"500ms\"/>".to_owned());
        }
        let ms = match (node.attribute("time"), node.attribute("strength")) {
            (Some(time), _) => time_ms(time)?,
            (None, Some("none")) => 0,
            (None, Some("x-weak")) => 100,
            (None, Some("weak")) => 200,
            (None, None | Some("medium")) => 400,
            (None, Some("strong")) => 700,
            (None, Some("x-strong")) => 1_000,
            (None, Some(other)) => {
                return Err(format!(
                    "`{}` is no strength of a break: none, x-weak, weak, medium, strong, x-strong",
                    shortened(other)
                ));
            }
        };
        self.owed_ms = 0; // An explicit pause stands for the one that was owed.
        if ms > 0 {
            self.parts.push(Part::Pause { ms });
        }
        Ok(())
    }

    fn settle(&mut self) {
        let ms = std::mem::take(&mut self.owed_ms);
        if ms > 0 && !self.parts.is_empty() {
            self.parts.push(Part::Pause { ms });
        }
    }
}

fn only(node: Node<'_, '_>, allowed: &[&str]) -> Result<(), String> {
    match node.attributes().find(|attribute| attribute.namespace().is_some() || !allowed.contains(&attribute.name())) {
        None => Ok(()),
        Some(other) => {
            Err(format!("<{}> may not have `{}`: use {ALLOWED}", node.tag_name().name(), shortened(other.name())))
        }
    }
}

fn one_of(node: Node<'_, '_>, attribute: &str, allowed: &[&str]) -> Result<(), String> {
    match node.attribute(attribute) {
        Some(value) if !allowed.contains(&value) => {
            Err(format!("{attribute}=\"{}\" is not allowed: {}", shortened(value), allowed.join(", ")))
        }
        _ => Ok(()),
    }
}

fn prosody_rate(rate: &str) -> Result<SpeechRate, String> {
    let percent = match rate {
        "x-slow" => Some(60),
        "slow" => Some(80),
        "medium" | "default" => Some(100),
        "fast" => Some(125),
        "x-fast" => Some(160),
        other => other.strip_suffix('%').and_then(|percent| percent.parse::<u16>().ok()),
    };
    percent
        .filter(|percent| (SpeechRate::PERCENT_MIN..=SpeechRate::PERCENT_MAX).contains(percent))
        .map(SpeechRate::percent)
        .ok_or_else(|| format!("`{}` is no rate: x-slow, slow, medium, fast, x-fast, or 50% to 200%", shortened(rate)))
}

fn time_ms(time: &str) -> Result<u32, String> {
    let refused =
        || format!("`{}` is no pause: write \"500ms\" or \"1.5s\", at most {BREAK_MS_MAX} ms", shortened(time));
    let ms = match time.strip_suffix("ms") {
        Some(ms) => ms.parse::<u32>().map_err(|_| refused())?,
        None => {
            let (whole, part) =
                time.strip_suffix('s').map(|s| s.split_once('.').unwrap_or((s, "0"))).ok_or_else(refused)?;
            let tenths =
                part.parse::<u32>().ok().filter(|tenths| *tenths < 10 && part.len() == 1).ok_or_else(refused)?;
            whole
                .parse::<u32>()
                .ok()
                .and_then(|s| s.checked_mul(1000))
                .and_then(|ms| ms.checked_add(tenths * 100))
                .ok_or_else(refused)?
        }
    };
    if ms <= BREAK_MS_MAX { Ok(ms) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, percent: u16) -> Part {
        Part::Text { text: text.to_owned(), rate: SpeechRate::percent(percent) }
    }

    #[test]
    fn a_document_becomes_texts_and_pauses() {
        let parts = parse(
            "<speak version='1.1'><p><s>Здравствуйте.</s><s>Вы <emphasis level='strong'>позвонили</emphasis> в центр.</s></p>\
             <p><prosody rate='slow'>Запишите <prosody rate='50%'>код</prosody></prosody><break time='1.5s'/>\
             <say-as interpret-as='digits'>0 512</say-as></p><!-- конец --></speak>",
        );
        let expect = vec![
            text("Здравствуйте.", 100),
            Part::Pause { ms: 250 },
            text("Вы позвонили в центр.", 100),
            Part::Pause { ms: 500 },
            text("Запишите", 80),
            text("код", 50),
            Part::Pause { ms: 1500 },
            Part::Digits { digits: "0512".to_owned(), rate: SpeechRate::NORMAL },
        ];
        assert_eq!(parts.unwrap(), expect);
        assert_eq!(parse("<speak/>").unwrap(), Vec::new());
        assert_eq!(parse("<speak>a &lt; b &amp; c</speak>").unwrap(), vec![text("a < b & c", 100)]);
    }

    #[test]
    fn a_rate_is_said_in_the_document() {
        let at_rate = |text: &str, markup| {
            let lang = crate::lang::LangTag::russian();
            let rate = SpeechRate::percent(75);
            let document = at_rate(&Utterance { text: text.to_owned(), markup, lang, voice: None, rate });
            let parts = parse(&document).unwrap();
            (document, parts)
        };
        let (document, parts) = at_rate("1 < 2 & 3", Markup::Plain);
        assert_eq!(document, "<speak><prosody rate=\"75%\">1 &lt; 2 &amp; 3</prosody></speak>");
        assert_eq!(parts, [text("1 < 2 & 3", 75)]);
        let ssml =
            "<?xml version='1.0'?>\n<speak version='1.1'>Да<break time='1s'/><prosody rate='80%'>нет</prosody></speak>";
        let (_, parts) = at_rate(ssml, Markup::Ssml);
        assert_eq!(parts, [text("Да", 75), Part::Pause { ms: 1_000 }, text("нет", 60)]);
        assert_eq!(at_rate("<speak/>", Markup::Ssml).1, []);
    }

    #[track_caller]
    fn refused(document: &str, because: &str) {
        let problem = parse(document).unwrap_err();
        assert!(problem.contains(because), "{document}\n -> {problem}");
    }

    #[test]
    fn all_else_is_refused_by_name() {
        refused("Привет", "not well-formed");
        refused("<speak>", "not well-formed");
        refused("<p>Привет</p>", "<speak>");
        refused("<speak><audio src='http://x/'/></speak>", "<audio>");
        refused("<speak><voice name='x'>a</voice></speak>", "<voice>");
        refused("<speak><speak>a</speak></speak>", "<speak>");
        refused("<speak><prosody pitch='high'>a</prosody></speak>", "`pitch`");
        refused("<speak><prosody rate='900%'>a</prosody></speak>", "50% to 200%");
        refused("<speak><break time='11s'/></speak>", "at most 10000");
        refused("<speak><break time='99999999999s'/></speak>", "at most");
        refused("<speak><break>a</break></speak>", "holds nothing");
        refused("<speak><break strength='huge'/></speak>", "`huge`");
        refused("<speak><say-as interpret-as='date'>1</say-as></speak>", "digits");
        refused("<speak><say-as interpret-as='digits'>1a</say-as></speak>", "0-9");
        refused("<speak><say-as>1</say-as></speak>", "needs interpret-as");
        refused("<speak xml:lang='ru'>a</speak>", "`lang`");
        refused("<speak><?php x ?></speak>", "processing");
        refused("<!DOCTYPE s [<!ENTITY a 'b'>]><speak>&a;</speak>", "not well-formed");
        refused(&format!("<speak>{}{}</speak>", "<p>".repeat(17), "</p>".repeat(17)), "inside each other");
        refused(&format!("<speak>{}</speak>", "<s/>".repeat(1_001)), "not well-formed");
    }
}
