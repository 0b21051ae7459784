//! Between the words of the WIT and those of gudok-core. What comes from a script is checked against its limits here.

use crate::bindings::campaign as wit_campaign;
use crate::bindings::{input as wit_input, prompts as wit_prompts, telephony as wit_telephony, types as wit};
use crate::bindings::{recording as wit_recording, transfer as wit_transfer};
use crate::manifest::Limits;
use crate::ports::{AnsweredBy, CallInfo, Direction, LocalTime};
use crate::version::Version;
use gudok_core::campaign::CampaignContact;
use gudok_core::ids::Group;
use gudok_core::input::{Choice, CollectOptions, Collected, Grammar, Outcome, Retry, Value};
use gudok_core::privacy::PhoneNumber;
use gudok_core::prompt::{BargeIn, Case, Date, DigitGrouping, Gender, NounForms, Pace, Prompt, Segment};
use gudok_core::script::{
    CallError, EndReason, PlaybackEnd, RecordOptions, Recording, RejectCause, StoppedBy, TransferMode, TransferOptions,
    TransferOutcome, TransferTarget,
};
use gudok_core::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Checks what a script hands over, and turns it into the core's words.
pub(crate) struct Reader<'a> {
    pub(crate) version: &'a Version,
}

type Checked<T> = Result<T, CallError>;

