//! A sheet as SVG: self-contained, without scripts, in light and in dark, with real text. Every box is a link to the
//! place's anchor (`#p3`), which the page around it has.

use super::card::{BADGE_ROW_PX, Card, LINE_PX, Line, PAD_PX, Tag, badge_width};
use super::layout::{Area, Laid, Route, Size, WayOf, laid};
use super::legend;
use super::sheet::{Change, Place, Shape, Sheet, Way};
use super::text::{escaped, width_px, wrapped};
use super::words::Lang;
use std::fmt::Write as _;

/// The style sheet of a picture.
pub const STYLE: &str = include_str!("flow.css");

/// Around everything.
const MARGIN_PX: f64 = 24.0;
/// Title and what was looked at.
const TITLE_PX: f64 = 34.0;
const LINE_OF_TITLE_PX: f64 = 17.0;
/// A picture is not narrower: title and legend need room.
const WIDTH_MIN_PX: f64 = 620.0;
/// Of an arrow's tip.
const TIP_PX: f64 = 8.0;
/// How far a slanted side leans.
const SLANT_PX: f64 = 10.0;

/// How a picture is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SvgStyle {
    /// The language of its own words.
    pub lang: Lang,
    /// The style sheet stands around it already: where a page forbids styles within.
    pub bare: bool,
}

/// Draws a sheet.
#[must_use]
pub fn svg(sheet: &Sheet, style: SvgStyle) -> String {
    let lang = style.lang;
    let cards: Vec<Card> = sheet.places.iter().map(|place| Card::of(sheet, place, lang)).collect();
    let tags: Vec<Option<Tag>> = sheet.ways.iter().map(|way| Tag::of(&way.labels, lang)).collect();
    let sizes: Vec<Size> = cards.iter().map(|card| card.size).collect();
    let drawn: Vec<usize> = (0..sheet.ways.len()).filter(|at| sheet.ways[*at].from != sheet.ways[*at].to).collect();
    let ways: Vec<WayOf> = drawn
        .iter()
        .map(|at| (sheet.ways[*at].from, sheet.ways[*at].to, tags[*at].as_ref().map(|tag| tag.size)))
        .collect();
    let laid = laid(&sizes, &ways);
    let mut drawing = Drawing { out: String::new(), lang };
    drawing.page(sheet, &laid, style.bare, |drawing, left, top| {
        let _ = write!(drawing.out, "<g transform=\"translate({left:.1} {top:.1})\">");
        // Trouble below, the usual way above.
        let mut order: Vec<usize> = (0..drawn.len()).collect();
        order.sort_by_key(|at| rank_of(&sheet.ways[drawn[*at]]));
        for at in &order {
            drawing.way(&sheet.ways[drawn[*at]], &laid.routes[*at]);
        }
        for at in &order {
            if let (Some(tag), Some(area)) = (&tags[drawn[*at]], laid.routes[*at].label) {
                drawing.tag(&sheet.ways[drawn[*at]], tag, &area);
            }
        }
        for (at, place) in sheet.places.iter().enumerate() {
            drawing.place(at, place, &cards[at], &laid.places[at]);
        }
        drawing.out.push_str("</g>");
    });
    drawing.out
}

fn rank_of(way: &Way) -> (bool, bool) {
    (!way.trouble, way.usual)
}

struct Drawing {
    out: String,
    lang: Lang,
}

