//! The fields of `pipeline.yaml`, section by section, in the order of the shipped file.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use globset::{GlobSet, GlobSetBuilder};

use crate::config::grant::Grant;
use crate::config::roster::Roster;
use crate::config::sampling::Sampling;
use crate::config::settings::{
    Allow, Base, Board, CellPer, Changes, EngineKind, Freeze, Judge, Limits, OnChange, OnSimilar, Pipeline,
    Sandbox, Similarity, Stage, Validate,
};
use crate::config::{check, elsewhere, read_grant, read_rewards, read_sampling, read_season, services};
use crate::model::feedback::Feedback;
use crate::model::miner_id::Miner;
use crate::model::python::{DEFAULT_IMAGE, PackedImage};
use crate::util::digest;
use crate::yaml::{self, Kind, Log, Place, Reader};

/// Checked only in so far as the log stays empty.
pub(super) fn pipeline(log: &Log, file: &Path, bytes: &[u8]) -> Option<Pipeline> {
    let root = yaml::parse(log, bytes)?;
    let mut fields = Place::root(log, &root).fields()?;
    let title = fields.optional("title", check::title);
    let [inbox, tasks, results] = folders(&mut fields, file);
    let roster = roster(&mut fields, file);
    let changes = fields.field("changes", Changes::Take);
    let (board, freeze) = board(&mut fields);
    let season = read_season::season(fields.section("season"), file);
    let validate = validate(fields.section("validate"));
    let similarity = similarity(fields.section("similarity"), file);
    let sandbox = sandbox(fields.section("sandbox"));
    let packages = validate.allow.is_any();
    let (judge, judge_image, judge_model) = judge(fields.section("judge"));
    let judge_image = judge_image.unwrap_or_else(|| plain(&sandbox.image));
    let sandbox = Sandbox { judge, judge_image, packages, ..sandbox };
    let parallel = fields.checked("parallel", check::cores(), check::parallel);
    let stages = stages(&mut fields, &sandbox.limits);
    let public_apart = stages.iter().any(|stage| stage.feedback < Feedback::Tasks);
    let sandbox = Sandbox { public_apart, ..sandbox };
    let rewards = read_rewards::rewards(&mut fields, &stages);
    let on_change = on_change(&mut fields, file);
    let llm = services::llm(fields.section("llm"));
    services::check_prices(&fields, &stages, judge_model.as_ref(), &llm);
    let serve = services::serve(fields.section("serve"), file);
    fields.finish_with(elsewhere::advice);
    let sha256 = digest::sha256(bytes);
    Some(Pipeline {
        title,
        inbox,
        tasks,
        records: results.clone(),
        results,
        changes,
        roster,
        board,
        freeze,
        season,
        validate,
        similarity,
        sandbox,
        judge_model,
        parallel,
        stages,
        rewards,
        on_change,
        llm,
        serve,
        sha256,
    })
}

/// None for an empty list.
fn on_change(fields: &mut Reader<'_>, file: &Path) -> Option<OnChange> {
    let command = check::command(fields.get("on_change")).filter(|words| !words.is_empty())?;
    Some(OnChange { command, folder: beside(file, "") })
}

/// A word, or a section with it and the time in which the board stands still.
fn board(fields: &mut Reader<'_>) -> (Board, Option<Freeze>) {
    let is_section = |place: &Place<'_>| matches!(place.node.kind, Kind::Mapping(_));
    if !fields.get("board").is_some_and(|place| is_section(&place)) {
        return (fields.field("board", Board::Private), None);
    }
    let mut fields = fields.section("board");
    let board = fields.field("sight", Board::Private);
    let from = fields.optional("freeze_from", read_season::moment).map(|from| from.at);
    let until = fields.optional("reveal_at", read_season::moment).map(|until| until.at);
    match (from, until) {
        (None, Some(_)) => fields.complain("reveal_at", "takes freeze_from: without it nothing is hidden"),
        (Some(from), Some(until)) if until <= from => {
            fields.complain("reveal_at", "must be after freeze_from")
        }
        _ => {}
    }
    fields.finish();
    (board, from.map(|from| Freeze { from, until }))
}

/// The file of a course's people, which is not read here.
fn roster(fields: &mut Reader<'_>, file: &Path) -> Option<Roster> {
    let name = fields.optional("roster", check::path)?;
    Some(Roster { file: beside(file, &name), students: Vec::new() })
}

/// A file that pipeline.yaml names.
fn beside(file: &Path, name: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(name)
}

