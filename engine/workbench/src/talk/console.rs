//! Where the author types and reads: a terminal, a pipe, or a list of lines in a test.

use std::io::{BufRead, IsTerminal, Read};

/// A line has at most so many bytes; a longer one is not read.
pub(super) const LINE_BYTES_MAX: usize = 8 * 1_024;

/// Who speaks, for the eye.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Voice {
    /// What the caller hears.
    Script,
    /// What the caller, and whoever else is in the world, does.
    World,
    /// The tool.
    Tool,
}

/// What was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Typing {
    Line(String),
    /// More than [`LINE_BYTES_MAX`]; it is gone.
    TooLong,
    /// Nobody types any more.
    Over,
}

/// Where the author is.
pub(super) trait Console: Send {
    /// Shows a line.
    fn show(&mut self, voice: Voice, text: &str);
    /// Waits for a line; keys in it are not shown where they are hidden ones.
    fn read(&mut self, hidden: bool) -> Typing;
}

/// Standard input and output.
#[derive(Debug)]
pub(super) struct Terminal {
    /// A person types: there is a sign that it is their turn. What is piped is shown after it instead.
    typed: bool,
    colour: bool,
    /// Nothing is shown: JSON follows at the end.
    quiet: bool,
}

impl Terminal {
    pub(super) fn new(quiet: bool) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { typed: terminal && std::io::stdin().is_terminal(), colour: terminal && wanted, quiet }
    }

    fn put(text: &str) {
        crate::out::bytes(text.as_bytes());
    }
}

impl Console for Terminal {
    fn show(&mut self, voice: Voice, text: &str) {
        if self.quiet {
            return;
        }
        let text = plain(text);
        match voice {
            Voice::Script => Self::put(&format!("  < {text}\n")),
            Voice::World if self.colour => Self::put(&format!("\x1b[36m    {text}\x1b[0m\n")),
            Voice::World => Self::put(&format!("    {text}\n")),
            Voice::Tool if self.colour => Self::put(&format!("\x1b[2m{text}\x1b[0m\n")),
            Voice::Tool => Self::put(&format!("{text}\n")),
        }
    }

    fn read(&mut self, hidden: bool) -> Typing {
        const SIGN: &str = "> ";
        if self.typed {
            Self::put(SIGN);
        }
        let read = read_line(&mut std::io::stdin().lock());
        match &read {
            Typing::Line(line) if !self.typed && !self.quiet => {
                let keys = |key: char| key.is_ascii_digit() || key.is_whitespace() || matches!(key, '*' | '#');
                let hidden = hidden && line.chars().all(keys);
                let shown = if hidden { line.replace(|key: char| key.is_ascii_digit(), "*") } else { plain(line) };
                Self::put(&format!("{SIGN}{shown}\n"));
            }
            Typing::Over if self.typed => Self::put("\n"),
            _ => {}
        }
        read
    }
}

/// A line without its end, whatever bytes are in it.
pub(super) fn read_line(from: &mut impl BufRead) -> Typing {
    let mut bytes = Vec::new();
    let most = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    match from.by_ref().take(most).read_until(b'\n', &mut bytes) {
        Ok(0) | Err(_) => return Typing::Over,
        Ok(_) => {}
    }
    if bytes.last() != Some(&b'\n') && bytes.len() > LINE_BYTES_MAX {
        return if skip_line(from) { Typing::TooLong } else { Typing::Over };
    }
    Typing::Line(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned())
}

/// Reads on to the line's end; false where there is none.
fn skip_line(from: &mut impl BufRead) -> bool {
    loop {
        let Ok(buffer) = from.fill_buf() else { return false };
        if buffer.is_empty() {
            return false;
        }
        let (used, over) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), false),
        };
        from.consume(used);
        if over {
            return true;
        }
    }
}

/// Text as a terminal may have it: characters that a terminal obeys are shown, not sent. Words and names come from scripts.
pub(super) fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        let obeyed = character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if obeyed { safe.extend(character.escape_default()) } else { safe.push(character) }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_whatever_is_in_them() {
        let mut bytes = b"1 3\r\n\n\xff\xfe\nlast".to_vec();
        let read = |bytes: &mut &[u8]| read_line(bytes);
        let line = |text: &str| Typing::Line(text.to_owned());
        let mut from = bytes.as_slice();
        assert_eq!(read(&mut from), line("1 3"));
        assert_eq!(read(&mut from), line(""));
        assert_eq!(read(&mut from), line("\u{fffd}\u{fffd}"));
        assert_eq!(read(&mut from), line("last"));
        assert_eq!(read(&mut from), Typing::Over);
        bytes = vec![b'1'; LINE_BYTES_MAX];
        bytes.extend(b"\n2\n");
        let mut from = bytes.as_slice();
        assert!(matches!(read(&mut from), Typing::Line(line) if line.len() == LINE_BYTES_MAX));
        bytes.insert(0, b'1');
        let mut from = bytes.as_slice();
        assert_eq!(read(&mut from), Typing::TooLong);
        assert_eq!(read(&mut from), line("2"), "the rest of a line that is too long is no line");
        bytes = vec![b'1'; LINE_BYTES_MAX * 3];
        assert_eq!(read(&mut bytes.as_slice()), Typing::Over, "it never ends");
    }

    #[test]
    fn a_terminal_is_never_told_what_a_script_wrote() {
        assert_eq!(plain("a\x1b[31mb\nc\u{202e}d"), "a\\u{1b}[31mb\\nc\\u{202e}d");
    }
}