impl Reader<'_> {
    fn limits(&self) -> &Limits {
        &self.version.limits
    }

    /// A string that is no longer than it may be.
    pub(crate) fn text(&self, what: &str, text: String) -> Checked<String> {
        self.short(what, &text)?;
        Ok(text)
    }

    fn short(&self, what: &str, text: &str) -> Checked<()> {
        let max = self.limits().string_bytes_max;
        if text.len() > max as usize {
            return Err(CallError::Invalid(format!("{what} has {} bytes; string_bytes_max = {max}", text.len())));
        }
        Ok(())
    }

    pub(crate) fn shared(&self, what: &str, text: &str) -> Checked<Arc<str>> {
        self.short(what, text)?;
        Ok(Arc::from(text))
    }

    fn list_len(&self, what: &str, len: usize) -> Checked<()> {
        let max = self.limits().list_len_max;
        if len > max as usize {
            return Err(CallError::Invalid(format!("{what} has {len} elements; list_len_max = {max}")));
        }
        Ok(())
    }

    pub(crate) fn fields(&self, what: &str, fields: &[wit::Field]) -> Checked<Vec<(Arc<str>, Arc<str>)>> {
        self.list_len(what, fields.len())?;
        fields.iter().map(|field| Ok((self.shared(what, &field.name)?, self.shared(what, &field.value)?))).collect()
    }

    pub(crate) fn prompt(&self, prompt: wit_prompts::Prompt) -> Checked<Arc<Prompt>> {
        let (segments_max, bytes_max) = (self.limits().prompt_segments_max, self.limits().prompt_bytes_max);
        let count = prompt.segments.len();
        if count > segments_max as usize {
            return Err(CallError::Invalid(format!(
                "the prompt has {count} segments; prompt_segments_max = {segments_max}"
            )));
        }
        let bytes: usize = prompt.segments.iter().map(segment_bytes).sum();
        if bytes > bytes_max as usize {
            return Err(CallError::Invalid(format!(
                "the prompt has {bytes} bytes of text; prompt_bytes_max = {bytes_max}"
            )));
        }
        let segments = prompt.segments.into_iter().map(|segment| self.segment(segment)).collect::<Checked<_>>()?;
        Ok(Arc::new(Prompt {
            segments,
            lang: prompt.lang.map(|lang| self.lang(&lang)).transpose()?,
            voice: prompt.voice.map(|voice| self.text("voice", voice)).transpose()?,
            barge_in: BargeIn {
                dtmf: prompt.barge_in.contains(wit_prompts::BargeIn::DTMF),
                speech: prompt.barge_in.contains(wit_prompts::BargeIn::SPEECH),
            },
            cacheable: prompt.cacheable,
        }))
    }

    fn prompt_option(&self, prompt: Option<wit_prompts::Prompt>) -> Checked<Option<Arc<Prompt>>> {
        prompt.map(|prompt| self.prompt(prompt)).transpose()
    }

    /// A language tag, of the shape of BCP 47.
    pub(crate) fn lang(&self, tag: &str) -> Checked<Arc<str>> {
        const TAG_LEN_MAX: usize = 35;
        if tag.is_empty() || tag.len() > TAG_LEN_MAX || !tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(CallError::Invalid("lang is not a language tag of BCP 47, such as \"ru-RU\"".into()));
        }
        Ok(Arc::from(tag))
    }

    /// The name of a recording that is in the bundle: its absence was to be found before play.
    pub(crate) fn media(&self, name: &str) -> Checked<()> {
        if self.version.media_names.contains(name) {
            return Ok(());
        }
        self.short("media", name)?;
        Err(CallError::NotFound(format!("media {name:?} is not in the bundle")))
    }

    fn segment(&self, segment: wit_prompts::Segment) -> Checked<Segment> {
        use wit_prompts::Segment as Wit;
        Ok(match segment {
            Wit::Text(text) => Segment::Text(text),
            Wit::Ssml(text) => Segment::Ssml(text),
            Wit::Media(name) => {
                self.media(&name)?;
                Segment::Media(name)
            }
            Wit::Number(spec) => {
                let (gender, case) = inflection(spec.inflection);
                Segment::Number { value: spec.value, gender, case }
            }
            Wit::Ordinal(spec) => {
                let (gender, case) = inflection(spec.inflection);
                Segment::Ordinal { value: spec.value, gender, case }
            }
            Wit::Decimal(spec) => Segment::Decimal { unscaled: spec.unscaled, scale: spec.scale },
            Wit::Counted(spec) => {
                let wit_prompts::NounForms { one, few, many, other, gender: noun_gender } = spec.noun;
                let noun = NounForms { one, few, many, other, gender: gender(noun_gender) };
                Segment::Counted { value: spec.value, noun, case: case(spec.gram_case) }
            }
            Wit::Digits(spec) => Segment::Digits { digits: spec.digits, grouping: grouping(spec.grouping) },
            Wit::Money(money) => Segment::Money { minor_units: money.minor_units, currency: money.currency },
            Wit::Date(spec) => Segment::Date {
                value: date(spec.value),
                case: case(spec.gram_case),
                say_year: spec.say_year,
                say_weekday: spec.say_weekday,
            },
            Wit::Time(time) => Segment::Time { hour: time.hour, minute: time.minute },
            Wit::Duration(duration) => Segment::Duration(millis(duration)),
            Wit::Spell(text) => Segment::Spell(text),
            Wit::Silence(duration) => Segment::Silence(millis(duration)),
            Wit::Tone(name) => Segment::Tone(name),
        })
    }

    pub(crate) fn collect(&self, options: wit_input::CollectOptions) -> Checked<CollectOptions> {
        Ok(CollectOptions {
            grammar: self.grammar(options.grammar)?,
            dtmf: options.modes.contains(wit_input::Modes::DTMF),
            speech: options.modes.contains(wit_input::Modes::SPEECH),
            prompt: self.prompt_option(options.prompt)?,
            first_timeout: millis(options.first_timeout),
            inter_digit: millis(options.inter_digit),
            retry: Retry {
                attempts: options.retry.attempts,
                no_input: self.prompt_option(options.retry.no_input)?,
                no_match: self.prompt_option(options.retry.no_match)?,
            },
            sensitive: options.sensitive,
            global_keys: self.choices("global-keys", options.global_keys)?,
        })
    }

    fn grammar(&self, grammar: wit_input::Grammar) -> Checked<Grammar> {
        use wit_input::Grammar as Wit;
        Ok(match grammar {
            Wit::Digits(rule) => Grammar::Digits {
                min: rule.min,
                max: rule.max,
                terminators: self.text("terminators", rule.terminators)?,
            },
            Wit::Choices(choices) => Grammar::Choices(self.choices("choices", choices)?),
            Wit::YesNo => Grammar::YesNo,
            Wit::Date => Grammar::Date,
            Wit::Money => Grammar::Money,
            Wit::Phone => Grammar::Phone,
            Wit::Snils => Grammar::Snils,
            Wit::Inn => Grammar::Inn,
            Wit::OmsPolicy => Grammar::OmsPolicy,
            Wit::PostalCode => Grammar::PostalCode,
            Wit::FreeSpeech(max) => Grammar::FreeSpeech(millis(max)),
        })
    }

    fn choices(&self, what: &str, choices: Vec<wit_input::Choice>) -> Checked<Vec<Choice>> {
        self.list_len(what, choices.len())?;
        let choice = |choice: wit_input::Choice| {
            self.list_len("phrases", choice.phrases.len())?;
            Ok(Choice {
                key: self.text(what, choice.key)?,
                value: self.text(what, choice.value)?,
                phrases: choice
                    .phrases
                    .into_iter()
                    .map(|phrase| self.text("phrases", phrase))
                    .collect::<Checked<_>>()?,
            })
        };
        choices.into_iter().map(choice).collect()
    }

    pub(crate) fn record(&self, options: wit_recording::RecordOptions, days_max: u16) -> Checked<RecordOptions> {
        Ok(RecordOptions {
            duration_max: millis(options.max),
            silence_stop: millis(options.silence_stop),
            beep: options.beep,
            stop_keys: self.text("stop-keys", options.stop_keys)?,
            consent_prompt: self.prompt_option(options.consent_prompt)?,
            retention_days: options.retention_days.min(days_max),
        })
    }

    pub(crate) fn target(&self, target: &wit_transfer::Target) -> Checked<TransferTarget> {
        use wit_transfer::Target as Wit;
        Ok(match target {
            Wit::Group(name) => {
                self.short("group", name)?;
                TransferTarget::Group(Group::new(name))
            }
            Wit::Operator(name) => TransferTarget::Operator(self.shared("operator", name)?),
            Wit::Extension(name) => TransferTarget::Extension(self.shared("extension", name)?),
            Wit::Number(number) => TransferTarget::Number(e164(number)?),
            Wit::Script(name) => TransferTarget::Script(self.shared("script", name)?),
        })
    }

    pub(crate) fn transfer(&self, options: wit_transfer::TransferOptions) -> Checked<TransferOptions> {
        if let Some(music) = &options.music {
            self.media(music)?;
        }
        Ok(TransferOptions {
            mode: match options.mode {
                wit_transfer::TransferMode::Blind => TransferMode::Blind,
                wit_transfer::TransferMode::Attended => TransferMode::Attended,
                wit_transfer::TransferMode::Bridge => TransferMode::Bridge,
            },
            ring_timeout: millis(options.ring_timeout),
            music: options.music.map(Arc::from),
            whisper: self.prompt_option(options.whisper)?,
            screen_pop: self.fields("screen-pop", &options.screen_pop)?,
            return_on_end: options.return_on_end,
        })
    }
}

