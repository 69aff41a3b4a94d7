//! The data lane: data and Close frames that wait to be written, in order.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem::take;

use bytes::{Buf, Bytes, BytesMut};

use crate::frame::{EncodedHeader, FirstByte, Mask, append_frame};

/// What was copied, and between its bytes what was not.
///
/// ```text
///  copied   …  |rest of a frame][frame][header|            |frame][Close]|0 0 0 …
///             left                            at                        end
///  shared                                     [large payload]
/// ```
#[derive(Default)]
pub(super) struct Lane {
    /// Whole frames, and the headers of those whose payload data is in `shared`. Behind them there are bytes to be written over: that takes one
    /// check for a frame, while each piece that is appended takes one of its own.
    copied: Vec<u8>,
    /// Where the frames end.
    /// INVARIANT: `left <= end <= copied.len()`
    end: usize,
    /// Bytes of `copied` that have left.
    left: usize,
    /// INVARIANT: in order of `at`, none before `left`, and none is empty.
    shared: VecDeque<Shared>,
}

/// Payload data as the application handed it over, or a whole frame that goes to many connections.
struct Shared {
    /// The byte of `copied` that it leaves before. A frame header never spans two pieces.
    at: usize,
    bytes: Bytes,
}

impl Lane {
    /// Queues a frame that is not masked, copying its payload data, and adds its length to `waiting`.
    #[inline(always)]
    pub(super) fn push(&mut self, first: FirstByte, payload: &[u8], waiting: &mut usize) {
        match self.short_frame(first, payload.len(), None, waiting) {
            Some(room) => room.copy_from_slice(payload),
            None => self.push_otherwise(first, payload, None, waiting),
        }
    }

    /// As [`push`](Self::push), masked.
    // All that is called here is called last, so that no registers need be saved for it.
    #[inline(never)]
    pub(super) fn push_masked(
        &mut self,
        first: FirstByte,
        payload: &[u8],
        key: [u8; 4],
        waiting: &mut usize,
    ) {
        match self.short_frame(first, payload.len(), Some(key), waiting) {
            Some(room) => Mask::new(key).copy(room, payload),
            None => self.push_otherwise(first, payload, Some(key), waiting),
        }
    }

    /// Queues a frame that is long or for which there is no room yet.
    #[cold]
    #[inline(never)]
    fn push_otherwise(
        &mut self,
        first: FirstByte,
        payload: &[u8],
        key: Option<[u8; 4]>,
        waiting: &mut usize,
    ) {
        if payload.len() >= MIN_APPENDED {
            return self.push_long(first, payload, key, waiting);
        }
        self.grow(EncodedHeader::ROOM + payload.len());
        match key {
            None => self.push(first, payload, waiting),
            Some(key) => self.push_masked(first, payload, key, waiting),
        }
    }

    fn push_long(&mut self, first: FirstByte, payload: &[u8], key: Option<[u8; 4]>, waiting: &mut usize) {
        if key.is_none() {
            let header = EncodedHeader::new(first, payload.len(), None);
            if let Some(room) = self.write(header, payload.len(), waiting) {
                return room.copy_from_slice(payload);
            }
        }
        // Not worth being filled with zeros first.
        self.reserve(EncodedHeader::ROOM + payload.len());
        *waiting += append_frame(&mut self.copied, first, payload, key);
        self.end = self.copied.len();
    }

    /// Queues the header of a frame, and its payload data, masked if it must be, without a copy, and adds the length of both to `waiting`.
    pub(super) fn push_shared(&mut self, header: EncodedHeader, payload: Bytes, waiting: &mut usize) {
        if self.write(header, 0, waiting).is_none() {
            self.grow(EncodedHeader::ROOM);
            return self.push_shared(header, payload, waiting);
        }
        *waiting += payload.len();
        self.shared.push_back(Shared { at: self.end, bytes: payload });
    }

    /// Queues bytes that are encoded already. They are copied if they are few and something else was.
    pub(super) fn push_encoded(&mut self, frame: Bytes, min_shared: usize) {
        if frame.len() < min_shared && self.end > 0 {
            self.push_bytes(&frame);
        } else {
            self.shared.push_back(Shared { at: self.end, bytes: frame });
        }
    }

