//! Measures what the way of agents' questions to a model costs: `cargo bench --bench gateway`, or of four plans only some:
//! `cargo bench --bench gateway -- 1 4`. `AGENTMILL_ENGINE` names the engine of cells.
//!
//! Agents ask one question after the other of a provider that answers in 50 ms. The same Python asks it directly: as often on a
//! machine that does nothing else, and beside agentmill's run, where it waits for the same cores as the agents do. What the way
//! costs is the difference between those two that ran side by side, both in containers. Times are the agents' own, of single questions.
//!
//! Every run that asks has a cell of its own, whose start takes a third of a second of CPU and delays others' questions on few
//! cores. So a last measurement is of long runs, and of those questions that were asked once all cells had been started.

#[path = "../tests/gateway/provider.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod provider;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::ensure;

use provider::{Provider, Says};

/// Time of each answer.
const ANSWER: Duration = Duration::from_millis(50);

/// Asks, and at the end tells the provider when each question was asked, in seconds, and how long it took, in milliseconds.
const ASK: &str = r#"
import json, os, sys, time, urllib.request

TIMES = []


def ask(text):
    at, began = time.time(), time.perf_counter()
    text = text if text.endswith("]") else f"{text} {at}"
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": text}]}
    request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", json.dumps(body).encode())
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["choices"][0]["message"]["content"] == text
    TIMES.append((at, 1000 * (time.perf_counter() - began)))


def work(number):
    for question in range(QUESTIONS):
        ask(f"{number} {question}")
    ask("asked" + json.dumps(TIMES))
    return number
"#;

/// Asks until its input ends.
const BESIDE: &str = r#"
import threading

told = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), told.set()), daemon=True).start()
while not told.is_set():
    ask("beside")
ask("beside" + json.dumps(TIMES))
"#;

/// A measurement.
struct Plan {
    /// Runs at the same time.
    at_once: usize,
    agents: usize,
    tasks: usize,
    /// Of each run.
    questions: usize,
    /// Only those that were asked while all runs asked.
    is_steady: bool,
}

const PLANS: [Plan; 4] = [
    Plan { at_once: 1, agents: 1, tasks: 10, questions: 20, is_steady: false },
    Plan { at_once: 4, agents: 20, tasks: 10, questions: 20, is_steady: false },
    Plan { at_once: 20, agents: 20, tasks: 10, questions: 20, is_steady: false },
    Plan { at_once: 20, agents: 20, tasks: 1, questions: 400, is_steady: true },
];

/// A question: when it was asked, in seconds, and how long it took, in milliseconds.
type Asked = (f64, f64);

/// One way of asking, measured: times of single questions, sorted, in milliseconds.
struct Measured(Vec<f64>);

impl Measured {
    fn of(asked: impl IntoIterator<Item = Asked>) -> anyhow::Result<Self> {
        let mut times: Vec<f64> = asked.into_iter().map(|(_, took)| took).collect();
        ensure!(!times.is_empty(), "nothing was asked");
        times.sort_by(f64::total_cmp);
        Ok(Self(times))
    }

    fn at(&self, share: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * share) as usize]
    }

    fn line(&self, way: &str) -> String {
        let [early, median, late] = [0.05, 0.5, 0.95].map(|share| self.at(share));
        format!(
            "{way:<20} {:>5} questions  5% {early:>6.1} ms  median {median:>6.1} ms  95% {late:>6.1} ms",
            self.0.len()
        )
    }
}

fn main() -> anyhow::Result<()> {
    let load = || fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism()?;
    println!("{cores} cores, load at the start {}", load().trim());
    let wanted: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    for (place, plan) in PLANS.iter().enumerate() {
        if wanted.is_empty() || wanted.contains(&(place + 1)) {
            measure(plan)?;
        }
    }
    println!("\nload at the end {}", load().trim());
    Ok(())
}

fn measure(plan: &Plan) -> anyhow::Result<()> {
    let alone = alone(plan)?;
    let Ran { through, beside, there, wall, memory } = gateway(plan)?;
    let told = if plan.is_steady { ", while no cell starts" } else { "" };
    println!("\n{} at a time, {} questions a run{told}:", plan.at_once, plan.questions);
    println!(
        "{}\n{}\n{}",
        alone.line("directly, alone"),
        beside.line("directly, beside"),
        through.line("gateway")
    );
    let [early, median] = [0.05, 0.5].map(|share| through.at(share) - beside.at(share));
    let rate = (plan.agents * plan.tasks * plan.questions) as f64 / wall.as_secs_f64();
    println!(
        "the way there at the median: {:.2} ms directly, {:.2} ms through the gateway",
        there[0], there[1]
    );
    println!(
        "overhead {early:.2} ms at 5%, {median:.2} ms at the median; {rate:.1} questions a second in all; agentmill's memory {memory} MiB"
    );
    Ok(())
}

/// Milliseconds that questions took to get to the provider.
type Arrivals = Arc<Mutex<Vec<(Way, f64)>>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Beside,
    Other,
}

fn provider() -> (Provider, Arrivals) {
    let arrivals = Arrivals::default();
    let noted = Arc::clone(&arrivals);
    let provider = Provider::new(move |asked| {
        let text = asked.text();
        if let Some(at) = text.rsplit(' ').next().and_then(|word| word.parse::<f64>().ok()) {
            let way = if text.starts_with("beside") { Way::Beside } else { Way::Other };
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            noted.lock().unwrap().push((way, (now - at) * 1000.0));
        }
        Says::Text(text, ANSWER)
    });
    (provider, arrivals)
}

