//! Bytes to UTF-8.
//!
//! The rule: a byte order mark of UTF-8 says so. Else the list is ASCII up to its first other byte; from there on up to
//! [`SAMPLE_BYTES`] are looked at. What is UTF-8 is read as UTF-8. What is not, and whose other bytes are nearly all
//! letters and signs that Russian texts have in windows-1251, with small letters or the commonest letters before others,
//! is read as windows-1251, as spreadsheets write it. Anything else is refused: a wrong guess would be read out to people.
//! Later bytes do not change the answer: a row of a UTF-8 list that is not UTF-8 is a bad row.

use super::Unreadable;
use std::io::Read;

/// Bytes that the encoding is decided by.
const SAMPLE_BYTES: usize = 8 * 1024;
/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// Of the bytes above ASCII, in thousandths, that must be Russian for windows-1251.
const RUSSIAN_PERMILLE_MIN: usize = 950;

const BOM_UTF8: &[u8] = &[0xEF, 0xBB, 0xBF];
const BOMS_UTF16: [&[u8]; 2] = [&[0xFF, 0xFE], &[0xFE, 0xFF]];
const ZIP: &[u8] = b"PK\x03\x04";
const AS_UTF8: &str = "Save it as UTF-8 (in a spreadsheet: \"CSV UTF-8\") and send it again.";

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Windows1251,
}

impl Charset {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1251 => "windows-1251",
        }
    }
}

/// Reads UTF-8, whatever the list is written in. What is no UTF-8 in a UTF-8 list goes through as it is.
pub(super) struct Decoder<R> {
    inner: R,
    charset: Option<Charset>,
    begun: bool,
    over: bool,
    /// Bytes that wait for a decision.
    raw: Vec<u8>,
    /// Text that waits for its reader, from `at` on.
    text: Vec<u8>,
    at: usize,
}

impl<R: Read> Decoder<R> {
    pub(super) const fn new(inner: R) -> Self {
        Self { inner, charset: None, begun: false, over: false, raw: Vec::new(), text: Vec::new(), at: 0 }
    }

    /// As far as it is known; ASCII is UTF-8.
    pub(super) fn charset(&self) -> Charset {
        self.charset.unwrap_or(Charset::Utf8)
    }

    /// Appends to `raw` until there is something.
    fn pull(&mut self) -> std::io::Result<()> {
        let len = self.raw.len();
        self.raw.resize(len + CHUNK_BYTES, 0);
        let read = self.inner.read(&mut self.raw[len..]);
        self.raw.truncate(len + *read.as_ref().unwrap_or(&0));
        self.over |= read? == 0;
        Ok(())
    }

    fn begin(&mut self) -> std::io::Result<()> {
        while !self.over && self.raw.len() < ZIP.len() {
            self.pull()?;
        }
        self.begun = true;
        if self.raw.starts_with(BOM_UTF8) {
            self.raw.drain(..BOM_UTF8.len());
            self.charset = Some(Charset::Utf8);
        } else if BOMS_UTF16.iter().any(|bom| self.raw.starts_with(bom)) {
            return Err(Unreadable::new("The list is written in UTF-16.", AS_UTF8).into_io());
        } else if self.raw.starts_with(ZIP) {
            let problem = "This is a spreadsheet's own file, not a list.";
            return Err(
                Unreadable::new(problem, "In the spreadsheet, save it as \"CSV UTF-8\" and send that.").into_io()
            );
        }
        Ok(())
    }

