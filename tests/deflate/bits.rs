//! DEFLATE blocks (RFC 1951) written by hand, bit by bit: what no compressor makes.

/// A stream of bits, the lowest of each byte first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bits {
    bytes: Vec<u8>,
    /// Bits used of the last byte; 0 if it is full.
    used: u32,
}

impl Bits {
    /// Appends the lowest `count` bits of `value`, the lowest first.
    pub(crate) fn put(&mut self, value: u32, count: u32) -> &mut Self {
        for i in 0..count {
            if self.used == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> i & 1) as u8) << self.used;
            }
            self.used = (self.used + 1) % 8;
        }
        self
    }

    /// Appends a Huffman code, the highest bit first (section 3.1.1).
    pub(crate) fn code(&mut self, code: u32, count: u32) -> &mut Self {
        for i in (0..count).rev() {
            self.put(code >> i, 1);
        }
        self
    }

    /// Fills the last byte.
    pub(crate) fn align(&mut self) -> &mut Self {
        self.used = 0;
        self
    }

    /// Whole bytes behind what fills the last one.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.align();
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A block that is not compressed (section 3.2.4).
    pub(crate) fn stored(&mut self, last: bool, data: &[u8]) -> &mut Self {
        let len = u16::try_from(data.len()).expect("a stored block has at most 65,535 bytes");
        self.put(u32::from(last), 1).put(0b00, 2);
        self.bytes(&len.to_le_bytes()).bytes(&(!len).to_le_bytes()).bytes(data)
    }

    /// Any number of bytes, in stored blocks.
    pub(crate) fn stored_all(&mut self, data: &[u8]) -> &mut Self {
        for block in data.chunks(usize::from(u16::MAX)) {
            self.stored(false, block);
        }
        self
    }

    /// Begins a block with the fixed codes (section 3.2.6).
    pub(crate) fn fixed(&mut self, last: bool) -> &mut Self {
        self.put(u32::from(last), 1).put(0b01, 2)
    }

    /// A literal in the fixed code.
    pub(crate) fn literal(&mut self, byte: u8) -> &mut Self {
        match byte {
            0..144 => self.code(0x30 + u32::from(byte), 8),
            144.. => self.code(0x190 + u32::from(byte) - 144, 9),
        }
    }

    /// Three bytes from `distance` bytes back, in the fixed codes; from 1 to 32,768.
    pub(crate) fn repeat3(&mut self, distance: u32) -> &mut Self {
        // Length code 257 is three bytes.
        self.code(1, 7);
        // Section 3.2.5: codes 0 to 3 have no extra bits, then two codes each have one more.
        let (mut code, mut base, mut extra) = (0, 1, 0);
        while distance >= base + (1 << extra) {
            base += 1 << extra;
            code += 1;
            extra = if code < 4 { 0 } else { code / 2 - 1 };
        }
        self.code(code, 5).put(distance - base, extra)
    }

    /// The end of a block, in the fixed code.
    pub(crate) fn end(&mut self) -> &mut Self {
        self.code(0, 7)
    }

    /// A block that inflates each of its bytes to 1,032 zeros: `bytes` of them, beside a few.
    ///
    /// The codes are `0` for a match of 258 bytes, `0` for the distance 1, `10` for the byte 0 and `11` for the end.
    pub(crate) fn zeros(&mut self, bytes: usize) -> &mut Self {
        self.put(0, 1).put(0b10, 2).put(286 - 257, 5).put(0, 5).put(18 - 4, 4);
        // Lengths of the codes for lengths, in the order of section 3.2.7: 18 has one bit, 1 and 2 have two.
        for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1] {
            let len = match symbol {
                18 => 1,
                1 | 2 => 2,
                _ => 0,
            };
            self.put(len, 3);
        }
        let zeros = |bits: &mut Self, count: u32| {
            bits.code(0b0, 1).put(count - 11, 7);
        };
        let (one, two) = (0b10, 0b11);
        self.code(two, 2); // byte 0
        zeros(self, 138);
        zeros(self, 117);
        self.code(two, 2); // end of block
        zeros(self, 28);
        self.code(one, 2).code(one, 2); // length 258, distance 1
        self.code(0b10, 2);
        // Zero bits, wherever in a byte they begin.
        assert_ne!(self.used, 0, "the last byte has room");
        self.bytes.resize(self.bytes.len() + bytes, 0);
        self.code(0b11, 2)
    }

    /// The payload data of a message that ends here: with the block that a flush adds, less its last four bytes.
    pub(crate) fn message(&mut self) -> Vec<u8> {
        self.put(0, 3).align();
        core::mem::take(&mut self.bytes)
    }

    /// What was written, with the last byte filled.
    pub(crate) fn done(&mut self) -> Vec<u8> {
        self.align();
        core::mem::take(&mut self.bytes)
    }
}

/// The bytes that [`Bits::zeros`] inflates to.
pub(crate) const fn zeros_len(bytes: usize) -> usize {
    1 + bytes * 4 * 258
}
