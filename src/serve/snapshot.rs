//! Snapshot: everything that pipeline.yaml and the tasks say of the HTTP API, as of one reading.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::Context;
use jiff::Timestamp;
use serde::Serialize;

use crate::config::{Freeze, Pipeline};
use crate::model::feedback::Feedback;
use crate::model::miner_id::Miner;
use crate::pipeline::freeze;
use crate::pipeline::publish::page;
use crate::serve::answer::Document;
use crate::serve::cached::Cached;
use crate::serve::feed::{self, Point, View};
use crate::serve::metrics::{Runs, Standing};
use crate::status::{Board, RankingIndex, Shown, ShownTask};
use crate::submission::{self, Compiler};
use crate::tokens::Tokens;
use crate::workspace::Workspace;

/// The index before anything was published.
static NOTHING: LazyLock<RankingIndex> = LazyLock::new(RankingIndex::default);

/// Settings, tasks and files that a request is answered by, from its beginning to its end.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) pipeline: Pipeline,
    /// All tasks that a stage runs, as JSON.
    pub(super) tasks: Document,
    /// Each task by its id, as JSON.
    pub(super) by_id: HashMap<String, Document>,
    pub(super) tokens: Cached<Tokens>,
    /// Figures of everybody's results, frozen or not.
    pub(super) standing: Cached<Standing>,
    pub(super) runs: Cached<Runs>,
    /// The page of models that were benchmarked.
    pub(super) models: Cached<Document>,
    live: Published,
    /// Published results as they were before the freeze.
    frozen: Option<(Freeze, Published)>,
    pub(super) digest: String,
    pub(super) compiler: Compiler,
}

/// Results that are shown.
#[derive(Debug)]
pub(super) struct Published {
    /// The board as JSON, and to be looked into.
    pub(super) rankings: Cached<(Document, RankingIndex)>,
    /// The board as JSON for the organiser.
    pub(super) organisers: Cached<Document>,
    /// The page for those who see every miner's own.
    pub(super) page: Cached<Document>,
    /// The page for everybody else, where the board is public.
    pub(super) everybodys_page: Cached<Document>,
    /// Every change of the ranking.
    pub(super) history: Cached<Vec<Point>>,
}

impl Published {
    /// Results of a folder; `frozen` while the board stands still.
    fn of(folder: &Path, feedback: Feedback, frozen: Option<Freeze>) -> Self {
        let marked = move |page| match &frozen {
            Some(freeze) => freeze::marked(page, freeze),
            None => page,
        };
        Self {
            rankings: Cached::new(folder.join("rankings.json"), move |bytes| {
                let board = Board::read(&bytes, feedback)?.standing_still(frozen);
                Ok((Document::json(&board)?, board.into()))
            }),
            organisers: Cached::new(folder.join("rankings.json"), move |bytes| {
                let board = Board::read_for_organiser(&bytes, feedback)?.standing_still(frozen);
                Ok(Document::json(&board)?)
            }),
            page: Cached::new(folder.join("index.html"), move |bytes| Ok(Document::new(marked(bytes)))),
            everybodys_page: Cached::new(folder.join("index.html"), move |bytes| {
                Ok(Document::new(page::for_everybody(marked(bytes))?))
            }),
            history: Cached::new(folder.join("history.csv"), |bytes| feed::read(&bytes)),
        }
    }
}

impl Snapshot {
    /// The results that are shown now. Reads the disk.
    pub(super) fn published(&self) -> &Published {
        self.before_freeze().unwrap_or(&self.live)
    }

    /// The results that are shown while the board stands still; None while it does not.
    fn before_freeze(&self) -> Option<&Published> {
        let results = &self.pipeline.results;
        let frozen = self.frozen.as_ref();
        let frozen = frozen.filter(|(freeze, _)| freeze::is_in_force(results, freeze, Timestamp::now()));
        frozen.map(|(_, published)| published)
    }

    /// Looks something up in the results that are shown now, and in those since where the board stands still or is to. Reads the disk.
    pub(super) fn look_up<T>(&self, look: impl FnOnce(Shown<'_>) -> T) -> io::Result<T> {
        let results = &self.pipeline.results;
        let stands = |(freeze, _): &&(Freeze, _)| freeze::hides_news(results, freeze, Timestamp::now());
        let is_still = self.frozen.as_ref().filter(stands).is_some();
        let since = is_still.then(|| self.live.rankings.get()).transpose()?;
        let shown = self.published().rankings.get()?;
        let index = shown.as_ref().map_or(&*NOTHING, |shown| &shown.1);
        let since = since.as_ref().map(|since| since.as_ref().map_or(&*NOTHING, |since| &since.1));
        Ok(look(Shown { index, since }))
    }

    /// The board as JSON that is shown now, to the organiser or to others; None before there is one. Reads the disk.
    pub(super) fn rankings(&self, for_organiser: bool) -> io::Result<Option<Document>> {
        let published = self.published();
        if for_organiser {
            return Ok(published.organisers.get()?.map(|document| Document::clone(&document)));
        }
        Ok(published.rankings.get()?.map(|published| published.0.clone()))
    }

    /// The time at which the lines of the history that a miner is shown changed last; 1970 if they never did. Reads the disk.
    pub(super) fn last_change(&self, own: &Miner) -> io::Result<Timestamp> {
        let history = self.published().history.get()?.unwrap_or_default();
        let view = self.view(Some(own.clone()));
        Ok(view.shown(&history).last().map_or(Timestamp::UNIX_EPOCH, |last| last.at))
    }

    /// The part of the history that is shown, to one miner or to all.
    pub(super) fn view(&self, own: Option<Miner>) -> View {
        View { own, shows_ranking: self.pipeline.feedback().shows_ranking() }
    }

    /// Makes ready for uploads; the inbox must be there.
    pub(super) fn of(workspace: &Workspace) -> anyhow::Result<Self> {
        let pipeline = workspace.pipeline.clone();
        let inbox = &pipeline.inbox;
        fs::read_dir(inbox).with_context(|| format!("the inbox {} can't be read", inbox.display()))?;
        submission::prepare(&pipeline).context("the folder for uploads can't be used")?;
        let shown = workspace.staged_tasks().map(|task| ShownTask::of(task, &workspace.pipeline));
        let shown: Vec<ShownTask<'_>> = shown.collect();
        let results = &pipeline.results;
        let feedback = pipeline.feedback();
        Ok(Self {
            tasks: json(&shown),
            by_id: shown.iter().map(|task| (task.id.to_owned(), json(task))).collect(),
            tokens: Cached::new(pipeline.serve.tokens.clone(), |bytes| Ok(serde_json::from_slice(&bytes)?)),
            standing: Cached::new(results.join("rankings.json"), |bytes| Standing::read(&bytes)),
            runs: Cached::new(results.join("scores.csv"), |bytes| Runs::read(&bytes)),
            models: Cached::new(results.join(page::MODELS), |bytes| Ok(Document::new(bytes))),
            live: Published::of(results, feedback, None),
            frozen: pipeline.freeze.map(|freeze| {
                let folder = freeze::folder(results, &freeze);
                (freeze, Published::of(&folder, feedback, Some(freeze)))
            }),
            digest: workspace.digest(),
            compiler: Compiler::default(),
            pipeline,
        })
    }
}

fn json(value: &impl Serialize) -> Document {
    Document::json(value).expect("text and numbers only")
}
