//! What waits to be written: control frames ahead of data frames, never inside one.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::iter::once;

use bytes::{Buf, Bytes, BytesMut};

use super::spare;
use crate::entropy::Entropy;
use crate::frame::{Flags, FrameHeader, MAX_HEADER, Mask, Opcode};

/// Encoded frames in two lanes.
///
/// ```text
///  control  [Pong][Ping]                          first, at the next frame border; then the data has its turn
///  data     …rest of a frame][frame][frame][Close]    in order; large payloads are not copied
/// ```
#[derive(Debug, Default)]
pub(super) struct Queue {
    control: Copied,
    /// INVARIANT: no segment is empty, and a frame header never spans two segments.
    data: Lane,
    data_len: usize,
    /// Bytes of `data` that must leave before a control frame may.
    frame_left: usize,
    /// Bytes of `control` that leave before the next data frame.
    /// INVARIANT: whole frames, less what has left already; all of `control` while no data waits.
    control_turn: usize,
    /// Some of them have left. What comes now waits for that data frame: an endless row of Pings starves no message.
    turn_begun: bool,
}

/// A queue of segments that allocates nothing for the first one: most of the time there is no other.
#[derive(Debug, Default)]
struct Lane {
    /// INVARIANT: if there is none, there are no more either.
    first: Option<Segment>,
    more: VecDeque<Segment>,
}

#[derive(Debug)]
enum Segment {
    /// Whole frames, or the header of a frame whose payload data is in the next segment.
    Copied(Copied),
    /// Payload data as the application handed it over, or a whole frame that goes to many connections.
    Shared(Bytes),
}

/// Frames of our own making, of which some bytes have left.
#[derive(Debug, Default)]
struct Copied {
    bytes: Vec<u8>,
    left: usize,
}

impl Copied {
    /// What waits.
    #[inline]
    fn waiting(&self) -> &[u8] {
        self.bytes.get(self.left..).unwrap_or_default()
    }

    /// Where to append more. What has left makes room: a queue that is never empty must not grow.
    #[inline]
    fn out(&mut self) -> &mut Vec<u8> {
        if self.left > 0 && self.left >= self.waiting().len() {
            self.bytes.drain(..self.left);
            self.left = 0;
        }
        &mut self.bytes
    }
}

impl From<Vec<u8>> for Copied {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, left: 0 }
    }
}

impl Queue {
    /// A queue whose first output is `bytes`, which are no frame.
    pub(super) fn starting_with(bytes: BytesMut) -> Self {
        let len = bytes.len();
        let first = (len > 0).then(|| Segment::Copied(Vec::from(bytes).into()));
        Self {
            data: Lane { first, more: VecDeque::new() },
            data_len: len,
            frame_left: len,
            ..Self::default()
        }
    }

    /// Bytes that wait.
    pub(super) fn len(&self) -> usize {
        self.control_len() + self.data_len
    }

    /// Bytes of control frames that wait, Close frames excepted.
    pub(super) fn control_len(&self) -> usize {
        self.control.waiting().len()
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
        if let Some(Segment::Copied(out)) = self.data.back_mut() {
            self.data_len += encode(out.out(), flags, opcode, payload, key);
            return;
        }
        let mut bytes = spare::take(MAX_HEADER + payload.len());
        self.data_len += encode(&mut bytes, flags, opcode, payload, key);
        self.data.push_back(Segment::Copied(bytes.into()));
    }

    /// Queues a whole message with payload data that may be large; it is not copied if that can be avoided.
    pub(super) fn push_shared(&mut self, opcode: Opcode, payload: Bytes, entropy: Option<&mut Entropy>) {
        let flags = Flags::WHOLE;
        if payload.len() < MIN_SHARED {
            return self.push(flags, opcode, &payload, entropy);
        }
        let payload = match entropy {
            None => Ok((payload, None)),
            Some(entropy) => payload
                .try_into_mut()
                .map(|mut payload| {
                    let key = entropy.masking_key();
                    Mask::new(key).apply(&mut payload);
                    (payload.freeze(), Some(key))
                })
                .map_err(|payload| (payload, entropy)),
        };
        match payload {
            // Somebody else holds the same bytes, so they must not be masked in place.
            Err((payload, entropy)) => self.push(flags, opcode, &payload, Some(entropy)),
            Ok((payload, key)) => {
                let mut header = [0; MAX_HEADER];
                let header_len = FrameHeader::encode(&mut header, flags, opcode, payload.len(), key);
                let header = &header[..header_len];
                match self.data.back_mut() {
                    Some(Segment::Copied(out)) => out.out().extend_from_slice(header),
                    _ => {
                        let mut bytes = spare::take(MAX_HEADER);
                        bytes.extend_from_slice(header);
                        self.data.push_back(Segment::Copied(bytes.into()));
                    }
                }
                self.data_len += header_len + payload.len();
                self.data.push_back(Segment::Shared(payload));
            }
        }
    }

    /// Queues a data frame that is encoded already, and not masked.
    pub(super) fn push_encoded(&mut self, frame: Bytes) {
        self.data_len += frame.len();
        match self.data.back_mut() {
            Some(Segment::Copied(out)) if frame.len() < MIN_SHARED => out.out().extend_from_slice(&frame),
            _ => self.data.push_back(Segment::Shared(frame)),
        }
    }

