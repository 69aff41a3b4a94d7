//! Takes apart what an end has sent, the last frame of which may be cut off.

/// A frame of which at least the length is there.
pub(crate) struct Sent {
    pub(crate) first: u8,
    pub(crate) masked: bool,
    /// Nothing of it is missing.
    pub(crate) whole: bool,
}

pub(crate) fn frames(mut bytes: &[u8]) -> Vec<Sent> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        let extended = match second & 0x7F {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some(number) = rest.get(..extended) else { break };
        let len = match extended {
            0 => usize::from(second & 0x7F),
            _ => number.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
        };
        let masked = second & 0x80 != 0;
        let next = rest.get(extended + if masked { 4 } else { 0 } + len..);
        frames.push(Sent { first: *first, masked, whole: next.is_some() });
        bytes = next.unwrap_or_default();
    }
    frames
}
