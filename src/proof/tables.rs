//! Tables beside the ranking: those that follow from it and the reports are made anew, and the history's last lines are held
//! against it. What was refused, and who is on a roster, is the organiser's word.

use std::fs;
use std::io;

use crate::pipeline::publish::{csv, history, ranking};
use crate::pipeline::report_summary::ReportSummary;
use crate::proof::finding::{Checked, Finding};
use crate::proof::unpacked::Unpacked;

/// Adds what is not as the ranking, and the agents that it is of, have it.
///
/// # Errors
/// No table can be made.
pub(super) fn check(bundle: &Unpacked, agents: &[&ReportSummary], checked: &mut Checked) -> io::Result<()> {
    let Unpacked { pipeline, rankings, .. } = bundle;
    let plan = bundle.plan();
    let (pays, grants_models) = (pipeline.rewards.is_some(), plan.stages.grants_models());
    let (rows, people) = (&rankings.rankings, &rankings.roster);
    let (mut of_ranking, mut of_scores) = (Vec::new(), Vec::new());
    ranking::Table { rows, people, pays, grants_models }.write(&mut of_ranking)?;
    let mut sorted = agents.to_vec();
    sorted.sort_by(|a, b| a.miner.cmp(&b.miner));
    csv::scores(&mut of_scores, &sorted, &plan.stages)?;
    for (name, made) in [("rankings.csv", of_ranking), ("scores.csv", of_scores)] {
        let told = fs::read(pipeline.results.join(name)).unwrap_or_default();
        let Some(line) = differing_line(&told, &made) else { continue };
        let theirs = &rankings.version;
        match theirs == env!("CARGO_PKG_VERSION") {
            true => checked.findings.push(Finding::general(format!(
                "results/{name}: line {line} is not as the ranking and the reports have it"
            ))),
            false => checked.notes.push(format!(
                "results/{name} is another one than this agentmill makes of it; agentmill {theirs} made it"
            )),
        }
    }
    checked.findings.extend(of_history(bundle));
    Ok(())
}

/// The first line, from 1 on, that differs.
fn differing_line(told: &[u8], made: &[u8]) -> Option<usize> {
    let lines = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (told_lines, made_lines) = (lines(told), lines(made));
    let same = told_lines.iter().zip(&made_lines).take_while(|(told, made)| told == made).count();
    (told != made).then_some(same + 1)
}

/// Ranked agents of which the history's last line tells something else.
fn of_history(bundle: &Unpacked) -> Vec<Finding> {
    let last = history::last_scores(&bundle.pipeline.results);
    let differs = bundle.rankings.rankings.iter().filter(|row| {
        last.get(&row.miner).is_none_or(|(score, sha256)| *score != row.score || *sha256 != row.sha256)
    });
    let what =
        "results/history.csv: its last line does not tell the submission and the score that are ranked";
    differs.map(|row| Finding::of_agent(&row.miner, what)).collect()
}
