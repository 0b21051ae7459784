//! Text in boxes: how wide it is, and where its lines end. Fonts differ, so widths are estimates on the safe side.

use unicode_width::UnicodeWidthChar;

/// Ends a text that was cut.
const CUT: char = '…';

/// How wide a text is about, where a letter's size is `size_px`.
pub(crate) fn width_px(text: &str, size_px: f64) -> f64 {
    text.chars().map(ems).sum::<f64>() * size_px
}

/// A text in lines of at most this width, cut after so many lines. Blanks of any kind part words; a word that is longer
/// than a line is broken.
pub(crate) fn wrapped(text: &str, size_px: f64, width_max_px: f64, lines_max: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace().flat_map(|word| broken(word, size_px, width_max_px)) {
        let longer = if line.is_empty() { word.clone() } else { format!("{line} {word}") };
        if width_px(&longer, size_px) <= width_max_px || line.is_empty() {
            line = longer;
        } else {
            lines.push(std::mem::replace(&mut line, word));
        }
        if lines.len() > lines_max {
            break;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    if lines.len() > lines_max {
        lines.truncate(lines_max);
        if let Some(last) = lines.last_mut() {
            while width_px(last, size_px) + width_px("…", size_px) > width_max_px && last.pop().is_some() {}
            let kept = last.trim_end_matches([' ', ',', '.', ':', ';', '—']).len();
            last.truncate(kept);
            last.push(CUT);
        }
    }
    lines
}

/// A word in pieces that fit.
fn broken(word: &str, size_px: f64, width_max_px: f64) -> Vec<String> {
    let (mut pieces, mut piece, mut width) = (Vec::new(), String::new(), 0.0);
    for c in word.chars() {
        let more = ems(c) * size_px;
        if width + more > width_max_px && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
            width = 0.0;
        }
        piece.push(c);
        width += more;
    }
    pieces.push(piece);
    pieces
}

/// The width of a letter in the letter's size, for the sans-serif fonts that systems have.
fn ems(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.31,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | 'г' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '—' | 'ж' | 'ш' | 'щ' | 'ю' | 'ы' | 'м' | 'ф' => 0.9,
        'Ж' | 'Ш' | 'Щ' | 'Ю' | 'Ы' | 'М' | 'Ф' | 'Д' => 1.0,
        c if c.is_uppercase() => 0.72,
        c => match c.width() {
            None | Some(0) => 0.0,
            Some(1) => 0.6,
            Some(_) => 1.1,
        },
    }
}

/// A text as XML has it, in elements and in attributes. What XML forbids becomes a replacement character.
pub(crate) fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\'' => written.push_str("&#39;"),
            '\t' | '\n' | '\r' => written.push(' '),
            c if is_hidden(c) => written.push(char::REPLACEMENT_CHARACTER),
            c => written.push(c),
        }
    }
    written
}

/// What XML has no place for, and what turns the direction of the text around it.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FFFE}' | '\u{FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_the_rest_is_cut() {
        let text = "Введите шесть цифр номера заявления. Для оператора нажмите звёздочку.";
        let lines = wrapped(text, 13.0, 180.0, 9);
        assert_eq!(lines.join(" "), text);
        assert!(lines.len() > 1 && lines.iter().all(|line| width_px(line, 13.0) <= 180.0), "{lines:?}");
        let cut = wrapped(text, 13.0, 180.0, 2);
        assert_eq!(cut.len(), 2);
        assert!(cut[1].ends_with('…') && width_px(&cut[1], 13.0) <= 180.0, "{cut:?}");
    }

    #[test]
    fn an_endless_word_is_broken() {
        let lines = wrapped(&"ж".repeat(100), 13.0, 120.0, 50);
        assert_eq!(lines.concat(), "ж".repeat(100));
        assert!(lines.iter().all(|line| width_px(line, 13.0) <= 120.0));
        assert!(wrapped("", 13.0, 100.0, 3).is_empty());
        assert_eq!(wrapped("ш", 13.0, 1.0, 3), ["ш"]);
    }

    #[test]
    fn nothing_of_a_script_is_markup() {
        assert_eq!(escaped("<a href='x'>\"&\u{202E}\u{0}\n"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;\u{FFFD}\u{FFFD} ");
    }
}
