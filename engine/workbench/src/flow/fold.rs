//! From a discovered flow to a sheet that people read: what looks the same is one place, what leads everywhere is told in
//! the boxes, and only what one follows with a finger is an arrow.
//!
//! A flow has a place for every state of the script, and a way for whatever may happen there. Most of these ways are the
//! same ones again and again: silence, a wrong key, a key for an operator. Drawn, they would hide the few that matter. So
//! of the ways to a place the nearest from the beginning are drawn, and the others become a line in the box they leave.
//! With `all`, nothing of this is done.

use super::difference::Compared;
use super::findings::finding_name;
use super::labels::{Taken, about, taken};
use super::sheet::{Change, Flaw, Label, Link, Place, Shape, Sheet, Way};
use super::words::Lang;
use gudok_simulator::explore::{ExploreReport, Finding, FlowNode, NodeKind};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Ways to one place that are drawn besides the nearest; with more, the others are told in their boxes.
const DRAWN_INTO_MAX: usize = 3;
/// More places than that are grouped by step.
const PLACES_UNGROUPED_MAX: usize = 48;
/// Places of a picture; a larger one is read by nobody.
const PLACES_MAX: usize = 160;
/// Places that are looked at for what is the same.
const PLACES_LOOKED_AT_MAX: usize = 3_000;
/// With everything.
const PLACES_ALL_MAX: usize = 600;
/// Of what is said in a group.
const GROUP_SAID_CHARS_MAX: usize = 1_500;
/// What a way costs that nobody wants to go: the usual ones are found first.
const TROUBLE_COST: u32 = 100;

/// How a flow is folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoldSettings {
    /// The language of the picture's own words.
    pub lang: Lang,
    /// Draws every state and every way.
    pub all: bool,
}

/// The sheet of a flow.
#[must_use]
pub fn sheet(report: &ExploreReport, settings: &FoldSettings) -> Sheet {
    folded(report, settings, &Compared::default())
}

/// The sheet of a flow in which some things are new, gone or changed.
pub(crate) fn folded(report: &ExploreReport, settings: &FoldSettings, compared: &Compared) -> Sheet {
    let mut folding = Folding { report, settings, compared, places: Vec::new(), ways: Vec::new(), notes: Vec::new() };
    folding.places();
    folding.ways();
    if settings.all {
        folding.cut(PLACES_ALL_MAX);
    } else {
        folding.cut(PLACES_LOOKED_AT_MAX);
        folding.mend_languages();
        folding.join_messages();
        folding.group();
        folding.cut(PLACES_MAX);
    }
    if !settings.all {
        folding.fold();
    }
    folding.loops();
    folding.mark_usual();
    folding.finish()
}

struct Folding<'a> {
    report: &'a ExploreReport,
    settings: &'a FoldSettings,
    compared: &'a Compared,
    places: Vec<Place>,
    ways: Vec<Way>,
    notes: Vec<String>,
}

