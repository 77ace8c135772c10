//! The hostile corpus: what its files say, and how all of them are played.
//!
//! Every file of `tests/hostile/*/` is a case; its header says what it tries and what must come of it:
//!
//! ```text
//! # kind: what is tried
//! # task: of tests/hostile/tasks; `double` unless given
//! # runs: how often it runs in one cell; 1 unless given
//! # wants: the verdict of each test, the same for every run; or `refused`
//! # wants-podman: the same where the engine, or the runtime, has that name, and what is different there
//! # repeat: the source is this text, a hundred thousand times
//! ```

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use agentmill::config::Limits;
use agentmill::model::report::Scored;
use agentmill::task::Task;

use super::{LIMITS, Lab, Outcome, left_children, messages, path, tasks, verdicts};

/// Cases at the same time: most of them wait for a limit.
const THREADS: usize = 4;

/// So often the honest agent runs between the others.
const HONEST_EVERY: usize = 8;

/// Longest time of a run: the limit, the judge's time, a new cell, and patience for a busy machine.
const BOUND: Duration = Duration::from_secs(300);

/// How long a child may take to end that ends by itself.
const LEAVING: Duration = Duration::from_secs(30);

/// Held while a lab's children are looked at: those of another one can't be told from them.
pub static ALONE: Mutex<()> = Mutex::new(());

struct Case {
    name: String,
    kind: String,
    task: String,
    runs: usize,
    wants: String,
    /// The run's limits.
    limits: Limits,
    source: Vec<u8>,
}

struct Row {
    kind: String,
    name: String,
    wanted: String,
    got: String,
    why: Vec<String>,
    took: Duration,
}

impl Case {
    fn read(file: &Path, names: [&str; 2]) -> Self {
        let source = fs::read_to_string(file).expect("readable");
        let field = |name: &str| {
            let start = format!("# {name}: ");
            source.lines().take_while(|line| line.starts_with('#')).find_map(|line| line.strip_prefix(&start))
        };
        let special = names.iter().find_map(|name| field(&format!("wants-{name}")));
        let wants = special.or_else(|| field("wants"));
        let wants = wants.unwrap_or_else(|| panic!("{} wants nothing", file.display()));
        let time = field("time").map(|seconds| Duration::from_secs(seconds.parse().expect("a number")));
        let group = file.parent().and_then(Path::file_name).expect("it is in a folder");
        Self {
            name: Path::new(group).join(file.file_stem().expect("it has a name")).display().to_string(),
            kind: field("kind").unwrap_or_else(|| panic!("{} has no kind", file.display())).into(),
            task: field("task").unwrap_or("double").into(),
            runs: field("runs").map_or(1, |runs| runs.parse().expect("a number")),
            wants: wants.split(';').next().expect("there is a first").into(),
            limits: Limits { timeout: time.unwrap_or(LIMITS.timeout), ..LIMITS },
            source: field("repeat")
                .map_or(source.clone().into_bytes(), |text| text.repeat(100_000).into_bytes()),
        }
    }

    fn wanted(&self) -> String {
        match self.wants.as_str() {
            "refused" => self.wants.clone(),
            wants => vec![wants; self.runs].join(" | "),
        }
    }

    /// The row of the corpus's page: the verdicts that are wanted are those that it gets, or the corpus fails.
    fn row(&self) -> String {
        let words: Vec<&str> = self.wants.split(' ').collect();
        let same = words.len() > 1 && words.iter().all(|word| *word == words[0]);
        let verdicts = if same { format!("{} × {}", words[0], words.len()) } else { self.wants.clone() };
        let runs = if self.runs > 1 { format!(", {} runs", self.runs) } else { String::new() };
        let Self { kind, name, .. } = self;
        format!("| {kind} | `{name}` | {verdicts}{runs} | {verdicts}{runs} |")
    }

    fn play(&self, lab: &Lab, tasks: &HashMap<String, Task>) -> Row {
        let start = Instant::now();
        let runs = vec![&tasks[&self.task]; self.runs];
        let (mut got, mut why) = told(lab.run_announced(&self.source, &runs, &self.limits));
        if self.runs > 1 && got == self.wanted() {
            // Whether runs follow each other at once or one by one must be all the same.
            (got, why) = told(lab.run_all(&self.source, &runs, &self.limits));
        }
        Row {
            kind: self.kind.clone(),
            name: self.name.clone(),
            wanted: self.wanted(),
            got,
            why,
            took: start.elapsed(),
        }
    }
}

