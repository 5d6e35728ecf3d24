//! Ways to cut an input.

/// The input in one piece, byte by byte, and in pieces of irregular length that depend on the input alone.
pub(crate) fn cuts(data: &[u8]) -> [Vec<&[u8]>; 3] {
    [vec![data], data.chunks(1).collect(), irregular(data)]
}

fn irregular(data: &[u8]) -> Vec<&[u8]> {
    let mut state = data.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut pieces = Vec::new();
    let mut rest = data;
    while !rest.is_empty() {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        // Now and then an empty piece: networks do not send them, but layers in between make them.
        let (piece, after) = rest.split_at((state >> 33) as usize % (rest.len().min(40) + 1));
        pieces.push(piece);
        rest = after;
    }
    pieces
}