fn segment_bytes(segment: &wit_prompts::Segment) -> usize {
    use wit_prompts::Segment as Wit;
    match segment {
        Wit::Text(text) | Wit::Ssml(text) | Wit::Media(text) | Wit::Spell(text) | Wit::Tone(text) => text.len(),
        Wit::Counted(spec) => spec.noun.one.len() + spec.noun.few.len() + spec.noun.many.len() + spec.noun.other.len(),
        Wit::Digits(spec) => spec.digits.len(),
        Wit::Money(money) => money.currency.len(),
        Wit::Number(_)
        | Wit::Ordinal(_)
        | Wit::Decimal(_)
        | Wit::Date(_)
        | Wit::Time(_)
        | Wit::Duration(_)
        | Wit::Silence(_) => 0,
    }
}

pub(crate) fn millis(millis: u32) -> Duration {
    Duration::from_millis(millis.into())
}

pub(crate) fn to_millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// E.164 with its plus: at most 15 digits.
pub(crate) fn e164(number: &str) -> Checked<PhoneNumber> {
    let digits = number.strip_prefix('+').unwrap_or_default();
    if (2..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(PhoneNumber::new(number));
    }
    Err(CallError::Invalid("number is not E.164 with a plus, such as \"+74951234567\"".into()))
}

