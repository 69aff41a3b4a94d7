//! Masking (RFC 6455 section 5.3): payload data XOR the masking-key, repeated.

use alloc::vec::Vec;

/// A masking-key, turned so that it starts at the payload byte that is next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mask(u32);

impl Mask {
    pub(crate) fn new(key: [u8; 4]) -> Self {
        Self(u32::from_le_bytes(key))
    }

    /// Masks or unmasks `data` in place, and turns the key for the byte that follows.
    #[inline(always)] // for short data, the call would take as long as the work
    pub(crate) fn apply(&mut self, data: &mut [u8]) {
        let key = u64::from(self.0) | u64::from(self.0) << 32;
        if data.len() >= WIDE {
            xor_wide(data, key);
        } else {
            xor(data, key);
        }
        self.0 = self.0.rotate_right(8 * (data.len() % 4) as u32);
    }

    /// As [`apply`](Self::apply), and says whether the result is ASCII, which costs next to nothing on the way.
    pub(crate) fn apply_to_text(&mut self, data: &mut [u8]) -> bool {
        let key = u64::from(self.0) | u64::from(self.0) << 32;
        let seen = if data.len() >= WIDE { xor_wide(data, key) } else { xor_words(data, key) };
        self.0 = self.0.rotate_right(8 * (data.len() % 4) as u32);
        seen & NOT_ASCII == 0
    }

    /// Writes `data`, masked or unmasked, over `out`, which is as long.
    #[inline(never)]
    pub(crate) fn copy(self, out: &mut [u8], data: &[u8]) {
        let key = u64::from(self.0) | u64::from(self.0) << 32;
        if data.len() >= 32 {
            if data.len() >= WIDE {
                copy_wide(out, data, key);
            } else if data.len() >= 64 {
                copy_blocks(out, data, key);
            } else {
                copy_ends::<32>(out, data, key);
            }
        } else if data.len() >= 16 {
            copy_ends::<16>(out, data, key);
        } else if data.len() >= 8 {
            copy_ends::<8>(out, data, key);
        } else if data.len() >= 4 {
            copy_ends::<4>(out, data, key);
        } else {
            for at in 0..data.len() {
                if let (Some(to), Some(from)) = (out.get_mut(at), data.get(at)) {
                    *to = from ^ key.to_le_bytes()[at];
                }
            }
        }
    }

    /// Appends `data`, masked or unmasked, to `out`, and turns the key for the byte that follows. One pass is faster than two.
    #[inline]
    pub(crate) fn append(&mut self, out: &mut Vec<u8>, data: &[u8]) {
        let key = u64::from(self.0) | u64::from(self.0) << 32;
        let rest = if data.len() >= 4 * WIDE { append_aligned(out, data, key) } else { data };
        let key_of_rest = key.rotate_right(8 * ((data.len() - rest.len()) % 4) as u32);
        let rest = append_blocks::<BLOCK>(out, rest, key_of_rest);
        let rest = append_blocks::<32>(out, rest, key_of_rest);
        let rest = append_blocks::<8>(out, rest, key_of_rest);
        let turn = 8 * (data.len() % 4) as u32;
        match data.last_chunk::<8>() {
            _ if rest.is_empty() => {}
            // Once more from where the last eight bytes begin: a copy of fixed length takes two instructions, others a call.
            Some(last) => {
                out.truncate(out.len() + rest.len() - last.len());
                append_blocks::<8>(out, last, key.rotate_right(turn));
            }
            None => out.extend(rest.iter().zip(key.to_le_bytes()).map(|(byte, key)| byte ^ key)),
        }
        self.0 = self.0.rotate_right(turn);
    }
}

/// Appends all that makes whole blocks once `out` ends where vectors are aligned; returns the rest. What is stored across the border of a
/// cache line takes up to a third longer.
#[inline(never)]
fn append_aligned<'a>(out: &mut Vec<u8>, data: &'a [u8], key: u64) -> &'a [u8] {
    let start = out.spare_capacity_mut().as_ptr().align_offset(VECTOR).min(data.len());
    let (start, rest) = data.split_at(start);
    let few = append_blocks::<8>(out, start, key);
    out.extend(few.iter().zip(key.to_le_bytes()).map(|(byte, key)| byte ^ key));
    append_wide::<BLOCK>(out, rest, key.rotate_right(8 * (start.len() % 4) as u32))
}

/// Appends all blocks of `N` bytes, a multiple of eight, masked, and returns the rest.
#[inline(always)]
fn append_blocks<'a, const N: usize>(out: &mut Vec<u8>, data: &'a [u8], key: u64) -> &'a [u8] {
    let mut blocks = data.chunks_exact(N);
    for block in &mut blocks {
        let mut masked = [0; N];
        for (to, from) in masked.chunks_exact_mut(8).zip(block.chunks_exact(8)) {
            if let Ok(from) = <[u8; 8]>::try_from(from) {
                to.copy_from_slice(&(u64::from_le_bytes(from) ^ key).to_le_bytes());
            }
        }
        out.extend_from_slice(&masked);
    }
    blocks.remainder()
}

