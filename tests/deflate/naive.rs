//! A slow and plain inflater, written from RFC 1951 alone: the tests must not judge the library by the library below it. It
//! also says how far back the compressor reached.

/// Why data cannot be inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It ends inside of a block.
    Cut,
    /// It breaks a rule.
    Invalid,
}

/// The receiver of compressed messages, with its window.
#[derive(Debug, Default)]
pub(crate) struct Inflater {
    /// All that came out since the window was empty.
    history: Vec<u8>,
    /// The largest distance of a match so far.
    pub(crate) farthest: usize,
    /// Blocks with matches or literals so far.
    pub(crate) compressed_blocks: usize,
}

impl Inflater {
    /// Inflates the payload data of one message (RFC 7692 section 7.2.2).
    pub(crate) fn message(&mut self, payload: &[u8]) -> Result<Vec<u8>, Fault> {
        let bytes = [payload, &[0x00, 0x00, 0xFF, 0xFF]].concat();
        let mut bits = Reader { bytes: &bytes, at: 0, tail: payload.len() * 8 };
        let mut start = self.history.len();
        let mut message = Vec::new();
        while bits.at < bytes.len() * 8 {
            let last = bits.take(1)? == 1;
            match bits.take(2)? {
                0b00 => self.stored(&mut bits)?,
                0b01 => self.block(&mut bits, &Code::fixed_literals(), &Code::fixed_distances())?,
                0b10 => {
                    let (literals, distances) = dynamic_codes(&mut bits)?;
                    self.block(&mut bits, &literals, &distances)?;
                }
                _ => return Err(Fault::Invalid),
            }
            if last {
                // Behind it begins another stream, with the next byte, which knows nothing of this one.
                bits.align();
                message.extend_from_slice(&self.history[start..]);
                self.forget();
                start = 0;
                if bits.at == payload.len() * 8 {
                    // The sender left out the byte that section 7.2.3.4 asks for.
                    break;
                }
            }
        }
        message.extend_from_slice(&self.history[start..]);
        Ok(message)
    }

    /// The next message is compressed without what came before.
    pub(crate) fn forget(&mut self) {
        self.history.clear();
    }

    fn stored(&mut self, bits: &mut Reader<'_>) -> Result<(), Fault> {
        bits.align();
        let (len, complement) = (bits.take(16)?, bits.take(16)?);
        if len != !complement & 0xFFFF {
            return Err(Fault::Invalid);
        }
        for _ in 0..len {
            let byte = bits.take(8)? as u8;
            self.history.push(byte);
            bits.before_tail()?;
        }
        Ok(())
    }

    fn block(&mut self, bits: &mut Reader<'_>, literals: &Code, distances: &Code) -> Result<(), Fault> {
        self.compressed_blocks += 1;
        loop {
            let symbol = literals.symbol(bits)?;
            let len = match symbol {
                0..256 => {
                    self.history.push(symbol as u8);
                    bits.before_tail()?;
                    continue;
                }
                256 => return Ok(()),
                257..286 => {
                    let (base, extra) = LENGTHS[symbol - 257];
                    base + bits.take(extra)? as usize
                }
                _ => return Err(Fault::Invalid),
            };
            let (base, extra) = *DISTANCES.get(distances.symbol(bits)?).ok_or(Fault::Invalid)?;
            let distance = base + bits.take(extra)? as usize;
            bits.before_tail()?;
            let from = self.history.len().checked_sub(distance).ok_or(Fault::Invalid)?;
            if distance > 1 << 15 {
                return Err(Fault::Invalid);
            }
            self.farthest = self.farthest.max(distance);
            for at in from..from + len {
                self.history.push(self.history[at]);
            }
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
    /// Where the tail begins that was added; what a message says ends before it.
    tail: usize,
}

impl Reader<'_> {
    fn take(&mut self, count: u32) -> Result<u32, Fault> {
        let mut value = 0;
        for i in 0..count {
            let byte = self.bytes.get(self.at / 8).ok_or(Fault::Cut)?;
            value |= u32::from(byte >> (self.at % 8) & 1) << i;
            self.at += 1;
        }
        Ok(value)
    }

    fn before_tail(&self) -> Result<(), Fault> {
        if self.at > self.tail { Err(Fault::Cut) } else { Ok(()) }
    }

    fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }
}

