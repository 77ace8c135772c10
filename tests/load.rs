//! False verdicts under load: many more agents at once than the machine has cores, while others keep those busy, too.
//! Agents that need half of their time are never timed out; those that would never end are.
//!
//! `AGENTMILL_LOAD=10 cargo test --test load -- --nocapture` makes ten times as many runs and prints what they took.

mod common;
mod ignorable;

use std::fs;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use agentmill::config::Limits;
use agentmill::model::report::Verdict;
use agentmill::task::Task;
use common::{LIMITS, Lab, Outcome, messages, task};
use ignorable::{plain, with_docker};

fn main() -> ExitCode {
    ignorable::main_of([
        plain![
            agents_near_half_of_their_time_are_not_timed_out_by_others,
            honest_agents_beside_six_hostile_ones_are_judged_as_alone
        ],
        with_docker![fifty_scripts_beside_a_dozen_busy_containers_are_not_timed_out],
    ])
}

/// Agents at the same time, for each core.
const CROWD: usize = 6;

const LIMIT: Duration = Duration::from_secs(1);

/// The host gives a run at most so many times its limit, however little CPU the machine has for it. What gets a thirtieth of
/// a core, or less, may be timed out: then the machine is too busy even for this test.
const MAX_STRETCH: u32 = 30;

/// Agents that need half of the limit: of CPU time, of time asleep, or half of that of each.
const HONEST: [(&str, &str); 3] =
    [("burn", "burn(0.5)"), ("sleep", "time.sleep(0.5)"), ("both", "burn(0.25); time.sleep(0.25)")];
const ENDLESS: [(&str, &str); 2] = [("loop", "burn(1e9)"), ("wait", "time.sleep(1e6)")];

const HOSTILE: [&str; 6] =
    ["cpu_loop", "fork_bomb", "memory_list", "flood_of_replies", "disk_fill", "kill_everybody"];

fn agent(work: &str) -> String {
    format!(
        "import time\ndef burn(seconds):\n    end = time.process_time() + seconds\n    while time.process_time() < end: pass\n\
         def double(n):\n    {work}\n    return 2 * n\n"
    )
}

struct Run {
    kind: &'static str,
    verdict: Verdict,
    wall: Duration,
    said: Vec<String>,
}

impl Run {
    fn is_starved(&self) -> bool {
        self.kind != "sleep" && self.wall >= LIMIT * MAX_STRETCH
    }
}

fn run(lab: &Lab, double: &Task, (kind, work): (&'static str, &str)) -> Run {
    let limits = Limits { timeout: LIMIT, ..LIMITS };
    let Outcome::Judged(runs) = lab.run(agent(work).as_bytes(), double, &limits, 1) else {
        panic!("{kind} was refused")
    };
    let wall = Duration::from_millis(runs[0].usage.wall_ms);
    Run { kind, verdict: runs[0].verdict, wall, said: messages(&runs[0]) }
}

/// Every lane evaluates one agent after the other, each in a cell of its own; so cells start all the time.
fn run_all(lanes: usize, rounds: usize) -> Vec<Run> {
    let lab = Lab::with_workers(lanes);
    let double = task("prompt: double\ntests:\n  - assert double(4) == 8\n");
    let runs = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for lane in 0..lanes {
            let (lab, double, runs) = (&lab, &double, &runs);
            scope.spawn(move || {
                for round in 0..rounds {
                    let agents: &[_] = if lane < 2 { &ENDLESS } else { &HONEST };
                    let run = run(lab, double, agents[(lane + round) % agents.len()]);
                    runs.lock().unwrap().push(run);
                }
            });
        }
    });
    assert_eq!(lab.close(), Vec::<String>::new());
    runs.into_inner().unwrap()
}

/// Keeps all cores busy while `work` goes on.
fn on_a_busy_machine<T>(cores: usize, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    black_box(0);
                }
            });
        }
        let value = work();
        done.store(true, Ordering::Relaxed);
        value
    })
}

/// How many times as many runs are made.
fn rounds() -> usize {
    std::env::var("AGENTMILL_LOAD").map_or(1, |times| times.parse().unwrap())
}

