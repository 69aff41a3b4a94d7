//! Charts as plain SVG: bars of ratios, by case. One colour each for sansocket, the others and the floor.

use std::fmt::Write;

use crate::rounds::CONTROL;
use crate::table::{Table, figure};

/// A chart of a table: for each row, a bar for each contender on a logarithmic scale of time, the shortest at the top.
pub(crate) fn chart(table: &Table) -> String {
    let rows: Vec<_> = table
        .rows
        .iter()
        .map(|row| {
            let mut lines: Vec<_> = row.lines.iter().filter(|line| line.name != CONTROL).collect();
            lines.sort_by(|a, b| a.value[1].total_cmp(&b.value[1]));
            (row, lines)
        })
        .collect();
    let values = || rows.iter().flat_map(|(_, lines)| lines.iter().map(|line| line.value[1].max(1.0)));
    let (least, most) = (values().fold(f64::MAX, f64::min), values().fold(1.0, f64::max));
    let scale = |value: f64| BAR * ((value.max(1.0) / least).ln() + 0.2) / ((most / least).ln() + 0.2);
    let bars: usize = rows.iter().map(|(_, lines)| lines.len()).sum();
    let height = 40.0 + bars as f64 * LINE + rows.len() as f64 * 2.0 * LINE;
    let mut svg = String::new();
    let mut put = |text: std::fmt::Arguments<'_>| svg.write_fmt(text).expect("a string has room");
    put(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"8\" y=\"20\" font-size=\"14\" font-weight=\"bold\">{} ({}, logarithmic scale, shorter is better)</text>\n",
        escaped(&table.title),
        table.unit
    ));
    let mut y = 40.0;
    for (row, lines) in rows {
        y += LINE;
        put(format_args!("<text x=\"8\" y=\"{y}\" font-weight=\"bold\">{}</text>\n", escaped(&row.name)));
        for line in lines {
            y += LINE;
            let colour = match line.name.as_str() {
                "sansocket" => "#d9480f",
                name if name.starts_with('(') => "#adb5bd",
                _ => "#4c6ef5",
            };
            let length = scale(line.value[1]);
            put(format_args!(
                "<text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{}</text>\
                 <rect x=\"{LEFT}\" y=\"{}\" width=\"{length:.1}\" height=\"{}\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{y}\">{}</text>\n",
                LEFT - 6.0,
                escaped(&line.name),
                y - LINE + 5.0,
                LINE - 3.0,
                LEFT + length + 4.0,
                figure(line.value[1])
            ));
        }
        y += LINE;
    }
    svg + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

const WIDTH: f64 = 900.0;
/// Where bars begin.
const LEFT: f64 = 260.0;
const BAR: f64 = 560.0;
const LINE: f64 = 15.0;
