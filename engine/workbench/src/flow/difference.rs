//! Two versions of a script on one sheet, and in words: what is new, what is gone, what says something else.

use super::fold::{FoldSettings, folded};
use super::labels::taken;
use super::sheet::{Change, Sheet};
use super::words::Lang;
use gudok_simulator::explore::{ExploreReport, FlowDiff, FlowEdge, FlowLabel, FlowNode};
use std::collections::HashMap;

/// Before the name of a node that is only in the old version.
const GONE: &str = "gone:";

/// What became of what, for folding.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// By a node's name.
    nodes: HashMap<String, (Change, Option<String>)>,
    /// In the order of the flow's edges; nothing became of those beyond.
    edges: Vec<Change>,
    /// There is something to compare with.
    pub(crate) compares: bool,
}

impl Compared {
    pub(crate) fn of(&self, node: &str) -> (Change, Option<String>) {
        self.nodes.get(node).cloned().unwrap_or_default()
    }

    pub(crate) fn edge(&self, nth: usize) -> Change {
        self.edges.get(nth).copied().unwrap_or_default()
    }
}

/// Both versions on one sheet: the new one, and in it what is gone.
#[must_use]
pub fn compared_sheet(
    old: &ExploreReport,
    new: &ExploreReport,
    difference: &FlowDiff,
    settings: &FoldSettings,
) -> Sheet {
    let mut both = new.clone();
    let mut compared = Compared { compares: true, ..Compared::default() };
    for node in &difference.added {
        compared.nodes.insert(node.id.clone(), (Change::Added, None));
    }
    for changed in &difference.changed {
        compared.nodes.insert(changed.new.clone(), (Change::Changed, Some(changed.said_before.clone())));
    }
    // What is gone gets a name of its own, and its ways lead to what is the same now.
    let mut names: HashMap<&str, String> =
        difference.same.iter().map(|(old, new)| (old.as_str(), new.clone())).collect();
    names.extend(difference.changed.iter().map(|changed| (changed.old.as_str(), changed.new.clone())));
    for node in &difference.gone {
        let name = format!("{GONE}{}", node.id);
        names.insert(node.id.as_str(), name.clone());
        compared.nodes.insert(name.clone(), (Change::Removed, None));
        both.flow.nodes.push(FlowNode { id: name, findings: Vec::new(), ..node.clone() });
    }
    both.flow.edges.clear();
    for edge in &new.flow.edges {
        // Of one edge some labels may be new and others not.
        let added = difference.edges_added.iter().find(|added| (&added.from, &added.to) == (&edge.from, &edge.to));
        let is_new = |label: &FlowLabel| added.is_some_and(|added| added.labels.contains(label));
        let (fresh, known): (Vec<_>, Vec<_>) = edge.labels.iter().cloned().partition(is_new);
        let whole_is_new = fresh.len() == edge.labels.len() && !fresh.is_empty();
        for (labels, change) in [(known, Change::Same), (fresh, Change::Added)] {
            if !labels.is_empty() || (change == Change::Same && !whole_is_new) {
                both.flow.edges.push(FlowEdge { labels, ..edge.clone() });
                compared.edges.push(change);
            }
        }
    }
    for edge in &difference.edges_gone {
        let (Some(from), Some(to)) = (names.get(edge.from.as_str()), names.get(edge.to.as_str())) else { continue };
        both.flow.edges.push(FlowEdge { from: from.clone(), to: to.clone(), usual: false, ..edge.clone() });
        compared.edges.push(Change::Removed);
    }
    let mut sheet = folded(&both, settings, &compared);
    let lang = settings.lang;
    sheet.title = format!("{} {} → {}", new.script, old.version, new.version);
    sheet.subtitle = match difference.is_empty() {
        true => lang.of("Разговор не изменился.", "The dialog is the same.").to_owned(),
        false => told_changes(difference, lang),
    };
    sheet
}

fn told_changes(difference: &FlowDiff, lang: Lang) -> String {
    let counted = [
        (difference.added.len(), lang.of("новых мест", "places are new")),
        (difference.gone.len(), lang.of("мест убрано", "places are gone")),
        (difference.changed.len(), lang.of("мест говорят другое", "places say something else")),
        (difference.findings_new.len(), lang.of("новых ошибок", "new faults")),
        (difference.findings_mended.len(), lang.of("ошибок исправлено", "faults are mended")),
        (difference.edges_added.len(), lang.of("новых путей", "ways are new")),
        (difference.edges_gone.len(), lang.of("путей убрано", "ways are gone")),
    ];
    let told: Vec<String> =
        counted.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{what}: {count}")).collect();
    told.join(" · ")
}

/// The difference in words, a line each.
#[must_use]
pub fn difference_in_words(old: &ExploreReport, new: &ExploreReport, difference: &FlowDiff, lang: Lang) -> Vec<String> {
    let mut lines = Vec::new();
    let of = |ru, en| lang.of(ru, en);
    for node in &difference.added {
        lines.push(format!("+ {}: {}", of("новое место", "new"), told(node)));
    }
    for node in &difference.gone {
        lines.push(format!("- {}: {}", of("убрано", "gone"), told(node)));
    }
    for changed in &difference.changed {
        lines.push(format!(
            "~ {}: «{}» → «{}»",
            of("другие слова", "other words"),
            changed.said_before,
            changed.said_now
        ));
    }
    for (edges, report, sign, what) in [
        (&difference.edges_added, new, '+', of("новый путь", "new way")),
        (&difference.edges_gone, old, '-', of("путь убран", "way gone")),
    ] {
        for edge in edges {
            lines.push(format!("{sign} {what}: {}", told_way(report, edge, lang)));
        }
    }
    for finding in &difference.findings_new {
        lines.push(format!("! {}: {} ({})", of("новая ошибка", "new fault"), finding.message, finding.keys));
    }
    for finding in &difference.findings_mended {
        lines.push(format!("✓ {}: {}", of("исправлено", "mended"), finding.message));
    }
    lines
}

fn told(node: &FlowNode) -> String {
    let what = if node.said.is_empty() { &node.title } else { &node.said };
    match &node.step {
        Some(step) => format!("[{step}] {what}"),
        None => what.clone(),
    }
}

fn told_way(report: &ExploreReport, edge: &FlowEdge, lang: Lang) -> String {
    let title = |id: &str| {
        let node = report.flow.nodes.iter().find(|node| node.id == id);
        node.map_or_else(
            || id.to_owned(),
            |node| if node.title.is_empty() { node.said.clone() } else { node.title.clone() },
        )
    };
    let labels: Vec<String> = edge
        .labels
        .iter()
        .map(|label| taken(label, lang).label)
        .map(|label| match label.key {
            Some(key) if label.text.is_empty() => key,
            Some(key) => format!("{key} ({})", label.text),
            None => label.text,
        })
        .filter(|text| !text.is_empty())
        .collect();
    let by = if labels.is_empty() { String::new() } else { format!(" —{}", labels.join(", ")) };
    format!("{}{by}→ {}", title(&edge.from), title(&edge.to))
}
