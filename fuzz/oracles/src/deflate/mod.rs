//! Compression of messages (RFC 7692): what one end makes of any data, and what two ends make of each other.
//!
//! `received` is about a peer that may send anything, `exchanged` about two ends that behave. Both are judged by
//! `inflater`, which is made of `miniz_oxide` where the library is made of `zlib-rs`; `reference` is the obvious slow receiver on
//! top of it.

mod exchanged;
mod inflater;
mod received;
mod reference;

use sansocket::{DeflateConfig, DeflateParams};

use crate::script::{Endpoint, Script};

/// The first byte chooses the endpoint that receives (see `Endpoint`) or, if it is even, two ends that talk to each other. The
/// rest is a script, see `received` and `exchanged`.
///
/// - Whatever the split of the input, the events and the answers are the same; also if the application stops after each event.
/// - They are those of the reference, where both inflaters agree on what is valid (see `reference::tolerates`).
/// - Memory is bounded by the limits, not by what the data says it becomes.
/// - What one end sends is what another inflater and the other end receive, and no match is farther back than was agreed.
pub fn deflate(input: &[u8]) {
    match Endpoint::choose(input) {
        Some((endpoint, script)) if input[0] & 1 != 0 => received::run(endpoint, Script(script)),
        Some((_, script)) => exchanged::run(Script(script)),
        None => {}
    }
}

/// A configuration, and what two ends that have it agree on: bits 0 and 1 are `no_context_takeover` of server and client, the
/// next two bytes are window bits from 8 on.
fn agreement(script: &mut Script<'_>) -> (DeflateConfig, DeflateParams) {
    let flags = script.number();
    let params = DeflateParams {
        server_no_context_takeover: flags & 1 != 0,
        client_no_context_takeover: flags & 2 != 0,
        server_max_window_bits: 8 + script.number() as u8 % 8,
        client_max_window_bits: 8 + script.number() as u8 % 8,
    };
    (DeflateConfig::default(), params)
}
