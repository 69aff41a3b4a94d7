//! The core on a network that is broken on purpose, and the network itself. Only the public API is used.

mod chaos;
mod clocks;
mod closing;
mod deadlines;
mod determinism;
mod floods;
mod links;
mod networks;
mod raw;
mod refusals;
mod sink;
mod slow_readers;
mod support;
mod truncation;
