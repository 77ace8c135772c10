//! Metrics for Prometheus: figures of the published results, in its text format.
//!
//! They come from the result files, as all answers do: so they are the same whoever evaluates, and survive every restart.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::io;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// Upper bounds of the histogram of runs' durations, in seconds.
const BOUNDS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

/// Figures of `rankings.json`.
#[derive(Debug, Deserialize)]
pub(super) struct Standing {
    generated_at: jiff::Timestamp,
    version: String,
    rankings: Vec<IgnoredAny>,
    rejected: Vec<IgnoredAny>,
    pending: Vec<IgnoredAny>,
}

/// Sums over the lines of `scores.csv`.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Runs {
    by_verdict: BTreeMap<String, u64>,
    /// Runs in each interval of [`BOUNDS`], and above the last one.
    by_duration: [u64; BOUNDS.len() + 1],
    wall_ms: u64,
    cpu_ms: u64,
    /// Questions of agents.
    of_agents: Asked,
    /// Questions of tests.
    of_tests: Asked,
}

/// Questions to models.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    requests: u64,
    tokens_in: u64,
    tokens_out: u64,
    cost: f64,
}

/// An agent on a task as `scores.csv` tells it; what was not judged has no figures.
#[derive(Deserialize)]
struct Line {
    verdict: String,
    wall_ms: Option<u64>,
    cpu_ms: Option<u64>,
    /// Of which the figures are the sums.
    #[serde(default)]
    samples: Option<u64>,
    #[serde(default)]
    requests: Option<u64>,
    #[serde(default)]
    tokens_in: Option<u64>,
    #[serde(default)]
    tokens_out: Option<u64>,
    #[serde(default)]
    cost: Option<f64>,
    #[serde(default)]
    judge_requests: Option<u64>,
    #[serde(default)]
    judge_tokens_in: Option<u64>,
    #[serde(default)]
    judge_tokens_out: Option<u64>,
    #[serde(default)]
    judge_cost: Option<f64>,
}

impl Standing {
    /// Takes in the bytes of `rankings.json`.
    pub(super) fn read(bytes: &[u8]) -> io::Result<Self> {
        Ok(serde_json::from_slice(bytes)?)
    }
}

impl Runs {
    /// Takes in the bytes of `scores.csv`.
    pub(super) fn read(bytes: &[u8]) -> io::Result<Self> {
        let mut runs = Self::default();
        for line in csv::Reader::from_reader(bytes).deserialize() {
            runs.add(line?);
        }
        Ok(runs)
    }

    fn add(&mut self, line: Line) {
        *self.by_verdict.entry(line.verdict).or_default() += 1;
        if let Some(wall_ms) = line.wall_ms {
            let samples = line.samples.unwrap_or(1).max(1);
            let interval = BOUNDS.partition_point(|bound| *bound < seconds(wall_ms / samples));
            self.by_duration[interval] = self.by_duration[interval].saturating_add(samples);
            self.wall_ms = self.wall_ms.saturating_add(wall_ms);
        }
        self.cpu_ms = self.cpu_ms.saturating_add(line.cpu_ms.unwrap_or_default());
        self.of_agents.add(line.requests, [line.tokens_in, line.tokens_out], line.cost);
        self.of_tests.add(
            line.judge_requests,
            [line.judge_tokens_in, line.judge_tokens_out],
            line.judge_cost,
        );
    }
}

impl Asked {
    fn add(&mut self, requests: Option<u64>, [tokens_in, tokens_out]: [Option<u64>; 2], cost: Option<f64>) {
        self.requests = self.requests.saturating_add(requests.unwrap_or_default());
        self.tokens_in = self.tokens_in.saturating_add(tokens_in.unwrap_or_default());
        self.tokens_out = self.tokens_out.saturating_add(tokens_out.unwrap_or_default());
        self.cost += cost.unwrap_or_default();
    }
}

/// The text that Prometheus reads. Before there are results, it tells the version and an empty queue.
pub(super) fn text(standing: Option<&Standing>, runs: &Runs) -> String {
    let mut text = Text::default();
    let version = standing.map_or(env!("CARGO_PKG_VERSION"), |standing| &standing.version);
    text.family("agentmill_info", "gauge", "Version that made the results.");
    text.sample("agentmill_info", &[("version", version)], 1);
    let count = |of: fn(&Standing) -> usize| standing.map_or(0, of);
    text.family("agentmill_agents", "gauge", "Submissions by state.");
    let states = [
        ("ranked", count(|standing| standing.rankings.len())),
        ("waiting", count(|standing| standing.pending.len())),
        ("refused", count(|standing| standing.rejected.len())),
    ];
    states.iter().for_each(|(state, count)| text.sample("agentmill_agents", &[("state", state)], count));
    if let Some(standing) = standing {
        let at = standing.generated_at.as_millisecond() as f64 / 1000.0;
        text.family("agentmill_results_timestamp_seconds", "gauge", "When results were last published.");
        text.sample("agentmill_results_timestamp_seconds", &[], at);
    }
    of_runs(&mut text, runs);
    text.0
}

