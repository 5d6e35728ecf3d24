//! Names, what they resolve to, and what the policy makes of it, up to the socket.

use std::sync::Arc;

use http_body_util::BodyExt as _;
use tidegate_core::Fault;
use tokio::io::AsyncWriteExt as _;

use super::server::{OK, Scripted, answering, get, listen, local_settings, nobody, read_request, until};
use crate::{AddressPolicy, Egress, EgressSettings, SendErrorKind, SystemResolver};

fn client_of(policy: AddressPolicy, resolver: Arc<Scripted>) -> Egress {
    Egress::new(EgressSettings { policy, resolver, ..Default::default() }).unwrap()
}

fn loopback_only() -> AddressPolicy {
    AddressPolicy { allow: vec!["127.0.0.1/32".parse().unwrap()], ..Default::default() }
}

#[tokio::test]
async fn forbidden_targets_are_blocked_however_they_are_written() {
    let port = answering(OK).await.port();
    let client = Egress::new(EgressSettings::default()).unwrap();
    let hosts = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "localhost",
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "10.0.0.1",
    ];
    for host in hosts {
        let error = client.send(get(format!("http://{host}:{port}/")), None).await.unwrap_err();
        assert_eq!(error.kind, SendErrorKind::Blocked, "{host}: {error}");
        assert_eq!(error.fault(), Fault::Caller);
        assert!(!error.is_safe_to_retry());
    }
    assert_eq!(client.stats().connections_opened, 0);
    assert_eq!(client.stats().failed(SendErrorKind::Blocked), hosts.len() as u64);
}

#[tokio::test]
async fn allowing_private_addresses_leaves_metadata_blocked() {
    let client = Egress::new(local_settings()).unwrap();
    for host in ["169.254.169.254", "2852039166", "0xA9FEA9FE", "[::ffff:169.254.169.254]", "100.100.100.200"]
    {
        let error = client.send(get(format!("http://{host}/latest/meta-data/")), None).await.unwrap_err();
        assert_eq!(error.kind, SendErrorKind::Blocked, "{host}: {error}");
    }
}

#[tokio::test]
async fn the_address_connected_to_is_the_one_judged() {
    let address = listen(|_, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.unwrap();
    })
    .await;
    let url = format!("http://rebind.example:{}/", address.port());
    let resolver = Scripted::new(&[&["127.0.0.1"], &["169.254.169.254"], &["127.0.0.1"]]);
    let client = client_of(loopback_only(), resolver.clone());

    let answer = client.send(get(&url), None).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
    assert_eq!(resolver.asked(), 1, "resolved once for one connection");

    until(|| client.stats().connections_open == 0).await;
    let error = client.send(get(&url), None).await.unwrap_err();
    assert_eq!((error.kind, resolver.asked()), (SendErrorKind::Blocked, 2));
    assert_eq!(error.to_string(), "the address policy does not allow requests to rebind.example");

    assert!(client.send(get(&url), None).await.is_ok());
    assert_eq!(resolver.asked(), 3);
}

#[tokio::test]
async fn one_forbidden_address_refuses_the_name() {
    let port = answering(OK).await.port();
    for answer in [["127.0.0.1", "10.0.0.1"], ["::ffff:169.254.169.254", "127.0.0.1"]] {
        let client = client_of(loopback_only(), Scripted::new(&[&answer]));
        let error = client.send(get(format!("http://mixed.example:{port}/")), None).await.unwrap_err();
        assert_eq!(error.kind, SendErrorKind::Blocked);
        assert_eq!(client.stats().connections_opened, 0);
    }
}

#[tokio::test]
async fn an_allowed_name_may_be_at_a_private_address() {
    let port = answering(OK).await.port();
    let policy = AddressPolicy { allow_hosts: vec!["ollama.example".into()], ..Default::default() };
    let client = client_of(policy, Scripted::new(&[&["127.0.0.1"], &["127.0.0.1"]]));
    assert!(client.send(get(format!("http://ollama.example:{port}/")), None).await.is_ok());
    let error = client.send(get(format!("http://other.example:{port}/")), None).await.unwrap_err();
    assert_eq!(error.kind, SendErrorKind::Blocked);
}

#[tokio::test]
async fn addresses_are_tried_in_turn() {
    let port = answering(OK).await.port();
    let client = client_of(
        AddressPolicy { allow_private: true, ..Default::default() },
        Scripted::new(&[&["127.0.0.2", "127.0.0.1"]]),
    );
    assert!(client.send(get(format!("http://two.example:{port}/")), None).await.is_ok());

    let port = nobody().await.port();
    let client = client_of(loopback_only(), Scripted::new(&[&["127.0.0.1", "127.0.0.1"]]));
    let error = client.send(get(format!("http://down.example:{port}/")), None).await.unwrap_err();
    assert_eq!(error.kind, SendErrorKind::ConnectRefused);
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn the_system_resolver_knows_this_machine() {
    let address = answering(OK).await;
    let settings = EgressSettings { resolver: Arc::new(SystemResolver), ..local_settings() };
    let url = format!("http://localhost:{}/", address.port());
    assert!(Egress::new(settings).unwrap().send(get(url), None).await.is_ok());
}
