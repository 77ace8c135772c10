//! Where a miner stands, read off the result files: all of it for the miner, the score for others.

mod behind_freeze;
mod board;
mod evaluated;
mod shown_task;
mod submitted_source;

use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::Pipeline;
use crate::model::feedback::Feedback;
use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;
use crate::model::report::{Outcome, Run, TestResult, Usage, Verdict, first_sample, is_first_sample};
use crate::model::samples;
use crate::model::stopped_early::StoppedEarly;
use crate::pipeline::freeze;
use crate::pipeline::report_store;
use crate::pipeline::score::hundredths;
use crate::pipeline::season::Room;
use crate::submission::{self, Receipt, Submitter};
use crate::util::atomic_file::blame;
use crate::util::regular;

pub use crate::status::board::{Board, Line, RankingIndex, SameBytes, Shown};
pub use crate::status::evaluated::Evaluated;
pub use crate::status::shown_task::ShownTask;
pub use crate::status::submitted_source::{OneSubmission, SubmissionState, SubmittedSource};

/// The word that a miner is given of a run that could not be judged.
const UNSCORED: &str = "by no fault of yours; it is made again";

/// State of a miner's submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It will be evaluated.
    Waiting,
    /// It is in the ranking.
    Ranked,
    /// It was evaluated and counts, and an earlier one stands in the ranking, as it is at least as good.
    Evaluated,
    /// It is no agent.
    Refused,
    /// Nothing lies in the inbox for the miner any more.
    Withdrawn,
    /// The miner is on the roster and has submitted nothing.
    Absent,
}

/// The answer of `/agents/{miner}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// The miner.
    pub miner: Miner,
    /// State of the submission.
    pub state: State,
    /// Feedback on all stages together.
    pub feedback: Feedback,
    /// The line in the ranking; of an earlier submission while a new one waits, and where an earlier one is the best.
    pub ranking: Option<Line>,
    /// True where the submission was evaluated since the board stands still: `ranking` is of before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub frozen: bool,
    /// For the miner only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Own>,
}

/// Details for the miner only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// The last submission over HTTP or by a command; None if the file was dropped into the inbox.
    pub submission: Option<Receipt>,
    /// The reason why it is no agent, or does not count.
    pub rejection: Option<Rejection>,
    /// Submissions that are left; None where there are no limits and no times.
    #[serde(default)]
    pub limits: Option<Room>,
    /// Of the submission that `runs` is about.
    pub evaluated_sha256: Option<String>,
    /// Outcome of a submission that is not the miner's best; `ranking` is of the best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluated: Option<Evaluated>,
    /// Where it was run no further, as the pass mark was out of reach; None too where no scores are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_early: Option<StoppedEarly>,
    /// In stage order, then by sample, then in task order.
    pub runs: Vec<OwnRun>,
}

/// A run as its miner sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnRun {
    /// The stage it was run in.
    pub stage: String,
    /// The task's id.
    pub task: String,
    /// Its number among the runs on the task, from 1.
    #[serde(default = "first_sample", skip_serializing_if = "is_first_sample")]
    pub sample: u32,
    /// None if it could not be judged, or if it is not shown.
    pub verdict: Option<Verdict>,
    /// 0-100, rounded to hundredths; None if it could not be judged, or if it is not shown.
    pub score: Option<f64>,
    /// Says that it could not be judged, where that is so; the reason is the organiser's.
    pub unscored: Option<String>,
    /// True if the task's author is at fault, so that it counts for nobody.
    #[serde(default)]
    pub task_fault: bool,
    /// Those that are shown, in the task's order.
    pub tests: Vec<OwnTest>,
    /// Time and memory that it used, where they are shown.
    pub usage: Option<Usage>,
    /// Only where every test is public.
    pub stderr: Option<String>,
}

/// A test as the run's miner sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnTest {
    /// Its name in the task.
    pub name: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Its weight in the run's score.
    pub weight: f64,
    /// Miners may see the message.
    pub public: bool,
    /// The reason why it did not pass; only where it is shown.
    pub message: Option<String>,
    /// Of a score, the share of the weight that was earned, 0 to 1.
    pub share: Option<f64>,
}

