//! Leads the caller through the tree.

mod services;

use crate::line::{Ask, Line};
use crate::model::{Act, KEY, NodeId, OPERATORS_OPEN, Piece, Question, Target, Tree, Values, Words};
use core::time::Duration;
use gudok_sdk::{Answer, Result, ResultCode, Summary, TimeOfDay, TransferOutcome, choose, digits, number};

/// A caller who visits more nodes than this is led out: no tree of data can keep a line busy for ever.
const VISITS_MAX: u32 = 500;
/// Questions that "@back" remembers.
const TRAIL_MAX: usize = 64;

/// Leads the caller through the tree to its end.
///
/// # Errors
/// As the host calls that it makes, [`Ended`](gudok_sdk::CallError::Ended) above all.
pub fn walk(tree: &Tree, line: &mut impl Line) -> Result<Summary> {
    let language = line.language();
    let mut walk = Walk { tree, line, language, trail: Vec::new(), values: Values::new(), heard: None, slow: false };
    walk.speak_a_language_of_the_tree()?;
    let mut at = tree.start;
    for _ in 0..VISITS_MAX {
        match walk.visit(at)? {
            Next::Target(target) => at = walk.resolve(target, at),
            Next::Over(code) => {
                let last = tree.nodes.get(at).map(|node| node.name.as_str()).unwrap_or_default();
                return Ok(Summary::new(code).with("last", last));
            }
        }
    }
    walk.line
        .complain(&format!("the caller visited {VISITS_MAX} nodes: the tree leads in a circle without a question"));
    Ok(Summary::no_service())
}

struct Walk<'tree, 'line, L> {
    tree: &'tree Tree,
    line: &'line mut L,
    /// The language the caller is spoken to in: nobody else changes it.
    language: String,
    /// The questions that led here, this one last.
    trail: Vec<NodeId>,
    values: Values,
    /// The entry of the directory that was told last.
    heard: Option<services::Heard>,
    slow: bool,
}

enum Next {
    Target(Target),
    Over(ResultCode),
}

impl<L: Line> Walk<'_, '_, L> {
    /// A call in a language that the tree has no words in would hear its words in one language and its numbers in another.
    fn speak_a_language_of_the_tree(&mut self) -> Result<()> {
        let tags: Vec<_> = self.tree.languages.iter().map(|tag| (tag, tag)).collect();
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        match choose(&self.language, &tags) {
            Some(tag) if primary(tag) != primary(&self.language) => self.set_language(tag),
            _ => Ok(()),
        }
    }

    fn set_language(&mut self, tag: &str) -> Result<()> {
        self.line.set_language(tag)?;
        tag.clone_into(&mut self.language);
        Ok(())
    }

    /// The one after the one that is spoken, the first after the last.
    fn next_language(&self) -> String {
        let tags: Vec<_> = self.tree.languages.iter().enumerate().map(|(place, tag)| (tag, place)).collect();
        let spoken = choose(&self.language, &tags).copied().unwrap_or_default();
        let next = tags.iter().map(|(tag, _)| *tag).cycle().nth(spoken + 1);
        next.map(ToString::to_string).unwrap_or_default()
    }

    fn visit(&mut self, at: NodeId) -> Result<Next> {
        // `read` resolved every name, so there is a node.
        let Some(node) = self.tree.nodes.get(at) else { return Ok(Next::Over(ResultCode::NoService)) };
        self.line.step(&node.name);
        if node.act.is_question() {
            self.remember(at);
        }
        let target = match &node.act {
            Act::Menu { question, choices } => {
                let keys = choices.iter().map(|(key, _)| key.as_str()).collect();
                let picked = self.ask(question, None, keys)?;
                picked.map_or_else(
                    |target| target,
                    |place| choices.get(place).map_or(question.otherwise, |choice| choice.1),
                )
            }
            Act::Table { question, each, table, then } => self.pick_row(question, each, *table, *then)?,
            Act::Say { words, uninterrupted, then } => {
                let prompt = self.prompt(words);
                self.line.say(if *uninterrupted { prompt.uninterrupted() } else { prompt })?;
                *then
            }
            Act::Transfer { .. } => match self.transfer(&node.act)? {
                Some(target) => target,
                None => return Ok(Next::Over(ResultCode::Transferred)),
            },
            Act::Queue(wait) => return self.queue(wait),
            Act::Callback(offer) => self.callback(offer)?,
            Act::Directory(lookup) => self.look_up(lookup)?,
            Act::Wrong { to, then, failed } => self.wrong(to, *then, *failed)?,
            Act::Complaint(complaint) => self.complaint(complaint)?,
            Act::Survey(survey) => self.survey(survey)?,
            Act::Pace { pace, then } => {
                self.pace(*pace)?;
                *then
            }
            Act::Language { tag, then } => {
                let next = self.next_language();
                self.set_language(tag.as_deref().unwrap_or(&next))?;
                *then
            }
            Act::Hours { week, open, closed } => {
                let now = self.line.now();
                if week.is_open(now.date, now.time) { *open } else { *closed }
            }
            Act::Hangup { words } => {
                let goodbye = self.prompt(words);
                self.line.hangup(goodbye)?;
                return Ok(Next::Over(ResultCode::Served));
            }
        };
        Ok(Next::Target(target))
    }

