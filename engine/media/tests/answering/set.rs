//! The recordings: who answers, how, over which line. One seed makes one set, always the same.

use crate::dice::Dice;
use crate::line::{self, LineCodec, Noise, samples_of};
use crate::texts::{self, Text};
use crate::voice::Utterance;

/// What answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Truth {
    Human,
    Machine,
    Fax,
    Busy,
    Intercept,
    Silence,
}

/// One answered call.
pub(crate) struct Recording {
    pub(crate) truth: Truth,
    /// Within its truth.
    pub(crate) class: &'static str,
    /// For whoever looks for why.
    pub(crate) recipe: String,
    /// 8 kHz, from the answer on.
    pub(crate) samples: Vec<i16>,
    /// Frames that are lost on the way.
    pub(crate) lost: Vec<usize>,
    /// Where a greeting's last word ends, in milliseconds.
    pub(crate) greeting_end_ms: Option<u32>,
    /// Where its beep ends.
    pub(crate) beep_end_ms: Option<u32>,
}

type Maker = fn(&mut Dice, &[f32]) -> Recording;

/// How many of each: what a campaign that calls homes meets, with the rare and the hard well represented.
const CLASSES: [(Maker, usize); 16] = [
    (short, 208),
    (phrase, 44),
    (named, 12),
    (office, 6),
    (twice, 22),
    (late, 8),
    (operator, 94),
    (personal, 68),
    (company, 66),
    (home_machine, 4),
    (only_beep, 8),
    (fax_calling, 6),
    (fax_answering, 14),
    (busy, 20),
    (intercept, 20),
    (silence, 20),
];

/// All recordings of a set.
pub(crate) fn make(seed: u64) -> Vec<Recording> {
    let babble = babble();
    let jobs: Vec<(Maker, u64)> = CLASSES
        .iter()
        .enumerate()
        .flat_map(|(class, (maker, count))| (0..*count).map(move |n| (*maker, (class as u64) << 32 | n as u64)))
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let (jobs, babble) = (&jobs, &babble);
                scope.spawn(move || {
                    let mine = jobs.iter().enumerate().filter(|(n, _)| n % threads == worker);
                    mine.map(|(n, (maker, own))| (n, maker(&mut Dice::of(seed, *own), babble))).collect::<Vec<_>>()
                })
            })
            .collect();
        let mut made: Vec<_> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
        made.sort_by_key(|(n, _)| *n);
        made.into_iter().map(|(_, recording)| recording).collect()
    })
}

fn babble() -> Vec<f32> {
    let mut dice = Dice::new(7);
    let voices: Vec<Vec<f32>> = texts::BABBLE
        .iter()
        .map(|text| Utterance::by_somebody(&mut dice, "ru", (*text).to_owned(), (150.0, 200.0)).speak())
        .collect();
    let length = voices.iter().map(Vec::len).max().unwrap_or(0);
    let mut sum = vec![0.0; length];
    for voice in &voices {
        let begin = dice.next() as usize % length;
        for (n, place) in sum.iter_mut().enumerate() {
            *place += voice[(begin + n) % voice.len()];
        }
    }
    sum
}

/// A person's end of the line.
struct Person {
    utterance: Utterance,
    level_db: f64,
    onset_ms: f64,
}

impl Person {
    fn new(dice: &mut Dice, text: Text) -> Self {
        let utterance = Utterance::by_somebody(dice, text.0, text.1, (165.0, 260.0));
        // The receiver has to come to the ear first.
        Self { utterance, level_db: dice.between(-30.0, -12.0), onset_ms: dice.around(420.0, 1.6, 120.0, 1_100.0) }
    }

