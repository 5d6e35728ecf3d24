//! A server with a certificate of its own making, and how far each mode believes it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use tidegate_postgres::Server;
use tidegate_testkit::tls::{Flaw, Identity};
use tidegate_testkit::{Postgres, Scratch};

/// Whether the connection is encrypted, as the server says it; or why there is none.
async fn ask(url: &str) -> Result<bool, String> {
    let server: Server = url.parse().map_err(|error| format!("{error}"))?;
    let (client, carrier) = server.connect().await.map_err(|error| {
        format!("{error}: {}", std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default())
    })?;
    let carried = tokio::spawn(carrier);
    let row = client.query_one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[]).await;
    let row = row.map_err(|error| error.to_string())?;
    drop(client);
    carried.await.unwrap().unwrap();
    Ok(row.get(0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_as_encrypted_and_as_careful_as_they_are_asked_to_be() {
    let own = Identity::new(Flaw::Untrusted);
    let elsewhere = Identity::new(Flaw::WrongName);
    let files = Scratch::new();
    files.write("own.pem", &own.certificate_pem);
    files.write("elsewhere.pem", &elsewhere.certificate_pem);
    let root = |name: &str| format!("&sslrootcert={}", files.path().join(name).display());
    let (clear, server) = (Postgres::start(), Postgres::start_with_tls(&own));
    let other = Postgres::start_with_tls(&elsewhere);
    for (server, query, expected) in [
        (&clear, "".to_owned(), Ok(false)),
        (&clear, "?sslmode=prefer".to_owned(), Ok(false)),
        (&clear, "?sslmode=require".to_owned(), Err("does not support TLS")),
        (&server, "".to_owned(), Ok(false)),
        (&server, "?sslmode=prefer".to_owned(), Ok(true)),
        (&server, "?sslmode=require".to_owned(), Ok(true)),
        (&server, "?sslmode=verify-full".to_owned(), Err("UnknownIssuer")),
        (&server, format!("?sslmode=require{}", root("elsewhere.pem")), Err("invalid peer certificate")),
        (&server, format!("?sslmode=verify-full{}", root("own.pem")), Ok(true)),
        (&other, format!("?sslmode=verify-ca{}", root("elsewhere.pem")), Ok(true)),
        (&other, format!("?sslmode=verify-full{}", root("elsewhere.pem")), Err("not valid for name")),
    ] {
        let asked = ask(&format!("{}{query}", server.url())).await;
        match (&asked, expected) {
            (Ok(is_encrypted), Ok(expected)) => assert_eq!(*is_encrypted, expected, "{query}"),
            (Err(why), Err(expected)) => assert!(why.contains(expected), "{query}: {why}"),
            (asked, expected) => panic!("{query}: {asked:?}, {expected:?} was due"),
        }
    }
}
