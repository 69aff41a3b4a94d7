//! What waits to be written: control frames ahead of data frames, never inside one.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::iter::once;
use core::mem::take;

use bytes::{Buf, Bytes, BytesMut};

use super::spare;
use crate::entropy::Entropy;
use crate::frame::{EncodedHeader, Flags, FrameHeader, Mask, Opcode};

/// Encoded frames in two lanes.
///
/// ```text
///  control  [Pong][Ping]                          first, at the next frame border; then the data has its turn
///  data     …rest of a frame][frame][header|            |frame][Close]    what was copied, in order
///                                          [large payload]               where what was not copied belongs
/// ```
#[derive(Default)]
pub(super) struct Queue {
    /// Whole frames, and the headers of those whose payload data is in `shared`.
    copied: Vec<u8>,
    /// Bytes of `copied` that have left.
    left: usize,
    /// INVARIANT: in order of `at`, none before `left`, and none is empty.
    shared: VecDeque<Shared>,
    /// Bytes of data that wait, copied or not.
    data_len: usize,
    /// Bytes of data that must leave before a control frame may.
    frame_left: usize,
    /// Boxed: most of the time there are none.
    control: Option<Box<Control>>,
}

/// Payload data as the application handed it over, or a whole frame that goes to many connections.
struct Shared {
    /// The byte of `copied` that it leaves before. A frame header never spans two pieces.
    at: usize,
    bytes: Bytes,
}

/// Control frames, Close frames excepted.
#[derive(Default)]
struct Control {
    bytes: Vec<u8>,
    /// Bytes of them that have left.
    left: usize,
    /// Bytes that leave before the next data frame.
    /// INVARIANT: whole frames, less what has left already; all of them while no data waits.
    turn: usize,
    /// Some of them have left. What comes now waits for that data frame: an endless row of Pings starves no message.
    turn_begun: bool,
}

impl Queue {
    /// A queue whose first output is `bytes`, which are no frame.
    pub(super) fn starting_with(bytes: BytesMut) -> Self {
        let len = bytes.len();
        Self { copied: bytes.into(), data_len: len, frame_left: len, ..Self::default() }
    }

