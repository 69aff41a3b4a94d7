//! The pages of the documentation, where no other test reads them: what they name is there, and the translation is in step.

mod readme;
mod references;
