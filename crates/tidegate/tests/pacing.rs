//! Streams that go out at a pace.

use std::time::{Duration, Instant};

use serde_json::json;
use tidegate_testkit::{Handler, Reply, Seen, Server, sse};

use crate::stage::{MESSAGES, Setup, messages, messages_said, said, streamed, target};

const TEXT: &str = "High water is at noon";

/// A word an event, all at once; a whole answer to who wants no stream.
struct Words;

impl Handler for Words {
    fn answer(&self, request: &Seen) -> Reply {
        let usage = json!({"prompt_tokens": 1, "completion_tokens": 5, "total_tokens": 6});
        if request.json()["stream"] != json!(true) {
            let message = json!({"role": "assistant", "content": TEXT});
            let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
            return Reply::json(200, &json!({"id": "c", "choices": [choice], "usage": usage}));
        }
        let chunk = |delta, finish: Option<&str>| {
            let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
            sse::data(&json!({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}))
        };
        let words = TEXT.split_inclusive(' ').map(|word| chunk(json!({"content": word}), None));
        let last = [chunk(json!({}), Some("stop")), "data: [DONE]\n\n".to_owned()];
        Reply::events(words.chain(last).collect())
    }
}

/// Never faster than its pace; how much slower is the machine's affair.
fn assert_paced(events: usize, took: Duration) {
    let least = Duration::from_millis(20) * u32::try_from(events).unwrap();
    assert!(events >= 7 && took >= least, "{events} events in {took:?}");
}

#[tokio::test]
async fn each_event_of_a_stream_takes_its_time_and_no_byte_changes() {
    let upstream = Server::start(Words).await;
    let config = target("openai", &upstream.url());
    let paced = Setup::default().settings("[streams]\npace = '50/second'").start().await;
    let plain = Setup::default().start().await;
    let quick = plain.ask(&config, &streamed("m")).await;
    let begun = Instant::now();
    let slow = paced.ask(&config, &streamed("m")).await;
    assert_paced(slow.events().len(), begun.elapsed());
    assert_eq!((slow.text(), said(&slow)), (quick.text(), TEXT.to_owned()));
    // Another dialect's stream, too.
    let config = config.to_string();
    let headers = [("x-portkey-config", config.as_str())];
    let begun = Instant::now();
    let slow = paced.post(MESSAGES, &headers, &messages("m", true)).await;
    assert_paced(slow.events().len(), begun.elapsed());
    assert_eq!(messages_said(&slow), TEXT);
}

#[tokio::test]
async fn a_slow_pace_is_not_the_providers_silence() {
    let upstream = Server::start(Words).await;
    let config = target("openai", &upstream.url());
    let settings = "[streams]\npace = '2/second'\n[timeouts]\nbetween_chunks = '2s'";
    let paced = Setup::default().settings(settings).start().await;
    let begun = Instant::now();
    let answer = paced.ask(&config, &streamed("m")).await;
    assert!(begun.elapsed() > Duration::from_secs(3));
    assert_eq!(said(&answer), TEXT);
    assert!(answer.text().ends_with("data: [DONE]\n\n"), "{}", answer.text());
    // A whole answer is no stream.
    let mut whole = streamed("m");
    whole["stream"] = json!(false);
    let begun = Instant::now();
    assert_eq!(said(&paced.ask(&config, &whole).await), TEXT);
    assert!(begun.elapsed() < Duration::from_secs(3));
}