    /// Queues bytes that are encoded already, in their own buffer where the lane has none.
    pub(super) fn push_first(&mut self, bytes: BytesMut) {
        if self.copied.capacity() == 0 {
            self.copied = bytes.into();
            self.end = self.copied.len();
        } else {
            self.push_bytes(&bytes);
        }
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        match self.copied.get_mut(self.end..self.end + bytes.len()) {
            Some(room) => room.copy_from_slice(bytes),
            None => {
                self.reserve(bytes.len());
                self.copied.extend_from_slice(bytes);
            }
        }
        self.end += bytes.len();
    }

    /// The first piece; empty if there is none.
    #[inline]
    pub(super) fn front(&self) -> &[u8] {
        match self.shared.front() {
            None => self.copied.get(..self.end).and_then(|bytes| bytes.get(self.left..)).unwrap_or_default(),
            Some(shared) if shared.at == self.left => &shared.bytes,
            Some(shared) => self.copied.get(self.left..shared.at).unwrap_or_default(),
        }
    }

    /// The pieces, none of which is empty.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = self.left;
        let pairs = self.shared.iter().flat_map(move |shared| {
            let copied = self.copied.get(from..shared.at).unwrap_or_default();
            from = shared.at;
            [copied, &shared.bytes]
        });
        let last = self.shared.back().map_or(self.left, |shared| shared.at);
        pairs.chain(self.copied.get(last..self.end)).filter(|piece| !piece.is_empty())
    }

    /// Notes that `len` bytes of the first piece have left, at most all of it.
    pub(super) fn advance(&mut self, len: usize) {
        match self.shared.front_mut().filter(|shared| shared.at == self.left) {
            Some(shared) if shared.bytes.len() == len => {
                self.shared.pop_front();
                if self.shared.is_empty() {
                    self.release_shared();
                }
            }
            Some(shared) => shared.bytes.advance(len),
            None => self.left += len,
        }
    }

    /// Forgets what waits and keeps the room for the next use, unless that is more than is worth to be kept: then the answer is `false`.
    #[cfg(feature = "std")]
    #[inline]
    pub(super) fn reset(&mut self) -> bool {
        (self.end, self.left) = (0, 0);
        if !self.shared.is_empty() {
            self.release_shared();
        }
        self.copied.capacity() <= MAX_KEPT
    }

    /// Forgets the pieces that were not copied. Many places for them are not kept.
    #[cold]
    #[inline(never)]
    fn release_shared(&mut self) {
        self.shared.clear();
        if self.shared.capacity() > MAX_PLACES {
            self.shared = VecDeque::new();
        }
    }

    /// Writes the header of a frame that is short, and returns the place of its payload data. `None` if it is long or there is no room for it.
    #[inline(always)]
    fn short_frame(
        &mut self,
        first: FirstByte,
        len: usize,
        key: Option<[u8; 4]>,
        waiting: &mut usize,
    ) -> Option<&mut [u8]> {
        if len >= MIN_APPENDED {
            return None;
        }
        self.write(EncodedHeader::new(first, len, key), len, waiting)
    }

    /// Writes a header, and returns the place of the `len` bytes behind it. `None` if there is too little room.
    #[inline(always)]
    fn write(&mut self, header: EncodedHeader, len: usize, waiting: &mut usize) -> Option<&mut [u8]> {
        let room = self.copied.get_mut(self.end..)?.get_mut(..EncodedHeader::ROOM + len)?;
        self.end += header.len() + len;
        *waiting += header.len() + len;
        header.write(room);
        room.get_mut(header.len()..header.len() + len)
    }

    /// Makes room for `len` bytes to be written over.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, len: usize) {
        self.make_room();
        if self.copied.len() - self.end < len {
            let end = self.end + len.max(self.end.clamp(MIN_LEN, MAX_STEP));
            if self.copied.capacity() < end {
                // So that what bursts of a length need does not end up a little above what is kept.
                self.copied.reserve_exact(end.next_power_of_two() - self.copied.len());
            }
            self.copied.resize(end, 0);
        }
    }

    /// Makes room for `len` bytes to be appended right behind the frames.
    fn reserve(&mut self, len: usize) {
        if self.copied.capacity() - self.end < len {
            self.make_room();
        }
        self.copied.truncate(self.end);
        self.copied.reserve(len);
    }

    /// Removes what has left, if that is the larger part: a queue that is never empty must not grow.
    fn make_room(&mut self) {
        if self.left < self.end - self.left {
            return;
        }
        self.copied.copy_within(self.left..self.end, 0);
        let removed = take(&mut self.left);
        self.end -= removed;
        for shared in &mut self.shared {
            shared.at -= removed;
        }
    }
}

