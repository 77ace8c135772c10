//! The ranking as it is told on the terminal: whole at first, then what changed.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use crate::config::Pipeline;
use crate::model::miner_id::Miner;
use crate::pipeline::score::{Evaluated, unpaid};
use crate::pipeline::{Summary, freeze, renamed, score};
use crate::util::first_few::first_few;

/// Most tasks by an author's fault that are named, each on a line.
const FAULTY: usize = 20;

/// Memory of what was told.
#[derive(Debug, Default)]
pub struct Announcer {
    /// A miner's score and submission; a line of the others as it stands.
    told: HashSet<String>,
    miners: BTreeSet<Miner>,
}

/// A line, and what makes it news: a rank that only others changed does not.
struct Line {
    news: String,
    text: String,
}

impl Announcer {
    /// The lines that were not told yet; None if there is nothing new.
    pub fn news(&mut self, summary: &Summary, pipeline: &Pipeline) -> Option<String> {
        let mut lines = lines(summary, pipeline);
        let miners: BTreeSet<Miner> = summary.submitters().collect();
        if summary.pending == 0 {
            self.miners.extend(summary.withdrawn.iter().cloned());
            let gone = self.miners.difference(&miners);
            let gone = gone.map(|miner| Line::plain(format!("withdrawn: {miner}"))).collect::<Vec<_>>();
            lines.splice(0..0, gone);
        }
        let told = std::mem::take(&mut self.told);
        let new: Vec<&str> =
            lines.iter().filter(|line| !told.contains(&line.news)).map(|line| line.text.as_str()).collect();
        let text = (!new.is_empty()).then(|| new.join("\n"));
        self.told = lines.into_iter().map(|line| line.news).collect();
        self.miners = miners;
        text
    }
}

impl Line {
    fn plain(text: String) -> Self {
        Self { news: text.clone(), text }
    }
}

/// The ranking, what was refused, and where to read on.
fn lines(summary: &Summary, pipeline: &Pipeline) -> Vec<Line> {
    let token = pipeline.rewards.as_ref().map_or("", |rewards| &rewards.token);
    let ranking = summary.rows.iter().map(|row| Line {
        news: format!(
            "{} {:?} {} {:?} {:?}",
            row.miner, row.score, row.sha256, row.duplicate_of, row.same_as
        ),
        text: score::line(row, token),
    });
    let beaten = summary.evaluated.iter().filter(|agent| agent.in_inbox).map(beaten);
    let refused = summary.rejected.iter().map(|rejection| {
        let line = rejection.line.map_or_else(String::new, |line| format!(" line {line}"));
        Line::plain(format!("refused: {}{line}: {}", rejection.file, rejection.told()))
    });
    let left_out = match summary.left_out {
        0 => String::new(),
        left => format!(", {left} of them left out and ranked by what there is of them"),
    };
    let pending =
        (summary.pending > 0).then(|| Line::plain(format!("not evaluated: {}{left_out}", summary.pending)));
    let more = summary.task_faults.len().saturating_sub(FAULTY);
    let more_faulty = (more > 0).then(|| Line::plain(format!("task_fault: and {more} more")));
    let faulty = summary.task_faults.iter().take(FAULTY).map(|task| {
        Line::plain(format!(
            "task_fault: task {task} counts for nobody; `agentmill check` says what is wrong with it"
        ))
    });
    let restless = "left to the next run: a file in the inbox that is still being written".to_owned();
    let restless = summary.unsettled.then(|| Line::plain(restless));
    let not_taken = first_few(&summary.not_taken);
    let not_taken = (!not_taken.is_empty())
        .then(|| format!("not taken: {not_taken}; validate.files: 1 takes agent.py alone"));
    // What is still to be evaluated may earn it.
    let rewards = pipeline.rewards.as_ref().filter(|_| summary.pending == 0);
    let unpaid = rewards.and_then(|rewards| unpaid::line(&summary.rows, rewards));
    let place = Line::plain(format!("results: {}", pipeline.results.display()));
    let strangers = pipeline.roster.iter().flat_map(|roster| {
        let strangers = roster.strangers(summary.submitters());
        strangers.map(|miner| Line::plain(roster.tell_stranger(&miner)))
    });
    let submitters: HashSet<Miner> = summary.submitters().collect();
    let renamed = renamed::remedies(&summary.rows, &submitters, pipeline).into_iter().map(Line::plain);
    ranking
        .chain(beaten)
        .chain(refused)
        .chain(strangers)
        .chain(renamed)
        .chain(faulty)
        .chain(more_faulty)
        .chain(pending)
        .chain(unpaid.map(Line::plain))
        .chain(restless)
        .chain(not_taken.map(Line::plain))
        .chain([place])
        .chain(frozen(pipeline).map(Line::plain))
        .collect()
}

/// The line of what lies in the inbox and does not stand.
fn beaten(agent: &Evaluated) -> Line {
    let score = agent.score.map_or_else(|| "unscored".to_owned(), |score| score.to_string());
    Line {
        news: format!("{} {} {score} {:?}", agent.miner, agent.sha256, agent.penalty),
        text: format!(
            "{0}: {score}, and another submission of {0}'s, which is at least as good, stands",
            agent.miner
        ),
    }
}

/// The reminder that others see no change for now.
fn frozen(pipeline: &Pipeline) -> Option<String> {
    let freeze = pipeline.freeze.as_ref()?;
    let until = freeze.until.map_or_else(String::new, |until| format!(" until {until}"));
    let is_frozen = freeze::is_in_force(&pipeline.results, freeze, Timestamp::now());
    is_frozen.then(|| format!("the board is frozen{until}: over HTTP it is that of before"))
}