    fn recording(self, dice: &mut Dice, babble: &[f32], class: &'static str, more: &[(f64, String)]) -> Recording {
        let mut words = self.utterance.speak();
        line::set_speech_level(&mut words, self.level_db);
        let first_ms = words.len() as f64 / 8.0;
        let mut line = vec![0.0; samples_of(self.onset_ms + first_ms + 5_000.0)];
        line::add(&mut line, samples_of(self.onset_ms), &words, 1.0);
        let mut at_ms = self.onset_ms + first_ms;
        for (pause_ms, text) in more {
            let mut again = self.utterance.again(text.clone()).speak();
            line::set_speech_level(&mut again, self.level_db);
            at_ms += pause_ms;
            line::add(&mut line, samples_of(at_ms), &again, 1.0);
            at_ms += again.len() as f64 / 8.0;
        }
        let mut recipe = format!("{:?} level {:.0} onset {:.0}", self.utterance, self.level_db, self.onset_ms);
        if dice.chance(0.2) {
            line::echo(dice, &mut line);
            recipe += " echo";
        }
        if dice.chance(0.2) {
            // The receiver is lifted.
            for _ in 0..=dice.next() % 2 {
                let at = samples_of(dice.between(0.0, self.onset_ms));
                let gain = line::factor(dice.between(-30.0, -8.0));
                let thump_ms = dice.between(5.0, 40.0);
                let thump = line::noise(dice, Noise::Car, babble, samples_of(thump_ms));
                line::add(&mut line, at, &thump, gain);
            }
            recipe += " clicks";
        }
        recipe += &surroundings(dice, babble, &mut line, self.level_db);
        if dice.chance(0.6) {
            line::telephone_band(&mut line);
        }
        finish(dice, Truth::Human, class, &recipe, &line)
    }
}

/// What a microphone hears beside its owner: for all of the call, as it is live.
fn surroundings(dice: &mut Dice, babble: &[f32], line: &mut [f32], level_db: f64) -> String {
    if dice.chance(0.08) {
        // A telephone that sends nothing between words.
        return " silent telephone".to_owned();
    }
    let kind = *dice.pick(&[Noise::Room, Noise::Room, Noise::Room, Noise::Line, Noise::Car, Noise::Hum, Noise::Babble]);
    let ratio_db = if kind == Noise::Babble { dice.between(15.0, 30.0) } else { dice.between(8.0, 30.0) };
    let noise = line::noise(dice, kind, babble, line.len());
    let db = (level_db - ratio_db).max(-65.0);
    line::add(line, 0, &noise, line::factor(db));
    format!(" {kind:?} {db:.0} dB")
}

fn finish(dice: &mut Dice, truth: Truth, class: &'static str, recipe: &str, line: &[f32]) -> Recording {
    let codec = *dice.pick(&[LineCodec::Pcma, LineCodec::Pcma, LineCodec::Pcmu, LineCodec::Tandem, LineCodec::G722]);
    let samples = line::through(codec, line);
    let loss = if dice.chance(0.15) { dice.between(0.005, 0.03) } else { 0.0 };
    let lost = (0..samples.len() / 160).filter(|_| dice.chance(loss)).collect();
    let recipe = format!("{recipe} {codec:?} loss {loss:.3}");
    Recording { truth, class, recipe, samples, lost, greeting_end_ms: None, beep_end_ms: None }
}

fn short(dice: &mut Dice, babble: &[f32]) -> Recording {
    let text = texts::short(dice);
    let more = repeated(dice, 0.25);
    Person::new(dice, text).recording(dice, babble, "a word or two", &more)
}

fn phrase(dice: &mut Dice, babble: &[f32]) -> Recording {
    let text = texts::phrase(dice);
    let more = repeated(dice, 0.15);
    Person::new(dice, text).recording(dice, babble, "a few words", &more)
}

fn named(dice: &mut Dice, babble: &[f32]) -> Recording {
    let text = texts::named(dice);
    Person::new(dice, text).recording(dice, babble, "a name", &[])
}

fn office(dice: &mut Dice, babble: &[f32]) -> Recording {
    let text = texts::office(dice);
    let mut person = Person::new(dice, text);
    // Said a hundred times a day.
    person.utterance.words_a_minute = dice.between(190.0, 270.0) as u32;
    person.recording(dice, babble, "an office", &[])
}

fn twice(dice: &mut Dice, babble: &[f32]) -> Recording {
    let text = texts::short(dice);
    let more = vec![(dice.between(250.0, 1_200.0), texts::again(dice))];
    Person::new(dice, text).recording(dice, babble, "twice, with a pause", &more)
}

fn late(dice: &mut Dice, babble: &[f32]) -> Recording {
    let text = texts::short(dice);
    let mut person = Person::new(dice, text);
    person.onset_ms = dice.between(1_100.0, 2_600.0);
    person.recording(dice, babble, "a late word", &[])
}

/// Now and then somebody asks again when nobody answers.
fn repeated(dice: &mut Dice, share: f64) -> Vec<(f64, String)> {
    if dice.chance(share) { vec![(dice.between(1_300.0, 2_500.0), texts::again(dice))] } else { vec![] }
}

