//! The guides' snippets: what stands in fenced blocks of `docs/`, told apart by the words behind the fence.
//!
//! | fence | what it is |
//! | --- | --- |
//! | `rust` | items of a module; `rust inside`: statements of a function that has `call` |
//! | `rust script=NAME`, `ts script=NAME`, `python script=NAME` | the source of a script |
//! | `toml script=NAME`, with `kind=…`, `languages=…` | its manifest from `[capabilities]` on |
//! | `talk script=NAME` | its conversations |
//! | `json script=NAME file=data/…`, `toml menu=NAME` | its data |
//! | `rust from=PATH` and any other language | a part of that file of the checkout, word for word |
//! | `toml manifest` | a whole manifest |
//! | `json prompt` | a prompt for `gudok say` |
//! | `sh` | command lines; `sh hour`: run in their order by the end-to-end test |
//! | `text`, or nothing | not looked at |

use anyhow::{Context, bail, ensure};
use std::collections::BTreeMap;
use std::path::Path;

/// The pages that are tried, and their translations.
pub const PAGES: [(&str, &str); 2] =
    [("docs/AUTHORING.md", "docs/ru/AUTHORING.md"), ("docs/COOKBOOK.md", "docs/ru/COOKBOOK.md")];

/// Languages of blocks, so that a misspelt one is no way around the tests.
const LANGUAGES: [&str; 9] = ["rust", "ts", "js", "python", "toml", "talk", "json", "sh", "text"];
/// What may stand behind the language.
const LABELS: [&str; 10] =
    ["script", "menu", "file", "from", "kind", "languages", "inside", "manifest", "prompt", "hour"];

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The page, below the checkout.
    pub page: String,
    /// The line of its first line of text.
    pub line: usize,
    /// The first word behind the fence.
    pub language: String,
    labels: BTreeMap<String, String>,
    /// What stands in it.
    pub text: String,
}

impl Block {
    /// What a label says.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }

    /// Whether a label is there.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.labels.contains_key(name)
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }

    /// What has to be the same in a translation.
    #[must_use]
    pub fn content(&self) -> (String, BTreeMap<String, String>, String) {
        (self.language.clone(), self.labels.clone(), self.text.clone())
    }
}

