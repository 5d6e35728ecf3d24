//! Frames of WebSockets, as a relay follows them.

use tidegate_websocket::{Frames, Opcode, Part, Sender, Violation};

/// The first byte chooses whose frames they are and where the bytes are cut: the two pieces have to read as the whole.
pub fn any(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let from = if choice & 1 == 0 { Sender::Client } else { Sender::Server };
    let cut = usize::from(*choice >> 2) * bytes.len() / 64;
    let (first, second) = bytes.split_at(cut);
    assert_eq!(read(from, &[first, second]), read(from, &[bytes]));
}

/// Every frame with the length of its payload as far as that came, and what ended it.
fn read(from: Sender, pieces: &[&[u8]]) -> (Vec<(Opcode, u64)>, bool, Option<Violation>) {
    let mut frames = Frames::new(from);
    let mut seen: Vec<(Opcode, u64)> = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            let step = match frames.next(rest) {
                Ok(step) => step,
                Err(violation) => return (seen, false, Some(violation)),
            };
            assert!(step.taken <= rest.len() && (step.taken > 0 || matches!(step.part, Part::Begin(_))));
            match step.part {
                Part::Unfinished => assert_eq!(step.taken, rest.len()),
                Part::Begin(header) => seen.push((header.opcode, 0)),
                Part::Payload { header, is_end } => {
                    let last = seen.last_mut().expect("a frame has begun");
                    last.1 += step.taken as u64;
                    assert_eq!(is_end, last.1 == header.len);
                }
            }
            rest = &rest[step.taken..];
        }
    }
    (seen, frames.is_between_frames(), None)
}