impl Folding<'_> {
    /// One place for all nodes that look the same; the first is where a call comes in.
    fn places(&mut self) {
        let lang = self.settings.lang;
        let report = self.report;
        self.places.push(Place {
            shape: Shape::Start,
            title: lang.of("Звонок приходит", "A call comes in").to_owned(),
            replay: report.flow.replay.clone(),
            of: 1,
            ..Place::default()
        });
        let flaws_of = |node: &FlowNode| -> Vec<Flaw> {
            let found = node.findings.iter().filter_map(|at| report.findings.get(*at));
            found.map(|finding| flaw_of(finding, lang)).collect()
        };
        for node in &report.flow.nodes {
            let keys = node.reached_by.to_string();
            let (change, was) = self.compared.of(&node.id);
            // What callers hear stays as it is.
            let heard = matches!(node.kind, NodeKind::Question | NodeKind::Message);
            let own = |text: &str| if heard { text.to_owned() } else { about(text, lang) };
            self.places.push(Place {
                shape: shape_of(node),
                step: node.step.clone(),
                title: own(if node.title.is_empty() { &node.said } else { &node.title }),
                said: own(&node.said),
                lang: node.lang.clone(),
                replay: node.replay.clone(),
                keys,
                flaws: flaws_of(node),
                change,
                was,
                of: 1,
                links: Vec::new(),
            });
        }
        let told: BTreeSet<usize> = report.flow.nodes.iter().flat_map(|node| node.findings.iter().copied()).collect();
        for (at, finding) in report.findings.iter().enumerate() {
            if !told.contains(&at) {
                let about = lang.of("Ошибка не на этой картине", "Wrong, and not on this picture");
                self.notes.push(format!("{about}: {}", finding_name(finding.kind, lang)));
            }
        }
    }

    /// Every way, one for each pair of places, with all that takes it.
    fn ways(&mut self) {
        let flow = &self.report.flow;
        let at: HashMap<&str, usize> = flow.nodes.iter().zip(1..).map(|(node, at)| (node.id.as_str(), at)).collect();
        let start = flow.start.as_deref().and_then(|start| at.get(start).copied());
        if let Some(start) = start {
            self.ways.push(Way { from: 0, to: start, usual: true, ..Way::default() });
        }
        let mut hang_ups = 0;
        for (nth, edge) in flow.edges.iter().enumerate() {
            let (Some(from), Some(to)) = (at.get(edge.from.as_str()), at.get(edge.to.as_str())) else { continue };
            let lang = self.settings.lang;
            let labels = edge.labels.iter().map(|label| taken(label, lang));
            // A key that stands for nothing and leads nowhere is a wrong one.
            let labels: Vec<Taken> =
                labels.map(|taken| if from == to { taken.or_wrong_key(lang) } else { taken }).collect();
            let shown: Vec<&Taken> = labels.iter().filter(|taken| self.settings.all || !taken.hang_up).collect();
            if shown.is_empty() && !labels.is_empty() {
                hang_ups += 1;
                continue;
            }
            let change = self.compared.edge(nth);
            let way = |labels: Vec<Label>, trouble: bool| Way {
                from: *from,
                to: *to,
                labels,
                usual: edge.usual && !trouble,
                trouble,
                change,
            };
            // What callers want and what they do not are two ways, even where they lead to one place.
            let (trouble, wanted): (Vec<&Taken>, Vec<&Taken>) = shown.iter().partition(|taken| taken.trouble);
            let labels_of = |taken: &[&Taken]| taken.iter().map(|taken| taken.label.clone()).collect::<Vec<_>>();
            if !wanted.is_empty() || shown.is_empty() {
                self.ways.push(way(labels_of(&wanted), false));
            }
            if !trouble.is_empty() {
                self.ways.push(way(labels_of(&trouble), true));
            }
        }
        if hang_ups > 0 {
            let note = "Повесить трубку можно в любой момент; это проверено и здесь не нарисовано.";
            let en = "Callers may hang up at any moment; that was tried, and is not drawn.";
            self.notes.push(self.settings.lang.of(note, en).to_owned());
        }
        if !self.settings.all {
            self.unite(|place, _| {
                let what = (place.shape, place.step.clone(), place.title.clone(), place.said.clone());
                Some(format!("{what:?}{:?}{}", place.lang, place.change == Change::Removed))
            });
        }
        self.tidy();
    }

    /// The same dialog in another language is one dialog: places of the same step that take the same keys.
    fn mend_languages(&mut self) {
        let main = self.places.iter().find(|place| !place.lang.is_empty()).map(|place| place.lang.clone());
        let langs: BTreeSet<&str> =
            self.places.iter().map(|place| place.lang.as_str()).filter(|l| !l.is_empty()).collect();
        let Some(main) = main.filter(|_| langs.len() > 1) else { return };
        let mut taken: Vec<BTreeSet<String>> = vec![BTreeSet::new(); self.places.len()];
        for way in &self.ways {
            taken[way.from]
                .extend(way.labels.iter().map(|label| label.key.clone().unwrap_or_else(|| label.text.clone())));
        }
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut signs: Vec<Option<String>> = Vec::new();
        for (place, taken) in self.places.iter().zip(&taken) {
            let sign = place.step.as_ref().filter(|_| place.change != Change::Removed).map(|step| {
                let nth = seen.entry(format!("{:?}{step}{taken:?}{}", place.shape, place.lang)).or_insert(0);
                *nth += 1;
                format!("{:?}{step}{taken:?}{nth}", place.shape)
            });
            signs.push(sign);
        }
        // Only into the language that the call begins in.
        let own: BTreeSet<String> = self
            .places
            .iter()
            .zip(&signs)
            .filter(|(place, _)| place.lang == main)
            .filter_map(|(_, sign)| sign.clone())
            .collect();
        let before = self.places.len();
        self.unite(|_, at| signs[at].clone().filter(|sign| own.contains(sign)));
        self.tidy();
        if self.places.len() < before {
            let (ru, en) = (
                "То же самое говорится и на других языках; нарисован",
                "The same is said in other languages, too; drawn is",
            );
            self.notes.push(format!("{}: {main}.", self.settings.lang.of(ru, en)));
        }
    }

    /// Messages that follow each other are one place.
    fn join_messages(&mut self) {
        loop {
            let mut into = vec![0; self.places.len()];
            let mut out = vec![0; self.places.len()];
            for way in &self.ways {
                into[way.to] += 1;
                out[way.from] += 1;
            }
            let plain =
                |place: &Place| place.shape == Shape::Message && place.flaws.is_empty() && place.change == Change::Same;
            let joint = self.ways.iter().position(|way| {
                way.from != way.to
                    && way.labels.iter().all(|label| label.key.is_none() && label.text.is_empty())
                    && (out[way.from], into[way.to]) == (1, 1)
                    && plain(&self.places[way.from])
                    && plain(&self.places[way.to])
                    && self.places[way.from].step == self.places[way.to].step
            });
            let Some(joint) = joint else { return };
            let Way { from, to, .. } = self.ways.remove(joint);
            let second = std::mem::take(&mut self.places[to]);
            let first = &mut self.places[from];
            first.title = format!("{} {}", first.title, second.title);
            first.said = format!("{} {}", first.said, second.said);
            for way in &mut self.ways {
                if way.from == to {
                    way.from = from;
                }
            }
            self.keep(|at| at != to);
        }
    }

    /// A large flow has one place for a step.
    fn group(&mut self) {
        if self.places.len() <= PLACES_UNGROUPED_MAX {
            return;
        }
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        let grouped = |place: &Place| {
            let kind = matches!(
                place.shape,
                Shape::Question | Shape::Message | Shape::BackEnd | Shape::Promise | Shape::Recording
            );
            place.step.clone().filter(|_| kind && place.change != Change::Removed)
        };
        for step in self.places.iter().filter_map(grouped) {
            *sizes.entry(step).or_insert(0) += 1;
        }
        let before = self.places.len();
        self.unite(|place, _| grouped(place).filter(|step| sizes.get(step).is_some_and(|size| *size > 1)));
        for place in self
            .places
            .iter_mut()
            .filter(|place| place.of > 1 && sizes.contains_key(place.step.as_deref().unwrap_or("")))
        {
            if matches!(place.shape, Shape::Question | Shape::Message | Shape::BackEnd) {
                place.shape = Shape::Step;
            }
        }
        self.tidy();
        if self.places.len() < before {
            let note = "Большой разговор: места одного шага собраны в один прямоугольник. С --all нарисовано всё.";
            let en = "A large dialog: the places of one step are one box. --all draws everything.";
            self.notes.push(self.settings.lang.of(note, en).to_owned());
        }
    }

    /// Makes one place of all that have the same sign.
    fn unite(&mut self, sign: impl Fn(&Place, usize) -> Option<String>) {
        let mut first: HashMap<String, usize> = HashMap::new();
        let mut target: Vec<usize> = (0..self.places.len()).collect();
        // Where a call comes in stays alone.
        for (at, goes) in target.iter_mut().enumerate().skip(1) {
            let Some(sign) = sign(&self.places[at], at) else { continue };
            let to = *first.entry(sign).or_insert(at);
            if to != at {
                *goes = to;
                let other = std::mem::take(&mut self.places[at]);
                united(&mut self.places[to], other);
            }
        }
        for way in &mut self.ways {
            (way.from, way.to) = (target[way.from], target[way.to]);
        }
        self.keep(|at| target[at] == at);
    }

    /// Keeps these places, and the ways between them.
    fn keep(&mut self, keeps: impl Fn(usize) -> bool) {
        let mut now: Vec<Option<usize>> = Vec::new();
        let mut count = 0;
        for at in 0..self.places.len() {
            now.push(keeps(at).then_some(count));
            count += usize::from(keeps(at));
        }
        let mut at = 0..;
        self.places.retain(|_| at.next().is_some_and(&keeps));
        self.ways.retain_mut(|way| match (now[way.from], now[way.to]) {
            (Some(from), Some(to)) => {
                (way.from, way.to) = (from, to);
                true
            }
            _ => false,
        });
    }

    /// One way for each pair of places; a label stands on it once.
    fn tidy(&mut self) {
        let mut ways: Vec<Way> = Vec::new();
        let mut at: HashMap<(usize, usize, Change, bool), usize> = HashMap::new();
        for way in std::mem::take(&mut self.ways) {
            let nth = *at.entry((way.from, way.to, way.change, way.trouble)).or_insert(ways.len());
            match ways.get_mut(nth) {
                None => ways.push(way),
                Some(known) => {
                    known.usual |= way.usual;
                    known.labels.extend(way.labels);
                }
            }
        }
        for way in &mut ways {
            let mut seen = BTreeSet::new();
            way.labels.retain(|label| seen.insert(label.clone()));
            // A key that somewhere stands for something needs not be told without.
            let told: BTreeSet<Option<String>> =
                way.labels.iter().filter(|label| !label.text.is_empty()).map(|label| label.key.clone()).collect();
            way.labels.retain(|label| !label.text.is_empty() || (label.key.is_some() && !told.contains(&label.key)));
        }
        // From left to right in the order of a telephone's keys.
        ways.sort_by_key(|way| (way.from, way.labels.iter().map(order_of).min().unwrap_or_default()));
        self.ways = ways;
    }

    /// Leaves out what nobody reads, the farthest from the beginning first.
    fn cut(&mut self, max: usize) {
        if self.places.len() <= max {
            return;
        }
        let (cost, _) = self.nearest();
        let mut order: Vec<usize> = (0..self.places.len()).collect();
        order.sort_by_key(|at| (self.places[*at].flaws.is_empty(), cost[*at], *at));
        let kept: BTreeSet<usize> = order.into_iter().take(max).chain([0]).collect();
        let lost = self.places.len() - kept.len();
        self.keep(|at| kept.contains(&at));
        let lost = self.settings.lang.counted(lost, ["место", "места", "мест"], ["place", "places"]);
        self.notes.push(format!("{}: {lost}.", self.settings.lang.of("Не поместилось", "Left out for want of room")));
    }

    /// How far each place is from the beginning, and the way that leads there nearest.
    fn nearest(&self) -> (Vec<u32>, Vec<Option<usize>>) {
        let mut cost = vec![u32::MAX; self.places.len()];
        let mut by = vec![None; self.places.len()];
        let mut out: Vec<Vec<usize>> = vec![Vec::new(); self.places.len()];
        for (nth, way) in self.ways.iter().enumerate() {
            out[way.from].push(nth);
        }
        cost[0] = 0;
        let mut queue = VecDeque::from([0]);
        while let Some(place) = queue.pop_front() {
            for nth in &out[place] {
                let way = &self.ways[*nth];
                let step = if way.trouble {
                    TROUBLE_COST
                } else if way.usual {
                    2
                } else {
                    3
                };
                let reached = cost[place].saturating_add(step);
                if reached < cost[way.to] {
                    (cost[way.to], by[way.to]) = (reached, Some(*nth));
                    queue.push_back(way.to);
                }
            }
        }
        (cost, by)
    }

    /// Draws what one follows, and tells the rest in the boxes.
    fn fold(&mut self) {
        let (cost, by) = self.nearest();
        let mut into = vec![0_usize; self.places.len()];
        for way in self.ways.iter().filter(|way| way.from != way.to) {
            into[way.to] += 1;
        }
        let tree: BTreeSet<usize> = by.into_iter().flatten().collect();
        let ways = std::mem::take(&mut self.ways);
        for (nth, way) in ways.into_iter().enumerate() {
            let forward = cost[way.to] > cost[way.from];
            let drawn = tree.contains(&nth)
                || (way.change != Change::Same && way.from != way.to)
                || (forward && !way.trouble && into[way.to] <= DRAWN_INTO_MAX)
                || cost[way.from] == u32::MAX;
            if drawn {
                self.ways.push(way);
            } else {
                let Way { from, to, labels, trouble, change, .. } = way;
                self.places[from].links.push(Link { labels, to, trouble, change });
            }
        }
        for place in &mut self.places {
            place.links.sort_by_key(|link| link.trouble);
        }
    }

    /// A way from a place to itself is told in it.
    fn loops(&mut self) {
        let (loops, ways): (Vec<Way>, Vec<Way>) =
            std::mem::take(&mut self.ways).into_iter().partition(|way| way.from == way.to);
        self.ways = ways;
        for Way { from, to, labels, trouble, change, .. } in loops {
            self.places[from].links.push(Link { labels, to, trouble, change });
        }
    }

    /// Where several ways are usual, callers choose, and none is more usual than another; but for an entry among keys that
    /// lead elsewhere.
    fn mark_usual(&mut self) {
        let usual = |way: &&Way| way.usual && !way.trouble;
        let is_entry =
            |way: &Way| way.labels.iter().any(|label| label.key.as_ref().is_none_or(|key| key.contains(' ')));
        let mut chosen: HashMap<usize, usize> = HashMap::new();
        let mut entries: HashMap<usize, usize> = HashMap::new();
        for way in self.ways.iter().filter(usual) {
            *chosen.entry(way.from).or_insert(0) += 1;
            *entries.entry(way.from).or_insert(0) += usize::from(is_entry(way));
        }
        for place in self.places.iter().enumerate() {
            let told = place.1.links.iter().filter(|link| !link.trouble && link.to != place.0);
            let keys = told.filter(|link| link.labels.iter().any(|label| label.key.is_some())).count();
            *chosen.entry(place.0).or_insert(0) += keys;
        }
        for way in &mut self.ways {
            let (all, of_entries) = (chosen.get(&way.from), entries.get(&way.from));
            way.usual &= all == Some(&1) || (of_entries == Some(&1) && is_entry(way));
        }
    }

    fn finish(self) -> Sheet {
        let (report, lang) = (self.report, self.settings.lang);
        let title = format!("{} {}", report.script, report.version);
        let paths = lang.counted(
            usize::try_from(report.paths).unwrap_or(usize::MAX),
            ["звонок", "звонка", "звонков"],
            ["call", "calls"],
        );
        let findings = match report.findings.len() {
            0 => lang.of("ошибок не найдено", "nothing wrong was found").to_owned(),
            count => format!(
                "{} {}",
                lang.of("найдено:", "found:"),
                lang.counted(count, ["ошибка", "ошибки", "ошибок"], ["fault", "faults"])
            ),
        };
        let tried = lang.of("проверено", "tried");
        let subtitle = format!("{} / {} · {tried} {paths} · {findings}", report.agency, report.entry);
        Sheet {
            title,
            subtitle,
            places: self.places,
            ways: self.ways,
            notes: self.notes,
            compares: self.compared.compares,
        }
    }
}

