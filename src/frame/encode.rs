//! Frames as they are sent (RFC 6455 section 5.2): the header, put together in a register.

use alloc::vec::Vec;

use super::header::{FIN, Flags, LEN_16, LEN_64, MASK, Opcode, RSV1};
use super::mask::Mask;

/// Appends a frame; returns its length.
pub(crate) fn append_frame(
    out: &mut Vec<u8>,
    first: FirstByte,
    payload: &[u8],
    key: Option<[u8; 4]>,
) -> usize {
    let header = EncodedHeader::new(first, payload.len(), key);
    header.append(out);
    match key {
        Some(key) => Mask::new(key).append(out, payload),
        None => out.extend_from_slice(payload),
    }
    header.len() + payload.len()
}

/// The first byte of a header: FIN, RSV1 and the opcode.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FirstByte(u8);

impl FirstByte {
    #[inline]
    pub(crate) const fn new(flags: Flags, opcode: Opcode) -> Self {
        let fin = if flags.fin { FIN } else { 0 };
        let rsv1 = if flags.compressed { RSV1 } else { 0 };
        Self(fin | rsv1 | opcode.bits())
    }
}

/// A header as it is written.
#[derive(Clone, Copy)]
pub(crate) struct EncodedHeader {
    /// Little-endian, and zeros behind it.
    header: u128,
    len: usize,
}

impl EncodedHeader {
    /// The header of a frame with `payload_len` bytes of payload data.
    #[inline(always)] // otherwise it is returned through memory, which takes longer than to put it together
    pub(crate) fn new(first: FirstByte, payload_len: usize, key: Option<[u8; 4]>) -> Self {
        let (mask, key, key_len) = match key {
            None => (0, 0, 0),
            Some(key) => (MASK, u32::from_le_bytes(key), 4),
        };
        let fixed = |len7| u16::from_le_bytes([first.0, mask | len7]);
        // Put together in a register; the first byte is the lowest.
        if payload_len < usize::from(LEN_16) {
            let header = u64::from(fixed(payload_len as u8)) | u64::from(key) << 16;
            Self { header: header.into(), len: 2 + key_len }
        } else if let Ok(len) = u16::try_from(payload_len) {
            let header = u64::from(fixed(LEN_16)) | u64::from(len.swap_bytes()) << 16 | u64::from(key) << 32;
            Self { header: header.into(), len: 4 + key_len }
        } else {
            let len = u128::from((payload_len as u64).swap_bytes());
            let header = u128::from(fixed(LEN_64)) | len << 16 | u128::from(key) << 80;
            Self { header, len: 10 + key_len }
        }
    }

    pub(crate) fn len(self) -> usize {
        self.len
    }

    /// Appends it to `out`, which is best with [`ROOM`](Self::ROOM).
    #[inline]
    pub(crate) fn append(self, out: &mut Vec<u8>) {
        let end = out.len() + self.len;
        // A copy of fixed length takes two instructions, one of `len` bytes a call.
        out.extend_from_slice(&self.header.to_le_bytes());
        out.truncate(end);
    }

    /// Writes it to the first of [`ROOM`](Self::ROOM) bytes, and zeros behind it.
    #[inline]
    pub(crate) fn write(self, room: &mut [u8]) {
        if let Some(first) = room.first_chunk_mut() {
            *first = (self.header as u64).to_le_bytes();
        }
        // Not for short frames, which is known where they are written.
        if self.len > 8 {
            if let Some(first) = room.first_chunk_mut() {
                *first = self.header.to_le_bytes();
            }
        }
    }

    /// Bytes that [`append`](Self::append) writes before it takes some of them back.
    pub(crate) const ROOM: usize = size_of::<u128>();
}
