//! The dialog of a version: as JSON, as a picture, and as a page that can be clicked.

use crate::console::{Reader, is_page};
use crate::world::{World, ask};
use gudok_admin::ports::FlowOrder;
use serde_json::json;

async fn with_two_versions() -> (World, String, String) {
    let world = World::new().await;
    let live = world.version("mfc", "desk", "1.0.0").await;
    world.deploy("mfc", "main", &live, 100).await;
    let new = world.version("mfc", "desk", "1.1.0").await;
    (world, live, new)
}

#[tokio::test]
async fn a_dialog_is_told_as_json_and_drawn_as_a_picture() {
    let (world, live, new) = with_two_versions().await;
    let told = world.root(ask("GET", format!("/api/v1/versions/{new}/flow"))).await.expect(200).json();
    assert_eq!((&told["version"], &told["against"]), (&json!(new), &json!(null)));
    assert_eq!((&told["paths"], &told["covered"]["states"]), (&json!(42), &json!(2)));
    assert_eq!(
        told["places"][0]["ways"][0],
        json!({ "keys": ["1"], "text": "паспорт", "to": "p1", "to_title": "Вторая", "trouble": false, "change": "" })
    );
    assert_eq!(told["findings"][0]["replay"], "gudok call --local desk.ivr --keys 1");
    assert!(told.get("svg").is_none() && told.get("style").is_none(), "the picture has a route of its own");

    let path = format!("/api/v1/versions/{new}/flow.svg?lang=en&compare=true&all=true");
    let picture = world.root(ask("GET", path)).await.expect(200);
    assert_eq!(picture.header("content-type"), "image/svg+xml");
    let policy = picture.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'unsafe-inline'") && !policy.contains("script"),
        "{policy}"
    );
    assert!(picture.text().contains("</title><style>.flow{fill:red}</style>"), "{}", picture.text());
    let order = FlowOrder { version: new.clone(), against: Some(live.clone()), lang: "en", all: true };
    assert_eq!(world.engine.state.lock().flows.last(), Some(&order), "compared with the version that serves");

    let path = format!("/api/v1/versions/{new}/flow?against={live}");
    let told = world.root(ask("GET", path)).await.expect(200).json();
    assert_eq!((&told["against"], &told["differences"][0]), (&json!(live), &json!(format!("from {live}"))));
}

#[tokio::test]
async fn who_may_not_see_a_version_sees_no_dialog_of_it() {
    let (world, live, new) = with_two_versions().await;
    let other = world.version("zags", "desk", "1.0.0").await;
    let author = Reader::of(&world, "a", json!([{ "role": "author", "agency": "mfc" }])).await;
    let operator = Reader::of(&world, "o", json!([{ "role": "operator", "agency": "mfc" }])).await;
    for path in ["flow", "flow.svg"] {
        author.get(&world, &format!("/api/v1/versions/{new}/{path}")).await.expect(200);
        author.get(&world, &format!("/api/v1/versions/{other}/{path}")).await.expect(404);
        author.get(&world, &format!("/api/v1/versions/{new}/{path}?against={other}")).await.expect(404);
        author.get(&world, &format!("/api/v1/versions/{new}/{path}?lang=de")).await.expect(400);
        operator.get(&world, &format!("/api/v1/versions/{live}/{path}")).await.expect(403);
    }
    for path in ["flow", "flow/picture"] {
        author.get(&world, &format!("/console/versions/{new}/{path}")).await.expect(200);
        author.get(&world, &format!("/console/versions/{other}/{path}")).await.expect(404);
        operator.get(&world, &format!("/console/versions/{live}/{path}")).await.expect(403);
    }
}

#[tokio::test]
async fn the_page_comes_at_once_and_the_picture_after_it() {
    let (world, live, new) = with_two_versions().await;
    let reader = Reader::root(&world).await;
    let page = reader.get(&world, &format!("/console/versions/{new}/flow")).await.expect(200);
    is_page(&page);
    let asks = format!("hx-get=\"/console/versions/{new}/flow/picture\" hx-trigger=\"load\"");
    assert!(page.text().contains(&asks), "{}", page.text());
    assert!(page.text().contains("1.0.0"), "it can be compared with the live version");
    assert!(page.text().contains("?show=1"), "without a script there is a link");
    assert!(world.engine.state.lock().flows.is_empty(), "nothing is explored for the page itself");

    let part = reader.get(&world, &format!("/console/versions/{new}/flow/picture?compare=1")).await.expect(200);
    let text = part.text();
    for seen in [
        "<section class=\"sheet\" id=\"p0\"",
        "id=\"p1\"",
        "href=\"#p1\"",
        "<kbd>1</kbd>",
        "Тупик",
        "gudok call --local desk.ivr --keys 1",
        "from ",
    ] {
        assert!(text.contains(seen), "{seen} is not in {text}");
    }
    assert!(!text.contains("<html") && !text.contains("<script>") && !text.contains("<b>Nobody"), "{text}");
    assert!(!text.contains("style="), "the console allows no style in a page");
    let against = world.engine.state.lock().flows.last().unwrap().against.clone();
    assert_eq!(against, Some(live));

    let whole = reader.get(&world, &format!("/console/versions/{new}/flow?show=1&all=1")).await.expect(200);
    is_page(&whole);
    assert!(whole.text().contains("id=\"p0\"") && whole.text().contains("Не всё."), "{}", whole.text());
}
