//! What stands in the guides is true: Rust snippets compile, whole scripts pass their conversations through `gudok test`,
//! parts of samples are what the samples say, manifests are read by the host's own reader, commands exist, and the Russian
//! pages show the same. `GUDOK=PATH` names another `gudok` than the one built beside the test.
//!
//! What was built is kept in `target/guide`, so that the second run takes seconds.
#![allow(clippy::print_stderr, reason = "how long each step took")]

use anyhow::{Context, bail, ensure};
use gudok_plugin_host::manifest::Manifest;
use gudok_sockets::guide::{Block, PAGES, Recipe, blocks, recipes, write_crate};
use gudok_sockets::{program, root};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::Instant;

/// Projects that are built at once.
const AT_ONCE: usize = 2;

fn gudok() -> anyhow::Result<PathBuf> {
    std::env::var_os("GUDOK").map_or_else(|| program("gudok"), |path| Ok(PathBuf::from(path)))
}

/// Where what was built is kept.
fn folder(name: &str) -> anyhow::Result<PathBuf> {
    let folder = root().join("target/guide").join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn all_blocks() -> anyhow::Result<Vec<Block>> {
    let mut all = Vec::new();
    for (page, _) in PAGES {
        all.extend(blocks(page, &std::fs::read_to_string(root().join(page)).context(page)?)?);
    }
    Ok(all)
}

fn ran(command: &mut Command) -> anyhow::Result<Output> {
    command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// `gudok`, with the folders of these tests.
fn author() -> anyhow::Result<Command> {
    let mut command = Command::new(gudok()?);
    command.env("GUDOK_CACHE", folder("cache")?).env("NO_COLOR", "1");
    Ok(command)
}

fn check_crate(folder: &Path) -> anyhow::Result<Output> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["check", "--quiet"]).current_dir(folder);
    // A crate of its own: what the tests were built with is not for it.
    ran(cargo.env("CARGO_TARGET_DIR", folder.join("target")).env_remove("RUSTFLAGS"))
}

#[test]
fn rust_snippets_compile() -> anyhow::Result<()> {
    let folder = folder("snippets")?;
    let mut blocks = all_blocks()?;
    let count = write_crate(&folder, &root(), &blocks)?;
    ensure!(count > 10, "there are only {count} snippets: were they found?");
    let began = Instant::now();
    let checked = check_crate(&folder)?;
    ensure!(checked.status.success(), "a snippet does not compile; its lines are the page's:\n{}", said(&checked));
    eprintln!("{count} Rust snippets compiled in {:.1} s", began.elapsed().as_secs_f64());
    // It can fail: a method that nobody has, in one more block.
    let (page, _) = PAGES[1];
    blocks.extend(self::blocks(page, "```rust inside\ncall.sing(\"Здравствуйте\")?;\n```\n")?);
    write_crate(&folder, &root(), &blocks)?;
    let broken = check_crate(&folder)?;
    ensure!(!broken.status.success() && said(&broken).contains("COOKBOOK_2.rs:2"), "{}", said(&broken));
    Ok(())
}

/// Makes a project of a recipe, as an author would: `gudok new`, and then their own files.
fn lay_out(recipe: &Recipe) -> anyhow::Result<PathBuf> {
    let place = folder("projects")?.join(format!("{}-{}", recipe.name, recipe.language));
    if !place.join("manifest.toml").is_file() {
        let template = if recipe.language == "menu" { "menu" } else { &recipe.kind };
        let mut new = author()?;
        new.arg("new").arg(&recipe.name).args(["--yes", "--template", template, "--agency", "cookbook"]);
        if recipe.language != "menu" {
            new.args(["--language", &recipe.language]);
        }
        let made = ran(new.arg("--dir").arg(&place))?;
        ensure!(made.status.success(), "gudok new: {}", said(&made));
    }
    for part in ["tests", "data"] {
        let _ = std::fs::remove_dir_all(place.join(part));
    }
    for (file, text) in &recipe.files {
        let file = place.join(file);
        std::fs::create_dir_all(file.parent().unwrap_or(&place))?;
        // Who finds the same again builds nothing again.
        if std::fs::read_to_string(&file).ok().as_ref() != Some(text) {
            std::fs::write(&file, text)?;
        }
    }
    Ok(place)
}

