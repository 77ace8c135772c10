//! Measures what the way of agents' questions to a model costs: `cargo bench --bench gateway`.
//!
//! Twenty agents ask twenty questions on each of ten tasks, one after the other, of a provider that answers in 50 ms; and
//! processes ask it as often directly, by the same Python. Times are the agents' own, of single questions. Every run that asks
//! has a cell of its own, whose start is in the rate and, where cores are scarce, in the way of others' questions.

#[path = "../tests/gateway/provider.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod provider;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;

use provider::{Provider, Says};

const AGENTS: usize = 20;
const TASKS: usize = 10;
const QUESTIONS: usize = 20;

/// Runs at the same time; a single agent where there is one.
const AT_ONCE: [usize; 3] = [1, 4, 20];

/// Time of each answer.
const ANSWER: Duration = Duration::from_millis(50);

/// Asks, and writes how long each question took, in milliseconds.
const ASK: &str = r#"
import json, os, sys, time, urllib.request


def work(number):
    for question in range(QUESTIONS):
        body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": f"{number} {question}"}]}
        began = time.perf_counter()
        request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["choices"][0]["message"]["content"] == f"{number} {question}"
        print(round(1000 * (time.perf_counter() - began), 2), file=sys.stderr)
    return number
"#;

/// One way of asking, measured.
struct Measured {
    /// Of single questions, sorted, milliseconds.
    times: Vec<f64>,
    wall: Duration,
    /// The largest resident set of the asking process on the host, MiB.
    memory: u64,
}

impl Measured {
    fn at(&self, share: f64) -> f64 {
        self.times[((self.times.len() - 1) as f64 * share) as usize]
    }

    fn line(&self, way: &str) -> String {
        let rate = self.times.len() as f64 / self.wall.as_secs_f64();
        let [early, median, late] = [0.05, 0.5, 0.95].map(|share| self.at(share));
        format!(
            "{way:<10} {:>6} questions  {rate:>6.1} a second  5% {early:>6.1} ms  median {median:>6.1} ms  95% {late:>6.1} ms",
            self.times.len()
        )
    }
}

fn main() -> anyhow::Result<()> {
    let load = || fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism()?;
    println!("{cores} cores, load at the start {}", load().trim());
    for at_once in AT_ONCE {
        let direct = direct(at_once)?;
        let gateway = gateway(at_once)?;
        println!("\n{at_once} at a time:\n{}\n{}", direct.line("directly"), gateway.line("gateway"));
        // Most of what other work on the machine adds is not in the early ones.
        let [early, median] = [0.05, 0.5].map(|share| gateway.at(share) - direct.at(share));
        let memory = gateway.memory;
        println!(
            "overhead {early:.2} ms at 5%, {median:.2} ms at the median; agentmill's memory {memory} MiB"
        );
    }
    println!("\nload at the end {}", load().trim());
    Ok(())
}

/// Agents to measure where so many runs are made at the same time.
fn agents(at_once: usize) -> usize {
    if at_once == 1 { 1 } else { AGENTS }
}

fn provider() -> Provider {
    Provider::new(|asked| Says::Text(asked.text(), ANSWER))
}

fn source() -> String {
    ASK.replace("QUESTIONS", &QUESTIONS.to_string())
}

fn direct(at_once: usize) -> anyhow::Result<Measured> {
    let (provider, folder) = (provider(), tempfile::tempdir()?);
    let runs = TASKS * agents(at_once) / at_once;
    let ask = format!("{}\nfor number in range({runs}):\n    work(number)\n", source());
    fs::write(folder.path().join("ask.py"), ask)?;
    let (began, mut times) = (Instant::now(), Vec::new());
    let start = |_| {
        let mut command = Command::new("python3");
        command
            .arg(folder.path().join("ask.py"))
            .env("OPENAI_BASE_URL", format!("http://{}/v1", provider.address));
        command.stderr(Stdio::piped()).spawn()
    };
    let children = (0..at_once).map(start).collect::<Result<Vec<Child>, _>>()?;
    for child in children {
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        times.extend(numbers(&String::from_utf8(output.stderr)?)?);
    }
    measured(times, began.elapsed(), 0)
}

fn gateway(at_once: usize) -> anyhow::Result<Measured> {
    let (provider, folder) = (provider(), tempfile::tempdir()?);
    let pipeline = format!(
        "parallel: {at_once}\nstages: [{{name: think, model: {{allow: [m], requests: 100, wait: 10m}}, sandbox: {{timeout: 60s}}}}]\n\
         llm: {{base_url: 'http://{}/v1', api_key_env: null}}\n",
        provider.address
    );
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)
    };
    write("pipeline.yaml", &pipeline)?;
    for task in 0..TASKS {
        let text = format!("prompt: Write work(number)\ntests:\n  - assert work({task}) == {task}\n");
        write(&format!("tasks/task{task}.yaml"), &text)?;
    }
    for agent in 0..agents(at_once) {
        write(&format!("inbox/agent{agent}.py"), &format!("{}# {agent}\n", source()))?;
    }
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
    ensure!(status.success(), "agentmill ended with {status}");
    measured(reported(folder.path())?, wall, memory)
}

/// Largest resident set of a process so far, MiB.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib / 1024)
}

/// Times that all runs have told.
fn reported(folder: &Path) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    for file in fs::read_dir(folder.join("results/agents"))? {
        let report: Value = serde_json::from_slice(&fs::read(file?.path())?)?;
        for run in report["runs"].as_array().into_iter().flatten() {
            ensure!(run["verdict"] == "passed", "{run:#}");
            times.extend(numbers(run["stderr"].as_str().unwrap_or_default())?);
        }
    }
    Ok(times)
}

fn numbers(lines: &str) -> anyhow::Result<Vec<f64>> {
    lines.lines().map(|line| line.parse().with_context(|| format!("no number: {line}"))).collect()
}

fn measured(mut times: Vec<f64>, wall: Duration, memory: u64) -> anyhow::Result<Measured> {
    ensure!(times.len().is_multiple_of(TASKS * QUESTIONS) && !times.is_empty(), "{} times", times.len());
    times.sort_by(f64::total_cmp);
    Ok(Measured { times, wall, memory })
}
