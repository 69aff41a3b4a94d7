//! RESULTS.md and the charts.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::options::Options;
use crate::peers;
use crate::svg;
use crate::table::{Table, figure};

/// All that was measured.
#[derive(Default)]
pub(crate) struct Results {
    tables: Vec<Table>,
}

impl Results {
    pub(crate) fn add(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Writes RESULTS.md and `charts/` into the directory.
    pub(crate) fn write(&self, directory: &Path, options: &Options) {
        let charts = directory.join("charts");
        fs::create_dir_all(&charts).expect("the directory can be made");
        let mut text = INTRODUCTION.to_owned();
        if options.quick {
            text +=
                "\n**Measured with `--quick`: these figures show that everything runs, and nothing else.**\n";
        }
        text += &format!("\n{}\n{}", surroundings(), self.summary());
        for table in &self.tables {
            text += &if table.has_sansocket() { table.markdown() } else { table.plain() };
            let file = format!("{}.svg", table.title.replace(", ", "-").replace(' ', "-"));
            fs::write(charts.join(&file), svg::chart(table)).expect("the chart can be written");
            text += &format!("[Chart](charts/{file})\n\n");
        }
        fs::write(directory.join("RESULTS.md"), text).expect("RESULTS.md can be written");
    }

    /// Where sansocket leads, and every cell in which it does not.
    fn summary(&self) -> String {
        let mut text = "## Summary\n\n| | cells | best other / sansocket, median | cells in which another is ahead |\n|---|--:|--:|--:|\n".to_owned();
        for table in self.tables.iter().filter(|table| table.has_sansocket()) {
            let lead = table.lead().map(|lead| format!("{lead:.2}")).unwrap_or_default();
            let behind = table.behind().count();
            text += &format!("| {} | {} | {lead} | {behind} |\n", table.title, table.rows.len());
        }
        text += "\n<details><summary>Every cell in which another library is ahead</summary>\n\n";
        text += "| | sansocket | best other | its time / ours |\n|---|--:|---|--:|\n";
        for table in &self.tables {
            for (row, best) in table.behind() {
                let own = figure(row.own().value[1]);
                let best_value = figure(best.value[1]);
                text += &format!(
                    "| {}, {} | {own} | {} {best_value} | {:.2} |\n",
                    table.title, row.name, best.name, best.ratio[1]
                );
            }
        }
        text + "\n</details>\n\n## Tables\n\n"
    }
}

/// What it was measured on and with.
fn surroundings() -> String {
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut models = processors.lines().filter_map(|line| line.strip_prefix("model name"));
    let processor = models.next().unwrap_or_default();
    let cores = 1 + models.count();
    let mut text = format!(
        "sansocket at commit {}. Machine: {} ({cores} cores), {}, {}.\n\n",
        env!("MEASURED_COMMIT"),
        processor.trim_start_matches([' ', '\t', ':']),
        run("uname", &["-sr"]),
        run("rustc", &["--version"])
    );
    let lock = include_str!("../Cargo.lock");
    text += "| library | version | how it is used in memory |\n|---|---|---|\n";
    for peer in peers::all() {
        let name = peer.name().split(',').next().unwrap_or_default();
        let version = version(lock, name);
        text += &format!("| {} | {version} | {} |\n", peer.name(), peer.configuration());
    }
    text
}

/// A package's version in Cargo.lock.
fn version<'a>(lock: &'a str, name: &str) -> &'a str {
    let package = lock.split_once(&format!("name = \"{name}\"\nversion = \"")).map(|(_, rest)| rest);
    package.and_then(|rest| rest.split_once('"')).map_or("?", |(version, _)| version)
}

const INTRODUCTION: &str = "# Side by side

Written by `cargo run --release -- --write .` in this folder; [README.md](README.md) says how it is measured.

Every ratio is the other's time over sansocket's in the same round: above 1, sansocket is faster. Figures are medians of all
rounds; in brackets, the quartiles of the ratio. The control is sansocket once more: differences as large as its spread
mean nothing. Cells in bold are those in which another library is ahead. A dagger (†) marks those that write the messages of a
burst one by one (in memory that costs nothing, on a socket a system call each), or that take for text what is not UTF-8: they do other
work, so they are not compared there. The best other is the best library in Rust; uWebSockets is in the tables of everybody.
";
