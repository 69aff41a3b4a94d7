//! Compressing messages (RFC 7692 section 7.2.1).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, PoisonError};

use zlib_rs::{Deflate, DeflateFlush};

use super::config::DeflateConfig;
use super::params::DeflateParams;
use super::pool::{Pool, Setup};
use crate::role::Role;

/// What a connection needs to compress: how, and the window if it is kept between messages.
pub(crate) struct Deflation {
    pool: Pool,
    spare_contexts: usize,
    min_len: usize,
    takeover: bool,
    setup: Setup,
    /// Whether the application wants messages compressed.
    pub(crate) enabled: bool,
    stream: Option<Deflate>,
    /// Where the output goes; borrowed from the pool while it is in use.
    buffer: Vec<u8>,
}

impl Deflation {
    /// For the end whose role is `role`.
    pub(crate) fn new(config: &DeflateConfig, params: &DeflateParams, role: Role) -> Box<Self> {
        let setup = Setup {
            // The library has no window of 256 bytes. With the one of 512, a match is at most 250 bytes back: it keeps 262 bytes,
            // the longest match and a margin, clear of the end of the window.
            window_bits: params.window_bits(role).max(9),
            level: config.level.min(9),
            mem_level: config.mem_level.clamp(1, 9),
        };
        Box::new(Self {
            pool: config.pool.clone(),
            spare_contexts: config.spare_contexts,
            min_len: config.min_len,
            takeover: !params.no_context_takeover(role),
            setup,
            enabled: true,
            stream: None,
            buffer: Vec::new(),
        })
    }

    /// Whether to compress a message of `len` bytes.
    pub(crate) fn wants(&self, len: usize) -> bool {
        self.enabled && len >= self.min_len.max(1)
    }

    /// The payload data of a compressed message that is sent in one frame; `None` if it is better sent as it is.
    pub(crate) fn message(&mut self, payload: &[u8]) -> Option<&[u8]> {
        let len = self.compress(payload, true);
        // With context takeover, the receiver must see what this end's window has seen.
        let is_worth_it = self.takeover || len < payload.len();
        is_worth_it.then(|| self.output(len))
    }

    /// The payload data of the next frame of a compressed message.
    pub(crate) fn fragment(&mut self, data: &[u8], last: bool) -> &[u8] {
        let len = self.compress(data, last);
        self.output(len)
    }

    /// A message compressed by itself, so that it can go to every connection with this setup.
    fn alone<T>(&mut self, payload: &[u8], encode: impl FnOnce(&[u8]) -> T) -> Option<T> {
        self.release_stream();
        let len = self.compress(payload, true);
        self.release_stream();
        let form = (len < payload.len()).then(|| encode(self.output(len)));
        self.release_buffer();
        form
    }

    /// Gives the output buffer back; nothing borrows from it any more.
    pub(crate) fn release_buffer(&mut self) {
        if !self.buffer.is_empty() {
            self.pool.put_buffer(core::mem::take(&mut self.buffer), self.spare_contexts);
        }
    }

    /// Compresses into the buffer; returns how much of it.
    fn compress(&mut self, mut data: &[u8], last: bool) -> usize {
        if self.buffer.is_empty() {
            self.buffer = self.pool.buffer();
        }
        let stream = self.stream.get_or_insert_with(|| self.pool.deflater(self.setup));
        // A full flush forgets what came before, for less than a new beginning costs.
        let alone = last && !self.takeover;
        let flush = if alone { DeflateFlush::FullFlush } else { DeflateFlush::SyncFlush };
        let mut len = 0;
        loop {
            if self.buffer.len() - len < MIN_ROOM {
                let longer = self.buffer.len() * 2;
                self.buffer.resize(longer, 0);
            }
            let (in_before, out_before) = (stream.total_in(), stream.total_out());
            let output = self.buffer.get_mut(len..).unwrap_or_default();
            let compressed = stream.compress(data, output, flush);
            data = data.get((stream.total_in() - in_before) as usize..).unwrap_or_default();
            len += (stream.total_out() - out_before) as usize;
            debug_assert!(compressed.is_ok(), "the library refuses only what is not done here");
            // Output that fills the buffer may not be all of it.
            if compressed.is_err() || (len < self.buffer.len() && data.is_empty()) {
                break;
            }
        }
        if last {
            len = self.cut_tail(len);
        }
        if alone {
            if let Some(stream) = self.stream.take() {
                self.pool.put_deflater(self.setup, stream, self.spare_contexts);
            }
        }
        len
    }

    //= https://www.rfc-editor.org/rfc/rfc7692#section-7.2.1
    //# 3.  Remove 4 octets (that are 0x00 0x00 0xff 0xff) from the tail end.
    fn cut_tail(&mut self, len: usize) -> usize {
        match self.buffer.get(..len).and_then(|output| output.strip_suffix(&[0x00, 0x00, 0xFF, 0xFF])) {
            Some(output) => output.len(),
            // Nothing new since the last flush, which gives no output: an empty block, less its tail.
            None => {
                self.buffer.splice(..1, [0x00]);
                1
            }
        }
    }

    fn output(&self, len: usize) -> &[u8] {
        self.buffer.get(..len).unwrap_or_default()
    }

    /// Gives the stream back wherever it stands.
    fn release_stream(&mut self) {
        if let Some(mut stream) = self.stream.take() {
            stream.reset();
            self.pool.put_deflater(self.setup, stream, self.spare_contexts);
        }
    }
}

impl Drop for Deflation {
    fn drop(&mut self) {
        self.release_buffer();
        self.release_stream();
    }
}

impl fmt::Debug for Deflation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflation")
            .field("takeover", &self.takeover)
            .field("setup", &self.setup)
            .field("holds_window", &self.stream.is_some())
            .finish_non_exhaustive()
    }
}

/// The compressed forms of one message, each encoded as a `T`: one for each setup that a connection had so far.
pub(crate) struct Compressed<T>(Mutex<Vec<(Setup, Option<T>)>>);

impl<T> Default for Compressed<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Compressed<T> {
    /// The form for the connection of `deflation`; `None` if the message is better sent as it is.
    ///
    /// Whoever comes first compresses; who needs it at the same time waits.
    pub(crate) fn get(
        &self,
        deflation: &mut Deflation,
        payload: &[u8],
        encode: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let mut forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let setup = deflation.setup;
        let known = forms.iter().find(|(other, _)| *other == setup).map(|(_, form)| form.clone());
        let form = known.unwrap_or_else(|| {
            let form = deflation.alone(payload, encode);
            forms.push((setup, form.clone()));
            form
        });
        if form.is_some() {
            // The receiver's window moves by a message that this end's window has not seen.
            deflation.release_stream();
        }
        form
    }
}

/// A flush that meets a full buffer is begun again, with six more bytes; this keeps clear of it.
const MIN_ROOM: usize = 64;