/// Writes `data`, masked, over `out`: 64 bytes at least.
#[inline(always)] // so that the compiler chooses instructions where it is called
fn copy_blocks(out: &mut [u8], data: &[u8], key: u64) {
    let mut blocks = out.chunks_exact_mut(64);
    for from in data.chunks_exact(64) {
        let to = blocks.next().and_then(<[u8]>::first_chunk_mut);
        if let (Some(to), Some(from)) = (to, from.first_chunk()) {
            *to = masked::<64>(from, key);
        }
    }
    copy_last::<64>(out, data, key);
}

/// As [`copy_blocks`], with the widest vectors that the processor has.
#[cfg(feature = "simd")]
#[inline(never)]
fn copy_wide(out: &mut [u8], data: &[u8], key: u64) {
    fearless_simd::dispatch!(fearless_simd::Level::new(), _vectors => copy_blocks(out, data, key))
}

/// Writes the first and the last `N` bytes, a multiple of four, masked. They may be the same in part: that is faster than a loop over what is
/// between.
#[inline(always)]
fn copy_ends<const N: usize>(out: &mut [u8], data: &[u8], key: u64) {
    if let (Some(to), Some(from)) = (out.first_chunk_mut::<N>(), data.first_chunk::<N>()) {
        *to = masked(from, key);
    }
    copy_last::<N>(out, data, key);
}

/// Writes the last `N` bytes, masked.
#[inline(always)]
fn copy_last<const N: usize>(out: &mut [u8], data: &[u8], key: u64) {
    if let (Some(to), Some(from)) = (out.last_chunk_mut::<N>(), data.last_chunk::<N>()) {
        *to = masked(from, key.rotate_right(8 * (data.len() % 4) as u32));
    }
}

/// A block of a multiple of four bytes, masked.
#[inline(always)]
fn masked<const N: usize>(block: &[u8; N], key: u64) -> [u8; N] {
    let mut masked = [0; N];
    // Which of these there are is known when it is compiled.
    for word in 0..N / 8 {
        let (to, from) = (masked[8 * word..].first_chunk_mut::<8>(), block[8 * word..].first_chunk::<8>());
        if let (Some(to), Some(from)) = (to, from) {
            *to = (u64::from_le_bytes(*from) ^ key).to_le_bytes();
        }
    }
    if let (4, Some(to), Some(from)) = (N, masked.first_chunk_mut::<4>(), block.first_chunk::<4>()) {
        *to = (u32::from_le_bytes(*from) ^ key as u32).to_le_bytes();
    }
    masked
}

/// Bytes that are copied and masked at a time: enough to stay in vector registers.
const BLOCK: usize = 128;

/// Bytes from which on wider vectors pay for finding out whether there are any.
const WIDE: usize = 512;

/// Masks `data`, much of it, with `key`; returns all words of the result, joined with OR.
#[inline(never)]
fn xor_wide(data: &mut [u8], key: u64) -> u64 {
    // Payload data lies behind a header, and of vectors that are not aligned, every other crosses the border of a cache line.
    let (start, rest) = data.split_at_mut(data.as_ptr().align_offset(VECTOR).min(data.len()));
    let turned = key.rotate_right(8 * (start.len() % 8) as u32);
    let (vectors, end) = rest.split_at_mut(rest.len() - rest.len() % VECTOR);
    xor_words(start, key) | xor_lines(vectors, turned) | xor_words(end, turned)
}

/// As [`xor_vectors`], with the widest vectors that the processor has.
#[cfg(feature = "simd")]
#[inline]
fn xor_lines(data: &mut [u8], key: u64) -> u64 {
    fearless_simd::dispatch!(fearless_simd::Level::new(), _vectors => xor_vectors(data, key))
}

/// As [`append_blocks`], with the widest vectors that the processor has.
#[cfg(feature = "simd")]
#[inline]
fn append_wide<'a, const N: usize>(out: &mut Vec<u8>, data: &'a [u8], key: u64) -> &'a [u8] {
    fearless_simd::dispatch!(fearless_simd::Level::new(), _vectors => append_blocks::<N>(out, data, key))
}

#[cfg(not(feature = "simd"))]
use {append_blocks as append_wide, copy_blocks as copy_wide, xor_vectors as xor_lines};

/// Masks whole vectors with `key`; returns all words of the result, joined with OR.
///
/// In bytes, because the compiler does not make vectors of words that are both stored and joined.
#[inline(always)] // so that the compiler chooses instructions where it is called
fn xor_vectors(data: &mut [u8], key: u64) -> u64 {
    let key: [u8; VECTOR] = core::array::from_fn(|at| key.to_le_bytes()[at % 8]);
    let mut seen = [0; VECTOR];
    for vector in data.chunks_exact_mut(VECTOR) {
        if let Ok(vector) = <&mut [u8; VECTOR]>::try_from(vector) {
            // By index: of zipped iterators the compiler makes loops over bytes.
            for at in 0..VECTOR {
                vector[at] ^= key[at];
                seen[at] |= vector[at];
            }
        }
    }
    seen.chunks_exact(8).fold(0, |joined, word| joined | word.try_into().map_or(0, u64::from_le_bytes))
}