    /// Queues a control frame ahead of the data.
    pub(super) fn push_control(&mut self, opcode: Opcode, payload: &[u8], entropy: Option<&mut Entropy>) {
        encode(self.control.out(), Flags::WHOLE, opcode, payload, entropy.map(Entropy::masking_key));
        if !self.turn_begun || self.data.is_empty() {
            self.control_turn = self.control_len();
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The pieces in the order in which they are to be written.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let (before_data, after_frame) = self.control.waiting().split_at(self.before_data());
        // Without control frames that wait for it, the border of the frame does not matter.
        let border = match &self.data.first {
            Some(front) if !after_frame.is_empty() && self.frame_left == 0 => own_frame_len(front.bytes()),
            _ if !after_frame.is_empty() => self.frame_left,
            _ => usize::MAX,
        };
        let lanes = once(before_data).chain(self.cut(0, border)).chain(once(after_frame));
        lanes.chain(self.cut(border, usize::MAX)).filter(|piece| !piece.is_empty())
    }

    /// The first piece; empty if nothing waits.
    #[inline]
    pub(super) fn first(&self) -> &[u8] {
        if self.control.waiting().is_empty() {
            return self.data.first.as_ref().map_or(&[], Segment::bytes);
        }
        self.pieces().next().unwrap_or_default()
    }

    /// Notes that `n` bytes were written.
    ///
    /// # Panics
    ///
    /// If `n` is more than [`len`](Self::len).
    pub(super) fn advance(&mut self, n: usize) {
        assert!(n <= self.len(), "{n} bytes cannot have been written: only {} were waiting", self.len());
        if n < self.len() {
            self.advance_within(n);
            return;
        }
        // An idle connection holds no buffer.
        self.data.clear();
        self.data_len = 0;
        self.frame_left = 0;
        self.turn_begun = false;
        if self.control.bytes.capacity() > 0 {
            self.control = Copied::default();
            self.control_turn = 0;
        }
    }

    /// Moves on by `n` bytes, fewer than wait: whose turn is next depends on the frame borders that are passed.
    fn advance_within(&mut self, mut n: usize) {
        while n > 0 {
            let turn = self.before_data();
            if turn > 0 {
                let len = n.min(turn);
                self.control.left += len;
                self.control_turn = turn - len;
                self.turn_begun = true;
                n -= len;
                continue;
            }
            let Some(front) = self.data.first.as_mut() else { break };
            if self.frame_left == 0 {
                self.frame_left = own_frame_len(front.bytes());
            }
            let len = n.min(front.bytes().len()).min(self.frame_left);
            front.advance(len);
            if front.bytes().is_empty() {
                self.data.pop_front();
            }
            self.data_len -= len;
            self.frame_left -= len;
            if self.frame_left == 0 {
                self.control_turn = self.control_len();
                self.turn_begun = false;
            }
            n -= len;
        }
    }

    /// Bytes of control frames that leave before any data.
    #[inline]
    fn before_data(&self) -> usize {
        if self.data.is_empty() {
            self.control_len()
        } else if self.frame_left > 0 {
            0
        } else {
            self.control_turn
        }
    }

    /// Bytes `from..to` of the data lane.
    fn cut(&self, from: usize, to: usize) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.data.iter().filter_map(move |segment| {
            let bytes = segment.bytes();
            let piece = from.max(start) - start..to.min(start + bytes.len()).saturating_sub(start);
            start += bytes.len();
            bytes.get(piece)
        })
    }
}

impl Lane {
    fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    fn iter(&self) -> impl Iterator<Item = &Segment> {
        self.first.iter().chain(&self.more)
    }

    fn back_mut(&mut self) -> Option<&mut Segment> {
        self.more.back_mut().or(self.first.as_mut())
    }

    fn push_back(&mut self, segment: Segment) {
        if self.first.is_none() {
            self.first = Some(segment);
        } else {
            self.more.push_back(segment);
        }
    }

    fn pop_front(&mut self) {
        if let Some(Segment::Copied(copied)) = self.first.take() {
            spare::give(copied.bytes);
        }
        self.first = self.more.pop_front();
    }

    /// Forgets everything, and holds no memory any more.
    #[inline]
    fn clear(&mut self) {
        while !self.is_empty() {
            self.pop_front();
        }
        if self.more.capacity() > 0 {
            self.more = VecDeque::new();
        }
    }
}

impl Segment {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Copied(copied) => copied.waiting(),
            Self::Shared(bytes) => bytes,
        }
    }

    fn advance(&mut self, n: usize) {
        match self {
            Self::Copied(copied) => copied.left += n,
            Self::Shared(bytes) => bytes.advance(n),
        }
    }
}

/// Appends a frame; returns its length.
#[inline]
fn encode(out: &mut Vec<u8>, flags: Flags, opcode: Opcode, payload: &[u8], key: Option<[u8; 4]>) -> usize {
    let start = out.len();
    out.reserve(MAX_HEADER + payload.len());
    let mut header = [0; MAX_HEADER];
    let header_len = FrameHeader::encode(&mut header, flags, opcode, payload.len(), key);
    // A copy of fixed length takes two instructions, one of `header_len` bytes a call.
    out.extend_from_slice(&header);
    out.truncate(start + header_len);
    match key {
        Some(key) => Mask::new(key).append(out, payload),
        None => out.extend_from_slice(payload),
    }
    header_len + payload.len()
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
