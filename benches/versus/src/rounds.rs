//! Taking turns, and what comes of it.

use std::fmt;

use cpu_time::ThreadTime;

/// What one case needs: the same work, set up for each library. The first contender is sansocket.
pub(crate) struct Contest {
    /// Messages that one run handles.
    pub(crate) messages: usize,
    pub(crate) contenders: Vec<Contender>,
}

/// A library, set up for one case.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    /// Does the work once, and asserts its result.
    pub(crate) run: Box<dyn FnMut()>,
}

impl Contender {
    pub(crate) fn new(name: &'static str, run: impl FnMut() + 'static) -> Self {
        Self { name, run: Box::new(run) }
    }

    /// CPU time of so many runs, in nanoseconds.
    fn time(&mut self, runs: usize) -> f64 {
        let start = ThreadTime::now();
        for _ in 0..runs {
            (self.run)();
        }
        start.elapsed().as_nanos() as f64
    }

    /// How many runs make a turn that is long against the cost of reading the clock.
    fn runs_per_turn(&mut self) -> usize {
        let mut runs = 1;
        while self.time(runs) < TURN_NANOS {
            runs *= 2;
        }
        runs
    }
}

/// The result of one contender: quartiles.
pub(crate) struct Line {
    name: &'static str,
    nanos_per_message: [f64; 3],
    ratio: [f64; 3],
}

/// Lets the contenders take turns.
pub(crate) fn run(mut contest: Contest) -> Vec<Line> {
    let runs: Vec<usize> = contest.contenders.iter_mut().map(Contender::runs_per_turn).collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); runs.len()];
    for round in 0..ROUNDS {
        for turn in 0..runs.len() {
            // So that nobody always follows the same other.
            let at = (turn + round) % runs.len();
            let time = contest.contenders[at].time(runs[at]);
            times[at].push(time / (runs[at] * contest.messages) as f64);
        }
    }
    let line = |(contender, own): (&Contender, &Vec<f64>)| Line {
        name: contender.name,
        nanos_per_message: quartiles(own.clone()),
        ratio: quartiles(own.iter().zip(&times[0]).map(|(own, first)| own / first).collect()),
    };
    contest.contenders.iter().zip(&times).map(line).collect()
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, middle, high] = self.ratio;
        write!(f, "{:<22} {:>12.1} ns {middle:>8.2}x", self.name, self.nanos_per_message[1])?;
        write!(f, "  ({low:.2} to {high:.2})")
    }
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}

const ROUNDS: usize = 61;
const TURN_NANOS: f64 = 500_000.0;