/// `inbox`, `tasks` and `results`; none may lie in another, by whatever name.
fn folders(fields: &mut Reader<'_>, file: &Path) -> [PathBuf; 3] {
    const NAMES: [&str; 3] = ["inbox", "tasks", "results"];
    let base = file.parent().unwrap_or(Path::new(""));
    let folders = NAMES.map(|name| base.join(fields.checked(name, name.to_owned(), check::path)));
    let plain = folders.each_ref().map(|folder| real(folder));
    for (index, name) in NAMES.iter().enumerate() {
        for (other, outer) in NAMES.iter().enumerate() {
            let inside = plain[index].starts_with(&plain[other]);
            if index != other && inside && (index > other || plain[index] != plain[other]) {
                fields.complain(name, format!("must not lie in the {outer:?} folder"));
            }
        }
    }
    folders
}

/// The whole path without links, as far as it is there.
fn real(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let known = |above: &Path| Some(fs::canonicalize(above).ok()?.join(whole.strip_prefix(above).ok()?));
    normal(&whole.ancestors().find_map(known).unwrap_or_else(|| whole.clone()))
}

/// `path` without `.` and `..`, as far as that is possible without looking at the disk.
fn normal(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut path, component| {
        let above = matches!(path.components().next_back(), Some(Component::Normal(_)));
        match component {
            Component::CurDir => {}
            Component::ParentDir if above => {
                path.pop();
            }
            other => path.push(other),
        }
        path
    })
}

fn validate(mut fields: Reader<'_>) -> Validate {
    let max_bytes = fields.checked("max_bytes", 256 << 10, check::max_bytes);
    let files = fields.checked("files", 1, check::submitted_files);
    let forbid = yaml::list(fields.get("forbid"), check::regex).unwrap_or_default();
    let allow = fields.get("allow").and_then(|place| allow(&place)).unwrap_or(Allow::Modules(Vec::new()));
    fields.finish();
    Validate { max_bytes, files, forbid, allow }
}

fn allow(place: &Place<'_>) -> Option<Allow> {
    match place.node.kind {
        Kind::Sequence(_) => yaml::list(Some(place.clone()), check::module).map(Allow::Modules),
        _ => place.value(check::allow),
    }
}

fn similarity(mut fields: Reader<'_>, file: &Path) -> Similarity {
    let threshold = fields.checked("threshold", 0.8, check::threshold);
    let action = fields.field("action", OnSimilar::Flag);
    let base = yaml::list(fields.get("base"), check::path).unwrap_or_default();
    let base = base.into_iter().map(|name| Base { file: beside(file, &name), source: Vec::new() });
    let originals = fields.get("originals").and_then(|place| originals(&place)).unwrap_or_default();
    fields.finish();
    Similarity { threshold, action, base: base.collect(), originals }
}

fn originals(place: &Place<'_>) -> Option<BTreeMap<String, Miner>> {
    let mut originals = BTreeMap::new();
    for (sha256, place) in place.entries()? {
        if sha256.len() != 64 || !sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            place.complain("its name is no sha256: 64 digits of 0-9 and a-f, as in rankings.csv");
        }
        originals.extend(
            place.value(<Miner as TryFrom<String>>::try_from).map(|miner| (sha256.to_owned(), miner)),
        );
    }
    Some(originals)
}

fn sandbox(mut fields: Reader<'_>) -> Sandbox {
    let engine = fields.field("engine", EngineKind::Auto);
    let image = fields.checked("image", DEFAULT_IMAGE.name.to_owned(), check::word);
    let value = fields.checked("value", DEFAULT_LIMITS.value, check::value);
    let limits = limits(&mut fields, &Limits { value, ..DEFAULT_LIMITS });
    let files = fields.checked("files", 64 << 20, check::files);
    fields.checked("network", (), check::network);
    let runtime = fields.optional("runtime", check::word);
    let cell_per = fields.field("cell_per", CellPer::Agent);
    let launch = check::command(fields.get("launch")).unwrap_or_default();
    let launch_timeout = fields.checked("launch_timeout", Duration::from_secs(600), check::timeout);
    let wait_for_engine = fields.checked("wait_for_engine", Duration::from_secs(120), check::wait);
    for (name, why) in engine.refuses(runtime.is_some(), !launch.is_empty()) {
        fields.complain(name, why);
    }
    fields.finish();
    Sandbox {
        engine,
        judge_image: image.clone(),
        image,
        runtime,
        packages: false,
        cell_per,
        public_apart: false,
        launch,
        launch_timeout,
        wait_for_engine,
        files,
        limits,
        judge: DEFAULT_JUDGE,
    }
}

