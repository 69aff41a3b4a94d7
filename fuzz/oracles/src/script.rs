//! Reading a fuzzer's bytes: the first chooses the endpoint, the rest is input.

use sansocket::{Delivery, Role};

/// What the first byte chooses. `s` and `c` are a server and a client that deliver messages, `S` and `C` chunks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endpoint {
    pub(crate) role: Role,
    pub(crate) delivery: Delivery,
}

impl Endpoint {
    /// Takes the first byte; `None` if there is none.
    pub(crate) fn choose(input: &[u8]) -> Option<(Self, &[u8])> {
        let (first, rest) = input.split_first()?;
        let role = if first & 0x10 != 0 { Role::Server } else { Role::Client };
        let delivery = if first & 0x20 != 0 { Delivery::Messages } else { Delivery::Chunks };
        Some((Self { role, delivery }, rest))
    }
}

/// Bytes taken one after the other; when there are none left, zeros and nothing.
#[derive(Debug, Clone)]
pub(crate) struct Script<'a>(pub(crate) &'a [u8]);

impl<'a> Script<'a> {
    pub(crate) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn number(&mut self) -> usize {
        self.next().map_or(0, usize::from)
    }

    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }
}
