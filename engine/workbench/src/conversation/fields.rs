//! Patterns of a written line: reading a line by them, and writing one.

use super::keywords::{Row, SETTINGS, STEPS, Tongue};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// A pattern, taken apart.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) row: &'static Row,
    pub(super) tongue: Tongue,
    pub(super) setting: bool,
    pub(super) pieces: Vec<Piece>,
}

#[derive(Debug)]
pub(super) enum Piece {
    /// One of these.
    Word {
        forms: Vec<&'static str>,
        optional: bool,
    },
    /// `:` or `=`
    Mark(char),
    Field {
        names: Vec<&'static str>,
        kind: Kind,
    },
}

/// How a field is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A text in quotation marks of any kind.
    Quoted,
    /// Keys of a telephone.
    Keys,
    Number,
    /// A number of mebibytes, kept as kibibytes.
    Mebi,
    /// Up to the next blank.
    Token,
    /// A name, or a text in quotation marks.
    Name,
    /// `bucket/key`, two fields.
    Slot,
    /// All that is left of the line; in quotation marks where blanks matter.
    Rest,
    /// One JSON value.
    Json,
    /// JSON, or all that is left as text.
    Data,
}

/// Every pattern, in the order in which they are tried.
pub(super) static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for tongue in [Tongue::English, Tongue::Russian] {
        for (rows, setting) in [(SETTINGS, true), (STEPS, false)] {
            for row in rows {
                let patterns = row.patterns(tongue).iter();
                all.extend(patterns.map(|pattern| Pattern { row, tongue, setting, pieces: pieces(pattern) }));
            }
        }
    }
    all
});

fn pieces(pattern: &'static str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for word in pattern.split_whitespace() {
        if let Some((names, kind)) = word.strip_prefix('{').and_then(|word| word.strip_suffix('}')?.split_once(':')) {
            pieces.push(Piece::Field { names: names.split('/').collect(), kind: kind_named(kind) });
            continue;
        }
        let optional = word.starts_with('(');
        let bare = word.trim_matches(['(', ')']);
        let (bare, mark) = match bare.chars().last() {
            Some(mark @ (':' | '=')) => (&bare[..bare.len() - 1], Some(mark)),
            _ => (bare, None),
        };
        if !bare.is_empty() {
            pieces.push(Piece::Word { forms: bare.split('|').collect(), optional });
        }
        pieces.extend(mark.map(Piece::Mark));
    }
    pieces
}

fn kind_named(name: &str) -> Kind {
    match name {
        "quoted" => Kind::Quoted,
        "keys" => Kind::Keys,
        "number" => Kind::Number,
        "mebi" => Kind::Mebi,
        "token" => Kind::Token,
        "name" => Kind::Name,
        "slot" => Kind::Slot,
        "json" => Kind::Json,
        "data" => Kind::Data,
        _ => Kind::Rest,
    }
}

/// How far a pattern goes along a line.
#[derive(Debug)]
pub(super) enum Went {
    /// To its end: these are its fields.
    Through(Map<String, Value>),
    /// Up to that byte, where something else should stand.
    Until { at: usize, wants: Wants },
}

/// What should stand somewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Wants {
    Word(&'static [&'static str]),
    Mark(char),
    Field(&'static str, Kind),
    /// The end of the line.
    Nothing,
    /// A field that stands there and makes no sense: why.
    Sense(Kind, String),
}

impl Pattern {
    /// Along a line.
    pub(super) fn read(&'static self, line: &str) -> Went {
        let mut fields = Map::new();
        let mut at = skip_blanks(line, 0);
        for piece in &self.pieces {
            match piece {
                Piece::Word { forms, optional } => match word(&line[at..], forms) {
                    Some(length) => at = skip_blanks(line, at + length),
                    None if *optional => {}
                    None => return Went::Until { at, wants: Wants::Word(forms) },
                },
                Piece::Mark(mark) if line[at..].starts_with(*mark) => at = skip_blanks(line, at + mark.len_utf8()),
                Piece::Mark(mark) => return Went::Until { at, wants: Wants::Mark(*mark) },
                Piece::Field { names, kind } => match read(*kind, names, &line[at..]) {
                    Ok((found, length)) => {
                        fields.extend(found.into_iter().map(|(name, value)| (name.to_owned(), value)));
                        at = skip_blanks(line, at + length);
                    }
                    Err((offset, None)) => {
                        return Went::Until { at: at + offset, wants: Wants::Field(names[0], *kind) };
                    }
                    Err((offset, Some(why))) => {
                        return Went::Until { at: at + offset, wants: Wants::Sense(*kind, why) };
                    }
                },
            }
        }
        if at < line.len() { Went::Until { at, wants: Wants::Nothing } } else { Went::Through(fields) }
    }

