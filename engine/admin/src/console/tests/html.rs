//! Reads our own pages strictly, as no browser would: what is nested wrongly, has no label or carries no token is a fault.

use std::collections::{BTreeMap, BTreeSet};

/// Elements without content.
const VOID: [&str; 9] = ["meta", "link", "input", "br", "hr", "img", "path", "circle", "rect"];
/// Elements that may not stand inside a paragraph.
const BLOCKS: [&str; 16] = [
    "div", "p", "ul", "ol", "dl", "table", "form", "section", "h1", "h2", "h3", "details", "fieldset", "pre", "main",
    "nav",
];

/// A tag of a page.
#[derive(Clone, Debug)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) attributes: BTreeMap<String, String>,
    /// The text inside, with that of its children.
    pub(super) text: String,
    /// Names of what it stands in, outermost first.
    pub(super) within: Vec<String>,
    /// Its place among the tags.
    pub(super) at: usize,
    /// The tag that it stands in.
    pub(super) parent: Option<usize>,
}

impl Tag {
    pub(super) fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }
}

/// A page, read.
pub(super) struct Page {
    pub(super) tags: Vec<Tag>,
    pub(super) faults: Vec<String>,
}

impl Page {
    pub(super) fn of(html: &str) -> Self {
        let mut page = Self { tags: Vec::new(), faults: Vec::new() };
        page.read(html);
        page.look();
        page
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Tag> + 'a {
        self.tags.iter().filter(move |tag| tag.name == name)
    }

    fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    fn read(&mut self, html: &str) {
        let mut open: Vec<usize> = Vec::new();
        let mut rest = html;
        while let Some((text, after)) = rest.split_once('<') {
            self.say(&open, text);
            let Some(end) = end_of_tag(after) else {
                return self.fault(format!("a tag without end: <{}", after.chars().take(40).collect::<String>()));
            };
            let (inside, tail) = (&after[..end], &after[end + 1..]);
            rest = tail;
            if inside.starts_with('!') {
                continue;
            }
            if let Some(name) = inside.strip_prefix('/') {
                self.close(&mut open, name.trim());
                continue;
            }
            let tag = self.tag(inside, &open);
            let (name, at) = (tag.name.clone(), tag.at);
            self.nested(&tag);
            self.tags.push(tag);
            if !VOID.contains(&name.as_str()) && !inside.ends_with('/') {
                open.push(at);
            }
        }
        for at in open {
            let name = self.tags[at].name.clone();
            self.fault(format!("<{name}> is not closed"));
        }
    }

    fn say(&mut self, open: &[usize], text: &str) {
        for at in open {
            self.tags[*at].text.push_str(text);
        }
    }

    fn close(&mut self, open: &mut Vec<usize>, name: &str) {
        match open.last() {
            Some(last) if self.tags[*last].name == name => {
                open.pop();
            }
            last => {
                let expected = last.map_or_else(|| "nothing".to_owned(), |last| self.tags[*last].name.clone());
                self.fault(format!("</{name}> where {expected} is open"));
            }
        }
    }