/// How a machine plays its greeting.
struct Playback {
    class: &'static str,
    onset_ms: f64,
    /// Noise in the recording: it begins with it, not with the call.
    recorded: Option<(Noise, f64)>,
    /// Noise of the line, all the time.
    line_db: f64,
    beep: bool,
    jingle: bool,
}

impl Playback {
    fn recording(self, dice: &mut Dice, babble: &[f32], text: Text) -> Recording {
        let utterance = Utterance::by_somebody(dice, text.0, text.1, (145.0, 200.0));
        let level_db = dice.between(-24.0, -12.0);
        let mut greeting = vec![];
        if self.jingle {
            greeting.extend(line::jingle(dice));
            greeting.resize(greeting.len() + samples_of(dice.between(0.0, 400.0)), 0.0);
        }
        let lead_ms = self.recorded.map_or(0.0, |_| dice.between(60.0, 350.0));
        greeting.resize(greeting.len() + samples_of(lead_ms), 0.0);
        let mut words = utterance.speak();
        line::set_speech_level(&mut words, level_db);
        greeting.extend(words);
        let greeting_end_ms = self.onset_ms + greeting.len() as f64 / 8.0;
        let tail_ms = dice.between(50.0, 400.0);
        greeting.resize(greeting.len() + samples_of(tail_ms), 0.0);
        if let Some((kind, ratio_db)) = self.recorded {
            let noise = line::noise(dice, kind, babble, greeting.len());
            line::add(&mut greeting, 0, &noise, line::factor(level_db - ratio_db));
        }
        let mut beep_end_ms = None;
        let mut recipe =
            format!("{utterance:?} level {level_db:.0} onset {:.0} recorded {:?}", self.onset_ms, self.recorded);
        if self.beep {
            greeting.resize(greeting.len() + samples_of(dice.between(0.0, 1_300.0)), 0.0);
            let (hz, ms) = (dice.between(400.0, 2_000.0), dice.between(150.0, 1_000.0));
            let beep_db = dice.between(-26.0, -8.0);
            greeting.extend(line::tone(&[hz], ms, beep_db));
            beep_end_ms = Some((self.onset_ms + greeting.len() as f64 / 8.0) as u32);
            recipe += &format!(" beep {hz:.0} Hz {ms:.0} ms {beep_db:.0} dB");
        }
        let mut line = vec![0.0; samples_of(self.onset_ms) + greeting.len() + samples_of(4_000.0)];
        line::add(&mut line, samples_of(self.onset_ms), &greeting, 1.0);
        if self.line_db > -90.0 {
            let noise = line::noise(dice, Noise::Line, babble, line.len());
            line::add(&mut line, 0, &noise, line::factor(self.line_db));
        }
        if dice.chance(0.4) {
            line::telephone_band(&mut line);
        }
        let mut recording = finish(dice, Truth::Machine, self.class, &recipe, &line);
        recording.greeting_end_ms = Some(greeting_end_ms as u32);
        recording.beep_end_ms = beep_end_ms;
        recording
    }
}

/// Played from a file by a server: clean.
fn operator(dice: &mut Dice, babble: &[f32]) -> Recording {
    let text = texts::operator(dice);
    let playback = Playback {
        class: "an operator's",
        onset_ms: dice.around(220.0, 1.7, 0.0, 900.0),
        recorded: None,
        line_db: if dice.chance(0.5) { -100.0 } else { dice.between(-78.0, -62.0) },
        beep: dice.chance(0.7),
        jingle: false,
    };
    playback.recording(dice, babble, text)
}

/// Recorded by somebody on a telephone, played from a file by a server.
fn personal(dice: &mut Dice, babble: &[f32]) -> Recording {
    let text = texts::personal(dice);
    let kind = *dice.pick(&[Noise::Room, Noise::Room, Noise::Line, Noise::Hum, Noise::Car, Noise::Babble]);
    let playback = Playback {
        class: "a personal",
        onset_ms: dice.around(220.0, 1.7, 0.0, 900.0),
        recorded: Some((kind, dice.between(14.0, 38.0))),
        line_db: if dice.chance(0.5) { -100.0 } else { dice.between(-78.0, -62.0) },
        beep: dice.chance(0.9),
        jingle: false,
    };
    playback.recording(dice, babble, text)
}

/// A company's exchange.
fn company(dice: &mut Dice, babble: &[f32]) -> Recording {
    let text = texts::company(dice);
    let playback = Playback {
        class: "a company's",
        onset_ms: dice.around(260.0, 1.7, 0.0, 900.0),
        recorded: None,
        line_db: if dice.chance(0.5) { -100.0 } else { dice.between(-78.0, -60.0) },
        beep: false,
        jingle: dice.chance(0.12),
    };
    playback.recording(dice, babble, text)
}

