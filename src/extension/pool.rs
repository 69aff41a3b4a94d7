//! Compressors and decompressors that wait for the next message, shared by the connections of one configuration.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zlib_rs::{Deflate, DeflateConfig, Inflate};

/// How a compressor was made; one can only be used again for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setup {
    /// 9 to 15.
    pub(super) window_bits: u8,
    /// 0 to 9.
    pub(super) level: u8,
    /// 1 to 9.
    pub(super) mem_level: u8,
}

/// What waits. A handle: clones share it.
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Spare>);

#[derive(Default)]
struct Spare {
    inflaters: Mutex<Vec<Inflate>>,
    deflaters: Mutex<Vec<(Setup, Deflate)>>,
    buffers: Mutex<Vec<Vec<u8>>>,
}

impl Pool {
    /// A decompressor at the start of a stream, with the largest window: it inflates what was made with any.
    pub(super) fn inflater(&self) -> Inflate {
        let spare = lock(&self.0.inflaters).pop();
        spare.map_or_else(
            || Inflate::new(false, super::params::MAX_BITS),
            |mut inflater| {
                inflater.reset(false);
                inflater
            },
        )
    }

    /// A compressor at the start of a stream.
    pub(super) fn deflater(&self, setup: Setup) -> Deflate {
        let mut deflaters = lock(&self.0.deflaters);
        let spare =
            deflaters.iter().position(|(other, _)| *other == setup).map(|at| deflaters.swap_remove(at));
        drop(deflaters);
        match spare {
            Some((_, deflater)) => deflater,
            None => Deflate::new_with_config(DeflateConfig {
                // Negative means: without zlib's header and checksum.
                window_bits: -i32::from(setup.window_bits),
                level: i32::from(setup.level),
                mem_level: i32::from(setup.mem_level),
                ..DeflateConfig::default()
            }),
        }
    }

    /// A buffer of at least [`BUFFER`] bytes, all of it to be overwritten.
    pub(super) fn buffer(&self) -> Vec<u8> {
        lock(&self.0.buffers).pop().unwrap_or_else(|| alloc::vec![0; BUFFER])
    }

    pub(super) fn put_inflater(&self, inflater: Inflate, max: usize) {
        put(&self.0.inflaters, inflater, max);
    }

    /// Takes a compressor back that remembers nothing.
    pub(super) fn put_deflater(&self, setup: Setup, deflater: Deflate, max: usize) {
        put(&self.0.deflaters, (setup, deflater), max);
    }

    pub(super) fn put_buffer(&self, buffer: Vec<u8>, max: usize) {
        if (BUFFER..=MAX_BUFFER).contains(&buffer.len()) {
            put(&self.0.buffers, buffer, max);
        }
    }
}

fn put<T>(spare: &Mutex<Vec<T>>, item: T, max: usize) {
    let mut spare = lock(spare);
    if spare.len() < max {
        spare.push(item);
    }
}

/// What is in there is whole at every moment, whoever panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of a new buffer: enough that the slower end of each piece does not count.
pub(super) const BUFFER: usize = 16 * 1024;

/// Buffers that a large message has made larger than this are not kept.
const MAX_BUFFER: usize = 256 * 1024;
