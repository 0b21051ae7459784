//! A prompt in the order of its sounds: what is spoken, what is recorded, what is silent.
//!
//! Texts and words that stand side by side become one utterance, so that a synthesiser hears the whole sentence:
//! "У вас" + 21 заявка + "." is spoken in one breath. Recordings of words take precedence, see [`Planner::recorded`].

use crate::audio::{Clip, ToneSpec};
use crate::error::{SpeechError, shortened};
use crate::lang::{LangTag, SpeechRate, VoiceName};
use crate::media::{MediaSource, Recording};
use crate::prompt::{Case, DigitGrouping, DigitsSpec, Gender, NumberSpec, Prompt, Segment};
use crate::ssml::{self, Part};
use crate::tts::{Markup, Utterance};
use crate::words::{self, DataLanguage, Language, Languages};

/// Longest utterance: a longer run of texts is spoken in several.
const UTTERANCE_CHARS_MAX: usize = 4_000;
/// What a comma is worth between recorded words.
const RECORDED_COMMA_MS: u32 = 200;

/// One stretch of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// To be synthesised. What is private may not be kept on disk.
    Speak { utterance: Utterance, private: bool },
    /// A recording.
    Play(Clip),
    /// Nothing.
    Silence { ms: u32 },
    /// A tone.
    Tone(ToneSpec),
}

/// What a plan depends on besides the prompt.
pub(crate) struct Planner<'a> {
    pub(crate) languages: &'a Languages,
    pub(crate) fallback_lang: Option<&'a LangTag>,
    /// Asked in this order: the bundle's recordings, then the house's.
    pub(crate) media: [&'a dyn MediaSource; 2],
    pub(crate) lang: &'a LangTag,
    /// For what needs a grammar where there is none.
    pub(crate) neutral: DataLanguage,
    pub(crate) rate: SpeechRate,
    /// Between a recording and what stands beside it.
    pub(crate) recording_pause_ms: u32,
    pub(crate) reads_ssml: bool,
}