impl Drawing {
    fn page(&mut self, sheet: &Sheet, laid: &Laid, bare: bool, content: impl FnOnce(&mut Self, f64, f64)) {
        let width = (laid.size.w + 2.0 * MARGIN_PX).max(WIDTH_MIN_PX);
        let subtitle = wrapped(&sheet.subtitle, 11.5, width - 2.0 * MARGIN_PX, 4);
        let top = MARGIN_PX + TITLE_PX + subtitle.len() as f64 * LINE_OF_TITLE_PX + 14.0;
        let left = (width - laid.size.w) / 2.0;
        let legend = legend::legend(sheet, self.lang, width - 2.0 * MARGIN_PX);
        let below = top + laid.size.h + 24.0;
        let height = below + legend.height + MARGIN_PX;
        let name = escaped(&sheet.title);
        let _ = write!(
            self.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flow\" role=\"group\" aria-label=\"{name}\" lang=\"{}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\"><title>{name}</title>",
            self.lang.tag()
        );
        if !bare {
            let _ = write!(self.out, "<style>{STYLE}</style>");
        }
        let _ = write!(self.out, "<rect class=\"paper\" width=\"{width:.0}\" height=\"{height:.0}\"/>");
        let title = wrapped(&sheet.title, 20.0, width - 2.0 * MARGIN_PX, 1);
        self.text("title", MARGIN_PX, MARGIN_PX + 12.0, title.first().map_or("", String::as_str));
        for (line, nth) in subtitle.iter().zip(0_u8..) {
            self.text("subtitle", MARGIN_PX, MARGIN_PX + TITLE_PX + f64::from(nth) * LINE_OF_TITLE_PX, line);
        }
        content(self, left, top);
        let _ = write!(
            self.out,
            "<g class=\"legend\" transform=\"translate({MARGIN_PX:.1} {below:.1})\">{}</g></svg>",
            legend.svg
        );
        self.out.push('\n');
    }

    fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        let _ = write!(self.out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(text));
    }

    fn way(&mut self, way: &Way, route: &Route) {
        let class = way_class(way);
        let _ = write!(self.out, "<path class=\"way{class}\" d=\"{}\"/>", path_of(route));
        let (x, y) = route.end;
        let (half, base) = (TIP_PX * 0.55, if route.back { y + TIP_PX } else { y - TIP_PX });
        let _ = write!(
            self.out,
            "<path class=\"tip{class}\" d=\"M{x:.1} {y:.1}L{:.1} {base:.1}L{:.1} {base:.1}Z\"/>",
            x - half,
            x + half
        );
    }

    fn tag(&mut self, way: &Way, tag: &Tag, area: &Area) {
        let _ = write!(
            self.out,
            "<g class=\"{}\" transform=\"translate({:.1} {:.1})\"><rect class=\"tag\" width=\"{:.1}\" height=\"{:.1}\" rx=\"9\"/>",
            way_class(way).trim_start(),
            area.x,
            area.y,
            area.w,
            area.h
        );
        for row in &tag.rows {
            let mut x = 6.0;
            if let Some(key) = &row.key {
                self.badge(x, row.y, key);
                x += badge_width(key) + 5.0;
            }
            for (line, nth) in row.lines.iter().zip(0_u8..) {
                self.text("label", x, row.y + f64::from(nth) * LINE_PX, line);
            }
        }
        self.out.push_str("</g>");
    }

    fn badge(&mut self, x: f64, y: f64, key: &str) {
        let (width, height) = (badge_width(key), BADGE_ROW_PX - 4.0);
        let _ = write!(
            self.out,
            "<rect class=\"badge\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"9\"/>",
            y - height / 2.0
        );
        self.text("badge-key", x + width / 2.0, y, key);
    }

    fn place(&mut self, at: usize, place: &Place, card: &Card, area: &Area) {
        let flawed = if place.flaws.is_empty() { "" } else { " flawed" };
        let change = if place.change == Change::Same { String::new() } else { format!(" {}", place.change.class()) };
        let name = format!("{}: {}", place.shape.name(self.lang), place.title);
        let _ = write!(
            self.out,
            "<a href=\"#p{at}\" id=\"box-p{at}\" class=\"place {}{flawed}{change}\" aria-label=\"{}\" \
             transform=\"translate({:.1} {:.1})\"><title>{}</title>{}",
            place.shape.class(),
            escaped(&name),
            area.x,
            area.y,
            escaped(if place.said.is_empty() { &name } else { &place.said }),
            outline(place.shape, card.size)
        );
        for line in &card.lines {
            self.line(place.shape, card.size, line);
        }
        if !place.flaws.is_empty() {
            self.mark(card.size.w - 4.0, 2.0, 10.0);
        }
        self.out.push_str("</a>");
    }

    fn line(&mut self, shape: Shape, size: Size, line: &Line) {
        match line {
            Line::Head { y, text } => {
                self.icon(shape, PAD_PX + 4.0, *y);
                self.text("head", PAD_PX + 16.0, *y, text);
            }
            Line::Text { y, text } => self.text("said", PAD_PX, *y, text),
            Line::Link { y, keys, text, trouble, .. } => {
                let mut x = PAD_PX;
                for key in keys {
                    let room = size.w - PAD_PX - x - width_px(text, 11.5);
                    if badge_width(key) > room {
                        break;
                    }
                    self.badge(x, *y, key);
                    x += badge_width(key) + 4.0;
                }
                self.text(if *trouble { "link trouble" } else { "link" }, x, *y, text);
            }
            Line::Flaw { y, text, first } => {
                if *first {
                    self.mark(PAD_PX + 6.0, *y, 6.5);
                }
                self.text("flaw", PAD_PX + 18.0, *y, text);
            }
            Line::More { y, text } => self.text("more", PAD_PX, *y, text),
        }
    }

    /// A red mark: something is wrong here.
    fn mark(&mut self, x: f64, y: f64, radius: f64) {
        let _ = write!(self.out, "<circle class=\"mark\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"/>");
        self.text("mark-text", x, y, "!");
    }

    fn icon(&mut self, shape: Shape, x: f64, y: f64) {
        let _ =
            write!(self.out, "<g class=\"icon\" transform=\"translate({x:.1} {y:.1})\">{}</g>", legend::icon(shape));
    }
}

