//! Who may connect to a server: the limits on connections and opening handshakes, and the end of the server, without IO.
//!
//! `machine` decides, `limits` says by what, `group` what counts as one address, `report` what was decided.

mod group;
mod limits;
mod machine;
mod report;

pub use group::AddressGroup;
pub use limits::AdmissionLimits;
pub use machine::{Admission, Departure, Ticket};
pub use report::{AdmissionCounts, DrainReport, Refusal, Refusals};
