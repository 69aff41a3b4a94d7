//! A server under virtual time: whom it admits, what it does for them, what memory they get, and how it ends.

mod deciding;
mod drain;
mod limits;
mod memory;
pub(crate) mod rig;
mod serving;
