//! Serving: TLS, and plain HTTP on loopback only.

use crate::world::{PASSWORD, World};
use gudok_admin::{ServeError, Tls};
use serde_json::json;
use std::net::TcpListener;
use std::path::Path;

fn files() -> Tls {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/tls");
    Tls { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") }
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificate = reqwest::Certificate::from_pem(&std::fs::read(files().certificate).unwrap()).unwrap();
    reqwest::Client::builder().add_root_certificate(certificate).no_proxy().build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_for_loopback_only() {
    let world = World::new().await;
    let everywhere = TcpListener::bind("0.0.0.0:0").unwrap();
    let refused = world.admin.serve(everywhere, None).await;
    assert!(matches!(refused, Err(ServeError::PlainOffLoopback(_))), "{refused:?}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let admin = world.admin.clone();
    let served = tokio::spawn(async move { admin.serve(listener, None).await });
    let url = format!("http://{address}");
    let health = client().get(format!("{url}/health")).send().await.unwrap();
    assert_eq!((health.status().as_u16(), health.text().await.unwrap().as_str()), (200, "alive\n"));
    let login = json!({ "user": "root", "password": PASSWORD });
    let login =
        client().post(format!("{url}/api/v1/login")).header("content-type", "application/json").body(login.to_string());
    let login = login.send().await.unwrap().bytes().await.unwrap();
    let login: serde_json::Value = serde_json::from_slice(&login).unwrap();
    let token = login["token"].as_str().unwrap();
    let mut events = client().get(format!("{url}/api/v1/events")).bearer_auth(token).send().await.unwrap();
    assert_eq!(events.status().as_u16(), 200);
    // It ends although somebody still listens to its events.
    world.admin.shut_down();
    served.await.unwrap().unwrap();
    while events.chunk().await.unwrap().is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_serves_and_its_certificate_is_read_anew() {
    let world = World::with(|config| config.tls = true).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let admin = world.admin.clone();
    let served = tokio::spawn(async move { admin.serve(listener, Some(files())).await });
    let health = client().get(format!("https://{address}/health")).send().await.unwrap();
    assert_eq!(health.status().as_u16(), 200);
    assert!(health.headers().contains_key("strict-transport-security"));
    world.admin.reload_certificate().await.unwrap();
    assert_eq!(client().get(format!("https://{address}/health")).send().await.unwrap().status().as_u16(), 200);
    assert!(client().get(format!("http://{address}/health")).send().await.is_err());
    world.admin.shut_down();
    served.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_cannot_be_used_says_why() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let world = World::new().await;
    let tls = Tls { certificate: files().key, key: files().certificate };
    let refused = world.admin.serve(TcpListener::bind("127.0.0.1:0").unwrap(), Some(tls)).await;
    assert!(matches!(refused, Err(ServeError::Certificate { .. })), "{refused:?}");
}
