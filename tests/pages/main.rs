//! The pages of the documentation, where no other test reads them: what they name is there, their links lead somewhere, and the
//! translation is in step.

mod links;
mod readme;
mod references;
