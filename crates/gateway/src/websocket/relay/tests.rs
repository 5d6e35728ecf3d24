use std::future::poll_fn;

use tidegate_core::ErrorKind;
use tidegate_websocket::frame::encode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::mpsc;

use super::*;
use crate::refuse::Refusal;

/// Collects what passes, and ends when it is told to.
struct Spy {
    texts: Vec<u8>,
    ends: mpsc::UnboundedReceiver<Why>,
}

impl Watch for Spy {
    fn moved(&mut self, _: Sender, _: usize) {}

    fn text(&mut self, payload: Bytes, is_end: bool) {
        self.texts.extend_from_slice(&payload);
        if is_end {
            self.texts.push(b'|');
        }
    }

    fn poll_end(&mut self, cx: &mut Context<'_>, _: [bool; 2]) -> Poll<Why> {
        match self.ends.poll_recv(cx) {
            Poll::Ready(Some(why)) => Poll::Ready(why),
            _ => Poll::Pending,
        }
    }

    fn last_words(&self, why: &Why) -> Option<Bytes> {
        why.event()
    }
}

/// The far ends of a relay that runs.
struct Stage {
    client: DuplexStream,
    upstream: DuplexStream,
    end: mpsc::UnboundedSender<Why>,
    running: tokio::task::JoinHandle<(Finished, Vec<u8>)>,
}

impl Stage {
    /// With so much room between the relay and each end.
    fn new(room: usize) -> Self {
        let ((client, near), (upstream, far)) = (duplex(room), duplex(room));
        let (end, ends) = mpsc::unbounded_channel();
        let running = tokio::spawn(async move {
            let side = |io| Side { io, receiver: Receiver::default() };
            let mut relay = Relay::new(side(near), side(far));
            let mut spy = Spy { texts: Vec::new(), ends };
            let finished = poll_fn(|cx| relay.poll(cx, &mut spy)).await;
            relay.shut().await;
            (finished, spy.texts)
        });
        Self { client, upstream, end, running }
    }
}

/// The frames of one end, up to its end.
async fn frames(io: &mut DuplexStream, from: Sender) -> Vec<(Opcode, Vec<u8>)> {
    let mut bytes = Vec::new();
    io.read_to_end(&mut bytes).await.unwrap();
    let (mut frames, mut read, mut at) = (Frames::new(from), Vec::<(Opcode, Vec<u8>)>::new(), 0);
    while at < bytes.len() {
        let step = frames.next(&bytes[at..]).unwrap();
        let part = &bytes[at..at + step.taken];
        match step.part {
            Part::Begin(header) => read.push((header.opcode, Vec::new())),
            Part::Payload { header, .. } => {
                let payload = &mut read.last_mut().unwrap().1;
                let start = payload.len();
                payload.extend_from_slice(part);
                if let Some(mask) = header.mask {
                    unmask(&mut payload[start..], mask, start as u64);
                }
            }
            Part::Unfinished => {}
        }
        at += step.taken;
    }
    read
}

#[tokio::test]
async fn frames_pass_byte_for_byte_however_small_the_pieces() {
    for room in [1, 2, 7, 64, 100_000] {
        let Stage { mut client, mut upstream, running, .. } = Stage::new(room);
        let mut there = Vec::new();
        for (opcode, payload) in [
            (Opcode::Text, b"{\"type\":\"session.update\"}".as_slice()),
            (Opcode::Binary, &[7; 300]),
            (Opcode::Ping, b"p"),
            (Opcode::Pong, b""),
        ] {
            there.extend_from_slice(&encode(Sender::Client, opcode, payload));
        }
        there.extend_from_slice(&encode_close(Sender::Client, CloseCode::NORMAL, "bye"));
        let mut back = encode(Sender::Server, Opcode::Text, "é".repeat(200).as_bytes()).to_vec();
        back.extend_from_slice(&encode_close(Sender::Server, CloseCode::NORMAL, ""));
        let mut seen = vec![0; there.len()];
        let (client_sends, upstream_reads) = (there.clone(), async {
            upstream.read_exact(&mut seen).await.unwrap();
            upstream.write_all(&back).await.unwrap();
        });
        let mut got = Vec::new();
        let client_side = async {
            client.write_all(&client_sends).await.unwrap();
            client.read_to_end(&mut got).await.unwrap();
        };
        tokio::join!(client_side, upstream_reads);
        assert_eq!((seen, got), (there, back), "room {room}");
        let (finished, texts) = running.await.unwrap();
        assert!(finished.why.is_none());
        assert_eq!(finished.closed, Some((Sender::Client, Some(CloseCode::NORMAL))));
        assert_eq!(texts, format!("{}|", "é".repeat(200)).as_bytes());
    }
}

