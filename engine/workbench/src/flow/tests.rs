//! Whole pictures, of a small kindergarten.

use super::*;
use gudok_simulator::explore::{ExploreReport, diff};
use serde_json::{Value, json};

const HOSTILE: &str = "</text><script>alert(1)</script>\"'&]]>%%{init}\u{202E}\u{0}";

fn node(id: &str, kind: &str, step: &str, said: &str, reached_by: &str, findings: &[usize]) -> Value {
    json!({ "id": id, "kind": kind, "step": step, "title": said, "said": said, "lang": "ru-RU",
            "reached_by": reached_by, "replay": format!("gudok call --local . --keys \"{reached_by}\""), "findings": findings })
}

fn edge(from: &str, to: &str, labels: &[(&str, Option<&str>)], usual: bool) -> Value {
    let labels: Vec<Value> =
        labels.iter().map(|(decision, stands_for)| json!({ "decision": decision, "stands_for": stands_for })).collect();
    json!({ "from": from, "to": to, "labels": labels, "usual": usual })
}

/// A greeting, a menu of two, a back end that may fail, operators, and a place where nobody gets out.
fn report() -> ExploreReport {
    of(
        vec![
            node("n1", "message", "hello", "Здравствуйте.", "", &[]),
            node("n2", "question", "menu", "Очередь: один. Часы работы: два.", "", &[]),
            node("n3", "back-end", "look-up", "POST /places", "1", &[]),
            node("n4", "message", "result", "Ваш номер в очереди: третий.", "1 back-end:200", &[]),
            node("n5", "question", "hours", "Мы работаем с девяти.", "2", &[0]),
            node("n6", "queue", "menu", "operators", "0", &[]),
            node("n7", "end", "result", "served", "1 back-end:200", &[]),
        ],
        vec![
            edge("n1", "n2", &[("go-on", None)], true),
            edge("n2", "n3", &[("1", Some("очередь"))], true),
            edge("n2", "n5", &[("2", Some("часы работы"))], true),
            edge("n2", "n6", &[("0", Some("оператор"))], false),
            edge("n2", "n2", &[("silence", None), ("9", None)], false),
            edge("n2", "n7", &[("hang-up", None)], false),
            edge("n3", "n4", &[("back-end:200:{}", None)], true),
            edge("n3", "n6", &[("back-end:503", None), ("back-end:hangs", None)], false),
            edge("n4", "n7", &[("go-on", None)], true),
            edge("n5", "n5", &[("silence", None)], false),
            edge("n5", "n2", &[("#", Some("в начало"))], false),
            edge("n6", "n7", &[("queue:answered", None)], true),
        ],
    )
}

#[expect(clippy::needless_pass_by_value, reason = "lists are written where they are used")]
fn of(nodes: Vec<Value>, edges: Vec<Value>) -> ExploreReport {
    let finding = json!({ "kind": "no-way-to-operator", "keys": "2", "message": "Отсюда не дойти до оператора.",
                          "replay": "gudok call --local . --keys 2", "heard": [], "step": "hours", "node": "n5" });
    let report = json!({
        "script": "kindergarten", "version": "1.0.0", "agency": "education", "entry": "main", "paths": 1234,
        "took_ms": 10, "paths_per_second": 1.0, "covered": gudok_simulator::explore::Covered::default(),
        "left_out": [], "findings": [finding], "flow": { "start": "n1", "replay": "gudok call --local .", "nodes": nodes, "edges": edges },
    });
    serde_json::from_value(report).unwrap()
}

fn settings(all: bool) -> FoldSettings {
    FoldSettings { lang: Lang::Ru, all }
}

fn drawn(sheet: &Sheet) -> String {
    svg(sheet, SvgStyle { lang: Lang::Ru, bare: false })
}