    /// Fills `text`; it stays empty at the end only.
    fn fill(&mut self) -> std::io::Result<()> {
        self.text.clear();
        self.at = 0;
        if !self.begun {
            self.begin()?;
        }
        while self.text.is_empty() {
            if self.raw.is_empty() {
                if self.over {
                    return Ok(());
                }
                self.pull()?;
                continue;
            }
            if self.charset.is_none()
                && let Some(first) = self.raw.iter().position(|byte| !byte.is_ascii())
            {
                if !self.over && self.raw.len() < first + SAMPLE_BYTES {
                    self.pull()?;
                    continue;
                }
                let sample = &self.raw[first..self.raw.len().min(first + SAMPLE_BYTES)];
                let whole = self.over && first + SAMPLE_BYTES >= self.raw.len();
                self.charset = Some(decide(sample, whole).map_err(Unreadable::into_io)?);
            }
            if self.charset == Some(Charset::Windows1251) {
                let (text, _) = encoding_rs::WINDOWS_1251.decode_without_bom_handling(&self.raw);
                self.text.extend_from_slice(text.as_bytes());
                self.raw.clear();
            } else {
                std::mem::swap(&mut self.text, &mut self.raw);
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.at >= self.text.len() {
            self.fill()?;
        }
        let rest = &self.text[self.at..];
        let len = rest.len().min(into.len());
        into[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}

/// What a list is written in whose first bytes above ASCII are these. `whole`: the list ends with them.
fn decide(sample: &[u8], whole: bool) -> Result<Charset, Unreadable> {
    match std::str::from_utf8(sample) {
        Ok(_) => return Ok(Charset::Utf8),
        // Cut within a letter.
        Err(error) if error.error_len().is_none() && !whole => return Ok(Charset::Utf8),
        Err(_) => {}
    }
    let count = |is: fn(u8) -> bool| sample.iter().filter(|byte| is(**byte)).count();
    let (high, russian) = (count(|byte| !byte.is_ascii()), count(is_russian));
    // KOI8-R has its letters in the same place: there the small ones are below, and the commonest are one further on.
    let small_first = count(|byte| byte >= 0xE0) > count(|byte| (0xC0..0xE0).contains(&byte));
    let common_first =
        count(|byte| matches!(byte, 0xC0 | 0xC8 | 0xCE)) > count(|byte| matches!(byte, 0xC1 | 0xC9 | 0xCF));
    if russian * 1_000 >= high * RUSSIAN_PERMILLE_MIN && (small_first || common_first) {
        return Ok(Charset::Windows1251);
    }
    Err(Unreadable::new("The list is neither UTF-8 nor windows-1251.", AS_UTF8))
}

/// Letters and signs of Russian texts in windows-1251: А to я, Ё, ё, №, «», dashes, quotes, the space that does not break.
const fn is_russian(byte: u8) -> bool {
    matches!(byte, 0xC0..=0xFF | 0xA8 | 0xB8 | 0xB9 | 0xAB | 0xBB | 0x96 | 0x97 | 0x93 | 0x94 | 0x84 | 0x85 | 0xA0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out one byte more each time.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            self.1 += 1;
            let len = self.1.min(self.0.len()).min(into.len());
            into[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    fn read(bytes: &[u8]) -> Result<(String, Charset), String> {
        let mut decoder = Decoder::new(Drops(bytes, 0));
        let mut text = Vec::new();
        decoder.read_to_end(&mut text).map_err(|error| Unreadable::from_io(&error).problem)?;
        Ok((String::from_utf8_lossy(&text).into_owned(), decoder.charset()))
    }

    fn cp1251(text: &str) -> Vec<u8> {
        encoding_rs::WINDOWS_1251.encode(text).0.into_owned()
    }

    const TEXT: &str = "number;Имя\n+79131234567;Анна Ёлкина — «Луч» № 5\n";

    #[test]
    fn utf_8_with_and_without_a_mark_and_windows_1251_read_the_same() {
        let marked = [BOM_UTF8, TEXT.as_bytes()].concat();
        assert_eq!(read(TEXT.as_bytes()), Ok((TEXT.to_owned(), Charset::Utf8)));
        assert_eq!(read(&marked), Ok((TEXT.to_owned(), Charset::Utf8)));
        assert_eq!(read(&cp1251(TEXT)), Ok((TEXT.to_owned(), Charset::Windows1251)));
        let capitals = "number;ФИО\n1;ИВАНОВА АННА ИВАНОВНА\n2;ПЕТРОВ ПЁТР\n";
        assert_eq!(read(&cp1251(capitals)), Ok((capitals.to_owned(), Charset::Windows1251)));
        assert_eq!(read(b"number\n1\n"), Ok(("number\n1\n".to_owned(), Charset::Utf8)));
        assert_eq!(read(b""), Ok((String::new(), Charset::Utf8)));
    }

    #[test]
    fn the_first_letter_decides_wherever_it_is() {
        let late = format!("{}{TEXT}", "1;a\n".repeat(50_000));
        assert_eq!(read(&cp1251(&late)), Ok((late.clone(), Charset::Windows1251)));
        assert_eq!(read(late.as_bytes()), Ok((late, Charset::Utf8)));
        let long = TEXT.repeat(2_000);
        assert_eq!(read(&cp1251(&long)), Ok((long.clone(), Charset::Windows1251)));
        assert_eq!(read(long.as_bytes()), Ok((long, Charset::Utf8)));
    }

    #[test]
    fn what_is_neither_is_refused_and_says_what_to_do() {
        let koi8 = encoding_rs::KOI8_R.encode("number;Имя\n1;Анна Ивановна из города\n").0.into_owned();
        let dos = encoding_rs::IBM866.encode("number;Имя\n1;Анна Ивановна из города\n").0.into_owned();
        for bytes in [koi8, dos] {
            assert_eq!(read(&bytes), Err("The list is neither UTF-8 nor windows-1251.".to_owned()));
        }
        assert!(read(&[0xFF, 0xFE, b'n', 0]).unwrap_err().contains("UTF-16"));
        assert!(read(b"PK\x03\x04rest").unwrap_err().contains("spreadsheet"));
    }
}
