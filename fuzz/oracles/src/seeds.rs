//! Seeds that are not files of their own: the tables of `tests/diagnosis/data`.

use sansocket::Role;

use crate::cases;

/// An input of [`handshake`](crate::handshake) for every case of these tables, with a name that is good for a file.
#[must_use]
pub fn of_handshakes() -> Vec<(String, Vec<u8>)> {
    let mut seeds = Vec::new();
    for (number, case) in cases::all().into_iter().enumerate() {
        let (first, role) = match case.role {
            Role::Server if case.plain_http => (b'w', "server"),
            Role::Server => (b's', "server"),
            Role::Client => (b'c', "client"),
        };
        let is_plain = |character: char| character.is_ascii_alphanumeric();
        let words: Vec<&str> = case.name.split(|c| !is_plain(c)).filter(|word| !word.is_empty()).collect();
        let mut input = vec![first];
        input.extend(case.bytes);
        seeds.push((format!("{role}_{number:03}_{}", words.join("_")), input));
    }
    seeds
}