/// `" usual"`, `" trouble"`, and what became of it.
fn way_class(way: &Way) -> String {
    let mut class = String::new();
    if way.usual {
        class.push_str(" usual");
    }
    if way.trouble {
        class.push_str(" trouble");
    }
    if way.change != Change::Same {
        class.push(' ');
        class.push_str(way.change.class());
    }
    class
}

/// Upright through the bands, in curves between them.
fn path_of(route: &Route) -> String {
    let mut path = format!("M{:.1} {:.1}", route.start.0, route.start.1);
    let mut at = route.start;
    let to = |path: &mut String, at: &mut (f64, f64), x: f64, y: f64| {
        if (x - at.0).abs() < 0.05 {
            let _ = write!(path, "V{y:.1}");
        } else {
            let middle = (at.1 + y) / 2.0;
            let _ = write!(path, "C{:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {y:.1}", at.0);
        }
        *at = (x, y);
    };
    for (x, enters, leaves) in &route.bands {
        to(&mut path, &mut at, *x, *enters);
        to(&mut path, &mut at, *x, *leaves);
    }
    to(&mut path, &mut at, route.end.0, route.end.1);
    path
}

/// The outline that tells what kind of place it is.
pub(crate) fn outline(shape: Shape, size: Size) -> String {
    let Size { w, h } = size;
    let rounded =
        |radius: f64| format!("<rect class=\"shape\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"{radius:.1}\"/>");
    let polygon = |points: &[(f64, f64)]| {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        format!("<polygon class=\"shape\" points=\"{}\"/>", points.join(" "))
    };
    match shape {
        Shape::Start | Shape::End => rounded((h / 2.0).min(24.0)),
        Shape::Question => rounded(4.0),
        Shape::Message => rounded(12.0),
        Shape::Step => rounded(2.0),
        Shape::Operator | Shape::Transfer => polygon(&[
            (SLANT_PX, 0.0),
            (w - SLANT_PX, 0.0),
            (w, h / 2.0),
            (w - SLANT_PX, h),
            (SLANT_PX, h),
            (0.0, h / 2.0),
        ]),
        Shape::BackEnd => polygon(&[(SLANT_PX, 0.0), (w, 0.0), (w - SLANT_PX, h), (0.0, h)]),
        Shape::Promise | Shape::Recording => {
            let fold = 14.0_f64.min(h / 2.0);
            format!(
                "{}<path class=\"fold\" d=\"M{:.1} 0V{fold:.1}H{w:.1}\"/>",
                polygon(&[(0.0, 0.0), (w - fold, 0.0), (w, fold), (w, h), (0.0, h)]),
                w - fold
            )
        }
    }
}
