//! Taking turns in changing places, and what comes of it.

use std::fmt;

use cpu_time::ThreadTime;

/// The same work for several libraries. The first contender is sansocket; all are set against it.
pub(crate) struct Contest {
    /// Messages that one run handles.
    pub(crate) messages: usize,
    pub(crate) contenders: Vec<Contender>,
}

/// A run of the work: does it once, and asserts its result.
pub(crate) type Run = Box<dyn FnMut()>;

/// A library.
pub(crate) struct Contender {
    name: &'static str,
    set_up: Box<dyn Fn() -> Run>,
}

impl Contender {
    pub(crate) fn new<R: FnMut() + 'static>(name: &'static str, set_up: impl Fn() -> R + 'static) -> Self {
        Self { name, set_up: Box::new(move || Box::new(set_up())) }
    }
}

/// The result of one contender: quartiles over all rounds.
pub(crate) struct Line {
    name: &'static str,
    nanos_per_message: [f64; 3],
    ratio: [f64; 3],
}

/// Sets the contenders up again and again, each in every place, and lets them take turns.
///
/// Where buffers happen to lie can matter more than what is done with them: the same code takes up to four times as long in one
/// place as in another. So nobody keeps a place. sansocket also runs a second time as a control, whose ratio is 1 but for
/// what is left of this and of other disturbances: smaller differences than the control's spread mean nothing.
pub(crate) fn run(contest: &Contest) -> Vec<Line> {
    let mut contenders: Vec<&Contender> = contest.contenders.iter().collect();
    contenders.insert(1, contenders[0]);
    let count = contenders.len();
    let mut times = vec![Vec::new(); count];
    for place in 0..PASSES * count {
        let order = (0..count).map(|at| (at + place) % count);
        let mut runs: Vec<(usize, Run)> = order.map(|at| (at, (contenders[at].set_up)())).collect();
        let per_turn: Vec<usize> = runs.iter_mut().map(|(_, run)| runs_per_turn(run)).collect();
        for round in 0..ROUNDS {
            for turn in 0..count {
                // So that nobody always follows the same other.
                let turn = (turn + round) % count;
                let (at, run) = &mut runs[turn];
                times[*at].push(time(run, per_turn[turn]) / (per_turn[turn] * contest.messages) as f64);
            }
        }
    }
    let line = |(at, own): (usize, &Vec<f64>)| Line {
        name: if at == 1 { "control: the same" } else { contenders[at].name },
        nanos_per_message: quartiles(own.clone()),
        ratio: quartiles(own.iter().zip(&times[0]).map(|(own, first)| own / first).collect()),
    };
    times.iter().enumerate().map(line).collect()
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, middle, high] = self.ratio;
        write!(f, "{:<22} {:>12.1} ns {middle:>8.2}x", self.name, self.nanos_per_message[1])?;
        write!(f, "  ({low:.2} to {high:.2})")
    }
}

/// How many runs make a turn that is long against the cost of reading the clock.
fn runs_per_turn(run: &mut Run) -> usize {
    let mut runs = 1;
    while time(run, runs) < TURN_NANOS {
        runs *= 2;
    }
    runs
}

/// CPU time of so many runs, in nanoseconds.
fn time(run: &mut Run, runs: usize) -> f64 {
    let start = ThreadTime::now();
    for _ in 0..runs {
        run();
    }
    start.elapsed().as_nanos() as f64
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}

/// How often each contender has each place.
const PASSES: usize = 3;
const ROUNDS: usize = 9;
const TURN_NANOS: f64 = 500_000.0;
