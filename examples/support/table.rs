//! How the matrix is printed: case by case while it runs, and an overview at its end.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::matrix::{Case, Meeting, TOO_LONG};
use crate::platform::{Platform, Thread};
use crate::runtime::{AsyncStd, Runtime, Smol, Tokio};
use crate::saw::Saw;

/// What is printed, and counted for the overview.
pub(crate) struct Table<W> {
    out: W,
    begin: Instant,
    topics: Vec<Tally>,
}

/// The runs of one topic.
struct Tally {
    topic: &'static str,
    begin: Instant,
    time: Duration,
    all: Count,
    /// Those that a platform of [`PLATFORMS`] takes part in.
    by_platform: [Count; PLATFORMS.len()],
}

#[derive(Clone, Copy, Default)]
struct Count {
    runs: usize,
    failed: usize,
}

impl<W: Write> Table<W> {
    pub(crate) fn begin(mut out: W) -> io::Result<Self> {
        writeln!(
            out,
            "Each case runs with all servers and clients that it is for. Below it is what both saw, the line that a log"
        )?;
        writeln!(out, "would have where something failed, and the time of each pair in ms.")?;
        Ok(Self { out, begin: Instant::now(), topics: Vec::new() })
    }

    /// What follows belongs to this topic.
    pub(crate) fn topic(&mut self, topic: &'static str) -> io::Result<()> {
        let begin = Instant::now();
        self.topics.push(Tally {
            topic,
            begin,
            time: Duration::ZERO,
            all: Count::default(),
            by_platform: Default::default(),
        });
        writeln!(self.out, "\n─── {topic} {}", "─".repeat(100_usize.saturating_sub(topic.chars().count())))
    }

    /// What became of a case.
    pub(crate) fn case(&mut self, case: &Case, meetings: &[Meeting]) -> io::Result<()> {
        if let Some(tally) = self.topics.last_mut() {
            meetings.iter().for_each(|meeting| tally.count(meeting, meeting.is_as_expected(case)));
            tally.time = tally.begin.elapsed();
        }
        self.out.write_all(describe(case, meetings).as_bytes())?;
        self.out.flush()
    }

    /// The overview. Returns how many runs failed.
    pub(crate) fn end(mut self) -> io::Result<usize> {
        write!(self.out, "\n─── passed {}\n\n{:24}", "─".repeat(94), "")?;
        for platform in PLATFORMS.iter().chain(&["all", "time"]) {
            write!(self.out, "{platform:>11}")?;
        }
        let mut all = Count::default();
        for tally in &self.topics {
            write!(self.out, "\n{:24}", tally.topic)?;
            for count in tally.by_platform.iter().chain([&tally.all]) {
                write!(self.out, "{:>11}", count.to_string())?;
            }
            write!(self.out, "{:>9.2} s", tally.time.as_secs_f64())?;
            all.runs += tally.all.runs;
            all.failed += tally.all.failed;
        }
        let Count { runs, failed } = all;
        let seconds = self.begin.elapsed().as_secs_f64();
        writeln!(self.out, "\n\n{} of {runs} runs passed in {seconds:.1} s", runs - failed)?;
        if failed > 0 {
            writeln!(self.out, "{failed} FAILED: look for FAIL above")?;
        }
        Ok(failed)
    }
}

impl Tally {
    fn count(&mut self, meeting: &Meeting, passed: bool) {
        self.all.add(passed);
        for (platform, count) in PLATFORMS.iter().zip(&mut self.by_platform) {
            if [meeting.server.0, meeting.client.0].contains(platform) {
                count.add(passed);
            }
        }
    }
}

impl Count {
    fn add(&mut self, passed: bool) {
        self.runs += 1;
        self.failed += usize::from(!passed);
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { runs, failed } = self;
        match failed {
            0 => write!(f, "{runs}"),
            _ => write!(f, "{}/{runs} FAIL", runs - failed),
        }
    }
}

