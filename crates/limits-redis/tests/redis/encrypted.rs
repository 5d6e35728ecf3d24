//! A server with a certificate of its own making, and how far each mode believes it.

use tidegate_limits::Limits;
use tidegate_limits_redis::{Changes, Options, Redis, Time};
use tidegate_testkit::tls::{Flaw, Identity};
use tidegate_testkit::{Redis as Server, Scratch};

use crate::world::{ALGORITHMS, ask, clock, options, rpm, until};

fn at(server: &Server, query: &str) -> Options {
    Options { url: format!("{}{query}", server.url()).into(), ..options(server, Time::Server) }
}

/// `None` when it counts there; or why it cannot.
async fn reached(options: Options) -> Option<String> {
    let redis = match Redis::open(options, clock()).await {
        Ok(redis) => redis,
        Err(error) => return Some(error.to_string()),
    };
    let limits = Limits::new(redis);
    let rule = [rpm(1, ALGORITHMS[0])];
    match ask(&limits, "k", &rule, 0, 0).await {
        Ok(permit) => {
            assert!(ask(&limits, "k", &rule, 0, 0).await.is_err(), "the second is one too many");
            drop(permit);
            None
        }
        Err(denial) => Some(format!("{denial:?} {:?}", limits.store().stats())),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_as_careful_as_they_are_asked_to_be() {
    let own = Identity::new(Flaw::Untrusted);
    let elsewhere = Identity::new(Flaw::WrongName);
    let files = Scratch::new();
    files.write("own.pem", &own.certificate_pem);
    files.write("elsewhere.pem", &elsewhere.certificate_pem);
    let root = |name: &str| format!("sslrootcert={}", files.path().join(name).display());
    let (server, other) = (Server::start_with_tls(&own), Server::start_with_tls(&elsewhere));
    for (server, query, refused) in [
        (&server, String::new(), Some("UnknownIssuer")),
        (&server, "?sslmode=require".to_owned(), None),
        (&server, format!("?{}", root("own.pem")), None),
        (
            &server,
            format!("?sslmode=verify-full&{}", root("elsewhere.pem")),
            Some("invalid peer certificate"),
        ),
        (&server, format!("?sslmode=require&{}", root("elsewhere.pem")), Some("invalid peer certificate")),
        (&other, format!("?sslmode=verify-ca&{}", root("elsewhere.pem")), None),
        (&other, format!("?{}", root("elsewhere.pem")), Some("not valid for name")),
        (&server, "?sslmode=prefer".to_owned(), Some("is encrypted by rediss")),
        (&server, "?sslmode=verify".to_owned(), Some("sslmode")),
        (&server, "?sslrootcert=/no/such%20file.pem".to_owned(), Some("/no/such file.pem")),
    ] {
        let options = Options { prefix: format!("case{}", query.len()), ..at(server, &query) };
        match (reached(options).await, refused) {
            (None, None) => {}
            (Some(why), Some(due)) => assert!(why.contains(due), "{query}: {why}"),
            (answer, due) => panic!("{query}: {answer:?}, {due:?} was due"),
        }
    }
}

/// Word of changes comes over a connection of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_heard_over_tls() {
    let own = Identity::new(Flaw::Untrusted);
    let server = Server::start_with_tls(&own);
    let one = Redis::open(at(&server, "?sslmode=require"), clock()).await.unwrap();
    let two = Redis::open(at(&server, "?sslmode=require"), clock()).await.unwrap();
    let (tells, hears) = (Changes::of(&one), Changes::of(&two));
    let heard = hears.subscribe();
    tells.publish(7).await.unwrap();
    until("it is heard", || *heard.borrow() == 7).await;
}

#[tokio::test]
async fn what_an_address_in_clear_says_of_certificates_is_refused() {
    let server = Server::start();
    for query in ["?sslmode=verify-full", "?sslrootcert=system"] {
        let error = Redis::open(at(&server, query), clock()).await.unwrap_err();
        assert!(error.to_string().contains("write rediss://"), "{error}");
    }
}