    /// Bytes that wait.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.control_len() + self.data_len
    }

    /// Bytes of control frames that wait, Close frames excepted.
    #[inline]
    pub(super) fn control_len(&self) -> usize {
        self.control.as_ref().map_or(0, |control| control.waiting().len())
    }

    /// Bytes of data and Close frames that wait.
    pub(super) fn data_len(&self) -> usize {
        self.data_len
    }

    /// Whether data or Close frames wait, or a part of one.
    pub(super) fn has_data(&self) -> bool {
        self.data_len > 0
    }

    /// Queues a data or Close frame, copying its payload data.
    #[inline]
    pub(super) fn push(
        &mut self,
        flags: Flags,
        opcode: Opcode,
        payload: &[u8],
        entropy: Option<&mut Entropy>,
    ) {
        let key = entropy.map(Entropy::masking_key);
        self.reserve(EncodedHeader::ROOM + payload.len());
        self.data_len += encode(&mut self.copied, flags, opcode, payload, key);
    }

    /// Queues a whole message with payload data that may be large; it is not copied if that can be avoided.
    pub(super) fn push_shared(&mut self, opcode: Opcode, payload: Bytes, entropy: Option<&mut Entropy>) {
        let flags = Flags::WHOLE;
        if payload.len() < MIN_SHARED {
            return self.push(flags, opcode, &payload, entropy);
        }
        let (payload, key) = match entropy {
            None => (payload, None),
            Some(entropy) => match payload.try_into_mut() {
                Ok(mut payload) => {
                    let key = entropy.masking_key();
                    Mask::new(key).apply(&mut payload);
                    (payload.freeze(), Some(key))
                }
                // Somebody else holds the same bytes, so they must not be masked in place.
                Err(payload) => return self.push(flags, opcode, &payload, Some(entropy)),
            },
        };
        let header = FrameHeader::encode(flags, opcode, payload.len(), key);
        self.reserve(EncodedHeader::ROOM);
        header.append(&mut self.copied);
        self.data_len += header.len() + payload.len();
        self.shared.push_back(Shared { at: self.copied.len(), bytes: payload });
    }

    /// Queues a data frame that is encoded already, and not masked.
    pub(super) fn push_encoded(&mut self, frame: Bytes) {
        self.data_len += frame.len();
        if frame.len() < MIN_SHARED && !self.copied.is_empty() {
            self.reserve(frame.len());
            self.copied.extend_from_slice(&frame);
        } else {
            self.shared.push_back(Shared { at: self.copied.len(), bytes: frame });
        }
    }

    /// Queues a control frame ahead of the data.
    pub(super) fn push_control(&mut self, opcode: Opcode, payload: &[u8], entropy: Option<&mut Entropy>) {
        let control = self.control.get_or_insert_default();
        make_room(&mut control.bytes, &mut control.left);
        encode(&mut control.bytes, Flags::WHOLE, opcode, payload, entropy.map(Entropy::masking_key));
        if !control.turn_begun || self.data_len == 0 {
            control.turn = control.waiting().len();
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Puts the pieces, in the order in which they are to be written, into `pieces` as far as these go; returns how many.
    #[cfg(feature = "std")]
    pub(super) fn fill<'a>(&'a self, pieces: &mut [std::io::IoSlice<'a>]) -> usize {
        let mut filled = 0;
        let mut fill = |from: &mut dyn Iterator<Item = &'a [u8]>| {
            for (to, piece) in pieces.iter_mut().skip(filled).zip(from) {
                *to = std::io::IoSlice::new(piece);
                filled += 1;
            }
        };
        match &self.control {
            None => fill(&mut self.data()),
            Some(_) => fill(&mut self.pieces()),
        }
        filled
    }

    /// The pieces in the order in which they are to be written.
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let control = self.control.as_ref().map_or(&[][..], |control| control.waiting());
        let (before_data, after_frame) = control.split_at(self.before_data());
        // Without control frames that wait for it, the border of the frame does not matter.
        let border = match self.frame_left {
            _ if after_frame.is_empty() => usize::MAX,
            0 => own_frame_len(self.front()),
            frame_left => frame_left,
        };
        let lanes = once(before_data).chain(self.cut(0, border)).chain(once(after_frame));
        lanes.chain(self.cut(border, usize::MAX)).filter(|piece| !piece.is_empty())
    }

    /// The first piece; empty if nothing waits.
    #[inline]
    pub(super) fn first(&self) -> &[u8] {
        match &self.control {
            None => self.front(),
            Some(_) => self.pieces().next().unwrap_or_default(),
        }
    }

    /// Notes that `n` bytes were written. Panics if `n` is more than [`len`](Self::len).
    #[inline]
    pub(super) fn advance(&mut self, n: usize) {
        let len = self.len();
        assert!(n <= len, "{n} bytes cannot have been written: only {len} were waiting");
        if n < len {
            self.advance_within(n);
            return;
        }
        // An idle connection holds no buffer.
        if self.copied.capacity() > 0 {
            spare::give(&mut self.copied);
        }
        self.left = 0;
        if self.shared.capacity() > 0 {
            self.shared = VecDeque::new();
        }
        self.data_len = 0;
        self.frame_left = 0;
        self.control = None;
    }

    /// Moves on by `n` bytes, fewer than wait: whose turn is next depends on the frame borders that are passed.
    fn advance_within(&mut self, mut n: usize) {
        while n > 0 {
            let turn = self.before_data();
            if let Some(control) = self.control.as_mut().filter(|_| turn > 0) {
                let len = n.min(turn);
                control.left += len;
                control.turn = turn - len;
                control.turn_begun = true;
                n -= len;
                continue;
            }
            if self.frame_left == 0 {
                self.frame_left = own_frame_len(self.front());
            }
            let len = n.min(self.front().len()).min(self.frame_left);
            match self.shared.front_mut().filter(|shared| shared.at == self.left) {
                Some(shared) if shared.bytes.len() == len => drop(self.shared.pop_front()),
                Some(shared) => shared.bytes.advance(len),
                None => self.left += len,
            }
            self.data_len -= len;
            self.frame_left -= len;
            if let Some(control) = self.control.as_mut().filter(|_| self.frame_left == 0) {
                control.turn = control.waiting().len();
                control.turn_begun = false;
            }
            n -= len;
        }
    }

    /// Bytes of control frames that leave before any data.
    fn before_data(&self) -> usize {
        match &self.control {
            Some(control) if self.data_len == 0 => control.waiting().len(),
            Some(control) if self.frame_left == 0 => control.turn,
            _ => 0,
        }
    }

    /// The first piece of data; empty if there is none.
    #[inline]
    fn front(&self) -> &[u8] {
        match self.shared.front() {
            None => self.copied.get(self.left..).unwrap_or_default(),
            Some(shared) if shared.at == self.left => &shared.bytes,
            Some(shared) => self.copied.get(self.left..shared.at).unwrap_or_default(),
        }
    }

    /// The pieces of data; some may be empty.
    fn data(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = self.left;
        let pairs = self.shared.iter().flat_map(move |shared| {
            let copied = self.copied.get(from..shared.at).unwrap_or_default();
            from = shared.at;
            [copied, &shared.bytes]
        });
        let last = self.shared.back().map_or(self.left, |shared| shared.at);
        pairs.chain(self.copied.get(last..)).filter(|piece| !piece.is_empty())
    }

    /// Bytes `from..to` of the data lane.
    fn cut(&self, from: usize, to: usize) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.data().filter_map(move |bytes| {
            let piece = from.max(start) - start..to.min(start + bytes.len()).saturating_sub(start);
            start += bytes.len();
            bytes.get(piece)
        })
    }

    /// Makes room for `len` more bytes to be copied.
    #[inline]
    fn reserve(&mut self, len: usize) {
        if self.copied.capacity() - self.copied.len() < len {
            self.grow(len);
        }
    }

    #[cold]
    fn grow(&mut self, len: usize) {
        if self.copied.capacity() == 0 {
            return spare::take(&mut self.copied, len);
        }
        let removed = make_room(&mut self.copied, &mut self.left);
        for shared in &mut self.shared {
            shared.at -= removed;
        }
        self.copied.reserve(len);
    }
}

