//! A script's discovered flow as a picture that needs no manual: SVG, Mermaid, and a page that can be clicked.
//!
//! [`sheet`] makes a [`Sheet`] of what exploring found (places that look the same are one, ways that lead everywhere are
//! told in their boxes), [`compared_sheet`] makes one of two versions; [`svg`], [`mermaid`] and [`html`] draw any sheet.
//! Whatever a script says is text here: it is escaped by each of them, and leaves no quotes. The same sheet gives the
//! same bytes.

mod card;
mod details;
mod difference;
mod examples;
mod findings;
mod fold;
mod html;
mod labels;
mod layout;
mod legend;
mod mermaid;
mod sheet;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod words;

pub use details::{PlaceDetails, WayDetails, details};
pub use difference::{compared_sheet, difference_in_words};
pub use examples::Examples;
pub use findings::{finding_name, left_out_in_words};
pub use fold::{FoldSettings, sheet};
pub use html::html;
pub use mermaid::mermaid;
pub use sheet::{Change, Flaw, Label, Link, Place, Shape, Sheet, Way};
pub use svg::{STYLE, SvgStyle, svg};
pub use words::Lang;
