//! See `url` in `fuzz/README.md`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| sansocket_fuzz_oracles::url(input));
