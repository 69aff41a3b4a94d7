//! The pages of the documentation, where no other test reads them: what they name is there.

mod references;
