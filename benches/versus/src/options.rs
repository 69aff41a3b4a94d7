//! What is asked for on the command line, and the surroundings that every measurement has.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use crate::rounds::Effort;

/// What is asked for.
pub(crate) struct Options {
    /// Only cases whose name contains this.
    pub(crate) filter: String,
    pub(crate) effort: Effort,
    pub(crate) quick: bool,
    /// Only contenders whose name contains this: for a profiler.
    pub(crate) only: String,
    /// Where RESULTS.md and the charts go.
    pub(crate) output: Option<PathBuf>,
    /// The program that `cpp/build` made.
    pub(crate) uwebsockets: Option<PathBuf>,
}

impl Options {
    /// Prints how it is called and ends the program if it is called otherwise.
    pub(crate) fn parse(arguments: Vec<String>) -> Self {
        let mut options = Self {
            filter: String::new(),
            only: String::new(),
            effort: Effort::FULL,
            quick: false,
            output: None,
            uwebsockets: None,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| usage());
            match argument.as_str() {
                "--quick" => (options.quick, options.effort) = (true, Effort::QUICK),
                "--only" => options.only = value(),
                "--write" => options.output = Some(value().into()),
                "--uwebsockets" => options.uwebsockets = Some(value().into()),
                name if !name.starts_with('-') && options.filter.is_empty() => options.filter = argument,
                _ => usage(),
            }
        }
        options
    }

    pub(crate) fn wants(&self, title: &str, row: &str) -> bool {
        format!("{title}, {row}").contains(&self.filter)
    }
}

fn usage() -> ! {
    eprintln!(
        "cargo run --release -- [--quick] [--only CONTENDER] [--write DIRECTORY] [--uwebsockets PROGRAM] [PART OF A CASE'S NAME]"
    );
    std::process::exit(2)
}

/// Starts this program again with a C library that keeps memory which is freed.
///
/// Otherwise it is chance whether a buffer of a megabyte comes from the kernel, which fills every page with zeros, or was
/// kept: that takes longer than most of what is measured.
pub(crate) fn settle_allocator() {
    const SETTINGS: [(&str, &str); 3] = [
        ("MALLOC_MMAP_THRESHOLD_", "1073741824"),
        ("MALLOC_TRIM_THRESHOLD_", "1073741824"),
        ("MALLOC_TOP_PAD_", "67108864"),
    ];
    if SETTINGS.iter().all(|(name, value)| std::env::var(name).is_ok_and(|set| set == *value)) {
        return;
    }
    let error = Command::new("/proc/self/exe").args(std::env::args_os().skip(1)).envs(SETTINGS).exec();
    panic!("this program cannot be started again: {error}");
}

/// Takes these settings away again, for servers: they shall be as they are used.
pub(crate) fn without_settings(command: &mut Command) {
    for name in ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_"] {
        command.env_remove(name);
    }
}
