//! A template's files become a project's: names, and what stands in double braces.

use super::NewProject;

/// What is filled in.
pub(super) struct Values(Vec<(&'static str, String)>);

impl Values {
    pub(super) fn of(new: &NewProject) -> Self {
        Self(vec![
            ("{{name}}", new.name.clone()),
            ("{{agency}}", new.agency.clone()),
            ("{{title}}", new.name.replace('-', " ")),
            ("{{crate}}", new.name.replace('-', "_")),
            ("{{version}}", env!("CARGO_PKG_VERSION").to_owned()),
        ])
    }

    /// A file's place and content in the project. `.in` at the end of a name keeps tools away from the template, and a
    /// `dot-` at its beginning stands for a dot, which would hide the template, too.
    pub(super) fn file(&self, place: &str, bytes: &[u8]) -> (String, Vec<u8>) {
        let place = self.text(place.strip_suffix(".in").unwrap_or(place));
        let (folder, name) = place.rsplit_once('/').map_or(("", place.as_str()), |(folder, name)| (folder, name));
        let name = name.strip_prefix("dot-").map_or_else(|| name.to_owned(), |rest| format!(".{rest}"));
        let place = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        match std::str::from_utf8(bytes) {
            Ok(text) => (place, self.text(text).into_bytes()),
            // A recording is taken as it is.
            Err(_) => (place, bytes.to_vec()),
        }
    }

    fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_are_filled_in() {
        let values = Values(vec![("{{name}}", "desk".to_owned())]);
        let check = |place: &str, bytes: &[u8], expect: (&str, &[u8])| {
            let (place, bytes) = values.file(place, bytes);
            assert_eq!((place.as_str(), bytes.as_slice()), expect);
        };
        check("Cargo.toml.in", b"name = \"{{name}}\"", ("Cargo.toml", b"name = \"desk\""));
        check("dot-gitignore.in", b"/target", (".gitignore", b"/target"));
        check("src/{{name}}.py", b"", ("src/desk.py", b""));
        check("media/ru-RU/hello.wav", b"\xff{{name}}", ("media/ru-RU/hello.wav", b"\xff{{name}}"));
    }
}