/// Outcome of the last submission.
struct LastOutcome {
    state: State,
    /// Hex sha256 of what was evaluated and does not stand in the ranking that is shown, and what came of it.
    evaluated: Option<(String, Evaluated)>,
    rejection: Option<Rejection>,
    frozen: bool,
}

impl LastOutcome {
    fn of(
        miner: &Miner,
        index: &RankingIndex,
        pipeline: &Pipeline,
        receipt: Option<&Receipt>,
    ) -> Option<Self> {
        let state = state(miner, index, pipeline, receipt)?;
        let evaluated = index.in_inbox(miner).filter(|_| state == State::Evaluated);
        let evaluated = evaluated.map(|one| (one.sha256.clone(), Evaluated::of(one, pipeline.feedback())));
        // Where something is ranked, that is of what lies in the inbox and does not count.
        let is_told = matches!(state, State::Refused | State::Ranked);
        let rejection = index.rejected.get(miner).filter(|_| is_told).cloned();
        Some(Self { state, evaluated, rejection, frozen: false })
    }
}

/// Looks up where a miner stands; None if nothing is known of the miner. `own` adds what is for the miner only.
#[must_use]
pub fn view(miner: &Miner, shown: Shown<'_>, pipeline: &Pipeline, own: bool) -> Option<View> {
    let Shown { index, since } = shown;
    let receipt = submission::receipt(&pipeline.results, miner);
    // While the board stands still, others are told what it says, and nothing of what the miner has done since.
    let receipt = receipt.filter(|_| own || since.is_none());
    let outcome = LastOutcome::of(miner, index, pipeline, receipt.as_ref())?;
    let since = since.filter(|_| own && outcome.state == State::Waiting);
    let behind = since.and_then(|since| LastOutcome::behind_freeze(miner, since, pipeline, receipt.as_ref()));
    let LastOutcome { state, evaluated, rejection, frozen } = behind.unwrap_or(outcome);
    let report = match &evaluated {
        Some((sha256, _)) => report_store::load_report_of(&pipeline.results, miner, sha256),
        None => report_store::load_report(&pipeline.results, miner),
    };
    let report = report.map(|report| samples::of_now(report, |stage, task| pipeline.samples_of(stage, task)));
    let ranking = if own { index.own_line(miner, pipeline.board) } else { index.lines.get(miner).cloned() };
    let own = own.then(|| Own {
        submission: receipt,
        rejection,
        limits: None,
        evaluated_sha256: report.as_ref().map(|report| report.sha256.clone()),
        evaluated: evaluated.map(|(_, evaluated)| evaluated),
        stopped_early: report
            .as_ref()
            .and_then(|report| report.stopped_early.clone())
            .filter(|stopped| pipeline.feedback_in(&stopped.stage).shows_ranking()),
        runs: report.into_iter().flat_map(|report| report.runs).map(|run| own_run(run, pipeline)).collect(),
    });
    Some(View { miner: miner.clone(), state, feedback: pipeline.feedback(), ranking, frozen, own })
}

/// Where somebody stands of whom nothing lies in the inbox; None for those who are not on the roster.
#[must_use]
pub fn absent(miner: &Miner, pipeline: &Pipeline, submitter: &Submitter) -> Option<View> {
    // A ledger that can't be read tells of nobody.
    let has_withdrawn = || submitter.has_submitted(&pipeline.results, miner).unwrap_or_default();
    let view = || View {
        miner: miner.clone(),
        state: if has_withdrawn() { State::Withdrawn } else { State::Absent },
        feedback: pipeline.feedback(),
        ranking: None,
        frozen: false,
        own: Some(Own::default()),
    };
    pipeline.roster.as_ref().filter(|roster| roster.has(miner)).map(|_| view())
}