const fn gender(gender: wit_prompts::Gender) -> Gender {
    match gender {
        wit_prompts::Gender::Masculine => Gender::Masculine,
        wit_prompts::Gender::Feminine => Gender::Feminine,
        wit_prompts::Gender::Neuter => Gender::Neuter,
    }
}

const fn case(case: wit_prompts::GrammaticalCase) -> Case {
    match case {
        wit_prompts::GrammaticalCase::Nominative => Case::Nominative,
        wit_prompts::GrammaticalCase::Genitive => Case::Genitive,
        wit_prompts::GrammaticalCase::Dative => Case::Dative,
        wit_prompts::GrammaticalCase::Accusative => Case::Accusative,
        wit_prompts::GrammaticalCase::Instrumental => Case::Instrumental,
        wit_prompts::GrammaticalCase::Prepositional => Case::Prepositional,
    }
}

const fn inflection(inflection: wit_prompts::Inflection) -> (Gender, Case) {
    (gender(inflection.gender), case(inflection.gram_case))
}

const fn grouping(grouping: wit_prompts::DigitGrouping) -> DigitGrouping {
    match grouping {
        wit_prompts::DigitGrouping::OneByOne => DigitGrouping::OneByOne,
        wit_prompts::DigitGrouping::Pairs => DigitGrouping::Pairs,
        wit_prompts::DigitGrouping::Triples => DigitGrouping::Triples,
        wit_prompts::DigitGrouping::Phone => DigitGrouping::Phone,
        wit_prompts::DigitGrouping::Snils => DigitGrouping::Snils,
        wit_prompts::DigitGrouping::Auto => DigitGrouping::Auto,
    }
}

pub(crate) const fn wit_date(date: Date) -> wit::Date {
    wit::Date { year: date.year, month: date.month, day: date.day }
}

/// A moment that a script names.
pub(crate) fn timestamp(at: wit::Datetime) -> Checked<Timestamp> {
    moment(at).ok_or_else(|| CallError::Invalid("datetime is no moment of the calendar, or before 1970".into()))
}

fn moment(at: wit::Datetime) -> Option<Timestamp> {
    let small = |value: u8| i8::try_from(value).ok();
    let (year, month, day) = (i16::try_from(at.date.year).ok()?, small(at.date.month)?, small(at.date.day)?);
    let date = jiff::civil::Date::new(year, month, day).ok()?;
    let time = jiff::civil::Time::new(small(at.time.hour)?, small(at.time.minute)?, 0, 0).ok()?;
    let offset = jiff::tz::Offset::from_seconds(i32::from(at.utc_offset_minutes) * 60).ok()?;
    let utc = offset.to_timestamp(date.to_datetime(time)).ok()?;
    Some(Timestamp::from_millis(u64::try_from(utc.as_millisecond()).ok()?))
}

pub(crate) const fn pace(pace: wit_telephony::Pace) -> Pace {
    match pace {
        wit_telephony::Pace::Normal => Pace::Normal,
        wit_telephony::Pace::Slow => Pace::Slow,
    }
}

const fn date(date: wit::Date) -> Date {
    Date { year: date.year, month: date.month, day: date.day }
}

