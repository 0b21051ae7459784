//! The real sound of prompts, on request: spoken by the speech room, played by whatever player the machine has. Without a
//! player the sound is kept, and it is said where.

use super::words::UiLang;
use crate::words::SpokenWords;
use anyhow::Context;
use gudok_plugin_host::bundle::Bundle;
use gudok_simulator::decide::Spoken;
use gudok_speech::{CommandConfig, NoMedia, Speech, SpeechConfig, TtsConfig};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Players in the order in which they are looked for, with what makes them play a file and nothing else.
const PLAYERS: &[(&str, &[&str])] = &[
    ("aplay", &["-q"]),
    ("paplay", &[]),
    ("ffplay", &["-nodisp", "-autoexit", "-loglevel", "quiet"]),
    ("afplay", &[]),
];
/// Between two looks at whether a player is done.
const LOOK_EVERY: Duration = Duration::from_millis(30);
/// Prompts that wait to be played.
const WAITING_MAX: usize = 64;

/// Folders of sound that nobody needs when the program ends, however it does.
pub(super) type Leftovers = Arc<Mutex<Vec<PathBuf>>>;

/// What is heard.
pub(super) struct Sound {
    bundle: Arc<Bundle>,
    on: Option<On>,
    leftovers: Leftovers,
}

/// It is on.
struct On {
    voice: SpokenWords,
    folder: PathBuf,
    count: usize,
    /// None: there is no player, and files are kept.
    player: Option<Arc<Player>>,
}

/// Plays one file after another.
struct Player {
    work: Mutex<Work>,
    changed: Condvar,
}

#[derive(Default)]
struct Work {
    waiting: VecDeque<PathBuf>,
    /// What plays now is to stop.
    stopped: bool,
    over: bool,
}

impl Sound {
    /// Off, until somebody turns it on.
    pub(super) const fn off(bundle: Arc<Bundle>, leftovers: Leftovers) -> Self {
        Self { bundle, on: None, leftovers }
    }

    /// Turns it on or off, or tells what it is; gives what is to be said of it.
    pub(super) fn turn(&mut self, on: Option<bool>, ui: UiLang) -> Vec<String> {
        match on {
            Some(true) if self.on.is_none() => match On::begin(&self.bundle, find_player()) {
                Ok(on) => {
                    if on.player.is_some() {
                        self.leftovers.lock().push(on.folder.clone());
                    }
                    self.on = Some(on);
                }
                Err(error) => return vec![ui.tell("audio-none", &[&format!("{error:#}")])],
            },
            Some(false) => self.on = None,
            _ => {}
        }
        vec![match &self.on {
            None => ui.say("audio-off").to_owned(),
            Some(On { player: Some(_), .. }) => {
                let name = find_player().map(|(path, _)| path.display().to_string()).unwrap_or_default();
                ui.tell("audio-on", &[&name])
            }
            Some(On { folder, .. }) => ui.tell("audio-no-player", &[&folder.display().to_string()]),
        }]
    }

    /// Lets a prompt be heard; gives what is to be said of it.
    pub(super) fn plays(&mut self, spoken: &Spoken, ui: UiLang) -> Vec<String> {
        let Some(on) = self.on.as_mut().filter(|_| !spoken.sources.is_empty()) else { return Vec::new() };
        match on.plays(spoken) {
            Ok(None) => Vec::new(),
            Ok(Some(path)) => vec![ui.tell("audio-kept", &[&path.display().to_string()])],
            Err(error) => vec![ui.tell("audio-none", &[&format!("{error:#}")])],
        }
    }

    /// What plays is interrupted, as by a key.
    pub(super) fn stop(&self) {
        if let Some(player) = self.on.as_ref().and_then(|on| on.player.as_ref()) {
            player.stop();
        }
    }
}

impl On {
    fn begin(bundle: &Bundle, player: Option<(PathBuf, &'static [&'static str])>) -> anyhow::Result<Self> {
        let tts = TtsConfig::Command(CommandConfig::default());
        let speech = Speech::new(SpeechConfig { tts, ..SpeechConfig::default() }, Arc::new(NoMedia))?;
        let voice = SpokenWords::with_voice(bundle, speech)?;
        let folder = tempfile::Builder::new().prefix("gudok-sound-").tempdir().context("a folder for the sound")?;
        let player = player.map(|(program, arguments)| Player::begin(program, arguments)).transpose()?;
        Ok(Self { voice, folder: folder.keep(), count: 0, player })
    }

    /// Gives the file where it is kept.
    fn plays(&mut self, spoken: &Spoken) -> anyhow::Result<Option<PathBuf>> {
        let wav = rendered(&self.voice, spoken)?;
        self.count += 1;
        let path = self.folder.join(format!("{:03}.wav", self.count));
        std::fs::write(&path, wav).with_context(|| format!("writing {}", path.display()))?;
        match &self.player {
            Some(player) => {
                player.add(path);
                Ok(None)
            }
            None => Ok(Some(path)),
        }
    }
}

impl Drop for On {
    fn drop(&mut self) {
        if let Some(player) = &self.player {
            player.end();
            // What was only to be heard is not kept.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// On a thread of its own: here the script is at work, and its time is counted.
fn rendered(voice: &SpokenWords, spoken: &Spoken) -> anyhow::Result<Vec<u8>> {
    std::thread::scope(|scope| {
        let speaking = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let mut all = runtime.block_on(voice.render(&spoken.sources, &spoken.lang, spoken.pace))?.into_iter();
            let mut audio = all.next().context("nothing is said")?;
            audio.pieces.extend(all.flat_map(|more| more.pieces));
            Ok(audio.to_wav()?)
        });
        speaking.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the voice broke")))
    })
}

/// The first player on the path.
fn find_player() -> Option<(PathBuf, &'static [&'static str])> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let found = |name: &str| folders.iter().map(|folder| folder.join(name)).find(|program| is_program(program));
    PLAYERS.iter().find_map(|(name, arguments)| Some((found(name)?, *arguments)))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

impl Player {
    fn begin(program: PathBuf, arguments: &'static [&'static str]) -> anyhow::Result<Arc<Self>> {
        let player = Arc::new(Self { work: Mutex::default(), changed: Condvar::new() });
        let own = Arc::clone(&player);
        let plays = move || {
            while let Some(file) = own.next() {
                let mut command = Command::new(&program);
                command.args(arguments).arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                if let Ok(child) = command.spawn() {
                    own.wait(child);
                }
            }
        };
        std::thread::Builder::new().name("gudok-sound".into()).spawn(plays).context("a thread for the sound")?;
        Ok(player)
    }

    fn next(&self) -> Option<PathBuf> {
        let mut work = self.work.lock();
        loop {
            if work.over {
                return None;
            }
            work.stopped = false;
            match work.waiting.pop_front() {
                Some(file) => return Some(file),
                None => self.changed.wait(&mut work),
            }
        }
    }

    /// Until it is done, or stopped.
    fn wait(&self, mut child: Child) {
        let mut work = self.work.lock();
        while !(work.stopped || work.over) {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            self.changed.wait_for(&mut work, LOOK_EVERY);
        }
        drop(work);
        let _ = child.kill();
        let _ = child.wait();
    }

    fn add(&self, file: PathBuf) {
        let mut work = self.work.lock();
        if work.waiting.len() < WAITING_MAX {
            work.waiting.push_back(file);
        }
        self.changed.notify_all();
    }

    fn stop(&self) {
        let mut work = self.work.lock();
        work.waiting.clear();
        work.stopped = true;
        self.changed.notify_all();
    }

    fn end(&self) {
        self.work.lock().over = true;
        self.changed.notify_all();
    }
}
