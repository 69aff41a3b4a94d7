//! The table of ratios that is printed behind the benches.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};

/// Who does the same work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Sansocket,
    Tungstenite,
    /// Only what has to be done, by hand.
    #[allow(dead_code, reason = "not every bench has one")]
    Floor,
}

/// Nanoseconds per message of every sample, so that the two sides can be set against each other.
#[derive(Debug, Default)]
pub(crate) struct Report {
    samples: RefCell<Vec<(String, Side, f64)>>,
}

impl Report {
    /// Measures `run`, which does the work of `case` for so many `messages` and asserts its own result.
    pub(crate) fn bench(
        &self,
        group: &mut BenchmarkGroup<'_, WallTime>,
        case: &str,
        side: Side,
        messages: usize,
        mut run: impl FnMut(),
    ) {
        group.bench_function(format!("{case}/{side:?}"), |bencher| {
            bencher.iter_custom(|iterations| {
                let start = Instant::now();
                for _ in 0..iterations {
                    run();
                }
                let time = start.elapsed();
                let per_message = time.as_secs_f64() * 1e9 / (iterations as f64 * messages as f64);
                self.samples.borrow_mut().push((case.to_string(), side, per_message));
                time
            });
        });
    }

    /// Prints, for every case: nanoseconds per message and how many times as long as sansocket tungstenite takes; where there
    /// is a floor, how many times as long as that sansocket takes.
    ///
    /// The figures are medians; in brackets, the ratios of the quartiles that are worst and best for sansocket.
    pub(crate) fn print(&self, title: &str) {
        println!("\n{title:<34} {:>11} {:>12} {:>8}", "ns: sansocket", "tungstenite", "ratio");
        let samples = self.samples.borrow();
        let mut cases: Vec<&str> = Vec::new();
        for (case, ..) in samples.iter() {
            if !cases.contains(&case.as_str()) {
                cases.push(case);
            }
        }
        for case in cases {
            let quartiles = |wanted: Side| {
                let mut times: Vec<f64> = samples
                    .iter()
                    .filter(|(name, side, _)| name == case && *side == wanted)
                    .map(|sample| sample.2)
                    .collect();
                times.sort_by(f64::total_cmp);
                let at = |quarter: usize| times.get(times.len() * quarter / 4).copied();
                Some([at(1)?, at(2)?, at(3)?])
            };
            let Some(ours) = quartiles(Side::Sansocket) else { continue };
            print!("{case:<36} {:>11.1}", ours[1]);
            match quartiles(Side::Tungstenite) {
                Some(theirs) => print!(
                    " {:>12.1} {:>7.2}x  ({:.2} to {:.2})",
                    theirs[1],
                    theirs[1] / ours[1],
                    theirs[0] / ours[2],
                    theirs[2] / ours[0]
                ),
                None => print!(" {:>12}", "-"),
            }
            if let Some(floor) = quartiles(Side::Floor) {
                print!(
                    "   floor: {:.1}, {:.2}x  ({:.2} to {:.2})",
                    floor[1],
                    ours[1] / floor[1],
                    ours[2] / floor[0],
                    ours[0] / floor[2]
                );
            }
            println!();
        }
    }
}

/// Short runs: a bench that takes many minutes is not run.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(900))
        .configure_from_args()
}