/// Keys first, in the order in which they are on a telephone.
fn order_of(label: &Label) -> (bool, usize) {
    const KEYS: &str = "1234567890*#";
    let key = label.key.as_ref().and_then(|key| key.chars().next()).and_then(|key| KEYS.find(key));
    (label.key.is_none(), key.unwrap_or(KEYS.len()))
}

fn united(place: &mut Place, other: Place) {
    place.of += other.of;
    for flaw in other.flaws {
        if !place.flaws.contains(&flaw) {
            place.flaws.push(flaw);
        }
    }
    if place.change != other.change {
        place.change = match (place.change, other.change) {
            (Change::Same, Change::Added) | (Change::Added, Change::Same) => Change::Same,
            _ => Change::Changed,
        };
    }
    place.was = place.was.take().or(other.was);
    let room = place.said.chars().count() + other.said.chars().count() <= GROUP_SAID_CHARS_MAX;
    if other.lang == place.lang && !place.said.contains(&other.said) && room {
        place.said.push('\n');
        place.said.push_str(&other.said);
    }
}

fn flaw_of(finding: &Finding, lang: Lang) -> Flaw {
    Flaw {
        kind: finding.kind.as_str().to_owned(),
        name: finding_name(finding.kind, lang).to_owned(),
        message: finding.message.clone(),
        replay: finding.replay.clone(),
    }
}

fn shape_of(node: &FlowNode) -> Shape {
    match node.kind {
        NodeKind::Question => Shape::Question,
        NodeKind::Message => Shape::Message,
        NodeKind::Transfer => Shape::Transfer,
        NodeKind::Queue => Shape::Operator,
        NodeKind::Callback | NodeKind::Promise => Shape::Promise,
        NodeKind::BackEnd | NodeKind::Data => Shape::BackEnd,
        NodeKind::Recording => Shape::Recording,
        NodeKind::End => Shape::End,
    }
}
