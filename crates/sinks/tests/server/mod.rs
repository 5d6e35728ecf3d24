//! A warehouse: S3 for `PUT`, ClickHouse for `POST`. It panics, and so answers nothing, where a request is not as the
//! protocols say; the signature it works out by itself.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::Read as _;
use std::sync::{Arc, Mutex};

use aws_lc_rs::{digest, hmac};
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

pub const PASSWORD: &str = "pass-word";
pub const ACCESS_KEY: &str = "AKIDEXAMPLE";
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// What it answers next (0: it takes the rows, and cuts the connection before it says so), and what it has.
#[derive(Debug, Default)]
pub struct House {
    statuses: Vec<u16>,
    /// Paths, whatever the answer was.
    pub asked: Vec<String>,
    pub queries: Vec<String>,
    /// Rows by the object's name or the insert's token.
    pub blocks: BTreeMap<String, Vec<Value>>,
    pub objects: BTreeMap<String, Bytes>,
}

impl House {
    pub fn rows(&self) -> Vec<&Value> {
        self.blocks.values().flatten().collect()
    }

    fn keep(&mut self, name: &str, packed: &Bytes) {
        let mut text = String::new();
        GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        assert!(text.ends_with('\n'));
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let before = self.blocks.insert(name.to_owned(), rows.clone());
        assert!(before.is_none_or(|before| before == rows), "what comes again is the same");
    }
}

/// `statuses` are answered one after the other, and then 200.
pub async fn house(statuses: &[u16]) -> (Arc<Mutex<House>>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let house = Arc::new(Mutex::new(House { statuses: statuses.to_vec(), ..House::default() }));
    let shared = house.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let shared = shared.clone();
            let service = service_fn(move |request| answer(shared.clone(), request));
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    (house, url)
}

async fn answer(
    house: Arc<Mutex<House>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let is_s3 = head.method == http::Method::PUT;
    let mut house = house.lock().unwrap();
    house.asked.push(head.uri.path().to_owned());
    let status = if house.statuses.is_empty() { 200 } else { house.statuses.remove(0) };
    if is_s3 {
        verify(&head, &body);
    } else {
        assert_eq!((head.method.as_str(), head.uri.path()), ("POST", "/"));
        assert_eq!(head.headers["x-clickhouse-user"], "writer");
        assert_eq!(head.headers["x-clickhouse-key"], PASSWORD);
    }
    if matches!(status, 0 | 200) {
        if is_s3 { put(&mut house, head.uri.path(), &body) } else { query(&mut house, &head, &body) }
    }
    drop(house);
    assert!(status > 0, "the answer is lost");
    let error = Full::from("<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>");
    let response = Response::builder().status(status);
    Ok(match (status, is_s3) {
        (200, _) => response.body(Full::default()).unwrap(),
        (503, _) => response.header("retry-after", "0").body(Full::default()).unwrap(),
        (_, true) => response.body(error).unwrap(),
        (_, false) => {
            response.header("x-clickhouse-exception-code", "241").body(Full::from("Code: 241")).unwrap()
        }
    })
}

fn put(house: &mut House, path: &str, body: &Bytes) {
    if path.ends_with(".jsonl.gz") {
        house.keep(path, body);
    }
    house.objects.insert(path.to_owned(), body.clone());
}

fn query(house: &mut House, head: &http::request::Parts, body: &Bytes) {
    let pairs: BTreeMap<String, String> =
        form_urlencoded::parse(head.uri.query().unwrap().as_bytes()).into_owned().collect();
    assert_eq!(pairs["wait_end_of_query"], "1");
    match pairs.get("query") {
        None => house.queries.push(String::from_utf8(body.to_vec()).unwrap()),
        Some(query) => {
            assert!(!house.queries.is_empty(), "the table is there first");
            assert_eq!(query, "INSERT INTO `tides`.`records` FORMAT JSONEachRow");
            assert_eq!(head.headers["content-encoding"], "gzip");
            assert_eq!((pairs["insert_deduplicate"].as_str(), pairs["async_insert"].as_str()), ("1", "0"));
            house.keep(&pairs["insert_deduplication_token"], body);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn sha(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// The signature of S3, step by step as its documentation has them.
fn verify(head: &http::request::Parts, body: &[u8]) {
    let header = |name: &str| head.headers[name].to_str().unwrap();
    let date = header("x-amz-date");
    assert_eq!(header("x-amz-content-sha256"), sha(body));
    let scope = format!("{}/eu-central-1/s3/aws4_request", &date[..8]);
    let said = header("authorization").strip_prefix("AWS4-HMAC-SHA256 ").unwrap();
    let parts: BTreeMap<&str, &str> = said.split(", ").map(|part| part.split_once('=').unwrap()).collect();
    assert_eq!(parts["Credential"], format!("{ACCESS_KEY}/{scope}"));
    let names: Vec<&str> = parts["SignedHeaders"].split(';').collect();
    for name in ["host", "x-amz-content-sha256", "x-amz-date"] {
        assert!(names.contains(&name), "{name} is signed");
    }
    assert_eq!(head.uri.query(), None);
    let path = head.uri.path().replace('=', "%3D");
    let mut canonical = format!("{}\n{path}\n\n", head.method);
    for name in &names {
        writeln!(canonical, "{name}:{}", header(name).trim()).unwrap();
    }
    write!(canonical, "\n{}\n{}", parts["SignedHeaders"], sha(body)).unwrap();
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha(canonical.as_bytes()));
    let mut key = format!("AWS4{SECRET_KEY}").into_bytes();
    for part in [&date[..8], "eu-central-1", "s3", "aws4_request", &to_sign] {
        key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
    }
    assert_eq!(parts["Signature"], hex(&key));
}
