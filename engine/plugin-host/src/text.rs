//! Texts of strangers as they may be shown.

/// Of one text that is shown.
const SHOWN_CHARS_MAX: usize = 300;

/// A stranger's text, fit for logs and screens: what has no shape, or turns the writing around, is written out, and what is
/// long is cut.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count >= SHOWN_CHARS_MAX {
            out.push('…');
            break;
        }
        match c {
            '"' | '\'' | '\\' => out.push(c),
            _ => out.extend(c.escape_debug()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_shape_is_written_out() {
        assert_eq!(shown("plain \"text\", я"), "plain \"text\", я");
        assert_eq!(shown("a\0b\nc\u{1b}[2J\u{202e}"), "a\\0b\\nc\\u{1b}[2J\\u{202e}");
        assert_eq!(shown(&"x".repeat(1_000)).chars().count(), SHOWN_CHARS_MAX + 1);
    }
}