/// Bytes of a vector.
const VECTOR: usize = 32;

/// Masks a few bytes with `key`; returns all words of the result, joined with OR.
fn xor_words(data: &mut [u8], key: u64) -> u64 {
    let mut seen = 0;
    let mut words = data.chunks_exact_mut(8);
    for word in &mut words {
        if let Ok(word) = <&mut [u8; 8]>::try_from(word) {
            let masked = u64::from_le_bytes(*word) ^ key;
            *word = masked.to_le_bytes();
            seen |= masked;
        }
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(key.to_le_bytes()) {
        *byte ^= key;
        seen |= u64::from(*byte);
    }
    seen
}

/// The bits that are not set in ASCII.
const NOT_ASCII: u64 = u64::from_ne_bytes([0x80; 8]);

/// Masks `data`, from its first byte on, with `key`.
#[inline(always)] // so that the compiler chooses instructions where it is called
fn xor(data: &mut [u8], key: u64) {
    let rest = xor_blocks::<32>(data, key);
    let rest = xor_blocks::<8>(rest, key);
    for (byte, key) in rest.iter_mut().zip(key.to_le_bytes()) {
        *byte ^= key;
    }
}

/// Masks all blocks of `N` bytes, a multiple of eight, and returns the rest.
///
/// The compiler unrolls the words of a block and joins them into vector instructions.
#[inline(always)]
fn xor_blocks<const N: usize>(data: &mut [u8], key: u64) -> &mut [u8] {
    let mut blocks = data.chunks_exact_mut(N);
    for block in &mut blocks {
        for word in block.chunks_exact_mut(8) {
            if let Ok(word) = <&mut [u8; 8]>::try_from(word) {
                *word = (u64::from_le_bytes(*word) ^ key).to_le_bytes();
            }
        }
    }
    blocks.into_remainder()
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn equals_the_formula_of_the_rfc_at_every_length_and_offset() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        // Beyond the length from which on wider vectors are used, some splits will do.
        let lengths = (0..70).map(|len| (len, 1)).chain((WIDE - 2..WIDE + 70).map(|len| (len, 61)));
        for (len, step) in lengths {
            for split in (0..=len).step_by(step) {
                let mut data: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
                let expected: Vec<u8> = data.iter().enumerate().map(|(i, b)| b ^ key[i % 4]).collect();
                let mut mask = Mask::new(key);
                let (first, second) = data.split_at_mut(split);
                mask.apply(first);
                let is_ascii = mask.apply_to_text(second);
                assert_eq!(
                    is_ascii,
                    second.iter().all(|byte| *byte < 0x80),
                    "length {len}, split at {split}"
                );
                assert_eq!(data, expected, "length {len}, split at {split}");
            }
        }
    }

    #[test]
    fn one_byte_that_is_not_ascii_is_seen_wherever_it_is() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let masked: Vec<u8> = key.iter().map(|key| key ^ b'a').cycle().take(WIDE + 200).collect();
        for offset in (0..2 * VECTOR).step_by(4) {
            for at in offset..masked.len() {
                let mut data = masked.clone();
                data[at] ^= 0x80;
                assert!(!Mask::new(key).apply_to_text(&mut data[offset..]), "byte {at} behind {offset}");
            }
            assert!(Mask::new(key).apply_to_text(&mut masked.clone()[offset..]));
        }
    }

    #[test]
    fn copied_data_is_masked_as_it_is_in_place_and_nothing_beside_it_is_touched() {
        let data: Vec<u8> = (0..=u8::MAX).cycle().take(WIDE + 200).collect();
        for len in (0..200).chain(WIDE - 70..data.len()) {
            let mut copied = vec![7; len + 2];
            Mask::new([1, 2, 3, 4]).copy(&mut copied[1..=len], &data[..len]);
            let mut in_place = data[..len].to_vec();
            Mask::new([1, 2, 3, 4]).apply(&mut in_place);
            assert_eq!(copied, [&[7], &in_place[..], &[7]].concat(), "length {len}");
        }
    }

    #[test]
    fn appended_data_is_masked_as_it_is_in_place() {
        let data: Vec<u8> = (0..=u8::MAX).cycle().take(4 * WIDE + 2 * BLOCK).collect();
        for len in (0..3 * BLOCK + 9).chain(4 * WIDE - 1..data.len()) {
            for split in [0, 1, 5, len / 2, len] {
                let (first, second) = data[..len].split_at(split.min(len));
                let (mut mask, mut appended) = (Mask::new([1, 2, 3, 4]), Vec::new());
                mask.append(&mut appended, first);
                mask.append(&mut appended, second);
                let mut in_place = data[..len].to_vec();
                Mask::new([1, 2, 3, 4]).apply(&mut in_place);
                assert_eq!(appended, in_place, "length {len}, split at {split}");
            }
        }
    }
}