/// Payload data from this size on has no place filled with zeros for it.
const MIN_APPENDED: usize = 4 * 1024;

/// Bytes of a new buffer: an answer, or a few.
const MIN_LEN: usize = 256;

/// Bytes that are filled with zeros at a time.
const MAX_STEP: usize = 4 * 1024;

/// Buffers that a burst has made larger than this are not kept.
#[cfg(feature = "std")]
const MAX_KEPT: usize = 128 * 1024;

/// Places for pieces that were not copied: more of them are not kept.
const MAX_PLACES: usize = 64;

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::frame::{Flags, Opcode};

    /// Lets `n` bytes leave, and returns them.
    fn leave(lane: &mut Lane, mut n: usize) -> Vec<u8> {
        let mut left = Vec::new();
        while n > 0 {
            let front = lane.front();
            assert!(!front.is_empty(), "{n} more bytes should wait");
            let len = n.min(front.len());
            left.extend_from_slice(&front[..len]);
            lane.advance(len);
            n -= len;
        }
        left
    }

    #[test]
    fn frames_of_all_kinds_leave_as_they_came_however_many_bytes_at_a_time() {
        let first = FirstByte::new(Flags::WHOLE, Opcode::Binary);
        let lens = [0, 1, 125, 126, 300, MIN_APPENDED - 1, MIN_APPENDED, 5 * MIN_APPENDED, 70_000];
        for at_a_time in [0, 1, 7, 200, 5_000, 100_000] {
            let (mut lane, mut waiting, mut expected) = (Lane::default(), 0, Vec::new());
            for round in 0..100 {
                let payload: Vec<u8> =
                    (0..lens[round * 7 % lens.len()]).map(|at| (at + round) as u8).collect();
                let header = |key| EncodedHeader::new(first, payload.len(), key);
                let key = [1, 2, 3, round as u8];
                match round % 5 {
                    0 => lane.push_masked(first, &payload, key, &mut waiting),
                    1 if !payload.is_empty() => {
                        lane.push_shared(header(None), payload.clone().into(), &mut waiting)
                    }
                    2 => {
                        let mut frame = Vec::new();
                        append_frame(&mut frame, first, &payload, None);
                        waiting += frame.len();
                        lane.push_encoded(frame.into(), 8 * 1024);
                    }
                    _ => lane.push(first, &payload, &mut waiting),
                }
                append_frame(&mut expected, first, &payload, (round % 5 == 0).then_some(key));
                assert_eq!(waiting, expected.len());
                let n = at_a_time.min(waiting);
                assert!(leave(&mut lane, n) == expected[..n], "round {round}, {at_a_time} bytes at a time");
                expected.drain(..n);
                waiting -= n;
                assert!(lane.pieces().collect::<Vec<_>>().concat() == expected, "round {round}");
            }
        }
    }

    #[test]
    fn what_has_left_makes_room() {
        let first = FirstByte::new(Flags::WHOLE, Opcode::Binary);
        for len in [100, 2 * MIN_APPENDED] {
            let (mut lane, mut waiting) = (Lane::default(), 0);
            lane.push(first, &[0; 10], &mut waiting);
            for _ in 0..1_000 {
                lane.push(first, &vec![0; len], &mut waiting);
                leave(&mut lane, len);
            }
            assert!(
                lane.copied.capacity() < 16 * MIN_APPENDED + 16 * 1_000,
                "{} bytes",
                lane.copied.capacity()
            );
        }
    }

    #[test]
    fn what_has_left_makes_room_for_what_is_encoded_already() {
        let frame = Bytes::from(vec![0; 100]);
        let (mut lane, mut waiting) = (Lane::default(), 0);
        lane.push(FirstByte::new(Flags::WHOLE, Opcode::Binary), &[0; 10], &mut waiting);
        for _ in 0..1_000 {
            lane.push_encoded(frame.clone(), 8 * 1024);
            leave(&mut lane, frame.len());
        }
        assert!(lane.copied.capacity() < 2 * MIN_APPENDED, "{} bytes", lane.copied.capacity());
    }
}
