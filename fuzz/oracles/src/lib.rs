//! What must hold for any input. Each function here is an oracle: it panics if its property does not hold.
//!
//! The fuzz targets call them with bytes that a fuzzer invents, `tests/fuzz_regression.rs` with the files in
//! `fuzz/corpus` and `fuzz/crashes`. The properties are listed in `fuzz/README.md`.

#[path = "../../../tests/diagnosis/cases.rs"]
#[expect(dead_code, reason = "seeds are what is received, not what is expected of it")]
mod cases;
mod connection;
mod conversation;
mod deflate;
mod fields;
mod frame;
mod handshake;
#[path = "../../../tests/support/memory.rs"]
mod memory;
mod proxy;
mod reference;
mod script;
mod seeds;
mod sent;
#[path = "../../../tests/support/mod.rs"]
mod support;
mod url;

pub use self::url::url;
pub use connection::connection;
pub use conversation::conversation;
pub use deflate::deflate;
pub use fields::fields;
pub use frame::frame;
pub use handshake::handshake;
pub use proxy::proxy;
pub use seeds::of_handshakes;

// `cases` looks for it here.
use handshake::run;