/// All words of a picture, in order, and its boxes.
fn words_of(svg: &str) -> String {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    texts.filter_map(|text| text.text()).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_place_and_every_label_is_in_the_picture() {
    for all in [false, true] {
        let sheet = sheet(&report(), &settings(all));
        let svg = drawn(&sheet);
        let words = words_of(&svg);
        for said in [
            "Звонок",
            "Здравствуйте.",
            "Очередь: один. Часы работы: два.",
            "POST /places",
            "Ваш номер в",
            "operators",
            "served",
        ] {
            assert!(words.contains(said), "{said} is not in: {words}");
        }
        for label in
            ["очередь", "часы работы", "оператор", "система ответила", "система не отвечает", "молчание", "в начало"]
        {
            assert!(words.contains(label), "{label} is not in: {words}");
        }
        {
            let found = "Отсюда не дойти до оператора";
            assert!(words.contains(found), "{found} is not in: {words}");
        }
        let document = roxmltree::Document::parse(&svg).unwrap();
        let boxes =
            document.descendants().filter(|node| node.attribute("id").is_some_and(|id| id.starts_with("box-p")));
        assert_eq!(boxes.count(), sheet.places.len());
    }
}

#[test]
fn what_leads_everywhere_is_told_in_the_boxes() {
    let folded = sheet(&report(), &settings(false));
    let menu = folded.places.iter().find(|place| place.step.as_deref() == Some("menu")).unwrap();
    assert_eq!(menu.links.len(), 1, "{:?}", menu.links);
    assert!(menu.links[0].trouble, "silence and a wrong key stay here");
    assert_eq!(menu.links[0].labels, [Label::outcome("молчание"), Label::outcome("неверная клавиша")]);
    let hours = folded.places.iter().find(|place| place.step.as_deref() == Some("hours")).unwrap();
    let to: Vec<&str> = hours.links.iter().map(|link| folded.places[link.to].step.as_deref().unwrap()).collect();
    assert_eq!(to, ["menu", "hours"], "back, and once more");
    // The ways to an operator: by a key it is drawn, by a fault it is told.
    let back_end = folded.places.iter().find(|place| place.shape == Shape::BackEnd).unwrap();
    assert!(back_end.links.iter().any(|link| link.trouble && folded.places[link.to].shape == Shape::Operator));
    assert!(!folded.ways.iter().any(|way| way.trouble), "{:?}", folded.ways);
    let everything = sheet(&report(), &settings(true));
    assert!(everything.ways.len() > folded.ways.len());
    assert!(everything.ways.iter().any(|way| way.labels.contains(&Label::outcome("повесил трубку"))));
}

#[test]
fn every_place_is_reached_by_what_is_drawn() {
    let folded = sheet(&report(), &settings(false));
    let mut reached = vec![false; folded.places.len()];
    reached[0] = true;
    for _ in 0..folded.places.len() {
        for way in folded.ways.iter().filter(|way| reached[way.from]).map(|way| way.to).collect::<Vec<_>>() {
            reached[way] = true;
        }
    }
    assert!(reached.iter().all(|reached| *reached), "{reached:?}");
}

#[test]
fn the_same_flow_gives_the_same_bytes() {
    let draw = || {
        let sheet = sheet(&report(), &settings(false));
        (drawn(&sheet), mermaid(&sheet, Lang::En), html(&sheet, Lang::En))
    };
    assert_eq!(draw(), draw());
}

#[test]
fn places_in_another_language_are_drawn_once() {
    let mut report = report();
    let mut english = report.flow.nodes[4].clone();
    (english.id, english.lang, english.said) = ("e5".into(), "en-US".into(), "We open at nine.".into());
    english.title.clone_from(&english.said);
    report.flow.nodes.push(english);
    for (from, to) in [("n2", "e5"), ("e5", "e5"), ("e5", "n2")] {
        let known =
            report.flow.edges.iter().find(|edge| {
                (edge.from.as_str(), edge.to.as_str()) == (&*from.replace('e', "n"), &*to.replace('e', "n"))
            });
        let known = known.unwrap().clone();
        report.flow.edges.push(gudok_simulator::explore::FlowEdge { from: from.into(), to: to.into(), ..known });
    }
    let folded = sheet(&report, &settings(false));
    assert!(!folded.places.iter().any(|place| place.title == "We open at nine."));
    assert_eq!(folded.places.len(), sheet(&self::report(), &settings(false)).places.len());
    assert!(folded.notes.iter().any(|note| note.contains("ru-RU")), "{:?}", folded.notes);
    assert!(sheet(&report, &settings(true)).places.iter().any(|place| place.title == "We open at nine."));
}

#[test]
fn a_large_dialog_is_grouped_by_step() {
    let mut nodes = vec![node("n1", "message", "hello", "Здравствуйте.", "", &[])];
    let mut edges = Vec::new();
    for step in 0..20 {
        for place in 0..5 {
            let id = format!("s{step}-{place}");
            nodes.push(node(&id, "question", &format!("step-{step}"), &format!("Вопрос {step} {place}?"), "1", &[]));
            let from = if place == 0 { "n1".to_owned() } else { format!("s{step}-{}", place - 1) };
            edges.push(edge(&from, &id, &[("1", None)], true));
        }
    }
    let report = of(nodes, edges);
    let folded = sheet(&report, &settings(false));
    assert_eq!(folded.places.len(), 22, "a call, a greeting, twenty steps");
    let step = folded.places.iter().find(|place| place.step.as_deref() == Some("step-3")).unwrap();
    assert_eq!((step.shape, step.of), (Shape::Step, 5));
    assert!(step.said.contains("Вопрос 3 0?") && step.said.contains("Вопрос 3 4?"), "{}", step.said);
    assert_eq!(sheet(&report, &settings(true)).places.len(), 102);
}

#[test]
fn no_text_of_a_script_is_markup() {
    let mut report = report();
    for node in &mut report.flow.nodes {
        (node.title, node.said, node.step) = (HOSTILE.into(), HOSTILE.into(), Some(HOSTILE.into()));
        (node.lang, node.replay) = (HOSTILE.into(), HOSTILE.into());
    }
    for label in report.flow.edges.iter_mut().flat_map(|edge| &mut edge.labels) {
        label.stands_for = Some(HOSTILE.into());
    }
    report.findings[0].message = HOSTILE.into();
    report.findings[0].replay = HOSTILE.into();
    report.script = HOSTILE.into();
    report.flow.replay = HOSTILE.into();
    let sheet = sheet(&report, &settings(true));
    let svg = drawn(&sheet);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let names: std::collections::BTreeSet<&str> =
        document.descendants().filter(roxmltree::Node::is_element).map(|node| node.tag_name().name()).collect();
    let known = ["a", "circle", "g", "path", "polygon", "rect", "style", "svg", "text", "title"];
    assert!(names.iter().all(|name| known.contains(name)), "{names:?}");
    for attribute in document.descendants().flat_map(|node| node.attributes()) {
        assert!(!attribute.name().starts_with("on"), "{attribute:?}");
    }
    assert!(!svg.contains('\u{202E}'));
    let page = html(&sheet, Lang::Ru);
    assert_eq!(page.matches("<script>").count(), 1, "only the page's own");
    assert!(!page.contains("alert(1)</script>"));
}

#[test]
fn a_page_fetches_nothing_and_has_a_section_for_every_box() {
    let sheet = sheet(&report(), &settings(false));
    let page = html(&sheet, Lang::Ru);
    for (at, place) in sheet.places.iter().enumerate() {
        assert!(page.contains(&format!("href=\"#p{at}\"")) && page.contains(&format!("<section id=\"p{at}\">")));
        assert!(page.contains(&text::escaped(&place.replay)));
    }
    for word in ["src=", "url(", "@import", "href=\"http"] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("gudok call --local . --keys &quot;1 back-end:200&quot;"), "{page}");
    assert!(page.contains("Отсюда не дойти до оператора."));
}