    /// Coming to a question that led here is going back to it.
    fn remember(&mut self, at: NodeId) {
        if let Some(place) = self.trail.iter().position(|node| *node == at) {
            self.trail.truncate(place);
        }
        if self.trail.len() == TRAIL_MAX {
            self.trail.remove(0);
        }
        self.trail.push(at);
    }

    fn resolve(&mut self, target: Target, at: NodeId) -> NodeId {
        match target {
            Target::Node(node) => node,
            Target::Repeat => at,
            Target::Back => {
                if self.trail.last() == Some(&at) {
                    self.trail.pop();
                }
                self.trail.last().copied().unwrap_or(self.tree.start)
            }
        }
    }

    fn prompt(&self, words: &Words) -> gudok_sdk::Prompt {
        words.prompt(&self.language, &self.values)
    }

    /// The place of the picked key, or where to go instead.
    fn ask(
        &mut self,
        question: &Question,
        rows: Option<gudok_sdk::Prompt>,
        keys: Vec<&str>,
    ) -> Result<core::result::Result<usize, Target>> {
        let globals: Vec<_> = self.tree.keys.iter().filter(|(key, _)| !keys.contains(&key.as_str())).collect();
        let ask = Ask {
            prompt: self.prompt(&question.words).with(rows),
            keys,
            global_keys: globals.iter().map(|(key, _)| key.as_str()).collect(),
            no_input: self.prompt(&question.asking.no_input),
            no_match: self.prompt(&question.asking.no_match),
            asking: &question.asking,
        };
        Ok(match self.line.ask(ask)? {
            Answer::Given(place) => Ok(place),
            Answer::Global(place) => Err(globals.get(place).map_or(question.otherwise, |(_, target)| *target)),
            Answer::NoInput | Answer::NoMatch => Err(question.otherwise),
        })
    }

    fn pick_row(&mut self, question: &Question, each: &Words, table: usize, then: Target) -> Result<Target> {
        let rows = self.tree.tables.get(table).map(Vec::as_slice).unwrap_or_default();
        let mut listed = gudok_sdk::Prompt::new();
        for row in rows {
            let mut values = row.cells.clone();
            values.insert(KEY.to_owned(), said_key(&row.key));
            listed = listed.with(each.prompt(&self.language, &values));
        }
        let keys = rows.iter().map(|row| row.key.as_str()).collect();
        Ok(match self.ask(question, Some(listed), keys)? {
            Ok(place) => {
                if let Some(row) = rows.get(place) {
                    self.values.clone_from(&row.cells);
                }
                then
            }
            Err(target) => target,
        })
    }

    /// Where to go on; none if the caller is with somebody else now.
    fn transfer(&mut self, act: &Act) -> Result<Option<Target>> {
        let Act::Transfer { say, to, ring_timeout_ms, show, closed, failed } = act else { return Ok(None) };
        let words = self.prompt(say);
        if !words.segments.is_empty() {
            self.line.say(words)?;
        }
        let mut transfer = to.transfer();
        if let Some(patience) = ring_timeout_ms {
            transfer = transfer.ring_for(Duration::from_millis((*patience).into()));
        }
        for (name, value) in show {
            transfer = transfer.show(name, value.as_str());
        }
        self.values.remove(OPERATORS_OPEN);
        Ok(match self.line.transfer(transfer)? {
            TransferOutcome::Moved => None,
            TransferOutcome::Closed(opens) => {
                self.operators_open(opens.as_deref().and_then(TimeOfDay::parse));
                Some(*closed)
            }
            TransferOutcome::BridgedThenReturned(_) => Some(Target::Back),
            _ => Some(*failed),
        })
    }
}

/// "один", "звёздочка" is for the author to write: a star has no number.
fn said_key(key: &str) -> Words {
    let segment = match key.parse::<i64>() {
        Ok(value) if !key.starts_with('0') || key == "0" => {
            let prompt = gudok_sdk::Prompt::new().with(number(value));
            prompt.segments.into_iter().next()
        }
        _ => None,
    };
    Words::of_any_language(vec![Piece::Segment(segment.unwrap_or_else(|| digits(key)))])
}