    fn tag(&mut self, inside: &str, open: &[usize]) -> Tag {
        let inside = inside.trim_end_matches('/');
        let name_end = inside.find(char::is_whitespace).unwrap_or(inside.len());
        let mut attributes = BTreeMap::new();
        let mut rest = inside[name_end..].trim_start();
        while !rest.is_empty() {
            let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
            let key = rest[..end].to_owned();
            rest = &rest[end..];
            let mut value = String::new();
            if let Some(quoted) = rest.strip_prefix('=') {
                let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''));
                let Some((found, after)) = quote.and_then(|quote| quoted[1..].split_once(quote)) else {
                    self.fault(format!("{key} is not quoted in <{inside}>"));
                    break;
                };
                value = found.to_owned();
                rest = after;
                if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
                    self.fault(format!("no space after {key} in <{inside}>"));
                }
            }
            if attributes.insert(key.clone(), value).is_some() {
                self.fault(format!("{key} is there twice in <{inside}>"));
            }
            rest = rest.trim_start();
        }
        Tag {
            name: inside[..name_end].to_owned(),
            attributes,
            text: String::new(),
            within: open.iter().map(|at| self.tags[*at].name.clone()).collect(),
            at: self.tags.len(),
            parent: open.last().copied(),
        }
    }

    fn nested(&mut self, tag: &Tag) {
        let parent = tag.within.last().map_or("", String::as_str);
        let inside = |name: &str| tag.within.iter().any(|one| one == name);
        let wrong = match tag.name.as_str() {
            "li" => !matches!(parent, "ul" | "ol"),
            "tr" => !matches!(parent, "tbody" | "thead"),
            "td" | "th" => parent != "tr",
            "tbody" | "thead" | "caption" => parent != "table",
            "dt" | "dd" => !matches!(parent, "div" | "dl"),
            "option" => parent != "select",
            "summary" => parent != "details",
            "legend" => parent != "fieldset",
            "figcaption" => parent != "figure",
            "form" => inside("form"),
            "a" | "button" => inside("a") || inside("button"),
            _ => {
                matches!(parent, "ul" | "ol" | "table" | "tr" | "tbody" | "thead" | "dl" | "select")
                    && !(parent == "dl" && tag.name == "div")
            }
        };
        let in_phrase = matches!(parent, "p" | "span" | "a" | "button" | "h1" | "h2" | "h3" | "label" | "dt" | "code");
        if wrong || (in_phrase && BLOCKS.contains(&tag.name.as_str())) {
            self.fault(format!("<{}> inside <{parent}>", tag.name));
        }
    }

    fn look(&mut self) {
        let ids: Vec<String> =
            self.tags.iter().map(|tag| tag.get("id").to_owned()).filter(|id| !id.is_empty()).collect();
        let known: BTreeSet<&String> = ids.iter().collect();
        let mut faults = Vec::new();
        if known.len() != ids.len() {
            let twice = ids.iter().filter(|id| ids.iter().filter(|other| other == id).count() > 1);
            faults.push(format!("ids are there twice: {:?}", twice.collect::<BTreeSet<_>>()));
        }
        let labelled: BTreeSet<&str> = self.all("label").map(|label| label.get("for")).collect();
        // The dialog is empty until somebody is asked something.
        for tag in self.tags.iter().filter(|tag| tag.name != "dialog") {
            for name in ["for", "aria-labelledby", "aria-describedby", "popovertarget", "data-slider", "data-charts"] {
                for id in tag.get(name).split_whitespace().filter(|id| !known.contains(&(*id).to_owned())) {
                    faults.push(format!("{name} of <{}> names {id}, which is not there", tag.name));
                }
            }
            let field = matches!(tag.name.as_str(), "input" | "select" | "textarea") && tag.get("type") != "hidden";
            if field && !labelled.contains(tag.get("id")) && !tag.has("aria-label") {
                faults.push(format!("{} {} has no label", tag.name, tag.get("name")));
            }
            if matches!(tag.name.as_str(), "a" | "button" | "h1" | "h2" | "h3" | "th" | "summary" | "label" | "option")
            {
                let words = !tag.text.trim().is_empty() || !tag.get("aria-label").trim().is_empty();
                if !words {
                    faults.push(format!("<{}> {:?} says nothing", tag.name, tag.attributes));
                }
            }
            if tag.has("style") || tag.attributes.keys().any(|name| name.starts_with("on") || name.starts_with("hx-on"))
            {
                faults.push(format!("<{}> has something inline", tag.name));
            }
            if tag.name == "script" && (tag.get("src").is_empty() || !tag.text.is_empty()) {
                faults.push("an inline script".to_owned());
            }
            for name in ["src", "href", "action", "formaction", "hx-get", "hx-post", "sse-connect"] {
                let to = tag.get(name);
                // Only a link may lead elsewhere, and it says so: the other side learns nothing of us.
                let outside = tag.name == "a" && tag.get("rel") == "external noreferrer noopener";
                let ours = to.starts_with("/console") || to.starts_with("/api/v1/") || to.starts_with('#');
                if tag.has(name) && !ours && !(outside && to.starts_with("https://")) {
                    faults.push(format!("{name} of <{}> leads to {to:?}", tag.name));
                }
            }
        }
        self.forms(&mut faults);
        self.faults.extend(faults);
    }

    fn forms(&self, faults: &mut Vec<String>) {
        for form in self.all("form").filter(|form| form.get("method") == "post") {
            let token = self.all("input").find(|input| input.get("name") == "csrf" && self.stands_in(input, form.at));
            match token {
                Some(token) if !token.get("value").is_empty() => {}
                Some(_) => faults.push(format!("the token of the form to {} is empty", form.get("action"))),
                None => faults.push(format!("the form to {} has no token", form.get("action"))),
            }
        }
    }

    fn stands_in(&self, tag: &Tag, at: usize) -> bool {
        let mut parent = tag.parent;
        while let Some(up) = parent {
            if up == at {
                return true;
            }
            parent = self.tags[up].parent;
        }
        false
    }

    /// What a whole page must have besides.
    pub(super) fn whole(mut self) -> Self {
        let mut faults = Vec::new();
        for (name, count) in [("html", 1), ("main", 1), ("h1", 1), ("title", 1)] {
            let found = self.all(name).count();
            if found != count {
                faults.push(format!("{found} times <{name}>"));
            }
        }
        let levels: Vec<u8> = self.tags.iter().filter_map(|tag| tag.name.strip_prefix('h')?.parse().ok()).collect();
        if levels.windows(2).any(|pair| pair[1] > pair[0] + 1) || levels.first() != Some(&1) {
            faults.push(format!("headings skip a level: {levels:?}"));
        }
        if !self.all("a").any(|link| link.get("class") == "skip" && link.get("href") == "#content") {
            faults.push("no skip link".to_owned());
        }
        let untitled = self.all("table").filter(|table| {
            !table.has("aria-labelledby") && !self.all("caption").any(|caption| self.stands_in(caption, table.at))
        });
        faults.extend(untitled.map(|_| "a table without caption".to_owned()));
        self.faults.extend(faults);
        self
    }
}

/// Where a tag ends: a bracket may stand inside of a quoted value.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

#[test]
fn the_reader_sees_what_is_wrong() {
    let faults = |html: &str| Page::of(html).faults;
    assert!(faults(r#"<p>a <b class="x">b</b></p>"#).is_empty());
    for wrong in [
        "<p><div></div></p>",
        "<div><p></div></p>",
        "<ul><p>x</p></ul>",
        r#"<input id="a" name="a">"#,
        r#"<form method="post" action="/console/x"></form>"#,
        r#"<a href="https://elsewhere.example/">x</a>"#,
        r#"<p style="color: red">x</p>"#,
        "<script>alert(1)</script>",
        r#"<p id="a"></p><p id="a"></p>"#,
        r#"<div aria-labelledby="nothing"></div>"#,
        "<button></button>",
        "<div>",
    ] {
        assert!(!faults(wrong).is_empty(), "{wrong}");
    }
}
