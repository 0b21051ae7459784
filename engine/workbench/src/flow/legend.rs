//! What the picture's signs mean: only the ones that are on it.

use super::card::badge_width;
use super::layout::Size;
use super::sheet::{Change, Shape, Sheet};
use super::svg::outline;
use super::text::{escaped, width_px, wrapped};
use super::words::Lang;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const ROW_PX: f64 = 24.0;
/// A sign, and from its left side to its words.
const SIGN_PX: f64 = 34.0;
/// Between one meaning and the next.
const APART_PX: f64 = 22.0;
const LETTERS_PX: f64 = 11.5;

/// The legend, from its own upper left corner.
pub(crate) struct Legend {
    pub(crate) svg: String,
    pub(crate) height: f64,
}

/// The legend of a sheet, not wider than this.
pub(crate) fn legend(sheet: &Sheet, lang: Lang, width_max: f64) -> Legend {
    let mut rows = Rows { svg: String::new(), x: 0.0, y: 12.0, width_max };
    let used: BTreeSet<Shape> = sheet.places.iter().map(|place| place.shape).collect();
    for shape in Shape::ALL.into_iter().filter(|shape| used.contains(shape)) {
        let sign = outline(shape, Size { w: 28.0, h: 16.0 });
        let sign = format!("<g class=\"{}\" transform=\"translate(0 -8)\">{sign}</g>", shape.class());
        rows.add(&sign, shape.name(lang));
    }
    let keys = sheet
        .ways
        .iter()
        .flat_map(|way| &way.labels)
        .chain(sheet.places.iter().flat_map(|place| place.links.iter().flat_map(|link| &link.labels)));
    if keys.into_iter().any(|label| label.key.is_some()) {
        let sign = format!(
            "<rect class=\"badge\" x=\"4\" y=\"-9\" width=\"{:.1}\" height=\"18\" rx=\"9\"/><text class=\"badge-key\" x=\"13\" y=\"0\">1</text>",
            badge_width("1")
        );
        rows.add(&sign, lang.of("клавиша и что она значит", "a key and what it stands for"));
    }
    let way = |class: &str| {
        format!("<path class=\"way {class}\" d=\"M0 0H22\"/><path class=\"tip {class}\" d=\"M28 0L20 -4.4L20 4.4Z\"/>")
    };
    if sheet.ways.iter().any(|way| way.usual) {
        rows.add(&way("usual"), lang.of("обычный путь", "the usual way"));
    }
    if sheet.ways.iter().any(|way| way.trouble) {
        let meaning = lang
            .of("сбой: молчание, ошибка ввода, отказ системы", "trouble: silence, a wrong key, a system that fails");
        rows.add(&way("trouble"), meaning);
    }
    if sheet.places.iter().any(|place| !place.flaws.is_empty()) {
        let sign =
            "<circle class=\"mark\" cx=\"14\" cy=\"0\" r=\"8\"/><text class=\"mark-text\" x=\"14\" y=\"0\">!</text>";
        rows.add(sign, lang.of("найденная ошибка", "something wrong"));
    }
    if sheet.compares {
        for change in [Change::Added, Change::Removed, Change::Changed] {
            let sign = outline(Shape::Message, Size { w: 28.0, h: 16.0 });
            let sign = format!("<g class=\"{}\" transform=\"translate(0 -8)\">{sign}</g>", change.class());
            rows.add(&sign, change.name(lang));
        }
    }
    rows.notes(&sheet.notes);
    Legend { svg: rows.svg, height: rows.y + ROW_PX / 2.0 }
}

struct Rows {
    svg: String,
    x: f64,
    y: f64,
    width_max: f64,
}

impl Rows {
    fn add(&mut self, sign: &str, meaning: &str) {
        let width = SIGN_PX + width_px(meaning, LETTERS_PX);
        if self.x > 0.0 && self.x + width > self.width_max {
            self.x = 0.0;
            self.y += ROW_PX;
        }
        let _ = write!(
            self.svg,
            "<g transform=\"translate({:.1} {:.1})\">{sign}<text x=\"{SIGN_PX:.1}\" y=\"0\">{}</text></g>",
            self.x,
            self.y,
            escaped(meaning)
        );
        self.x += width + APART_PX;
    }

    fn notes(&mut self, notes: &[String]) {
        for note in notes {
            for line in wrapped(note, LETTERS_PX, self.width_max, 3) {
                self.y += ROW_PX - 4.0;
                let _ = write!(self.svg, "<text class=\"note\" x=\"0\" y=\"{:.1}\">{}</text>", self.y, escaped(&line));
            }
        }
    }
}

/// A sign of 12 by 12 around nothing, before a place's head.
pub(crate) const fn icon(shape: Shape) -> &'static str {
    match shape {
        Shape::Question => {
            "<path class=\"pen\" d=\"M-4 -2A4 4 0 1 1 1 2L0 3.4\"/><circle class=\"dot\" cx=\"0\" cy=\"6\" r=\".9\"/>"
        }
        Shape::Message | Shape::Step => "<path class=\"pen\" d=\"M-5 -4H5V3H-1L-4 6V3H-5Z\"/>",
        Shape::Operator | Shape::Transfer => {
            "<path class=\"pen\" d=\"M-5 2V0A5 5 0 0 1 5 0V2M-5 1V5H-3V1ZM5 1V5H3V1Z\"/>"
        }
        Shape::BackEnd => "<path class=\"pen\" d=\"M-5 -4H5V0H-5ZM-5 1H5V5H-5ZM-3 -2H-2M-3 3H-2\"/>",
        Shape::Promise => "<path class=\"pen\" d=\"M-5 0L-1.5 4L5 -4\"/>",
        Shape::Recording => {
            "<circle class=\"pen\" cx=\"0\" cy=\"0\" r=\"5\"/><circle class=\"dot\" cx=\"0\" cy=\"0\" r=\"2.4\"/>"
        }
        Shape::Start => {
            "<path class=\"pen\" d=\"M-4 -5L-1 -2L-2.4 -.6A8 8 0 0 0 .6 2.4L2 1L5 4L3 6A12 12 0 0 1 -6 -3Z\"/>"
        }
        Shape::End => "<circle class=\"pen\" cx=\"0\" cy=\"0\" r=\"5\"/><path class=\"pen\" d=\"M-3 0H3\"/>",
    }
}
