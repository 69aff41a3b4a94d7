//! What the tests of the open connection share: a wire in memory, a clock by hand, and assertions.
#![allow(dead_code, reason = "every test binary uses its own part of this")]

pub(crate) mod drive;
pub(crate) mod pair;
pub(crate) mod seen;
pub(crate) mod vectors;
pub(crate) mod wire;