    /// The line of these fields; none where the pattern has others.
    pub(super) fn write(&self, fields: &Map<String, Value>) -> Option<String> {
        let names = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Field { names, .. } => Some(names),
            _ => None,
        });
        let names: Vec<&str> = names.flatten().copied().collect();
        if names.len() != fields.len() || names.iter().any(|name| !fields.contains_key(*name)) {
            return None;
        }
        let mut line = String::new();
        let mut number = None;
        for piece in &self.pieces {
            if !line.is_empty() && !matches!(piece, Piece::Mark(':')) {
                line.push(' ');
            }
            match piece {
                Piece::Word { forms, .. } => line.push_str(number.map_or(forms[0], |number| form(forms, number))),
                Piece::Mark(mark) => line.push(*mark),
                Piece::Field { names, kind } => write(*kind, names, fields, &mut line, self.tongue)?,
            }
            number = match piece {
                Piece::Field { names, kind: Kind::Number } => fields[names[0]].as_u64(),
                _ => None,
            };
        }
        Some(line)
    }

    /// The pattern for people: "caller presses 1".
    pub(super) fn shown(&self) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            if !text.is_empty() && !matches!(piece, Piece::Mark(':')) {
                text.push(' ');
            }
            match piece {
                Piece::Word { forms, .. } => {
                    text.push_str(forms.last().map_or("", |last| if self.plural(forms) { last } else { forms[0] }));
                }
                Piece::Mark(mark) => text.push(*mark),
                Piece::Field { names, kind } => text.push_str(example(names[0], *kind, self.tongue)),
            }
        }
        text
    }

    /// Forms of a noun, not synonyms.
    fn plural(&self, forms: &[&str]) -> bool {
        forms.len() == if self.tongue == Tongue::Russian { 3 } else { 2 }
            && forms[0].chars().take(4).eq(forms[1].chars().take(4))
            && forms[0].starts_with(['s', 'с'])
    }
}

/// What could stand in a field.
pub(super) const fn example(name: &str, kind: Kind, tongue: Tongue) -> &'static str {
    match kind {
        Kind::Quoted => match tongue {
            Tongue::English => "\"…\"",
            Tongue::Russian => "«…»",
        },
        Kind::Keys => "1",
        Kind::Number | Kind::Mebi => match name.as_bytes() {
            b"status" => "200",
            _ => "5",
        },
        Kind::Token => match name.as_bytes() {
            b"method" => "GET",
            b"path" => "/path",
            _ => "08:00",
        },
        Kind::Name => "NAME",
        Kind::Slot => "BUCKET/KEY",
        Kind::Rest => "…",
        Kind::Json | Kind::Data => "{…}",
    }
}

/// The form of a noun that goes with a number.
fn form(forms: &[&'static str], number: u64) -> &'static str {
    let place = match (forms.len(), number % 10, number % 100) {
        (3, 1, tens) if tens != 11 => 0,
        (3, 2..=4, tens) if !(12..=14).contains(&tens) => 1,
        (3, ..) => 2,
        (2, ..) if number != 1 => 1,
        _ => 0,
    };
    forms[place]
}

fn skip_blanks(line: &str, at: usize) -> usize {
    line.len() - line[at..].trim_start().len()
}

/// The length of one of these words, whatever its case, if one stands there whole.
fn word(text: &str, forms: &[&str]) -> Option<usize> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '-').unwrap_or(text.len());
    let found = text[..end].to_lowercase();
    forms.iter().any(|form| form.to_lowercase() == found).then_some(end)
}