impl Planner<'_> {
    /// The steps of a prompt.
    pub(crate) fn plan(&self, prompt: &Prompt) -> Result<Vec<Step>, SpeechError> {
        prompt.check()?;
        let mut draft = Draft {
            steps: Vec::new(),
            open: None,
            voice: prompt.voice.as_ref(),
            recording_pause_ms: self.recording_pause_ms,
        };
        for (place, segment) in prompt.segments.iter().enumerate() {
            self.add(&mut draft, segment, place)?;
        }
        draft.close();
        Ok(draft.steps)
    }

    /// The words of a prompt: its transcript.
    pub(crate) fn words(&self, prompt: &Prompt) -> Result<String, SpeechError> {
        prompt.check()?;
        let mut sentence = String::new();
        for (place, segment) in prompt.segments.iter().enumerate() {
            match segment {
                Segment::Text(text) => words::append(&mut sentence, &clean(text)),
                Segment::Ssml(text) => {
                    for part in parts_of(text, place)? {
                        match part {
                            Part::Text { text, .. } => words::append(&mut sentence, &text),
                            Part::Digits { digits, .. } => {
                                let (language, _) = self.grammar()?;
                                words::append(&mut sentence, &one_by_one(language, digits));
                            }
                            Part::Pause { .. } => {}
                        }
                    }
                }
                Segment::Media(name) => {
                    let transcript = self.recording(name, self.lang).and_then(|recording| recording.transcript);
                    words::append(
                        &mut sentence,
                        &transcript.map_or_else(|| format!("[media:{name}]"), |text| text.to_string()),
                    );
                }
                Segment::Tone(tone) => words::append(&mut sentence, &format!("[tone:{tone}]")),
                Segment::Silence(_) => {}
                worded => {
                    let (language, _) = self.grammar()?;
                    words::append(&mut sentence, &words::of_segment(language, worded)?.unwrap_or_default());
                }
            }
        }
        Ok(sentence)
    }

    fn add(&self, draft: &mut Draft<'_>, segment: &Segment, place: usize) -> Result<(), SpeechError> {
        match segment {
            Segment::Text(text) => draft.say(&clean(text), self.lang, self.rate, false),
            Segment::Ssml(text) => self.add_ssml(draft, text, place)?,
            Segment::Media(name) => {
                let recording = self.recording(name, self.lang).ok_or_else(|| self.missing(name))?;
                draft.step(Step::Play(recording.clip));
            }
            Segment::Silence(ms) => draft.step(Step::Silence { ms: *ms }),
            Segment::Tone(tone) => {
                let tone = tone.parse().map_err(|problem| SpeechError::Segment {
                    segment: place + 1,
                    kind: "tone",
                    problem,
                })?;
                draft.step(Step::Tone(tone));
            }
            worded => {
                let (language, lang) = self.grammar()?;
                let said = words::of_segment(language, worded)?.unwrap_or_default();
                match self.recorded(worded, &said, lang) {
                    Some(steps) => draft.steps_in_a_row(steps),
                    None => draft.say(&said, lang, self.rate, worded.is_private()),
                }
            }
        }
        Ok(())
    }

    fn add_ssml(&self, draft: &mut Draft<'_>, text: &str, place: usize) -> Result<(), SpeechError> {
        let parts = parts_of(text, place)?;
        if self.reads_ssml {
            // A number read out inside is as private as one of its own.
            let private = parts.iter().any(|part| matches!(part, Part::Digits { .. }));
            draft.speak(text.to_owned(), Markup::Ssml, self.lang, self.rate, private);
            return Ok(());
        }
        draft.close();
        for part in parts {
            match part {
                Part::Text { text, rate } => draft.say(&clean(&text), self.lang, self.rate.times(rate), false),
                Part::Digits { digits, rate } => {
                    let (language, lang) = self.grammar()?;
                    draft.say(&one_by_one(language, digits), lang, self.rate.times(rate), true);
                }
                Part::Pause { ms } => draft.step(Step::Silence { ms }),
            }
        }
        draft.close();
        Ok(())
    }

    /// Recorded words instead of synthesis, if the bundle (or the house) has all of them. In this order:
    ///
    /// 1. the whole number as one recording: `numbers/21`, `numbers/21.feminine`, `numbers/21.feminine.genitive`;
    ///    `ordinals/5.neuter`. Masculine and nominative are not written;
    /// 2. word by word: `words/двадцать`, `words/одна`, `words/заявка`. One missing word and the whole segment is
    ///    synthesised: a voice that changes in the middle of a number is worse than a voice that changes before it.
    fn recorded(&self, segment: &Segment, said: &str, lang: &LangTag) -> Option<Vec<Step>> {
        if let Some(recording) = whole_name(segment).and_then(|name| self.recording(&name, lang)) {
            return Some(vec![Step::Play(recording.clip)]);
        }
        let mut steps = Vec::new();
        for word in said.split_whitespace() {
            let bare = word.trim_end_matches([',', '.']);
            steps.push(Step::Play(self.recording(&format!("words/{bare}"), lang)?.clip));
            if word.ends_with(',') {
                steps.push(Step::Silence { ms: RECORDED_COMMA_MS });
            }
        }
        (!steps.is_empty()).then_some(steps)
    }

    fn recording(&self, name: &str, lang: &LangTag) -> Option<Recording> {
        self.media.iter().find_map(|source| source.recording(name, lang))
    }

    /// The grammar of the prompt's language, or else of the fallback, with the language that it speaks. Without either,
    /// the voice is given figures.
    fn grammar(&self) -> Result<(&dyn Language, &LangTag), SpeechError> {
        match (self.languages.find(self.lang), self.fallback_lang) {
            (Ok(language), _) => Ok((language, self.lang)),
            (Err(_), Some(fallback)) => Ok((self.languages.find(fallback)?, fallback)),
            (Err(_), None) => Ok((&self.neutral, self.lang)),
        }
    }

    fn missing(&self, name: &str) -> SpeechError {
        let mut names: Vec<String> = self.media.iter().flat_map(|source| source.names()).collect();
        names.sort();
        let start: String = name.chars().take(3).collect();
        let near = names.iter().find(|known| known.starts_with(&start));
        SpeechError::MediaMissing {
            name: shortened(name),
            lang: self.lang.to_string(),
            count: names.len(),
            near: near.map(|known| format!(", the nearest is `{known}`")).unwrap_or_default(),
        }
    }
}

