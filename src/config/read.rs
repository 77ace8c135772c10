//! The fields of `pipeline.yaml`, section by section, in the order of the shipped file.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use globset::{GlobSet, GlobSetBuilder};
use sha2::{Digest, Sha256};

use super::{CellPer, Engine, Limits, Pipeline, Rewards, Sandbox, Split, Stage, Validate, check, doors};
use crate::yaml::{self, Kind, Log, Place, Reader};

/// Checked only in so far as the log stays empty.
pub(super) fn pipeline(log: &Log, file: &Path, bytes: &[u8]) -> Option<Pipeline> {
    let root = yaml::parse(log, bytes)?;
    let mut fields = Place::root(log, &root).fields()?;
    let [inbox, tasks, results] = folders(&mut fields, file);
    let validate = validate(fields.section("validate"));
    let sandbox = sandbox(fields.section("sandbox"));
    let parallel = fields.checked("parallel", check::cores(), check::parallel);
    let stages = stages(&mut fields, &sandbox.limits);
    let rewards = rewards(fields.section("rewards"));
    let llm = doors::llm(fields.section("llm"));
    let serve = doors::serve(fields.section("serve"), file);
    fields.finish();
    let sha256 = hex(&Sha256::digest(bytes));
    Some(Pipeline { inbox, tasks, results, validate, sandbox, parallel, stages, rewards, llm, serve, sha256 })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `inbox`, `tasks` and `results`; none may lie in another.
fn folders(fields: &mut Reader<'_>, file: &Path) -> [PathBuf; 3] {
    const NAMES: [&str; 3] = ["inbox", "tasks", "results"];
    let base = file.parent().unwrap_or(Path::new(""));
    let folders = NAMES.map(|name| base.join(fields.checked(name, name.to_owned(), check::path)));
    let plain = folders.each_ref().map(|folder| normal(folder));
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
    let forbid = list(fields.get("forbid"), check::regex).unwrap_or_default();
    fields.finish();
    Validate { max_bytes, forbid }
}

fn sandbox(mut fields: Reader<'_>) -> Sandbox {
    let engine = fields.field("engine", Engine::Docker);
    let image = fields.checked("image", "python:3.11-slim".to_owned(), check::word);
    let limits = limits(&mut fields, &DEFAULT_LIMITS);
    fields.checked("network", (), check::network);
    let runtime = fields.optional("runtime", check::word);
    let cell_per = fields.field("cell_per", CellPer::Agent);
    let launch = list(fields.get("launch"), check::argument).unwrap_or_default();
    let launch_timeout = fields.checked("launch_timeout", Duration::from_secs(600), check::timeout);
    let wait_for_engine = fields.checked("wait_for_engine", Duration::from_secs(120), check::wait);
    fields.finish();
    Sandbox { engine, image, runtime, cell_per, launch, launch_timeout, wait_for_engine, limits }
}

const DEFAULT_LIMITS: Limits = Limits {
    timeout: Duration::from_secs(10),
    memory: 256 << 20,
    cpus: 1.0,
    pids: 64,
    output: 64 << 10,
    tmp: 16 << 20,
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
    Stage { name: "all".to_owned(), tasks: every_task(), pass_mark: 0.0, limits: *limits }
}

fn every_task() -> GlobSet {
    check::glob("**".to_owned()).ok().and_then(|glob| GlobSet::new([glob]).ok()).unwrap_or_default()
}

fn stage(place: &Place<'_>, limits: &Limits, names: &mut HashSet<String>) -> Option<Stage> {
    let mut fields = place.fields()?;
    let name = fields.required("name").and_then(|name| name.value(check::stage_name));
    if let Some(name) = &name
        && !names.insert(name.clone())
    {
        fields.complain("name", format!("another stage is called {name:?}"));
    }
    let tasks = fields.get("tasks").map_or_else(|| Some(every_task()), |place| globs(&place));
    let pass_mark = fields.checked("pass_mark", 0.0, check::pass_mark);
    let mut overrides = fields.section("sandbox");
    let limits = self::limits(&mut overrides, limits);
    overrides.finish();
    fields.finish();
    Some(Stage { name: name?, tasks: tasks?, pass_mark, limits })
}

fn globs(place: &Place<'_>) -> Option<GlobSet> {
    let globs = list(Some(place.clone()), check::glob)?;
    if place.items().is_some_and(|items| items.is_empty()) {
        place.complain("expected at least one pattern such as \"strings/*\"");
    }
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(glob);
    }
    set.build().map_err(|error| place.complain(error.to_string())).ok()
}

fn rewards(mut fields: Reader<'_>) -> Rewards {
    let pool = fields.checked("pool", 100.0, check::pool);
    let token = fields.checked("token", "TAO".to_owned(), check::token);
    let split = fields.get("split").and_then(|place| split(&place)).unwrap_or(Split::Proportional);
    fields.finish();
    Rewards { pool, token, split }
}

fn split(place: &Place<'_>) -> Option<Split> {
    if !matches!(place.node.kind, Kind::Sequence(_)) {
        return place.value(check::split);
    }
    let places = list(Some(place.clone()), check::percent)?;
    let sum: f64 = places.iter().sum();
    if sum > 100.0 + 1e-9 {
        place.complain(format!("expected percentages that add up to at most 100, found {sum}"));
    }
    if place.items().is_some_and(|items| items.is_empty()) {
        place.complain("expected at least one percentage such as [100]");
    }
    Some(Split::Places(places))
}

/// Every member of a list read and checked.
pub(super) fn list<T: serde::de::DeserializeOwned, U>(
    place: Option<Place<'_>>,
    check: impl Fn(T) -> Result<U, String>,
) -> Option<Vec<U>> {
    let items = place?.items()?;
    Some(items.iter().filter_map(|item| item.value(&check)).collect())
}