/// A box on the shelf, on a line of copper.
fn home_machine(dice: &mut Dice, babble: &[f32]) -> Recording {
    let text = texts::personal(dice);
    let playback = Playback {
        class: "a home machine's",
        onset_ms: dice.between(300.0, 1_200.0),
        recorded: Some((Noise::Room, dice.between(14.0, 30.0))),
        line_db: dice.between(-62.0, -45.0),
        beep: true,
        jingle: false,
    };
    playback.recording(dice, babble, text)
}

/// No greeting at all.
fn only_beep(dice: &mut Dice, _: &[f32]) -> Recording {
    let onset_ms = dice.between(200.0, 900.0);
    let (hz, ms) = (dice.between(470.0, 1_040.0), dice.between(200.0, 900.0));
    let mut line = vec![0.0; samples_of(onset_ms)];
    line.extend(line::tone(&[hz], ms, dice.between(-24.0, -8.0)));
    let end = line.len() / 8;
    line.resize(line.len() + samples_of(4_000.0), 0.0);
    let mut recording = finish(dice, Truth::Machine, "only a beep", &format!("{hz:.0} Hz {ms:.0} ms"), &line);
    recording.greeting_end_ms = Some(0);
    recording.beep_end_ms = Some(end as u32);
    recording
}

/// A signal on a line with noise.
fn signal(dice: &mut Dice, babble: &[f32], truth: Truth, class: &'static str, parts: &[(f64, f64)]) -> Recording {
    let level_db = dice.between(-26.0, -10.0);
    let mut line = vec![0.0; samples_of(dice.between(0.0, 600.0))];
    for (hz, ms) in parts {
        if *hz > 0.0 {
            line.extend(line::tone(&[*hz], *ms, level_db));
        } else {
            line.resize(line.len() + samples_of(*ms), 0.0);
        }
    }
    line.resize(line.len().max(samples_of(6_000.0)), 0.0);
    let ratio_db = dice.between(15.0, 40.0);
    let noise = line::noise(dice, Noise::Line, babble, line.len());
    line::add(&mut line, 0, &noise, line::factor(level_db - ratio_db));
    finish(dice, truth, class, &format!("{parts:.0?} level {level_db:.0} noise {ratio_db:.0}"), &line)
}

/// Within a tolerance, as networks are.
fn about(dice: &mut Dice, value: f64, share: f64) -> f64 {
    value * (1.0 + dice.between(-share, share))
}

fn fax_calling(dice: &mut Dice, babble: &[f32]) -> Recording {
    let hz = about(dice, 1_100.0, 0.03);
    let parts = [(hz, about(dice, 500.0, 0.15)), (0.0, 3_000.0), (hz, 500.0)];
    signal(dice, babble, Truth::Fax, "CNG", &parts)
}

fn fax_answering(dice: &mut Dice, babble: &[f32]) -> Recording {
    let parts = [(0.0, dice.between(200.0, 1_900.0)), (about(dice, 2_100.0, 0.007), dice.between(2_600.0, 4_000.0))];
    signal(dice, babble, Truth::Fax, "CED", &parts)
}

fn busy(dice: &mut Dice, babble: &[f32]) -> Recording {
    let beat_ms = *dice.pick(&[350.0, 350.0, 300.0, 400.0, 175.0, 200.0, 250.0]);
    let beat = (about(dice, 425.0, 0.02), about(dice, beat_ms, 0.05));
    signal(dice, babble, Truth::Busy, "425 Hz", &[beat, (0.0, beat.1)].repeat(12))
}

fn intercept(dice: &mut Dice, babble: &[f32]) -> Recording {
    let ms = about(dice, 330.0, 0.15);
    let pause = (0.0, dice.between(0.0, 30.0));
    let tones: Vec<_> = [950.0, 1_400.0, 1_800.0].map(|hz| [(about(dice, hz, 0.02), ms), pause]).concat();
    signal(dice, babble, Truth::Intercept, "three tones", &tones)
}

/// Nobody speaks: noise, or nothing.
fn silence(dice: &mut Dice, babble: &[f32]) -> Recording {
    let mut line = vec![0.0; samples_of(6_000.0)];
    let recipe = surroundings(dice, babble, &mut line, -30.0);
    finish(dice, Truth::Silence, "silence", &recipe, &line)
}