fn of_runs(text: &mut Text, runs: &Runs) {
    text.family("agentmill_runs", "gauge", "Agents on tasks by verdict, all samples of one together; unscored: by a fault of engine or provider.");
    // Those of faults are there from the beginning: an alert needs a 0 to rise from.
    let mut by_verdict = BTreeMap::from([("unscored", 0), ("task_fault", 0)]);
    by_verdict.extend(runs.by_verdict.iter().map(|(verdict, count)| (verdict.as_str(), *count)));
    for (verdict, count) in by_verdict {
        text.sample("agentmill_runs", &[("verdict", verdict)], count);
    }
    text.family(
        "agentmill_run_seconds",
        "histogram",
        "Time of agents in runs, by the host's clock; of samples their mean.",
    );
    let mut below = 0;
    for (bound, count) in BOUNDS.iter().zip(runs.by_duration) {
        below += count;
        text.sample("agentmill_run_seconds_bucket", &[("le", &bound.to_string())], below);
    }
    let all: u64 = runs.by_duration.iter().sum();
    text.sample("agentmill_run_seconds_bucket", &[("le", "+Inf")], all);
    text.sample("agentmill_run_seconds_sum", &[], seconds(runs.wall_ms));
    text.sample("agentmill_run_seconds_count", &[], all);
    text.family("agentmill_run_cpu_seconds", "gauge", "CPU time of agents in all runs.");
    text.sample("agentmill_run_cpu_seconds", &[], seconds(runs.cpu_ms));
    of_questions(text, "agentmill_model", "agents to models", &runs.of_agents);
    of_questions(text, "agentmill_judge_model", "tests to the judge's model", &runs.of_tests);
}

fn of_questions(text: &mut Text, prefix: &str, askers: &str, asked: &Asked) {
    let name = |what: &str| format!("{prefix}_{what}");
    text.family(&name("requests"), "gauge", &format!("Questions of {askers}, in all runs."));
    text.sample(&name("requests"), &[], asked.requests);
    text.family(&name("tokens"), "gauge", &format!("Tokens of questions of {askers}, and of their answers."));
    text.sample(&name("tokens"), &[("direction", "in")], asked.tokens_in);
    text.sample(&name("tokens"), &[("direction", "out")], asked.tokens_out);
    text.family(
        &name("cost"),
        "gauge",
        &format!("Cost of questions of {askers}, in the currency of llm.prices."),
    );
    text.sample(&name("cost"), &[], asked.cost);
}

fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// Text in Prometheus' exposition format, version 0.0.4.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: &str = "miner,stage,task,score,verdict,passed,tests,wall_ms,cpu_ms,max_rss_kib\n\
        ann,all,t,100,passed,1,1,100,80,9000\nann,all,u,0,timeout,0,1,10001,9000,9000\nbo,all,t,,unscored,,,,,\n";

    #[test]
    fn runs_are_summed_up() {
        let text = text(None, &Runs::read(SCORES.as_bytes()).unwrap());
        for line in [
            "agentmill_agents{state=\"waiting\"} 0",
            "agentmill_runs{verdict=\"passed\"} 1",
            "agentmill_runs{verdict=\"task_fault\"} 0",
            "agentmill_runs{verdict=\"unscored\"} 1",
            "agentmill_run_seconds_bucket{le=\"0.05\"} 0",
            "agentmill_run_seconds_bucket{le=\"0.1\"} 1",
            "agentmill_run_seconds_bucket{le=\"10\"} 1",
            "agentmill_run_seconds_bucket{le=\"+Inf\"} 2",
            "agentmill_run_seconds_sum 10.101",
            "agentmill_run_seconds_count 2",
            "agentmill_run_cpu_seconds 9.08",
            "agentmill_model_cost 0",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
        }
    }

    #[test]
    fn samples_are_runs_of_their_own() {
        let lines = "verdict,wall_ms,cpu_ms,samples\nfailed,600,60,5\npassed,40,4,1\n";
        let text = text(None, &Runs::read(lines.as_bytes()).unwrap());
        for line in [
            "agentmill_run_seconds_bucket{le=\"0.05\"} 1",
            "agentmill_run_seconds_bucket{le=\"0.25\"} 6",
            "agentmill_run_seconds_count 6",
            "agentmill_run_seconds_sum 0.64",
            "agentmill_runs{verdict=\"failed\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
        }
    }

    #[test]
    fn models_are_summed_up_where_they_were_asked() {
        let lines = "verdict,wall_ms,cpu_ms,requests,tokens_in,tokens_out,cost\npassed,1,1,2,30,4,0.5\nunscored,,,,,,\n";
        let text = text(None, &Runs::read(lines.as_bytes()).unwrap());
        assert!(text.contains("agentmill_model_requests 2\n") && text.contains("agentmill_model_cost 0.5\n"));
        assert!(text.contains("agentmill_model_tokens{direction=\"in\"} 30\n"));
    }

    #[test]
    fn what_tests_asked_stands_beside_what_agents_did() {
        let head = "verdict,requests,tokens_in,tokens_out,cost,judge_requests,judge_tokens_in,judge_tokens_out,judge_cost";
        let lines = format!("{head}\npassed,1,2,3,0.5,4,50,6,0.25\nfailed,,,,,1,5,1,0.5\nunscored,,,,,,,,\n");
        let text = text(None, &Runs::read(lines.as_bytes()).unwrap());
        for line in [
            "agentmill_model_cost 0.5",
            "agentmill_judge_model_requests 5",
            "agentmill_judge_model_tokens{direction=\"in\"} 55",
            "agentmill_judge_model_tokens{direction=\"out\"} 7",
            "agentmill_judge_model_cost 0.75",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
        }
    }

    #[test]
    fn labels_are_escaped() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
