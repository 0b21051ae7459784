//! What stands in a place's box, line by line, and how large the box is for that.

use super::layout::Size;
use super::sheet::{Label, Link, Place, Shape, Sheet};
use super::text::{width_px, wrapped};
use super::words::Lang;

/// Of boxes with something to read.
pub(crate) const WIDTH_PX: f64 = 236.0;
/// Of ends and operators.
const WIDTH_SMALL_PX: f64 = 184.0;
/// From the box's side to its text.
pub(crate) const PAD_PX: f64 = 14.0;
/// Above the first and below the last line.
const PAD_Y_PX: f64 = 10.0;
/// Letters of the text.
pub(crate) const TEXT_PX: f64 = 13.0;
/// Letters of heads, links and flaws.
pub(crate) const SMALL_PX: f64 = 11.5;
/// Line heights.
const HEAD_LINE_PX: f64 = 18.0;
const TEXT_LINE_PX: f64 = 17.0;
const SMALL_LINE_PX: f64 = 15.0;
/// A row with a round badge.
pub(crate) const BADGE_ROW_PX: f64 = 22.0;
/// Lines of a text before it is cut; the page has all of it.
const TEXT_LINES_MAX: usize = 5;
/// Flaws that are told in a box, and lines of each.
const FLAWS_MAX: usize = 3;
const FLAW_LINES_MAX: usize = 3;
/// Links that are told in a box.
const LINKS_MAX: usize = 8;
/// The text of a way's label.
const LABEL_TEXT_MAX_PX: f64 = 132.0;
const LABEL_LINES_MAX: usize = 3;
/// Labels that stand on one way.
const LABELS_MAX: usize = 6;

/// One line of a box; `y` is the middle of it, from the box's upper side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Line {
    /// What kind of place.
    Head { y: f64, text: String },
    /// What is said.
    Text { y: f64, text: String },
    /// A badge, and where it leads.
    Link { y: f64, keys: Vec<String>, text: String, trouble: bool, to: usize },
    /// What is wrong; the first line of each has a mark.
    Flaw { y: f64, text: String, first: bool },
    /// What does not fit.
    More { y: f64, text: String },
}

/// A box.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Card {
    pub(crate) size: Size,
    pub(crate) lines: Vec<Line>,
}

impl Card {
    /// The box of a place.
    pub(crate) fn of(sheet: &Sheet, place: &Place, lang: Lang) -> Self {
        let small = matches!(place.shape, Shape::End | Shape::Start | Shape::Operator) && place.flaws.is_empty();
        let width = if small && place.links.is_empty() { WIDTH_SMALL_PX } else { WIDTH_PX };
        let inner = width - 2.0 * PAD_PX;
        let mut card = Writing { lines: Vec::new(), y: PAD_Y_PX };
        let head = wrapped(&head(place, lang), SMALL_PX, inner - 16.0, 1);
        card.each(head, HEAD_LINE_PX, |y, text| Line::Head { y, text });
        card.each(wrapped(text_of(place), TEXT_PX, inner, TEXT_LINES_MAX), TEXT_LINE_PX, |y, text| Line::Text {
            y,
            text,
        });
        card.links(sheet, place, lang, inner);
        card.flaws(place, lang, inner);
        Self { size: Size { w: width, h: card.y + PAD_Y_PX }, lines: card.lines }
    }
}

/// What callers hear is shown as far as there is room; of the rest a few words do.
fn text_of(place: &Place) -> &str {
    let heard = matches!(place.shape, Shape::Question | Shape::Message) && !place.said.is_empty();
    if heard { &place.said } else { &place.title }
}

/// `ВОПРОС · application`
fn head(place: &Place, lang: Lang) -> String {
    let mut head = place.shape.name(lang).to_owned();
    if let Some(step) = place.step.as_ref().filter(|_| place.shape != Shape::Step) {
        head.push_str(" · ");
        head.push_str(step);
    }
    if place.of > 1 {
        head.push_str(&format!(" ×{}", place.of));
    }
    head
}

struct Writing {
    lines: Vec<Line>,
    y: f64,
}

impl Writing {
    fn each(&mut self, texts: Vec<String>, height: f64, line: impl Fn(f64, String) -> Line) {
        for text in texts {
            self.lines.push(line(self.y + height / 2.0, text));
            self.y += height;
        }
    }

    fn links(&mut self, sheet: &Sheet, place: &Place, lang: Lang, inner: f64) {
        for link in place.links.iter().take(LINKS_MAX) {
            let keys: Vec<String> = link.labels.iter().filter_map(|label| label.key.clone()).collect();
            let badges: f64 = keys.iter().map(|key| badge_width(key) + 4.0).sum();
            let text = link_text(sheet, place, link, lang);
            let lines = wrapped(&text, SMALL_PX, inner - badges - 4.0, 1);
            let to = link.to;
            let trouble = link.trouble;
            self.each(lines, BADGE_ROW_PX, |y, text| Line::Link { y, keys: keys.clone(), text, trouble, to });
        }
        if place.links.len() > LINKS_MAX {
            self.more(place.links.len() - LINKS_MAX, lang);
        }
    }

