//! `gudok say`: a prompt as words, or as sound.

use crate::config::{ProviderConfig, SpeechSettings};
use anyhow::Context;
use clap::Args;
use gudok_speech::{LangTag, MediaLibrary, MediaLimits, Prompt, RenderOptions, SpeechRate};
use gudok_workbench::out::line;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

/// What `gudok say` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A JSON file with a list of segments, or an object with `segments` and `lang`; `-` reads standard input.
    file: PathBuf,
    /// Print the words. This is what is done where nothing else is asked for.
    #[arg(long, conflicts_with = "wav")]
    text: bool,
    /// Write the sound to this file: 16 kHz, mono, 16 bit.
    #[arg(long, value_name = "OUT.wav")]
    wav: Option<PathBuf>,
    /// The language where the prompt names none.
    #[arg(long, default_value = "ru-RU")]
    lang: LangTag,
    /// A folder of recordings that the prompt may name.
    #[arg(long)]
    media: Option<PathBuf>,
    /// The pace of spoken text, in per cent.
    #[arg(long, default_value_t = 100)]
    rate: u16,
}

pub(crate) fn main(arguments: &Arguments) -> ExitCode {
    super::told(say(arguments))
}

fn say(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut json = String::new();
    if arguments.file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut json).context("reading standard input")?;
    } else {
        json = std::fs::read_to_string(&arguments.file)
            .with_context(|| format!("reading {}", arguments.file.display()))?;
    }
    let prompt = Prompt::from_json(&json)?;
    let media = match &arguments.media {
        Some(folder) => MediaLibrary::load_folder(folder, &MediaLimits::default())?,
        None => MediaLibrary::default(),
    };
    let options = RenderOptions {
        default_lang: arguments.lang.clone(),
        rate: SpeechRate::percent(arguments.rate),
        ..RenderOptions::default()
    };
    let settings = SpeechSettings { provider: ProviderConfig::EspeakNg { command: None }, ..SpeechSettings::default() };
    let speech = crate::serve::speech(&settings, None)?;
    if let Some(out) = &arguments.wav {
        let audio = super::runtime()?.block_on(speech.render(&prompt, &options, &media))?;
        std::fs::write(out, audio.to_wav()?).with_context(|| format!("writing {}", out.display()))?;
        line(&format!("{}: {} ms", out.display(), audio.duration_ms()));
    } else {
        line(&speech.words(&prompt, &options, &media)?);
    }
    Ok(ExitCode::SUCCESS)
}