#[tokio::test]
async fn a_slow_reader_slows_the_other_side_down() {
    const ROOM: usize = 4096;
    let Stage { client, mut upstream, running, .. } = Stage::new(ROOM);
    let frame = encode(Sender::Server, Opcode::Binary, &[1; 1000]);
    let mut sent = 0;
    // Nobody reads: what fits into the two pipes and the one piece under way is taken, and no more.
    let flood = async {
        loop {
            upstream.write_all(&frame).await.unwrap();
            sent += frame.len();
        }
    };
    assert!(tokio::time::timeout(Duration::from_millis(300), flood).await.is_err());
    assert!((ROOM..=4 * ROOM).contains(&sent), "{sent}");
    drop((client, upstream));
    let (finished, _) = running.await.unwrap();
    assert!(finished.why.is_some());
}

#[tokio::test]
async fn an_end_from_here_waits_for_the_frame_and_is_told_to_both() {
    let Stage { mut client, mut upstream, end, running } = Stage::new(4096);
    let frame = encode(Sender::Server, Opcode::Text, b"{\"type\":\"x\"}");
    let (first, rest) = frame.split_at(5);
    upstream.write_all(first).await.unwrap();
    let mut head = [0; 5];
    client.read_exact(&mut head).await.unwrap();
    let refusal = Refusal::with_status("budget", ErrorKind::BadRequest, 412, "Usage limit exceeded");
    end.send(Why::Refused(Box::new(refusal))).unwrap();
    let after = encode(Sender::Server, Opcode::Text, b"{\"type\":\"too late\"}");
    upstream.write_all(rest).await.unwrap();
    upstream.write_all(&after).await.unwrap();
    let told = frames(&mut upstream, Sender::Client).await;
    assert_eq!(told, [(Opcode::Close, 1001_u16.to_be_bytes().to_vec())]);
    let mut whole = head.to_vec();
    client.read_to_end(&mut whole).await.unwrap();
    let (mut replay, mut writer) = duplex(65_536);
    writer.write_all(&whole).await.unwrap();
    drop(writer);
    let told = frames(&mut replay, Sender::Server).await;
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[0], (Opcode::Text, b"{\"type\":\"x\"}".to_vec()));
    let event: serde_json::Value = serde_json::from_slice(&told[1].1).unwrap();
    assert_eq!(
        (&event["type"], &event["error"]["message"]),
        (&"error".into(), &"Usage limit exceeded".into())
    );
    assert_eq!(told[2].1, [&1008_u16.to_be_bytes()[..], b"budget"].concat());
    let (finished, _) = running.await.unwrap();
    assert!(matches!(finished.why, Some(Why::Refused(_))));
}

#[tokio::test]
async fn whoever_leaves_without_a_word_is_reported_to_the_other() {
    let Stage { client, mut upstream, running, .. } = Stage::new(4096);
    drop(client);
    assert_eq!(
        frames(&mut upstream, Sender::Client).await,
        [(Opcode::Close, 1001_u16.to_be_bytes().to_vec())]
    );
    drop(upstream);
    assert!(matches!(running.await.unwrap().0.why, Some(Why::Left(Sender::Client))));

    let Stage { mut client, upstream, running, .. } = Stage::new(4096);
    drop(upstream);
    let told = frames(&mut client, Sender::Server).await;
    assert_eq!(told.iter().map(|frame| frame.0).collect::<Vec<_>>(), [Opcode::Text, Opcode::Close]);
    assert_eq!(told[1].1[..2], 1011_u16.to_be_bytes());
    drop(client);
    assert!(matches!(running.await.unwrap().0.why, Some(Why::Left(Sender::Server))));
}

#[tokio::test]
async fn what_is_no_frame_ends_it() {
    let Stage { mut client, mut upstream, running, .. } = Stage::new(4096);
    // A client has to mask.
    client.write_all(&encode(Sender::Server, Opcode::Text, b"x")).await.unwrap();
    let told = frames(&mut client, Sender::Server).await;
    assert_eq!(told.last().unwrap().1[..2], 1002_u16.to_be_bytes());
    assert_eq!(frames(&mut upstream, Sender::Client).await.len(), 1);
    drop((client, upstream));
    let why = running.await.unwrap().0.why;
    assert!(matches!(why, Some(Why::Wrong(Sender::Client, Violation::Mask))), "{why:?}");
}

#[tokio::test]
async fn a_provider_that_hangs_up_on_a_close_has_closed() {
    let Stage { mut client, mut upstream, running, .. } = Stage::new(4096);
    client.write_all(&encode_close(Sender::Client, CloseCode::NORMAL, "")).await.unwrap();
    let mut seen = [0; 8];
    upstream.read_exact(&mut seen).await.unwrap();
    drop(upstream);
    let told = frames(&mut client, Sender::Server).await;
    assert_eq!(told, [(Opcode::Close, 1000_u16.to_be_bytes().to_vec())]);
    let (finished, _) = running.await.unwrap();
    assert!(finished.why.is_none());
}