/// The image of judges beside cells of this image: the one that it was built on if `image build` did.
fn plain(image: &str) -> String {
    PackedImage::parse(image).map_or_else(|| image.to_owned(), |packed| packed.base)
}

const DEFAULT_JUDGE: Judge = Judge { time: Duration::from_secs(10), memory: 512 << 20 };

/// Its bounds, its image, and the model that tests ask.
fn judge(mut fields: Reader<'_>) -> (Judge, Option<String>, Option<Grant>) {
    let image = fields.optional("image", check::word);
    let time = fields.checked("time", DEFAULT_JUDGE.time, check::judge_time);
    let memory = fields.checked("memory", DEFAULT_JUDGE.memory, check::judge_memory);
    let model = read_grant::of_judge(&mut fields);
    fields.finish();
    (Judge { time, memory }, image, model)
}

const DEFAULT_LIMITS: Limits = Limits {
    timeout: Duration::from_secs(10),
    memory: 256 << 20,
    cpus: 1.0,
    pids: 64,
    output: 64 << 10,
    tmp: 16 << 20,
    entries: 0,
    value: 1 << 20,
};

/// The limits given, over `base`.
fn limits(fields: &mut Reader<'_>, base: &Limits) -> Limits {
    let limits = Limits {
        timeout: fields.checked("timeout", base.timeout, check::timeout),
        memory: fields.checked("memory", base.memory, check::memory),
        cpus: fields.checked("cpus", base.cpus, check::cpus),
        pids: fields.checked("pids", base.pids, check::pids),
        output: fields.checked("output", base.output, check::output),
        tmp: fields.checked("tmp", base.tmp, check::tmp),
        entries: base.entries,
        value: base.value,
    };
    let culprit = ["tmp", "memory"].into_iter().find(|name| fields.has(name));
    if let (true, Some(name)) = (limits.tmp > limits.memory, culprit) {
        fields.complain(name, "tmp must not be larger than memory, which it counts as");
    }
    limits
}

fn stages(fields: &mut Reader<'_>, limits: &Limits) -> Vec<Stage> {
    let Some(place) = fields.get("stages") else {
        return vec![default_stage(limits)];
    };
    let items = place.items();
    if items.as_ref().is_some_and(Vec::is_empty) {
        place.complain("expected at least one stage");
    }
    let mut names = HashSet::new();
    items.into_iter().flatten().filter_map(|item| stage(&item, limits, &mut names)).collect()
}

fn default_stage(limits: &Limits) -> Stage {
    Stage {
        name: "all".to_owned(),
        tasks: every_task(),
        sampling: Sampling::ONE,
        pass_mark: 0.0,
        stop_early: false,
        feedback: Feedback::Tasks,
        limits: *limits,
        model: None,
    }
}

fn every_task() -> GlobSet {
    check::glob("**".to_owned()).ok().and_then(|glob| GlobSet::new([glob]).ok()).unwrap_or_default()
}

fn stage(place: &Place<'_>, limits: &Limits, names: &mut HashSet<String>) -> Option<Stage> {
    let mut fields = place.fields()?;
    let name = fields.required_such_as("name", "name: all").and_then(|name| name.value(check::stage_name));
    if let Some(name) = &name
        && !names.insert(name.clone())
    {
        fields.complain("name", format!("another stage is called {name:?}"));
    }
    let tasks = fields.get("tasks").map_or_else(|| Some(every_task()), |place| globs(&place));
    let sampling = read_sampling::sampling(&mut fields);
    let pass_mark = fields.checked("pass_mark", 0.0, check::pass_mark);
    let stop_early = fields.field("stop_early", false);
    let feedback = fields.field("feedback", Feedback::Tasks);
    let mut overrides = fields.section("sandbox");
    let limits = self::limits(&mut overrides, limits);
    overrides.finish();
    let model = read_grant::grant(&mut fields);
    fields.finish_with(|name| read_sampling::advice(name).or_else(|| elsewhere::advice(name)));
    Some(Stage { name: name?, tasks: tasks?, sampling, pass_mark, stop_early, feedback, limits, model })
}

fn globs(place: &Place<'_>) -> Option<GlobSet> {
    let globs = yaml::list(Some(place.clone()), check::glob)?;
    if place.items().is_some_and(|items| items.is_empty()) {
        place.complain("expected at least one pattern such as \"strings/*\"");
    }
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(glob);
    }
    set.build().map_err(|error| place.complain(error.to_string())).ok()
}