fn agents_near_half_of_their_time_are_not_timed_out_by_others() {
    let cores = thread::available_parallelism().unwrap().get();
    let runs = on_a_busy_machine(cores, || run_all(CROWD * cores, 2 * rounds()));

    for (kind, _) in HONEST.iter().chain(&ENDLESS) {
        let of_kind = || runs.iter().filter(|run| run.kind == *kind);
        let mut walls: Vec<Duration> = of_kind().map(|run| run.wall).collect();
        walls.sort();
        let late = of_kind().filter(|run| run.verdict == Verdict::Timeout).count();
        let starved = of_kind().filter(|run| run.is_starved()).count();
        let (median, most) = (walls[walls.len() / 2], walls[walls.len() - 1]);
        println!(
            "{kind:<6} {:>4} runs, {late:>4} timed out, {starved:>4} of them without a thirtieth of a core; took {median:.2?} in the middle, {most:.2?} at most",
            walls.len()
        );
    }
    for run in &runs {
        let wanted = if is_endless(run) { Verdict::Timeout } else { Verdict::Passed };
        assert!(
            run.verdict == wanted || run.is_starved(),
            "{} got {:?}: {:?}",
            run.kind,
            run.verdict,
            run.said
        );
        assert!(run.wall < LIMIT * (MAX_STRETCH + 1), "{} took {:?}", run.kind, run.wall);
    }
}

/// Six hostile agents run again and again, in cells of their own, until every honest one has been judged.
fn honest_agents_beside_six_hostile_ones_are_judged_as_alone() {
    let lab = Lab::with_workers(HOSTILE.len() + 1);
    let double = task("prompt: double\ntests:\n  - assert double(4) == 8\n");
    let done = AtomicBool::new(false);
    let runs: Vec<Run> = thread::scope(|scope| {
        for name in HOSTILE {
            let source = fs::read(format!("tests/hostile/harms/{name}.py")).unwrap();
            let (lab, double, done) = (&lab, &double, &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let limits = Limits { timeout: LIMIT, ..LIMITS };
                    if let Outcome::Unscored(fault) = lab.run(&source, double, &limits, 1) {
                        panic!("{name} is unscored: {fault}");
                    }
                }
            });
        }
        let honest = HONEST.iter().cycle().take(HONEST.len() * rounds());
        let runs = honest.map(|agent| run(&lab, &double, *agent)).collect();
        done.store(true, Ordering::Relaxed);
        runs
    });
    for run in &runs {
        assert!(
            run.verdict == Verdict::Passed || run.is_starved(),
            "{} got {:?}: {:?}",
            run.kind,
            run.verdict,
            run.said
        );
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

fn is_endless(run: &Run) -> bool {
    ENDLESS.iter().any(|(kind, _)| *kind == run.kind)
}

/// V1 of the field: many short scripts, each of which waits for a CPU at its start and its end, as do the supervisor and
/// the forker on its behalf.
fn fifty_scripts_beside_a_dozen_busy_containers_are_not_timed_out() {
    let lab = Lab::with_workers(2);
    let tests = "  - assert agent.run('2').stdout == '4\\n'\n".repeat(50);
    let task = task(&format!("prompt: double\ntests:\n{tests}"));
    let limits = Limits { timeout: Duration::from_secs(2), ..LIMITS };
    let source = b"import sys\nif __name__ == '__main__':\n    print(2 * int(sys.argv[1]))\n";
    let busy: Vec<String> = (0..12).map(|_| lab.start_busy()).collect();
    let outcomes: Vec<Outcome> = (0..rounds()).map(|_| lab.run(source, &task, &limits, 1)).collect();
    lab.ask(&[&["rm", "--force"][..], &busy.iter().map(String::as_str).collect::<Vec<_>>()].concat());
    for outcome in outcomes {
        let Outcome::Judged(runs) = outcome else { panic!("{outcome:?}") };
        let (score, usage) = (runs[0].score, runs[0].usage);
        println!("score {score} after {} ms, {} ms of CPU", usage.wall_ms, usage.cpu_ms);
        assert_eq!(score, 100.0, "{:?}", messages(&runs[0]));
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}
