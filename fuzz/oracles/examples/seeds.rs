//! Writes the cases of `tests/diagnosis/data` as seeds of the target `handshake` into a directory.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let Some(directory) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err(std::io::Error::other("usage: seeds DIRECTORY"));
    };
    std::fs::create_dir_all(&directory)?;
    let seeds = sansocket_fuzz_oracles::of_handshakes();
    for (name, input) in &seeds {
        std::fs::write(directory.join(name), input)?;
    }
    println!("{} seeds written to {}", seeds.len(), directory.display());
    Ok(())
}