/// The answer that `/agents/{miner}` gives to the miner's own token; None if nothing is known of the miner.
///
/// # Errors
/// The results can't be read; the message names the file.
pub fn own_view(miner: &Miner, pipeline: &Pipeline, now: Timestamp) -> io::Result<Option<View>> {
    let Pipeline { results, freeze, .. } = pipeline;
    let frozen = freeze.as_ref().filter(|freeze| freeze::is_in_force(results, freeze, now));
    let index = |folder: &Path| {
        let path = folder.join("rankings.json");
        match regular::read(&path) {
            Ok(bytes) => Ok(Board::read(&bytes, pipeline.feedback())?.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(RankingIndex::default()),
            Err(error) => Err(blame(&path, &error)),
        }
    };
    let live = index(results)?;
    let before = frozen.map(|freeze| index(&freeze::folder(results, freeze))).transpose()?;
    let shown = match &before {
        Some(before) => Shown { index: before, since: Some(&live) },
        None => Shown { index: &live, since: None },
    };
    let submitter = Submitter::default();
    let mut view = view(miner, shown, pipeline, true).or_else(|| absent(miner, pipeline, &submitter));
    if let Some(own) = view.as_mut().and_then(|view| view.own.as_mut()) {
        own.limits = submitter.room(pipeline, miner, now)?;
    }
    Ok(view)
}

fn state(
    miner: &Miner,
    index: &RankingIndex,
    pipeline: &Pipeline,
    receipt: Option<&Receipt>,
) -> Option<State> {
    // Results are of this submission, or of one that was put into the inbox later by other ways.
    let current = |sha256: &str| {
        receipt.is_none_or(|receipt| receipt.sha256 == sha256 || submission::is_replaced(pipeline, receipt))
    };
    // Names and kinds of file are refused without a look at their bytes.
    let published_since =
        || receipt.is_none_or(|receipt| index.generated_at.is_some_and(|at| at >= receipt.received_at));
    let is_current = |refusal: &Rejection| refusal.sha256.as_deref().map_or_else(published_since, current);
    match () {
        () if receipt.is_some_and(|receipt| submission::is_withdrawn(pipeline, receipt)) => {
            Some(State::Withdrawn)
        }
        () if index.pending.contains(miner) => Some(State::Waiting),
        () if index.in_inbox(miner).is_some_and(|one| current(&one.sha256)) => Some(State::Evaluated),
        () if index.lines.get(miner).is_some_and(|line| current(&line.sha256)) => Some(State::Ranked),
        () if index.rejected.get(miner).is_some_and(is_current) => Some(State::Refused),
        () => receipt.map(|_| State::Waiting),
    }
}

fn own_run(run: Run, pipeline: &Pipeline) -> OwnRun {
    let feedback = pipeline.feedback_in(&run.stage);
    let nothing = OwnRun {
        stage: run.stage,
        task: run.task,
        sample: run.sample,
        verdict: None,
        score: None,
        unscored: None,
        task_fault: false,
        tests: Vec::new(),
        usage: None,
        stderr: None,
    };
    match run.outcome {
        // The reason of a fault may tell of hidden tests; a provider's words, of where it is and of what others asked it.
        Outcome::TaskFault { .. } => OwnRun { task_fault: true, ..nothing },
        Outcome::Unscored { .. } => OwnRun { unscored: Some(UNSCORED.to_owned()), ..nothing },
        Outcome::Scored(scored) => {
            let shown = feedback.of_run(scored);
            OwnRun {
                verdict: shown.verdict,
                score: shown.score.map(hundredths),
                tests: shown.tests.into_iter().map(own_test).collect(),
                usage: shown.usage,
                stderr: shown.stderr,
                ..nothing
            }
        }
    }
}

fn own_test(test: TestResult) -> OwnTest {
    let TestResult { name, verdict, weight, public, message, share } = test;
    OwnTest { name, verdict, weight, public, message, share }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Instant;

    use serde_json::json;

    use super::*;
    use crate::config;
    use crate::pipeline::publish::samples::run;
    use crate::submission::Channel;

    const MINER: &str = "ann";

    /// A pipeline whose inbox has one submission, and the index of a `rankings.json` that was published then.
    struct Platform(tempfile::TempDir, Receipt, Pipeline);

    impl Platform {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join("inbox")).unwrap();
            let pipeline = config::parse(&dir.path().join("pipeline.yaml"), b"").unwrap();
            let (receipt, _) = submission::submit(
                &pipeline,
                &MINER.parse().unwrap(),
                b"x = 1",
                (Channel::Submit, Instant::now()),
            )
            .unwrap();
            Self(dir, receipt, pipeline)
        }

        fn refused(&self, sha256: Option<&str>, seconds: i64) -> RankingIndex {
            let at = self.1.received_at + jiff::SignedDuration::from_secs(seconds);
            let refusal =
                json!({"file": "ann.py", "miner": MINER, "line": null, "reason": "no", "sha256": sha256});
            let rankings = json!({
                "generated_at": at, "version": "", "image": "", "pipeline_sha256": "", "token": "",
                "rankings": [], "rejected": [refusal], "pending": [],
            });
            Board::read(rankings.to_string().as_bytes(), Feedback::Tasks).unwrap().into()
        }

        fn view(&self, index: &RankingIndex) -> (State, Option<String>) {
            let miner = MINER.parse().unwrap();
            let view = view(&miner, Shown { index, since: None }, &self.2, true).unwrap();
            (view.state, view.own.unwrap().rejection.map(|rejection| rejection.reason))
        }
    }

    #[test]
    fn a_withdrawn_submission_is_withdrawn() {
        let platform = Platform::new();
        assert_eq!(platform.view(&RankingIndex::default()).0, State::Waiting);
        fs::remove_file(platform.0.path().join("inbox/ann.py")).unwrap();
        assert_eq!(platform.view(&RankingIndex::default()).0, State::Withdrawn);
        fs::create_dir(platform.0.path().join("inbox/ann")).unwrap();
        fs::write(platform.0.path().join("inbox/ann/agent.py"), "x = 2").unwrap();
        assert_eq!(platform.view(&RankingIndex::default()).0, State::Waiting, "something else will count");
    }

    #[test]
    fn a_refused_submission_is_refused_without_a_report() {
        let platform = Platform::new();
        let refused = (State::Refused, Some("no".to_owned()));
        assert_eq!(platform.view(&platform.refused(Some(&platform.1.sha256), -60)), refused);
        assert_eq!(platform.view(&platform.refused(None, 1)), refused, "by its name or kind");
    }

    #[test]
    fn why_a_run_is_unscored_is_not_its_miners_to_know() {
        let platform = Platform::new();
        let secret = "http://10.0.0.7/v1: HTTP 402: unpaid: is the sky green?";
        let run = Run { outcome: Outcome::Unscored { unscored: secret.into() }, ..run("s", "t", 0.0) };
        let told = own_run(run, &platform.2);
        assert_eq!(told.unscored.as_deref(), Some(UNSCORED));
    }

    #[test]
    fn others_see_nothing_of_what_a_miner_does_behind_a_freeze() {
        let platform = Platform::new();
        let (miner, since) = (MINER.parse().unwrap(), RankingIndex::default());
        let others = |index: &RankingIndex, since| {
            view(&miner, Shown { index, since }, &platform.2, false).map(|view| view.state)
        };
        let (nothing, before) = (RankingIndex::default(), platform.refused(Some("of before"), -60));
        assert_eq!([&nothing, &before].map(|index| others(index, None)), [Some(State::Waiting); 2]);
        let still = || [&nothing, &before].map(|index| others(index, Some(&since)));
        assert_eq!(still(), [None, Some(State::Refused)]);
        fs::remove_file(platform.0.path().join("inbox/ann.py")).unwrap();
        assert_eq!(still(), [None, Some(State::Refused)], "nor that it has withdrawn");
        let own = view(&miner, Shown { index: &before, since: Some(&since) }, &platform.2, true);
        assert_eq!(own.map(|view| view.state), Some(State::Withdrawn));
    }

    #[test]
    fn the_refusal_of_an_earlier_submission_says_nothing_of_this_one() {
        let platform = Platform::new();
        for index in [platform.refused(Some("earlier"), 1), platform.refused(None, -1)] {
            assert_eq!(platform.view(&index), (State::Waiting, None));
        }
        fs::write(platform.0.path().join("inbox/ann.py"), "import junk").unwrap();
        assert_eq!(platform.view(&platform.refused(Some("junk's"), 1)).0, State::Refused, "it was replaced");
    }
}