fn describe(case: &Case, meetings: &[Meeting]) -> String {
    let mut text = String::new();
    let (faulty, fine): (Vec<_>, Vec<_>) = meetings.iter().partition(|meeting| !meeting.is_as_expected(case));
    let verdict = if faulty.is_empty() { "pass" } else { "FAIL" };
    line(&mut text, format_args!("\n{verdict}  {}: {}", case.name, case.tried));
    if let Some(first) = fine.first() {
        for (role, saw) in [("server", &first.server.1), ("client", &first.client.1)] {
            seen(&mut text, role, saw);
        }
        times(&mut text, &fine);
    }
    // What went wrong in the same way is told once.
    for (at, first) in faulty.iter().enumerate() {
        let alike: Vec<_> = faulty.iter().filter(|other| is_alike(first, other)).collect();
        if !faulty[..at].iter().any(|earlier| is_alike(first, earlier)) {
            let pairs: Vec<_> = alike.iter().map(|meeting| pair_and_time(meeting)).collect();
            line(&mut text, format_args!("      FAIL    {}", pairs.join("   ")));
            fault(&mut text, case, first);
        }
    }
    text
}

fn seen(text: &mut String, role: &str, saw: &Saw) {
    line(text, format_args!("      {role}  {}", saw.text));
    let lines = saw.diagnosis.iter().flat_map(|diagnosis| diagnosis.lines());
    for diagnosis in lines.filter(|line| !line.is_empty()) {
        line(text, format_args!("              {diagnosis}"));
    }
}

/// A row for each server and a column for each client; one line if there is one of either.
fn times(text: &mut String, meetings: &[&Meeting]) {
    let (servers, clients) =
        (names(meetings, |meeting| meeting.server.0), names(meetings, |meeting| meeting.client.0));
    if servers.len() == 1 || clients.len() == 1 {
        let times: Vec<_> = meetings.iter().map(|meeting| pair_and_time(meeting)).collect();
        return line(text, format_args!("      ms      {}", times.join("   ")));
    }
    let header: String = clients.iter().map(|client| format!("{client:>11}")).collect();
    line(text, format_args!("      ms      server / client{header}"));
    for server in servers {
        let row: String = clients
            .iter()
            .map(|client| {
                meetings.iter().find(|meeting| (meeting.server.0, meeting.client.0) == (server, client))
            })
            .map(|meeting| {
                format!("{:>11}", meeting.map_or_else(|| "FAIL".into(), |meeting| millis(meeting)))
            })
            .collect();
        line(text, format_args!("              {server:<15}{row}"));
    }
}

fn names(meetings: &[&Meeting], name: impl Fn(&Meeting) -> &'static str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for meeting in meetings {
        if !names.contains(&name(meeting)) {
            names.push(name(meeting));
        }
    }
    names
}

fn millis(meeting: &Meeting) -> String {
    format!("{:.1}", meeting.time.as_secs_f64() * 1e3)
}

fn is_alike(one: &Meeting, other: &Meeting) -> bool {
    let told = |meeting: &Meeting| (meeting.server.1.text.clone(), meeting.client.1.text.clone());
    told(one) == told(other) && (one.time < TOO_LONG) == (other.time < TOO_LONG)
}

/// The server first.
fn pair_and_time(meeting: &Meeting) -> String {
    format!("{}/{} {}", meeting.server.0, meeting.client.0, millis(meeting))
}

fn fault(text: &mut String, case: &Case, meeting: &Meeting) {
    let sides =
        [("server", &meeting.server.1, case.server_sees), ("client", &meeting.client.1, case.client_sees)];
    for (role, saw, expected) in sides {
        seen(text, role, saw);
        if saw.text != expected {
            line(text, format_args!("      expected {expected}"));
        }
    }
    if meeting.time >= TOO_LONG {
        line(text, format_args!("      expected within {TOO_LONG:?}"));
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // To write to a `String` never fails.
    let _ = writeln!(text, "{line}");
}

const PLATFORMS: [&str; 4] = [
    <Tokio as Runtime>::NAME,
    <AsyncStd as Runtime>::NAME,
    <Smol as Runtime>::NAME,
    <Thread as Platform>::NAME,
];