/// The blocks of a page.
///
/// # Errors
/// For a fence that nobody knows, and for one that is not closed.
pub fn blocks(page: &str, text: &str) -> anyhow::Result<Vec<Block>> {
    let mut all = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in text.lines().enumerate() {
        let fence = line.strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(words)) => {
                let (language, labels) = labels(words).with_context(|| format!("{page}:{}", at + 1))?;
                open = Some(Block { page: page.to_owned(), line: at + 2, language, labels, text: String::new() });
            }
            (Some(_), Some("")) => all.extend(open.take()),
            (Some(block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    match open {
        Some(block) => bail!("{}: this block is not closed", block.place()),
        None => Ok(all),
    }
}

fn labels(words: &str) -> anyhow::Result<(String, BTreeMap<String, String>)> {
    let mut words = words.split_whitespace();
    let language = words.next().unwrap_or("text").to_owned();
    ensure!(LANGUAGES.contains(&language.as_str()), "blocks of {language} are not known: {LANGUAGES:?}");
    let labels: BTreeMap<String, String> = words
        .map(|word| word.split_once('=').unwrap_or((word, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if let Some(unknown) = labels.keys().find(|label| !LABELS.contains(&label.as_str())) {
        bail!("the label {unknown} is not known: {LABELS:?}");
    }
    Ok((language, labels))
}

/// A script of the guides with all that belongs to it.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// By which its blocks are told.
    pub name: String,
    /// "rust", "typescript", "javascript", "python", "menu"
    pub language: String,
    /// "service", "menu", "campaign"
    pub kind: String,
    /// Where its source stands.
    pub place: String,
    /// By their places in the project.
    pub files: BTreeMap<String, String>,
}

/// The scripts of these blocks: one for each language in which there is a source, with the same manifest and conversations.
///
/// # Errors
/// Where a script has no conversation, or a block belongs to none.
pub fn recipes(blocks: &[Block]) -> anyhow::Result<Vec<Recipe>> {
    let of = |block: &Block| block.label("script").or_else(|| block.label("menu")).map(str::to_owned);
    let mut all = Vec::new();
    let mut names: Vec<String> = blocks.iter().filter_map(of).collect();
    names.sort();
    names.dedup();
    for name in names {
        let own: Vec<&Block> = blocks.iter().filter(|block| of(block).as_deref() == Some(&name)).collect();
        let sources: Vec<&&Block> = own.iter().filter(|block| source(block).is_some()).collect();
        let first = own.first().map(|block| block.place()).unwrap_or_default();
        ensure!(!sources.is_empty(), "{first}: {name} has no source");
        for block in sources {
            let Some((language, place)) = source(block) else { continue };
            all.push(recipe(&name, language, place, block, &own)?);
        }
    }
    Ok(all)
}

fn recipe(name: &str, language: &str, place: &str, source: &Block, own: &[&Block]) -> anyhow::Result<Recipe> {
    let of =
        |language: &str| own.iter().find(|block| block.language == language && block.is("script") && !block.is("file"));
    let manifest = of("toml").with_context(|| format!("{}: {name} has no manifest", source.place()))?;
    let talk = of("talk").with_context(|| format!("{}: {name} has no conversation", source.place()))?;
    let kind = manifest.label("kind").unwrap_or("service");
    let languages: Vec<String> =
        manifest.label("languages").unwrap_or("ru-RU").split(',').map(|language| format!("{language:?}")).collect();
    let mut files = BTreeMap::from([
        (place.to_owned(), source.text.clone()),
        (format!("tests/{name}.talk"), talk.text.clone()),
        (
            "manifest.toml".to_owned(),
            format!(
                "format = 1\nname = {name:?}\nversion = \"0.1.0\"\nkind = {kind:?}\ninterface = \"0.1\"\n\
                 agency = \"cookbook\"\nlanguages = [{}]\n\n{}",
                languages.join(", "),
                manifest.text,
            ),
        ),
    ]);
    let data = own.iter().filter_map(|block| Some((block.label("file")?, block)));
    files.extend(data.map(|(place, block)| (place.to_owned(), block.text.clone())));
    Ok(Recipe {
        name: name.to_owned(),
        language: language.to_owned(),
        kind: kind.to_owned(),
        place: source.place(),
        files,
    })
}

/// In which language a block is the source of a script, and where that lies in a project.
fn source(block: &Block) -> Option<(&'static str, &'static str)> {
    if block.is("menu") {
        return Some(("menu", "data/menu.toml"));
    }
    block.label("script")?;
    match block.language.as_str() {
        "rust" => Some(("rust", "src/lib.rs")),
        "ts" => Some(("typescript", "src/main.ts")),
        "js" => Some(("javascript", "src/main.js")),
        "python" => Some(("python", "src/main.py")),
        _ => None,
    }
}

/// Lays out a crate in which every Rust snippet is a module, each at the lines that it has on its page, so that the compiler
/// names the guide's own lines.
///
/// # Errors
/// Where the folder cannot be written.
pub fn write_crate(folder: &Path, root: &Path, blocks: &[Block]) -> anyhow::Result<usize> {
    let source = folder.join("src");
    if source.exists() {
        std::fs::remove_dir_all(&source)?;
    }
    std::fs::create_dir_all(&source)?;
    let mut modules =
        String::from("//! The snippets of the guides.\n#![allow(missing_docs, unused, non_snake_case, dead_code)]\n");
    let mut count = 0;
    for block in blocks.iter().filter(|block| block.language == "rust" && !block.is("from")) {
        let page = Path::new(&block.page).file_stem().unwrap_or_default().to_string_lossy().to_uppercase();
        let module = format!("{page}_{}", block.line);
        let above = "\n".repeat(block.line.saturating_sub(2));
        let text = if block.is("inside") {
            format!(
                "{above}use gudok_sdk::prelude::*; pub fn snippet(call: &Call) -> Talk<()> {{\n{}Ok(()) }}\n",
                block.text
            )
        } else {
            format!("{above}\n{}", block.text)
        };
        std::fs::write(source.join(format!("{module}.rs")), text)?;
        modules.push_str(&format!("pub mod {module};\n"));
        count += 1;
    }
    std::fs::write(source.join("lib.rs"), modules)?;
    std::fs::copy(root.join("plugins/Cargo.lock"), folder.join("Cargo.lock"))?;
    let sdk = root.join("plugins/sdk");
    std::fs::write(
        folder.join("Cargo.toml"),
        format!(
            "[workspace]\n[package]\nname = \"snippets\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\n\
             gudok-sdk = {{ path = {sdk:?} }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n"
        ),
    )?;
    Ok(count)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PAGE: &str = "# A page\n\n```rust script=a\nfn run() {}\n```\n\n```toml script=a kind=campaign languages=ru-RU,en-US\n\
        [capabilities]\n```\n\n```talk script=a\n== A\n```\n\n```\nanything\n```\n";

    #[test]
    fn blocks_have_their_lines_and_labels() {
        let blocks = blocks("p.md", PAGE).unwrap();
        let seen: Vec<(usize, &str)> = blocks.iter().map(|block| (block.line, block.language.as_str())).collect();
        assert_eq!(seen, [(4, "rust"), (8, "toml"), (12, "talk"), (16, "text")]);
        assert_eq!(blocks[0].label("script"), Some("a"));
        assert_eq!(blocks[0].text, "fn run() {}\n");
    }

    #[test]
    fn what_nobody_would_try_is_refused() {
        for bad in ["```rustt\n```\n", "```rust scrpt=a\n```\n", "```rust\n"] {
            assert!(blocks("p.md", bad).is_err(), "{bad}");
        }
        let lonely = blocks("p.md", "```rust script=a\n```\n\n```toml script=a\n```\n").unwrap();
        assert!(recipes(&lonely).unwrap_err().to_string().contains("no conversation"));
        let sourceless = blocks("p.md", "```talk script=a\n```\n").unwrap();
        assert!(recipes(&sourceless).unwrap_err().to_string().contains("no source"));
    }

    #[test]
    fn a_recipe_is_a_project() {
        let recipes = recipes(&blocks("p.md", PAGE).unwrap()).unwrap();
        let [recipe] = recipes.as_slice() else { unreachable!("there is one") };
        let places: Vec<&str> = recipe.files.keys().map(String::as_str).collect();
        assert_eq!(places, ["manifest.toml", "src/lib.rs", "tests/a.talk"]);
        let manifest = &recipe.files["manifest.toml"];
        assert!(manifest.contains("kind = \"campaign\"") && manifest.contains("[\"ru-RU\", \"en-US\"]"), "{manifest}");
    }
}