/// Why this project cannot be built here, if it cannot: what `gudok doctor` says of it.
fn lacks(place: &Path) -> anyhow::Result<Option<String>> {
    let looked = ran(author()?.arg("doctor").current_dir(place))?;
    Ok((!looked.status.success()).then(|| said(&looked)))
}

fn try_recipe(recipe: &Recipe) -> anyhow::Result<String> {
    let began = Instant::now();
    let place = lay_out(recipe)?;
    let is_others = !["rust", "menu"].contains(&recipe.language.as_str());
    if let Some(why) = lacks(&place)?.filter(|_| is_others) {
        return Ok(format!("{} in {}: not tried\n{why}", recipe.name, recipe.language));
    }
    let tested = ran(author()?.arg("test").arg(&place))?;
    ensure!(tested.status.success(), "{}: {} in {}:\n{}", recipe.place, recipe.name, recipe.language, said(&tested));
    Ok(format!("{} in {}: {:.1} s", recipe.name, recipe.language, began.elapsed().as_secs_f64()))
}

#[test]
fn scripts_pass_their_conversations() -> anyhow::Result<()> {
    let recipes = recipes(&all_blocks()?)?;
    ensure!(recipes.len() > 10, "there are only {} scripts: were they found?", recipes.len());
    let began = Instant::now();
    let (left, failed) = (Mutex::new(recipes.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(recipe) = left.lock().ok().and_then(|mut left| left.next()) else { return };
                    match try_recipe(recipe) {
                        Ok(told) => eprintln!("{told}"),
                        Err(error) => failed.lock().map(|mut failed| failed.push(format!("{error:#}"))).unwrap_or(()),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    ensure!(failed.is_empty(), "{} of {} fail:\n{}", failed.len(), recipes.len(), failed.join("\n"));
    eprintln!("{} scripts in {:.1} s", recipes.len(), began.elapsed().as_secs_f64());
    Ok(())
}

#[test]
fn a_conversation_that_is_not_true_is_found() -> anyhow::Result<()> {
    let recipes = recipes(&all_blocks()?)?;
    let mut menu = recipes.into_iter().find(|recipe| recipe.language == "menu").context("no menu among the recipes")?;
    menu.name.push_str("-broken");
    for (file, text) in &mut menu.files {
        if file.starts_with("tests/") {
            *text = text.replacen("script asks \"", "script asks \"Никто такого не говорит. ", 1);
        }
    }
    if let Some(manifest) = menu.files.get_mut("manifest.toml") {
        *manifest = manifest.replacen("name = \"hours\"", "name = \"hours-broken\"", 1);
    }
    let Err(error) = try_recipe(&menu) else { bail!("a conversation that is not true was passed") };
    ensure!(error.to_string().contains("Никто такого не говорит"), "{error}");
    Ok(())
}

#[test]
fn parts_of_samples_are_what_the_samples_say() -> anyhow::Result<()> {
    let mut parts = 0;
    for block in all_blocks()? {
        let Some(path) = block.label("from") else { continue };
        let text = std::fs::read_to_string(root().join(path)).with_context(|| format!("{}: {path}", block.place()))?;
        ensure!(
            text.contains(&block.text),
            "{}: this is not what {path} says any more:\n{}",
            block.place(),
            block.text
        );
        parts += 1;
    }
    ensure!(parts >= 3, "the same sample in three languages has at least three parts, not {parts}");
    Ok(())
}

#[test]
fn prompts_can_be_said() -> anyhow::Result<()> {
    let file = folder("prompts")?.join("p.json");
    let mut said_so_far = 0;
    for block in all_blocks()?.iter().filter(|block| block.is("prompt")) {
        std::fs::write(&file, &block.text)?;
        let words = ran(author()?.arg("say").arg(&file))?;
        ensure!(words.status.success() && !words.stdout.is_empty(), "{}: {}", block.place(), said(&words));
        said_so_far += 1;
    }
    ensure!(said_so_far > 0, "no prompt was found");
    Ok(())
}

#[test]
fn manifests_are_read_by_the_host() -> anyhow::Result<()> {
    let blocks = all_blocks()?;
    let whole = blocks.iter().filter(|block| block.is("manifest")).map(|block| (block.place(), block.text.clone()));
    let of_recipes = recipes(&blocks)?
        .into_iter()
        .filter_map(|mut recipe| Some((recipe.place, recipe.files.remove("manifest.toml")?)));
    let mut read = 0;
    for (place, text) in whole.chain(of_recipes) {
        Manifest::parse(text.as_bytes()).map_err(|error| anyhow::anyhow!("{place}: {error}\n{text}"))?;
        read += 1;
    }
    ensure!(read > 10, "only {read} manifests were found");
    ensure!(Manifest::parse(b"format = 1\n").is_err(), "the reader takes anything");
    Ok(())
}

/// What stands behind `gudok` on a command line, without what the shell makes of the rest.
fn words(line: &str) -> Vec<String> {
    let line = line.split(" #").next().unwrap_or_default();
    let line = line.split(['|', '>', '&', ';']).next().unwrap_or_default();
    line.split_whitespace().skip(1).map(|word| word.trim_matches('"').to_owned()).collect()
}

/// Why a command line cannot be right, if it cannot: a command or a flag that its help knows nothing of.
fn fault(line: &str) -> anyhow::Result<Option<String>> {
    let words = words(line);
    let commands: Vec<&String> = words.iter().take_while(|word| !word.starts_with('-')).collect();
    let help = ran(author()?.args(&commands).arg("--help"))?;
    if !help.status.success() {
        return Ok(Some(said(&help)));
    }
    let help = said(&help);
    let flags = words.iter().filter(|word| word.starts_with('-') && word.len() > 1);
    let known = |flag: &str| help.split(|c: char| !c.is_alphanumeric() && c != '-').any(|word| word == flag);
    let unknown = flags.map(|flag| flag.split('=').next().unwrap_or(flag)).find(|flag| !known(flag));
    Ok(unknown.map(|flag| format!("{flag} is not in its help")))
}

#[test]
fn commands_of_the_guides_exist() -> anyhow::Result<()> {
    let mut seen = BTreeSet::new();
    for block in all_blocks()?.iter().filter(|block| block.language == "sh") {
        let text = block.text.replace("\\\n", " ");
        for line in text.lines().map(str::trim).filter(|line| line.starts_with("gudok ")) {
            if let Some(why) = fault(line)? {
                bail!("{}: {line}: {why}", block.place());
            }
            seen.insert(words(line).into_iter().next());
        }
    }
    ensure!(seen.len() > 8, "only these commands were found: {seen:?}");
    for bad in ["gudok frobnicate", "gudok new a --frobnicate"] {
        ensure!(fault(bad)?.is_some(), "{bad} was taken for a command");
    }
    Ok(())
}

#[test]
fn the_russian_pages_show_the_same_snippets() -> anyhow::Result<()> {
    for (page, russian) in PAGES {
        let read = |page: &str| -> anyhow::Result<Vec<Block>> {
            blocks(page, &std::fs::read_to_string(root().join(page)).with_context(|| page.to_owned())?)
        };
        let (ours, theirs) = (read(page)?, read(russian)?);
        // What is only shown may be in either language.
        let tried = |blocks: Vec<Block>| blocks.into_iter().filter(|block| block.language != "text");
        for (one, other) in tried(ours.clone()).zip(tried(theirs.clone())) {
            ensure!(one.content() == other.content(), "{} and {} differ", one.place(), other.place());
        }
        ensure!(
            tried(ours).count() == tried(theirs).count(),
            "{page} and {russian} have not the same number of snippets"
        );
    }
    Ok(())
}

#[test]
fn the_guides_name_every_finding() -> anyhow::Result<()> {
    let report = std::fs::read_to_string(root().join("engine/simulator/src/explore/report.rs"))?;
    let names = report.split("pub const fn as_str").nth(1).context("the findings' words were not found")?;
    let names: Vec<&str> = names.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    ensure!(names.len() > 20, "only these findings were found: {names:?}");
    let (page, russian) = PAGES[0];
    for page in [page, russian] {
        let text = std::fs::read_to_string(root().join(page))?;
        let unnamed: Vec<&&str> = names.iter().filter(|name| !text.contains(&format!("`{name}`"))).collect();
        ensure!(unnamed.is_empty(), "{page} says nothing of {unnamed:?}");
    }
    Ok(())
}
