//! Properties of the open connection that hold for every input, every split of it, and every order of calls.

#[path = "../support/mod.rs"]
mod support;

mod ending;
mod generate;
mod splits;
mod truncation;
mod wire;