/// Steps so far, and the utterance that may still grow.
struct Draft<'a> {
    steps: Vec<Step>,
    open: Option<Open>,
    voice: Option<&'a VoiceName>,
    recording_pause_ms: u32,
}

struct Open {
    text: String,
    lang: LangTag,
    rate: SpeechRate,
    private: bool,
}

impl Draft<'_> {
    fn say(&mut self, text: &str, lang: &LangTag, rate: SpeechRate, private: bool) {
        let joins = |open: &Open| {
            open.lang == *lang
                && open.rate == rate
                && open.text.chars().count() + text.chars().count() < UTTERANCE_CHARS_MAX
        };
        if !self.open.as_ref().is_some_and(joins) {
            self.close();
        }
        let open =
            self.open.get_or_insert_with(|| Open { text: String::new(), lang: lang.clone(), rate, private: false });
        words::append(&mut open.text, text);
        open.private |= private;
    }

    fn step(&mut self, step: Step) {
        self.steps_in_a_row(vec![step]);
    }

    /// Steps that belong together: the words of one number.
    fn steps_in_a_row(&mut self, steps: Vec<Step>) {
        self.close();
        let is_silent = |step: &Step| matches!(step, Step::Silence { .. });
        let is_recorded = |step: &Step| matches!(step, Step::Play(_));
        if let (Some(last), Some(next)) = (self.steps.last(), steps.first())
            && self.recording_pause_ms > 0
            && !(is_silent(last) || is_silent(next))
            && (is_recorded(last) || is_recorded(next))
        {
            self.steps.push(Step::Silence { ms: self.recording_pause_ms });
        }
        self.steps.extend(steps);
    }

    fn speak(&mut self, text: String, markup: Markup, lang: &LangTag, rate: SpeechRate, private: bool) {
        let utterance = Utterance { text, markup, lang: lang.clone(), voice: self.voice.cloned(), rate };
        self.step(Step::Speak { utterance, private });
    }

    /// Ends the open utterance. One without a letter or digit makes no sound and is left out.
    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        if open.text.chars().any(char::is_alphanumeric) {
            self.speak(open.text, Markup::Plain, &open.lang, open.rate, open.private);
        }
    }
}

/// Text as one line without control characters: what a program reads line by line, a script must not break up.
fn clean(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn parts_of(text: &str, place: usize) -> Result<Vec<Part>, SpeechError> {
    ssml::parse(text).map_err(|problem| SpeechError::Segment { segment: place + 1, kind: "ssml", problem })
}

fn one_by_one(language: &dyn Language, digits: String) -> String {
    words::digits(language, &DigitsSpec { digits, grouping: DigitGrouping::OneByOne })
}

fn whole_name(segment: &Segment) -> Option<String> {
    let (folder, spec) = match segment {
        Segment::Number(spec) => ("numbers", spec),
        Segment::Ordinal(spec) => ("ordinals", spec),
        _ => return None,
    };
    Some(format!("{folder}/{}{}", spec.value, form_suffix(spec)))
}

fn form_suffix(spec: &NumberSpec) -> String {
    let gender = match spec.gender {
        Gender::Masculine => "",
        Gender::Feminine => ".feminine",
        Gender::Neuter => ".neuter",
    };
    let case = match spec.case {
        Case::Nominative => "",
        Case::Genitive => ".genitive",
        Case::Dative => ".dative",
        Case::Accusative => ".accusative",
        Case::Instrumental => ".instrumental",
        Case::Prepositional => ".prepositional",
    };
    format!("{gender}{case}")
}