/// The fields, and their length.
type Read = Result<(Vec<(&'static str, Value)>, usize), Misread>;
/// Where, and why: no reason where nothing of the kind stands there.
type Misread = (usize, Option<String>);
/// A text and its length with what is around it, if one stands there.
type Found = Result<Option<(String, usize)>, Misread>;

fn read(kind: Kind, names: &[&'static str], text: &str) -> Read {
    let one = |value: Value, length: usize| Ok((vec![(names[0], value)], length));
    let nothing = Err((0, None));
    if text.is_empty() {
        return nothing;
    }
    match kind {
        Kind::Quoted => match quoted(text)? {
            Some((words, length)) => one(Value::String(words), length),
            None => nothing,
        },
        Kind::Token => match quoted(text)? {
            Some((words, length)) => one(Value::String(words), length),
            None => {
                let token = text.split_whitespace().next().unwrap_or_default();
                let token = token.strip_suffix(':').unwrap_or(token);
                one(Value::from(token), token.len())
            }
        },
        Kind::Keys => {
            let token = text.split_whitespace().next().unwrap_or_default();
            match token.char_indices().find(|(_, c)| !is_key(*c)) {
                Some((0, _)) => nothing,
                Some((at, c)) => Err((at, Some(format!("a telephone has no key {c:?}; it has 0 to 9, * and #")))),
                None => one(Value::from(token), token.len()),
            }
        }
        Kind::Number | Kind::Mebi => {
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
            if end == 0 {
                return nothing;
            }
            let number =
                text[..end].parse::<i64>().map_err(|error| (0, Some(format!("this is no number: {error}"))))?;
            let factor = if kind == Kind::Mebi { 1024 } else { 1 };
            one(Value::from(number.saturating_mul(factor)), end)
        }
        Kind::Name => match name(text, &[])? {
            Some((found, length)) => one(Value::String(found), length),
            None => nothing,
        },
        Kind::Slot => {
            let (bucket, at) = match name(text, &['/'])? {
                Some(found) => found,
                None => return nothing,
            };
            if !text[at..].starts_with('/') {
                return Err((at, Some("a bucket and a key have a slash between them: BUCKET/KEY".into())));
            }
            match name(&text[at + 1..], &[]).map_err(|(offset, why)| (at + 1 + offset, why))? {
                Some((key, length)) => Ok((vec![(names[0], bucket.into()), (names[1], key.into())], at + 1 + length)),
                None => Err((at + 1, Some("after the slash, the key is missing".into()))),
            }
        }
        Kind::Rest => one(Value::String(whole_quoted(text)?.unwrap_or_else(|| in_one_line(text))), text.len()),
        Kind::Json => json(text).and_then(|(value, length)| one(value, length)),
        Kind::Data => {
            if let Some(words) = whole_quoted(text)? {
                return one(Value::String(words), text.len());
            }
            match json(text) {
                Ok((value, length)) if text[length..].trim().is_empty() => one(value, text.len()),
                Err(error) if text.starts_with(['{', '[']) => Err(error),
                _ => one(Value::String(in_one_line(text)), text.len()),
            }
        }
    }
}

pub(super) const fn is_key(c: char) -> bool {
    matches!(c, '0'..='9' | '*' | '#' | 'A'..='D')
}

fn json(text: &str) -> Result<(Value, usize), Misread> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    match values.next() {
        Some(Ok(value)) => Ok((value, values.byte_offset())),
        Some(Err(error)) => {
            let line_start =
                text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
            let at = (line_start + error.column().saturating_sub(1)).min(text.len());
            let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let why = error.to_string();
            let why = why.split(" at line ").next().unwrap_or_default();
            Err((at, Some(format!("this is no JSON: {why}"))))
        }
        None => Err((0, None)),
    }
}

/// Quotation marks: what opens, what closes.
const QUOTES: [(char, &[char]); 5] = [('"', &['"']), ('«', &['»']), ('“', &['”']), ('„', &['“', '”']), ('\'', &['\''])];

/// A text in quotation marks at the beginning, and its length with them.
fn quoted(text: &str) -> Found {
    let mut chars = text.char_indices();
    let Some((open, close)) = chars.next().and_then(|(_, c)| QUOTES.iter().find(|(open, _)| *open == c)) else {
        return Ok(None);
    };
    let (mut words, mut depth, mut line_begins) = (String::new(), 0_u32, false);
    while let Some((at, c)) = chars.next() {
        if line_begins && c.is_whitespace() {
            continue;
        }
        line_begins = c == '\n';
        match c {
            // A quotation that goes on in the next line goes on after a blank.
            '\n' => {
                words.truncate(words.trim_end().len());
                words.push(' ');
            }
            '\\' => match chars.next() {
                Some((_, 'n')) => words.push('\n'),
                Some((_, escaped)) => words.push(escaped),
                None => break,
            },
            c if close.contains(&c) && depth == 0 => return Ok(Some((words, at + c.len_utf8()))),
            c => {
                // «Служба «Мои документы»» has its inner pair.
                depth = match c {
                    '«' if *open == '«' => depth + 1,
                    '»' => depth.saturating_sub(1),
                    _ => depth,
                };
                words.push(c);
            }
        }
    }
    Err((0, Some(format!("this quotation is not closed: {} is missing", close[0]))))
}

/// The same where nothing follows it; lines of it are one.
fn whole_quoted(text: &str) -> Result<Option<String>, Misread> {
    match quoted(text) {
        Ok(Some((words, length))) if text[length..].trim().is_empty() => Ok(Some(words)),
        Err(error) if text.starts_with(['"', '«']) => Err(error),
        _ => Ok(None),
    }
}

/// A name up to a blank, a mark, or one of `ends`; or in quotation marks.
fn name(text: &str, ends: &[char]) -> Found {
    if let Some(found) = quoted(text)? {
        return Ok(Some(found));
    }
    let end =
        text.find(|c: char| c.is_whitespace() || matches!(c, ':' | '=') || ends.contains(&c)).unwrap_or(text.len());
    Ok((end > 0).then(|| (text[..end].to_owned(), end)))
}

fn in_one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ").trim().to_owned()
}

fn write(kind: Kind, names: &[&str], fields: &Map<String, Value>, line: &mut String, tongue: Tongue) -> Option<()> {
    let value = &fields[names[0]];
    match kind {
        Kind::Quoted => line.push_str(&in_quotes(value.as_str()?, tongue)),
        Kind::Keys => line.push_str(value.as_str()?),
        Kind::Number => line.push_str(&value.to_string()),
        // Kibibytes say the same.
        Kind::Mebi => return None,
        Kind::Token => line.push_str(&bare_or_quoted(value.as_str()?, &[])),
        Kind::Name => line.push_str(&bare_or_quoted(value.as_str()?, &[':', '='])),
        Kind::Slot => {
            line.push_str(&bare_or_quoted(value.as_str()?, &[':', '=', '/']));
            line.push('/');
            line.push_str(&bare_or_quoted(fields[names[1]].as_str()?, &[':', '=']));
        }
        Kind::Rest => {
            let text = value.as_str()?;
            line.push_str(&if is_plain(text) { text.to_owned() } else { in_quotes(text, Tongue::English) });
        }
        Kind::Json => line.push_str(&value.to_string()),
        Kind::Data => match value {
            Value::String(text) if is_plain(text) && serde_json::from_str::<Value>(text).is_err() => {
                line.push_str(text);
            }
            Value::String(text) => line.push_str(&in_quotes(text, Tongue::English)),
            other => line.push_str(&other.to_string()),
        },
    }
    Some(())
}

/// Reads as it is without quotation marks.
fn is_plain(text: &str) -> bool {
    let begins = |text: &str| text.starts_with(['{', '[']) || QUOTES.iter().any(|(open, _)| text.starts_with(*open));
    !text.is_empty() && text.trim() == text && !text.contains(['\n', '\r']) && !begins(text)
}

fn bare_or_quoted(text: &str, ends: &[char]) -> String {
    let bare = is_plain(text) && !text.contains(char::is_whitespace) && !text.contains(ends) && !text.ends_with(':');
    if bare { text.to_owned() } else { in_quotes(text, Tongue::English) }
}

fn in_quotes(text: &str, tongue: Tongue) -> String {
    let guillemets = tongue == Tongue::Russian && !text.contains(['«', '»', '\\', '\n', '\r']);
    if guillemets {
        return format!("«{text}»");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
