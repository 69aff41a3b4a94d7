//! Taking turns in changing places, and what comes of it.

use cpu_time::ThreadTime;

/// A run of the work: does it once.
pub(crate) type Run = Box<dyn FnMut()>;

/// The same work for several libraries.
pub(crate) struct Contest {
    /// Messages that one run handles.
    pub(crate) messages: usize,
    pub(crate) contenders: Vec<Contender>,
}

/// A library, or the floor.
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) set_up: Box<dyn Fn() -> Run>,
    /// It does less than the others: it writes the messages of a burst one by one, which costs next to nothing in memory and a
    /// system call each on a socket.
    pub(crate) apart: bool,
}

/// The result of one contender: quartiles over all rounds.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) value: [f64; 3],
    /// To the first contender in the same round.
    pub(crate) ratio: [f64; 3],
    /// As in [`Contender`].
    pub(crate) apart: bool,
}

/// How long to measure.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// Rounds in each arrangement of the contenders.
    pub(crate) rounds: usize,
    pub(crate) turn_nanos: f64,
    /// Arrangements.
    pub(crate) places: usize,
}

impl Effort {
    pub(crate) const FULL: Self = Self { rounds: 5, turn_nanos: 300_000.0, places: 5 };
    /// Shows that everything runs and is right; the figures mean little.
    pub(crate) const QUICK: Self = Self { rounds: 2, turn_nanos: 20_000.0, places: 1 };
}

/// The name of the first contender's second run.
pub(crate) const CONTROL: &str = "(the first again)";

/// Sets the contenders up again and again, each in many places, and lets them take turns.
///
/// Where buffers happen to lie can matter more than what is done with them: the same code takes up to four times as long in one
/// place as in another. So nobody keeps a place. The first also runs a second time as a control, whose ratio is 1 but for
/// what is left of this and of other disturbances: smaller differences than the control's spread mean nothing.
pub(crate) fn run(contest: &Contest, effort: Effort) -> Vec<Line> {
    let mut contenders: Vec<&Contender> = contest.contenders.iter().collect();
    contenders.insert(1, contenders[0]);
    let count = contenders.len();
    let mut times = vec![Vec::new(); count];
    for place in 0..effort.places {
        let order = (0..count).map(|at| (at + place * count / effort.places) % count);
        let mut runs: Vec<(usize, Run)> = order.map(|at| (at, (contenders[at].set_up)())).collect();
        let per_turn: Vec<usize> = runs.iter_mut().map(|(_, run)| runs_per_turn(run, effort)).collect();
        for round in 0..effort.rounds {
            for turn in 0..count {
                // So that nobody always follows the same other.
                let turn = (turn + round) % count;
                let (at, run) = &mut runs[turn];
                times[*at].push(time(run, per_turn[turn]) / (per_turn[turn] * contest.messages) as f64);
            }
        }
    }
    let line = |(at, own): (usize, &Vec<f64>)| Line {
        name: if at == 1 { CONTROL.to_owned() } else { contenders[at].name.clone() },
        apart: contenders[at].apart,
        value: quartiles(own.clone()),
        ratio: quartiles(own.iter().zip(&times[0]).map(|(own, first)| own / first).collect()),
    };
    times.iter().enumerate().map(line).collect()
}

/// How many runs make a turn that is long against the cost of reading the clock.
fn runs_per_turn(run: &mut Run, effort: Effort) -> usize {
    let mut runs = MIN_RUNS;
    while time(run, runs) < effort.turn_nanos {
        runs *= 2;
    }
    runs
}

/// CPU time of so many runs, in nanoseconds.
///
/// Before that comes one run that does not count, so that everybody finds the caches and the allocator as they left them.
fn time(run: &mut Run, runs: usize) -> f64 {
    run();
    let start = ThreadTime::now();
    for _ in 0..runs {
        run();
    }
    start.elapsed().as_nanos() as f64
}

pub(crate) fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}

/// Runs of a turn at least: the first ones find caches that others have used.
const MIN_RUNS: usize = 4;
