//! What was measured, and how it is told: rows of tables, Markdown and text.

use crate::rounds::{CONTROL, Line, quartiles};

/// A table: what was measured under the same conditions, by size or by number of connections.
pub(crate) struct Table {
    pub(crate) title: String,
    /// What a number in it is, such as "ns per message".
    pub(crate) unit: &'static str,
    pub(crate) rows: Vec<Row>,
}

/// A row: one case.
pub(crate) struct Row {
    pub(crate) name: String,
    /// sansocket is the first.
    pub(crate) lines: Vec<Line>,
}

impl Row {
    /// sansocket's own line.
    pub(crate) fn own(&self) -> &Line {
        &self.lines[0]
    }

    /// The fastest of the other libraries in Rust that do the same.
    pub(crate) fn best(&self) -> Option<&Line> {
        let peers = self.lines[1..]
            .iter()
            .filter(|line| !line.name.starts_with('(') && !line.name.ends_with("(C++)") && !line.apart);
        peers.min_by(|a, b| a.ratio[1].total_cmp(&b.ratio[1]))
    }

    /// What is no library: a floor, the control.
    pub(crate) fn special(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }

    /// The floor, whichever it is.
    pub(crate) fn floor(&self) -> Option<&Line> {
        self.lines.iter().find(|line| line.name.starts_with('(') && line.name != CONTROL)
    }
}

impl Table {
    /// For those who wait in front of a terminal.
    pub(crate) fn print_row(&self, row: &Row) {
        println!("{}, {} ({})", self.title, row.name, self.unit);
        for line in &row.lines {
            let [low, middle, high] = line.ratio;
            let apart = if line.apart { " †" } else { "" };
            println!(
                "  {:<42} {:>12} {middle:>8.2}x  ({low:.2} to {high:.2}){apart}",
                line.name,
                figure(line.value[1])
            );
        }
    }

    /// As a section of RESULTS.md.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n", capitalised(&self.title));
        text += &format!(
            "| | sansocket, {} | best other | its time / ours | floor / ours | control |\n",
            self.unit
        );
        text += "|---|--:|---|--:|--:|--:|\n";
        for row in &self.rows {
            let (own, control) = (row.own(), row.special(CONTROL));
            let (best, ratio) = match row.best() {
                Some(best) => (format!("{} {}", best.name, figure(best.value[1])), verdict(best)),
                None => ("none".to_owned(), String::new()),
            };
            let floor = row.floor().map(|floor| format!("{:.2}", floor.ratio[1])).unwrap_or_default();
            let control = control.map(spread).unwrap_or_default();
            text += &format!(
                "| {} | {} | {best} | {ratio} | {floor} | {control} |\n",
                row.name,
                figure(own.value[1])
            );
        }
        text += &format!("\n<details><summary>Everybody, {}</summary>\n\n", self.unit);
        text += &self.everybody();
        text + "\n</details>\n\n"
    }

    /// As a section of RESULTS.md without any comparison.
    pub(crate) fn plain(&self) -> String {
        format!("### {}, {}\n\n{}\n", capitalised(&self.title), self.unit, self.everybody())
    }

    /// Otherwise it is about something that no library does.
    pub(crate) fn has_sansocket(&self) -> bool {
        self.rows.iter().all(|row| row.own().name == "sansocket")
    }

    /// One column each.
    fn everybody(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for line in self.rows.iter().flat_map(|row| &row.lines) {
            if !names.contains(&line.name.as_str()) && line.name != CONTROL {
                names.push(&line.name);
            }
        }
        let heads: String = self.rows.iter().map(|row| format!(" {} |", row.name)).collect();
        let mut text = format!("| |{heads}\n|---|{}\n", "--:|".repeat(self.rows.len()));
        for name in names {
            let cell = |row: &Row| match row.special(name) {
                Some(line) => format!(" {}{} |", figure(line.value[1]), if line.apart { " †" } else { "" }),
                None => " |".to_owned(),
            };
            text += &format!("| {name} |{}\n", self.rows.iter().map(cell).collect::<String>());
        }
        text
    }

    /// Cells in which another library is faster than sansocket, by more than the control differs.
    pub(crate) fn behind(&self) -> impl Iterator<Item = (&Row, &Line)> {
        self.rows.iter().filter_map(|row| {
            let best = row.best().filter(|_| self.has_sansocket())?;
            (best.ratio[1] < 1.0).then_some((row, best))
        })
    }

    /// The best other's time over sansocket's, median of all rows with a peer.
    pub(crate) fn lead(&self) -> Option<f64> {
        let ratios: Vec<f64> = self.rows.iter().filter_map(|row| Some(row.best()?.ratio[1])).collect();
        (!ratios.is_empty()).then(|| quartiles(ratios)[1])
    }
}

/// A ratio with its spread, in bold if sansocket is behind.
fn verdict(best: &Line) -> String {
    if best.ratio[1] < 1.0 { format!("**{}**", spread(best)) } else { spread(best) }
}

fn spread(line: &Line) -> String {
    let [low, middle, high] = line.ratio;
    format!("{middle:.2} ({low:.2} to {high:.2})")
}

/// Three digits that count.
pub(crate) fn figure(value: f64) -> String {
    match value {
        value if value < 100.0 => format!("{value:.1}"),
        value => {
            let digits = format!("{value:.0}");
            let groups: Vec<&str> =
                digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap_or("")).collect();
            groups.join(",")
        }
    }
}

fn capitalised(title: &str) -> String {
    let mut characters = title.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + characters.as_str())
}
