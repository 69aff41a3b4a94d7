//! What waits to be written: control frames ahead of data frames, never inside one.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::iter::once;
use core::mem::take;

use bytes::{Bytes, BytesMut};

use super::lane::Lane;
use super::spare;
use crate::entropy::Entropy;
use crate::frame::{EncodedHeader, FirstByte, Flags, Mask, Opcode, append_frame};

/// Encoded frames in two lanes.
///
/// ```text
///  control  [Pong][Ping]                          first, at the next frame border; then the data has its turn
///  data     …rest of a frame][frame][header|            |frame][Close]    what was copied, in order
///                                          [large payload]               where what was not copied belongs
/// ```
#[derive(Default)]
pub(super) struct Queue {
    /// Boxed, and only there while something waits: it is handed over from connection to connection, which with one pointer is quickly done.
    data: Option<Box<Lane>>,
    /// Bytes of data that wait, copied or not.
    data_len: usize,
    /// Bytes of data that must leave before a control frame may.
    frame_left: usize,
    /// Boxed: most of the time there are none.
    control: Option<Box<Control>>,
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
        let mut queue = Self { data_len: bytes.len(), frame_left: bytes.len(), ..Self::default() };
        if !bytes.is_empty() {
            queue.lane().push_first(bytes);
        }
        queue
    }

    /// Bytes that wait.
    #[inline]
    pub(super) fn len(&self) -> usize {
        match &self.control {
            None => self.data_len,
            Some(control) => control.waiting().len() + self.data_len,
        }
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
    #[inline(always)] // otherwise it is called for each message, and all that it knows is handed over for that
    pub(super) fn push(&mut self, first: FirstByte, payload: &[u8], entropy: Option<&mut Entropy>) {
        let lane = self.data.get_or_insert_with(spare::take);
        match entropy {
            None => lane.push(first, payload, &mut self.data_len),
            Some(entropy) => lane.push_masked(first, payload, entropy.masking_key(), &mut self.data_len),
        }
    }

    /// Queues a whole message with payload data that may be large; it is not copied if that can be avoided.
    pub(super) fn push_shared(&mut self, opcode: Opcode, payload: Bytes, entropy: Option<&mut Entropy>) {
        let first = FirstByte::new(Flags::WHOLE, opcode);
        if payload.len() < MIN_SHARED {
            return self.push(first, &payload, entropy);
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
                Err(payload) => return self.push(first, &payload, Some(entropy)),
            },
        };
        let header = EncodedHeader::new(first, payload.len(), key);
        let lane = self.data.get_or_insert_with(spare::take);
        lane.push_shared(header, payload, &mut self.data_len);
    }

    /// Queues a data frame that is encoded already, and not masked.
    pub(super) fn push_encoded(&mut self, frame: Bytes) {
        self.data_len += frame.len();
        self.lane().push_encoded(frame, MIN_SHARED);
    }

    /// Queues a control frame ahead of the data.
    pub(super) fn push_control(&mut self, opcode: Opcode, payload: &[u8], entropy: Option<&mut Entropy>) {
        let control = self.control.get_or_insert_default();
        make_room(&mut control.bytes, &mut control.left);
        let first = FirstByte::new(Flags::WHOLE, opcode);
        append_frame(&mut control.bytes, first, payload, entropy.map(Entropy::masking_key));
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
    #[inline(never)]
    pub(super) fn fill<'a>(&'a self, pieces: &mut [std::io::IoSlice<'a>]) -> usize {
        let mut filled = 0;
        let mut fill = |from: &mut dyn Iterator<Item = &'a [u8]>| {
            for (to, piece) in pieces.iter_mut().skip(filled).zip(from) {
                *to = std::io::IoSlice::new(piece);
                filled += 1;
            }
        };
        match (&self.control, &self.data) {
            (None, None) => {}
            (None, Some(lane)) => fill(&mut lane.pieces()),
            (Some(_), _) => fill(&mut self.pieces()),
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
            Some(_) => self.first_of_both(),
        }
    }

    #[inline(never)]
    fn first_of_both(&self) -> &[u8] {
        self.pieces().next().unwrap_or_default()
    }

    /// Notes that everything was written, if that is `n` bytes and no control frames; otherwise the answer is `false`.
    #[inline]
    pub(super) fn advance_over_all(&mut self, n: usize) -> bool {
        if n != self.data_len || self.control.is_some() {
            return false;
        }
        self.data_len = 0;
        self.frame_left = 0;
        // An idle connection holds no buffer.
        spare::give(&mut self.data);
        true
    }

    /// Notes that `n` bytes were written: whose turn is next depends on the frame borders that are passed. Panics if `n` is more than
    /// [`len`](Self::len).
    pub(super) fn advance(&mut self, mut n: usize) {
        let len = self.len();
        assert!(n <= len, "{n} bytes cannot have been written: only {len} were waiting");
        if n == len {
            self.control = None;
            self.advance_over_all(self.data_len);
            return;
        }
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
            if let Some(lane) = &mut self.data {
                lane.advance(len);
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
        self.data.as_ref().map_or(&[], |lane| lane.front())
    }

    /// Bytes `from..to` of the data lane.
    fn cut(&self, from: usize, to: usize) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.data.iter().flat_map(|lane| lane.pieces()).filter_map(move |bytes| {
            let piece = from.max(start) - start..to.min(start + bytes.len()).saturating_sub(start);
            start += bytes.len();
            bytes.get(piece)
        })
    }

    /// The data lane, for what is to be queued there.
    #[inline]
    fn lane(&mut self) -> &mut Lane {
        self.data.get_or_insert_with(spare::take)
    }
}

impl Control {
    /// What waits.
    fn waiting(&self) -> &[u8] {
        self.bytes.get(self.left..).unwrap_or_default()
    }
}

/// Removes what has left, if that is the larger part: a queue that is never empty must not grow.
fn make_room(bytes: &mut Vec<u8>, left: &mut usize) {
    if *left >= bytes.len() - *left {
        bytes.drain(..take(left));
    }
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
