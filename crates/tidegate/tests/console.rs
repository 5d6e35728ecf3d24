//! The console in the binary: where it is, who is sent there, and how it is switched off.

use tidegate_testkit::client;

use crate::stage::{Setup, Tidegate};

const BROWSER: [(&str, &str); 1] = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];

#[tokio::test]
async fn browsers_are_sent_to_it_and_programs_are_greeted() {
    let gateway = Tidegate::start().await;
    let sent = client::get(&gateway.url("/"), &BROWSER).await;
    assert_eq!((sent.status, sent.header("location")), (303, Some("/console/")));
    assert_eq!(sent.header("vary"), Some("accept"));
    for headers in [&[][..], &[("accept", "*/*")], &[("accept", "application/json")]] {
        let greeted = client::get(&gateway.url("/"), headers).await;
        assert_eq!((greeted.status, greeted.text().as_str()), (200, "AI Gateway says hey!"));
    }
    let page = gateway.get("/console/w/ws-default/logs?filter=status:5xx").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("<div id=\"root\">"));
    assert!(gateway.printed().contains(&gateway.url("/console/")), "{}", gateway.printed());
}

/// The link of the first start ends at a page that is there.
#[tokio::test]
async fn a_link_to_sign_in_ends_in_it() {
    let gateway = Tidegate::start().await;
    let link = gateway.get("/sign-in?token=tgl_abc").await;
    let place = link.header("location").unwrap();
    let (page, token) = place.split_once('#').unwrap();
    assert_eq!((link.status, token), (303, "token=tgl_abc"));
    assert_eq!(gateway.get(page).await.status, 200, "{page}");
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let gateway = Setup::default().settings("[console]\nenabled = false").start().await;
    // Before anybody asks for it: the log tells of that.
    assert!(!gateway.printed().contains("/console/"), "{}", gateway.printed());
    let page = gateway.get("/console/").await;
    assert_eq!(page.status, 404, "{}", page.text());
    assert_eq!(client::get(&gateway.url("/"), &BROWSER).await.text(), "AI Gateway says hey!");
}