pub(crate) const fn reject_cause(cause: wit_telephony::RejectCause) -> RejectCause {
    match cause {
        wit_telephony::RejectCause::Busy => RejectCause::Busy,
        wit_telephony::RejectCause::Declined => RejectCause::Declined,
        wit_telephony::RejectCause::Unavailable => RejectCause::Unavailable,
        wit_telephony::RejectCause::NotInService => RejectCause::NotInService,
    }
}

pub(crate) const fn end_reason(reason: EndReason) -> wit::EndReason {
    match reason {
        EndReason::CallerHangup => wit::EndReason::CallerHangup,
        EndReason::FarEndHangup => wit::EndReason::FarEndHangup,
        EndReason::HostLimit => wit::EndReason::HostLimit,
        EndReason::DrainTimeout => wit::EndReason::DrainTimeout,
        EndReason::AdminKill => wit::EndReason::AdminKill,
        EndReason::MediaLost => wit::EndReason::MediaLost,
        EndReason::ScriptHangup => wit::EndReason::ScriptHangup,
        EndReason::Moved => wit::EndReason::Moved,
    }
}

pub(crate) const fn end_reason_to_core(reason: wit::EndReason) -> EndReason {
    match reason {
        wit::EndReason::CallerHangup => EndReason::CallerHangup,
        wit::EndReason::FarEndHangup => EndReason::FarEndHangup,
        wit::EndReason::HostLimit => EndReason::HostLimit,
        wit::EndReason::DrainTimeout => EndReason::DrainTimeout,
        wit::EndReason::AdminKill => EndReason::AdminKill,
        wit::EndReason::MediaLost => EndReason::MediaLost,
        wit::EndReason::ScriptHangup => EndReason::ScriptHangup,
        wit::EndReason::Moved => EndReason::Moved,
    }
}

impl From<CallError> for wit::CallError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Ended(reason) => Self::Ended(end_reason(reason)),
            CallError::Denied(what) => Self::Denied(what),
            CallError::Quota(what) => Self::Quota(what),
            CallError::Invalid(what) => Self::Invalid(what),
            CallError::NotFound(what) => Self::NotFound(what),
            CallError::BusyResource(what) => Self::BusyResource(what),
            CallError::Timeout => Self::Timeout,
            CallError::Unavailable(what) => Self::Unavailable(what),
            CallError::Internal(id) => Self::Internal(id),
        }
    }
}

impl From<wit::CallError> for CallError {
    fn from(error: wit::CallError) -> Self {
        use wit::CallError as Wit;
        match error {
            Wit::Ended(reason) => Self::Ended(end_reason_to_core(reason)),
            Wit::Denied(what) => Self::Denied(what),
            Wit::Quota(what) => Self::Quota(what),
            Wit::Invalid(what) => Self::Invalid(what),
            Wit::NotFound(what) => Self::NotFound(what),
            Wit::BusyResource(what) => Self::BusyResource(what),
            Wit::Timeout => Self::Timeout,
            Wit::Unavailable(what) => Self::Unavailable(what),
            Wit::Internal(id) => Self::Internal(id),
        }
    }
}

/// Whom a campaign's script is told of.
pub(crate) fn contact(contact: &CampaignContact) -> wit_campaign::Contact {
    let field = |(name, value): &(Arc<str>, Arc<str>)| wit::Field { name: name.to_string(), value: value.to_string() };
    wit_campaign::Contact {
        id: contact.id.to_string(),
        number: contact.number.reveal().to_owned(),
        attempt: contact.attempt,
        attributes: contact.fields.iter().map(field).collect(),
    }
}