/// A Huffman code by section 3.2.2: how many codes there are of each length, and their symbols in order.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Code {
    fn new(lengths: &[u8]) -> Self {
        let mut counts = [0; 16];
        let mut symbols = Vec::new();
        for len in 1..16_u8 {
            let of_len = lengths.iter().enumerate().filter(|(_, other)| **other == len);
            symbols.extend(of_len.map(|(symbol, _)| symbol));
            counts[usize::from(len)] = symbols.len() - counts[1..usize::from(len)].iter().sum::<usize>();
        }
        Self { counts, symbols }
    }

    /// A code that leaves no bits without a meaning; one code of one bit, and none at all, are allowed besides.
    fn checked(lengths: &[u8], may_be_incomplete: bool) -> Result<Self, Fault> {
        let code = Self::new(lengths);
        let used: usize = (1..16).map(|len| code.counts[len] << (15 - len)).sum();
        let is_single = code.symbols.len() <= 1 && code.counts[1] == code.symbols.len();
        match used {
            FULL => Ok(code),
            _ if used < FULL && may_be_incomplete && is_single => Ok(code),
            _ => Err(Fault::Invalid),
        }
    }

    fn symbol(&self, bits: &mut Reader<'_>) -> Result<usize, Fault> {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for count in &self.counts[1..] {
            code |= bits.take(1)? as usize;
            if code < first + count {
                return self.symbols.get(index + code - first).copied().ok_or(Fault::Invalid);
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        Err(Fault::Invalid)
    }

    fn fixed_literals() -> Self {
        Self::new(&[&[8; 144][..], &[9; 112], &[7; 24], &[8; 8]].concat())
    }

    fn fixed_distances() -> Self {
        Self::new(&[5; 30])
    }
}

/// The codes that a dynamic block begins with (section 3.2.7).
fn dynamic_codes(bits: &mut Reader<'_>) -> Result<(Code, Code), Fault> {
    let literals = bits.take(5)? as usize + 257;
    let distances = bits.take(5)? as usize + 1;
    let count = bits.take(4)? as usize + 4;
    if literals > 286 || distances > 30 {
        return Err(Fault::Invalid);
    }
    let mut lengths = [0; 19];
    for symbol in &ORDER[..count] {
        lengths[*symbol] = bits.take(3)? as u8;
    }
    let code = Code::checked(&lengths, false)?;
    let mut lengths = Vec::new();
    while lengths.len() < literals + distances {
        let (value, times) = match code.symbol(bits)? {
            16 => (*lengths.last().ok_or(Fault::Invalid)?, bits.take(2)? + 3),
            17 => (0, bits.take(3)? + 3),
            18 => (0, bits.take(7)? + 11),
            len => (len as u8, 1),
        };
        lengths.extend((0..times).map(|_| value));
    }
    if lengths.len() > literals + distances || lengths[256] == 0 {
        return Err(Fault::Invalid);
    }
    let (literals, distances) = lengths.split_at(literals);
    Ok((Code::checked(literals, true)?, Code::checked(distances, true)?))
}

/// All codes of 15 bits.
const FULL: usize = 1 << 15;

const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The shortest length of each code from 257 on, and how many bits are added to it (section 3.2.5).
#[rustfmt::skip]
const LENGTHS: [(usize, u32); 29] = [
    (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 0), (10, 0), (11, 1), (13, 1),
    (15, 1), (17, 1), (19, 2), (23, 2), (27, 2), (31, 2), (35, 3), (43, 3), (51, 3), (59, 3),
    (67, 4), (83, 4), (99, 4), (115, 4), (131, 5), (163, 5), (195, 5), (227, 5), (258, 0),
];

/// The same for distances.
#[rustfmt::skip]
const DISTANCES: [(usize, u32); 30] = [
    (1, 0), (2, 0), (3, 0), (4, 0), (5, 1), (7, 1), (9, 2), (13, 2), (17, 3), (25, 3),
    (33, 4), (49, 4), (65, 5), (97, 5), (129, 6), (193, 6), (257, 7), (385, 7), (513, 8), (769, 8),
    (1025, 9), (1537, 9), (2049, 10), (3073, 10), (4097, 11), (6145, 11), (8193, 12), (12289, 12),
    (16385, 13), (24577, 13),
];

#[test]
fn the_naive_inflater_reads_the_examples_of_the_rfc() {
    for (payload, text) in [
        (&b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..], "Hello"),
        (b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello"),
        (b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello"),
        (b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello"),
        (b"\x00", ""),
    ] {
        assert_eq!(Inflater::default().message(payload).as_deref(), Ok(text.as_bytes()), "{payload:02x?}");
    }
    let mut kept = Inflater::default();
    assert_eq!(kept.message(b"\xf2\x48\xcd\xc9\xc9\x07\x00").as_deref(), Ok(&b"Hello"[..]));
    assert_eq!(kept.message(b"\xf2\x00\x11\x00\x00").as_deref(), Ok(&b"Hello"[..]));
    assert_eq!(kept.farthest, 5);
    assert_eq!(Inflater::default().message(b"\xf2\x48\xcd"), Err(Fault::Cut));
    assert_eq!(Inflater::default().message(b"\x06"), Err(Fault::Invalid));
}
