//! The same work on sansocket and on other libraries, side by side: `cargo run --release [part of a case's name]`.
//!
//! The contenders of a case take turns, round after round, so that what disturbs one disturbs all; what counts is the CPU
//! time of the thread. The table gives nanoseconds per message (median of the rounds) and how many times as long as
//! sansocket each takes (median of the ratios of all rounds; in brackets, their quartiles). The control is sansocket once more.

mod cases;
mod rounds;

#[path = "../../support/frames.rs"]
mod frames;
#[path = "../../support/handshakes.rs"]
mod handshakes;
#[path = "../../support/sansocket_side.rs"]
mod sansocket_side;
#[path = "../../support/tungstenite_side.rs"]
mod tungstenite_side;

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    for case in cases::all().filter(|case| case.name.contains(&filter)) {
        println!("{}", case.name);
        for line in rounds::run(&(case.contest)()) {
            println!("  {line}");
        }
    }
}