pub(crate) fn call_info(info: &CallInfo, version: &str) -> wit_telephony::CallInfo {
    let number = |number: &PhoneNumber| number.reveal().to_owned();
    wit_telephony::CallInfo {
        id: info.id.to_string(),
        direction: match info.direction {
            Direction::Inbound => wit_telephony::Direction::Inbound,
            Direction::Outbound => wit_telephony::Direction::Outbound,
        },
        caller: info.caller.as_ref().map(number),
        called: number(&info.called),
        diversion: info.diversion.as_ref().map(number),
        lang: info.lang.to_string(),
        agency: info.agency.to_string(),
        entry: info.entry.to_string(),
        script_version: version.to_owned(),
        answered_by: match info.answered_by {
            AnsweredBy::Unknown => wit_telephony::AnsweredBy::Unknown,
            AnsweredBy::Human => wit_telephony::AnsweredBy::Human,
            AnsweredBy::Machine => wit_telephony::AnsweredBy::Machine,
            AnsweredBy::Fax => wit_telephony::AnsweredBy::Fax,
        },
        headers: info
            .headers
            .iter()
            .map(|(name, value)| wit::Field { name: name.to_string(), value: value.to_string() })
            .collect(),
    }
}

pub(crate) fn playback_end(end: PlaybackEnd) -> wit_telephony::PlaybackEnd {
    wit_telephony::PlaybackEnd { finished: end.finished, interrupted_by: end.interrupted_by, at: to_millis(end.at) }
}

pub(crate) fn outcome(outcome: Outcome) -> wit_input::Outcome {
    match outcome {
        Outcome::Ok(Collected { value, raw, attempt }) => wit_input::Outcome::Ok(wit_input::Collected {
            value: match value {
                Value::Text(text) => wit_input::Value::Text(text),
                Value::Flag(flag) => wit_input::Value::Flag(flag),
                Value::Date(day) => wit_input::Value::Date(wit_date(day)),
                Value::Money { minor_units, currency } => {
                    wit_input::Value::Money(wit::Money { minor_units, currency: currency.to_string() })
                }
                Value::Phone(number) => wit_input::Value::Phone(number.reveal().to_owned()),
            },
            raw: raw.reveal().to_owned(),
            mode: wit_input::Mode::ByKeys,
            confidence: 100,
            attempt,
        }),
        Outcome::Global(value) => wit_input::Outcome::Global(value),
        Outcome::NoInput => wit_input::Outcome::NoInput,
        Outcome::NoMatch(keys) => wit_input::Outcome::NoMatch(keys.reveal().to_owned()),
    }
}

pub(crate) fn recording(recording: &Recording) -> wit_recording::Recording {
    wit_recording::Recording {
        id: recording.id.to_string(),
        duration: to_millis(recording.duration),
        stopped_by: match recording.stopped_by {
            StoppedBy::Max => wit_recording::StoppedBy::Max,
            StoppedBy::Silence => wit_recording::StoppedBy::Silence,
            StoppedBy::Key => wit_recording::StoppedBy::Key,
            StoppedBy::Hangup => wit_recording::StoppedBy::Hangup,
            StoppedBy::Script => wit_recording::StoppedBy::Script,
        },
        sha256: crate::bundle::hex(&recording.sha256),
    }
}

pub(crate) fn transfer_outcome(outcome: TransferOutcome) -> wit_transfer::TransferOutcome {
    match outcome {
        TransferOutcome::Moved => wit_transfer::TransferOutcome::Moved,
        TransferOutcome::BridgedThenReturned(time) => {
            wit_transfer::TransferOutcome::BridgedThenReturned(to_millis(time))
        }
        TransferOutcome::Busy => wit_transfer::TransferOutcome::Busy,
        TransferOutcome::NoAnswer => wit_transfer::TransferOutcome::NoAnswer,
        TransferOutcome::Rejected(status) => wit_transfer::TransferOutcome::Rejected(status),
        TransferOutcome::Unavailable => wit_transfer::TransferOutcome::Unavailable,
        TransferOutcome::Closed(from) => wit_transfer::TransferOutcome::Closed(from.map(|from| from.to_string())),
    }
}

pub(crate) const fn datetime(local: LocalTime) -> wit::Datetime {
    wit::Datetime {
        date: wit::Date { year: local.year, month: local.month, day: local.day },
        time: wit::TimeOfDay { hour: local.hour, minute: local.minute },
        utc_offset_minutes: local.utc_offset_minutes,
    }
}