fn told(outcome: Outcome) -> (String, Vec<String>) {
    match outcome {
        Outcome::Refused(why) => ("refused".to_owned(), vec![why]),
        Outcome::TaskFault(why) => ("task_fault".to_owned(), vec![why]),
        Outcome::Unscored(why) => ("unscored".to_owned(), vec![why]),
        Outcome::Judged(runs) => {
            let words: Vec<_> = runs.iter().map(|run| verdicts(run).join(" ")).collect();
            (words.join(" | "), runs.iter().flat_map(messages).collect())
        }
    }
}

impl Row {
    fn is_right(&self) -> bool {
        self.wanted == self.got && self.took < BOUND
    }
}

fn corpus(names: [&str; 2]) -> Vec<Case> {
    let mut files: Vec<_> = ["cheats", "harms", "escapes", "handles"]
        .iter()
        .flat_map(|group| fs::read_dir(path("hostile").join(group)).expect("the corpus is there"))
        .map(|entry| entry.expect("readable").path())
        .filter(|file| file.extension().is_some_and(|ending| ending == "py"))
        .collect();
    files.sort();
    files.iter().map(|file| Case::read(file, names)).collect()
}

/// The rows of the corpus's page, with Docker.
pub fn rows() -> Vec<String> {
    corpus(["", "docker"]).iter().map(Case::row).collect()
}

/// The honest agent on every task: what it scores, down to the messages.
fn honest(lab: &Lab, tasks: &HashMap<String, Task>) -> Vec<String> {
    let parts = ["hostile/honest.py", "hostile/honest_with_library.py"];
    let source = parts.map(|part| fs::read(path(part)).expect("readable")).join(&b"\n"[..]);
    let mut tasks: Vec<&Task> = tasks.values().collect();
    tasks.sort_by_key(|task| &task.id);
    let Outcome::Judged(runs) = lab.run_all(&source, &tasks, &LIMITS) else {
        return vec!["the honest agent was not judged".into()];
    };
    let score = |(task, run): (&&Task, &Scored)| format!("{}: {} {:?}", task.id, run.score, run.tests);
    tasks.iter().zip(&runs).map(score).collect()
}

/// Plays all cases, with the honest agent among them; the table, and whatever else the honest agent scored.
fn play_all(
    lab: &Lab,
    cases: &[Case],
    tasks: &HashMap<String, Task>,
    alone: &[String],
) -> (Vec<Row>, Vec<String>) {
    let (next, rows, odd) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Some(case) = cases.get(number) else { break };
                    let row = case.play(lab, tasks);
                    rows.lock().unwrap().push((number, row));
                    if number % HONEST_EVERY == 0 {
                        let among = honest(lab, tasks);
                        odd.lock().unwrap().extend(among.into_iter().filter(|score| !alone.contains(score)));
                    }
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by_key(|(number, _)| *number);
    (rows.into_iter().map(|(_, row)| row).collect(), odd.into_inner().unwrap())
}

/// Plays the cases whose name `wanted` likes, prints the table, and expects every verdict to be right, the honest agent
/// to score the same before, among and after them, and nothing to be left.
pub fn play(lab: impl FnOnce() -> Lab, wanted: impl Fn(&str) -> bool) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let lab = lab();
    let cases: Vec<Case> = corpus(lab.names()).into_iter().filter(|case| wanted(&case.name)).collect();
    let tasks: HashMap<String, Task> =
        tasks("hostile/tasks").into_iter().map(|task| (task.id.clone(), task)).collect();
    let alone = honest(&lab, &tasks);
    assert!(alone.iter().all(|score| score.contains(": 100 ")), "{alone:#?}");

    let start = Instant::now();
    let (rows, odd) = play_all(&lab, &cases, &tasks, &alone);
    let took = start.elapsed();
    let afterwards = honest(&lab, &tasks);
    let mut left = lab.close();
    left.extend(left_children(LEAVING));

    for row in &rows {
        let mark = if row.is_right() { String::new() } else { format!("  <-- WRONG {:#?}", row.why) };
        println!(
            "{:<78} {:<36} wanted {:<40} got {:<40} {:>5.1?}{mark}",
            row.kind, row.name, row.wanted, row.got, row.took
        );
    }
    let wrong = rows.iter().filter(|row| !row.is_right()).count();
    println!("{} of {} cases as wanted, in {took:.0?}", rows.len() - wrong, rows.len());
    assert_eq!(wrong, 0, "see the table above");
    assert_eq!(odd, Vec::<String>::new(), "the honest agent scores something else among hostile ones");
    assert_eq!(afterwards, alone, "the honest agent scores something else after hostile ones");
    assert_eq!(left, Vec::<String>::new(), "something is left");
}