    fn flaws(&mut self, place: &Place, lang: Lang, inner: f64) {
        for flaw in place.flaws.iter().take(FLAWS_MAX) {
            self.y += 4.0;
            let lines = wrapped(&flaw.name, SMALL_PX, inner - 18.0, FLAW_LINES_MAX);
            for (nth, text) in lines.into_iter().enumerate() {
                self.lines.push(Line::Flaw { y: self.y + SMALL_LINE_PX / 2.0, text, first: nth == 0 });
                self.y += SMALL_LINE_PX;
            }
        }
        if place.flaws.len() > FLAWS_MAX {
            self.more(place.flaws.len() - FLAWS_MAX, lang);
        }
    }

    fn more(&mut self, count: usize, lang: Lang) {
        let text = format!("{} {count}", lang.of("и ещё", "and more:"));
        self.lines.push(Line::More { y: self.y + SMALL_LINE_PX / 2.0, text });
        self.y += SMALL_LINE_PX;
    }
}

/// Where a link leads, in words: `↻ повторить`, `молчание → Оператор`.
pub(crate) fn link_text(sheet: &Sheet, place: &Place, link: &Link, lang: Lang) -> String {
    let mut what: Vec<&str> =
        link.labels.iter().filter(|label| label.key.is_none()).map(|label| label.text.as_str()).collect();
    let spoken = link.labels.iter().filter(|label| label.key.is_some() && !label.told().is_empty());
    what.extend(spoken.map(Label::told));
    what.dedup();
    let target = sheet.places.get(link.to);
    let itself = target.is_some_and(|target| std::ptr::eq(target, place));
    let to = match target {
        _ if itself && what.is_empty() => lang.of("↻ ещё раз", "↻ once more").to_owned(),
        _ if itself => return format!("↻ {}", what.join(", ")),
        Some(target) => format!("→ {}", short(target, lang)),
        None => String::new(),
    };
    if what.is_empty() { to } else { format!("{} {to}", what.join(", ")) }
}

/// A place in few words, for what points to it.
pub(crate) fn short(place: &Place, lang: Lang) -> String {
    const CHARS_MAX: usize = 34;
    if place.title.is_empty() {
        return place.shape.name(lang).to_owned();
    }
    if place.title.chars().count() <= CHARS_MAX {
        return place.title.clone();
    }
    let cut: String = place.title.chars().take(CHARS_MAX).collect();
    let words = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{}…", words.trim_end_matches([',', '.', ':', ';']))
}

/// How wide a badge with this key is.
pub(crate) fn badge_width(key: &str) -> f64 {
    // Badges are bold.
    (width_px(key, SMALL_PX) * 1.12 + 10.0).max(18.0)
}

/// The label of a way: rows of badges and words.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tag {
    pub(crate) size: Size,
    pub(crate) rows: Vec<TagRow>,
}

/// A badge, or none, and the words beside it; `y` is the middle of its first line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TagRow {
    pub(crate) y: f64,
    pub(crate) key: Option<String>,
    pub(crate) lines: Vec<String>,
}

impl Tag {
    /// None where nothing is to be said.
    pub(crate) fn of(labels: &[Label], lang: Lang) -> Option<Self> {
        let mut tag = Self::default();
        let (mut y, mut width) = (4.0, 0.0_f64);
        let mut add = |label: &Label| {
            let lines = wrapped(label.told(), SMALL_PX, LABEL_TEXT_MAX_PX, LABEL_LINES_MAX);
            let badge = label.key.as_deref().map_or(0.0, |key| badge_width(key) + 5.0);
            let text = lines.iter().map(|line| width_px(line, SMALL_PX)).fold(0.0, f64::max);
            width = width.max(badge + text);
            tag.rows.push(TagRow { y: y + BADGE_ROW_PX / 2.0, key: label.key.clone(), lines });
            let lines = tag.rows.last().map_or(0, |row| row.lines.len());
            y += BADGE_ROW_PX + lines.saturating_sub(1) as f64 * SMALL_LINE_PX;
        };
        let told = labels.iter().filter(|label| label.key.is_some() || !label.text.is_empty());
        told.clone().take(LABELS_MAX).for_each(&mut add);
        let rest = told.count().saturating_sub(LABELS_MAX);
        if rest > 0 {
            add(&Label::outcome(&format!("{} {rest}", lang.of("и ещё", "and more:"))));
        }
        tag.size = Size { w: width + 16.0, h: y + 4.0 };
        (!tag.rows.is_empty()).then_some(tag)
    }
}

/// From one line of a label to the next.
pub(crate) const LINE_PX: f64 = SMALL_LINE_PX;
