//! A client that connects again: every policy, under a clock by hand. Nothing here sleeps.

#[path = "../diagnosis/cases.rs"]
#[expect(dead_code, reason = "the tables of failed handshakes; their own tests use all of them")]
mod cases;
#[path = "../support/memory.rs"]
mod memory;
#[path = "../diagnosis/run.rs"]
#[expect(dead_code, reason = "as above")]
mod run;
#[path = "../support/mod.rs"]
mod support;

mod backoff;
mod contract;
mod delivery;
mod dials;
mod end_to_end;
mod failover;
mod giving_up;
mod heartbeat;
mod outage;
mod queue;
mod resume;
mod retry_after;
mod rig;
mod texts;
mod verdicts;