#[test]
fn two_versions_are_one_picture_in_colours() {
    let old = report();
    let mut new = report();
    new.version = "1.1.0".into();
    new.flow.nodes[4].said = "Мы работаем с восьми.".into();
    new.flow.nodes[4].title = "Мы работаем с восьми.".into();
    let added: ExploreReport = of(
        vec![node("n8", "question", "address", "Мы на улице Ленина.", "3", &[])],
        vec![edge("n2", "n8", &[("3", Some("адрес"))], false)],
    );
    new.flow.nodes.extend(added.flow.nodes);
    new.flow.edges.extend(added.flow.edges);
    // The back end and what it answers are gone.
    new.flow.nodes.retain(|node| !["n3", "n4"].contains(&node.id.as_str()));
    new.flow.edges.retain(|edge| !["n3", "n4"].iter().any(|gone| edge.from == *gone || edge.to == *gone));
    let difference = diff(&old, &new);
    let both = compared_sheet(&old, &new, &difference, &settings(false));
    let change = |said: &str| both.places.iter().find(|place| place.said.contains(said)).map(|place| place.change);
    assert_eq!(change("улице Ленина"), Some(Change::Added));
    assert_eq!(change("с восьми"), Some(Change::Changed));
    assert_eq!(change("POST /places"), Some(Change::Removed));
    assert_eq!(change("Здравствуйте"), Some(Change::Same));
    let svg = drawn(&both);
    for class in ["place question added", "place back-end removed", " changed"] {
        assert!(svg.contains(class), "{class}");
    }
    assert!(words_of(&svg).contains("убрано"), "the legend has it");
    let page = html(&both, Lang::Ru);
    assert!(page.contains("<del>Мы работаем с девяти.</del>"));
    let words = difference_in_words(&old, &new, &difference, Lang::Ru).join("\n");
    for told in [
        "+ новое место: [address] Мы на улице Ленина.",
        "- убрано: [look-up] POST /places",
        "«Мы работаем с девяти.» → «Мы работаем с восьми.»",
    ] {
        assert!(words.contains(told), "{told} is not in:\n{words}");
    }
    let same = diff(&old, &old);
    assert!(difference_in_words(&old, &old, &same, Lang::En).is_empty());
}