impl Control {
    /// What waits.
    fn waiting(&self) -> &[u8] {
        self.bytes.get(self.left..).unwrap_or_default()
    }
}

/// Removes what has left, if that is the larger part: a queue that is never empty must not grow. Returns how much that was.
fn make_room(bytes: &mut Vec<u8>, left: &mut usize) -> usize {
    if *left < bytes.len() - *left {
        return 0;
    }
    bytes.drain(..*left);
    take(left)
}

/// Appends a frame; returns its length.
#[inline]
fn encode(out: &mut Vec<u8>, flags: Flags, opcode: Opcode, payload: &[u8], key: Option<[u8; 4]>) -> usize {
    let header = FrameHeader::encode(flags, opcode, payload.len(), key);
    header.append(out);
    match key {
        Some(key) => Mask::new(key).append(out, payload),
        None => out.extend_from_slice(payload),
    }
    header.len() + payload.len()
}

/// The length of the frame of our own that starts at `bytes`, which hold its whole header.
fn own_frame_len(bytes: &[u8]) -> usize {
    let Some(&[_, second]) = bytes.first_chunk::<2>() else { return bytes.len() };
    let key = if second & 0x80 != 0 { 4 } else { 0 };
    let extended = bytes.get(2..).unwrap_or_default();
    match second & 0x7F {
        126 => extended
            .first_chunk::<2>()
            .map_or(bytes.len(), |len| 4 + key + usize::from(u16::from_be_bytes(*len))),
        127 => extended
            .first_chunk::<8>()
            .map_or(bytes.len(), |len| 10 + key + u64::from_be_bytes(*len) as usize),
        len => 2 + key + usize::from(len),
    }
}

/// Payload data from this size on is handed to the transport as it is; below, copying is cheaper than one more piece.
const MIN_SHARED: usize = 8 * 1024;
