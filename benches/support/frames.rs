//! Messages by size class, and their frames as a client sends them.

use sansocket::{MessageKind, Role};

/// Payload data in bytes, with a name.
pub(crate) const SIZES: [(usize, &str); 5] =
    [(16, "16 B"), (125, "125 B"), (1024, "1 KiB"), (64 * 1024, "64 KiB"), (1024 * 1024, "1 MiB")];

/// Both kinds of messages, with a name.
pub(crate) const KINDS: [(MessageKind, &str); 2] =
    [(MessageKind::Text, "text"), (MessageKind::Binary, "binary")];

/// Small messages come and go in bursts of this many bytes, as under load.
pub(crate) const BURST: usize = 64 * 1024;

/// ASCII for text, as most of it is; bytes of every value for binary.
pub(crate) fn payload(kind: MessageKind, size: usize) -> Vec<u8> {
    match kind {
        MessageKind::Text => (b' '..=b'~').cycle().take(size).collect(),
        MessageKind::Binary => (0..=u8::MAX).cycle().take(size).collect(),
    }
}

/// A whole message as a client sends it.
pub(crate) fn masked_frame(kind: MessageKind, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
    let mut frame = vec![if kind == MessageKind::Text { 0x81 } else { 0x82 }];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | len as u8),
        len @ 126..=0xFFFF => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&KEY);
    frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// Bytes of the frame that an endpoint in `role` sends for a message of `payload_len` bytes.
pub(crate) fn frame_len(payload_len: usize, role: Role) -> usize {
    let masking_key = if role == Role::Client { 4 } else { 0 };
    let length = match payload_len {
        0..=125 => 2,
        126..=0xFFFF => 4,
        _ => 10,
    };
    length + masking_key + payload_len
}

/// What a transport in memory does: moves bytes out of it, in pieces.
///
/// In one piece, the C library copies with `rep movsb`, which is several times slower on some processors if the low bits of the two
/// addresses are unlucky (glibc bug 30994). That would measure where buffers happen to lie.
pub(crate) fn copy(from: &[u8], mut put: impl FnMut(&[u8])) {
    from.chunks(1024).for_each(&mut put);
}