/// The median of the way there.
fn there(arrivals: &Arrivals, wanted: Way) -> f64 {
    let arrivals = arrivals.lock().unwrap();
    let mut times: Vec<f64> =
        arrivals.iter().filter(|(way, _)| *way == wanted).map(|(_, took)| *took).collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The program that agents are, and another end for it.
fn source(plan: &Plan, end: &str) -> String {
    format!("{}\n\n{end}", ASK.replace("QUESTIONS", &plan.questions.to_string()))
}

/// As many processes as there are runs at a time, on a machine that does nothing else.
fn alone(plan: &Plan) -> anyhow::Result<Measured> {
    let (provider, _) = provider();
    let runs = (plan.tasks * plan.agents / plan.at_once).max(1);
    let end = format!("for number in range({runs}):\n    work(number)\n    TIMES.clear()\n");
    let children = (0..plan.at_once).map(|_| asker(&provider, &source(plan, &end)));
    for child in children.collect::<Result<Vec<Child>, _>>()? {
        ended(child)?;
    }
    Measured::of(told(&provider, "asked")?.into_iter().flatten())
}

/// A process that asks the provider directly, in a container as agents are: an engine's containers share what cores they get.
fn asker(provider: &Provider, source: &str) -> anyhow::Result<Child> {
    let address = format!("OPENAI_BASE_URL=http://{}/v1", provider.address);
    let mut command = Command::new("docker");
    command.args(["run", "--rm", "--interactive", "--network=host", "--cpus=1", "--env", &address]);
    command.args(["python:3.11-slim", "python", "-c", source]);
    Ok(command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
}

fn ended(child: Child) -> anyhow::Result<()> {
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// The questions of each run, as it has told them.
fn told(provider: &Provider, by: &str) -> anyhow::Result<Vec<Vec<Asked>>> {
    let texts = provider.asked().into_iter().map(|asked| asked.text());
    texts
        .filter_map(|text| text.strip_prefix(by).filter(|rest| rest.starts_with('[')).map(str::to_owned))
        .map(|told| Ok(serde_json::from_str(&told)?))
        .collect()
}

/// A run of agentmill's, and who asked beside it.
struct Ran {
    through: Measured,
    beside: Measured,
    /// Milliseconds of the way there, of both, as the provider sees it: medians.
    there: [f64; 2],
    wall: Duration,
    /// The largest resident set of the asking process on the host, MiB.
    memory: u64,
}

fn gateway(plan: &Plan) -> anyhow::Result<Ran> {
    let ((provider, arrivals), folder) = (provider(), tempfile::tempdir()?);
    prepare(plan, folder.path(), &provider)?;
    let mut direct = asker(&provider, &source(plan, BESIDE))?;
    let input: Option<ChildStdin> = direct.stdin.take();
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_agentmill"));
    let mut child = child.arg("-C").arg(folder.path()).args(["run", "--quiet"]).spawn()?;
    let mut memory = 0;
    let status = loop {
        memory = memory.max(peak(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let wall = began.elapsed();
    drop(input);
    ended(direct)?;
    ensure!(status.success(), "agentmill ended with {status}");
    let [runs, beside] = [told(&provider, "asked")?, told(&provider, "beside")?];
    ensure!(runs.len() == plan.agents * plan.tasks, "{} runs", runs.len());
    let [from, to] = if plan.is_steady { steady(&runs) } else { [0.0, f64::INFINITY] };
    let within = |(at, _): &Asked| (from..to).contains(at);
    let through = Measured::of(runs.into_iter().flatten().filter(within))?;
    let there = [Way::Beside, Way::Other].map(|way| there(&arrivals, way));
    Ok(Ran {
        there,
        through,
        beside: Measured::of(beside.into_iter().flatten().filter(within))?,
        wall,
        memory,
    })
}

/// When the last run had begun to ask, and the first one stopped.
fn steady(runs: &[Vec<Asked>]) -> [f64; 2] {
    let times = |run: &Vec<Asked>| [run[0].0, run[run.len() - 1].0];
    runs.iter()
        .map(times)
        .fold([0.0, f64::INFINITY], |[from, to], [first, last]| [from.max(first), to.min(last)])
}

fn prepare(plan: &Plan, folder: &Path, provider: &Provider) -> anyhow::Result<()> {
    let engine = std::env::var("AGENTMILL_ENGINE").unwrap_or_else(|_| "auto".to_owned());
    let pipeline = format!(
        "parallel: {}\nsandbox: {{engine: {engine}}}\nstages: [{{name: think, model: {{allow: [m], requests: 1000, wait: 10m}}, sandbox: {{timeout: 60s}}}}]\n\
         llm: {{base_url: 'http://{}/v1', api_key_env: null}}\n",
        plan.at_once, provider.address
    );
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::File::create(path)?.write_all(text.as_bytes())
    };
    write("pipeline.yaml", &pipeline)?;
    for task in 0..plan.tasks {
        let text = format!("prompt: Write work(number)\ntests:\n  - assert work({task}) == {task}\n");
        write(&format!("tasks/task{task}.yaml"), &text)?;
    }
    for agent in 0..plan.agents {
        write(&format!("inbox/agent{agent}.py"), &source(plan, &format!("# {agent}\n")))?;
    }
    Ok(())
}

/// Largest resident set of a process so far, MiB.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib / 1024)
}
