//! `import`: a benchmark's published file becomes tasks.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use crate::cli::Exit;
use crate::config::{self, Validate};
use crate::import::{self, Benchmark, Drafts, Kind, Note, Samples, Wrote};
use crate::model::miner_id::Miner;
use crate::model::sampled;
use crate::pipeline::intake::{self, Bounds, InboxFile};
use crate::task::Task;
use crate::term;
use crate::util::atomic_file;
use crate::util::first_few::first_few;
use crate::util::plural::counted;
use crate::workspace::{PIPELINE, Workspace};

/// Writes the tasks or agents of files and tells what was not taken.
///
/// # Errors
/// Mistakes in the configuration, a file that can't be read, or something that can't be written.
pub fn import(dir: &Path, kind: Kind, files: &[PathBuf], force: bool, quiet: bool) -> anyhow::Result<Exit> {
    if kind == Kind::Samples {
        check_names(files)?;
    }
    let one = |file: &PathBuf| match kind {
        Kind::Tasks(benchmark) => tasks(dir, benchmark, file, force, quiet),
        Kind::Samples => samples(dir, file, force, quiet),
    };
    let exits: Vec<Exit> = files.iter().map(one).collect::<anyhow::Result<_>>()?;
    Ok(exits.into_iter().find(|exit| *exit != Exit::Done).unwrap_or(Exit::Done))
}

/// Fails if two files would make agents of one name.
fn check_names(files: &[PathBuf]) -> anyhow::Result<()> {
    let mut known: HashMap<String, &Path> = HashMap::new();
    for file in files {
        let miner = miner(file, None)?;
        if let Some(other) = known.insert(miner.clone(), file) {
            let (other, file) = (other.display(), file.display());
            bail!("{other} and {file} would make the same agent {miner}: an agent is named after its file");
        }
    }
    Ok(())
}

/// Writes the tasks of a benchmark below the tasks folder.
fn tasks(dir: &Path, benchmark: Benchmark, file: &Path, force: bool, quiet: bool) -> anyhow::Result<Exit> {
    let folder = config::load_alone(&dir.join(PIPELINE))?.tasks.join(benchmark.folder());
    let mut drafts = import::read(benchmark, file)?;
    let wrote = write(&folder, &mut drafts, force)?;
    if !quiet {
        tell(&drafts.notes, file);
        term::print(&summary(&wrote, &folder))?;
    }
    tell(&drafts.refused, file);
    Ok(if drafts.refused.is_empty() { Exit::Done } else { Exit::Unscored })
}

/// Writes the agents of a file of samples into the inbox, named after the file.
fn samples(dir: &Path, file: &Path, force: bool, quiet: bool) -> anyhow::Result<Exit> {
    let workspace = Workspace::open(dir)?;
    let mut samples = import::read_samples(file, &workspace.tasks)?;
    let several = samples.agents.len() > 1;
    let mut wrote = Vec::new();
    for (number, source) in samples.agents.iter().enumerate() {
        let miner = miner(file, several.then_some(number + 1))?;
        let path = workspace.pipeline.inbox.join(format!("{miner}.py"));
        if path.symlink_metadata().is_ok() && !force {
            let text = "a file is there; --force replaces it".to_owned();
            samples.refused.push(Note { place: path.display().to_string(), text });
            continue;
        }
        fs::create_dir_all(&workspace.pipeline.inbox)?;
        atomic_file::replace(&path, source.as_bytes())
            .with_context(|| format!("can't write {}", path.display()))?;
        check_size(source, &workspace.pipeline.validate, &path, &mut samples.refused);
        wrote.push(miner);
    }
    if !quiet && !wrote.is_empty() {
        let names = wrote.join(", ");
        let inbox = workspace.pipeline.inbox.display();
        let (taken, agents) = (counted(samples.taken, "sample"), counted(wrote.len(), "agent"));
        term::print(&format!("{taken} in {agents} in {inbox}: {names}\n"))?;
    }
    tell(&samples.refused, file);
    let stale = stale(file, several.then_some(samples.agents.len()), &workspace)?;
    for text in [samples.fenced.clone(), lacking(&samples, &workspace), stale].into_iter().flatten() {
        term::complain(format_args!("{}: {text}", file.display()));
    }
    Ok(if samples.refused.is_empty() { Exit::Done } else { Exit::Unscored })
}

/// Names agents that a file of this name once made, and that this one does not replace: it has so many `samples`, or one if None.
fn stale(file: &Path, samples: Option<usize>, workspace: &Workspace) -> anyhow::Result<Option<String>> {
    let inbox = &workspace.pipeline.inbox;
    let is_made = |miner: &String| {
        let Ok(miner) = miner.parse::<Miner>() else { return false };
        let file = format!("{miner}.py");
        let inbox_file = InboxFile { miner, path: inbox.join(&file), file, stamp: None };
        // What lies there is anybody's: a pipe would be waited for.
        let read = intake::read(&inbox_file, Bounds::widest(1));
        read.is_ok_and(|submission| sampled::is_agent(&submission.bytes))
    };
    let mut stale: Vec<String> = Vec::new();
    if samples.is_some() {
        stale.extend(Some(miner(file, None)?).filter(is_made));
    }
    let numbered = (samples.map_or(1, |samples| samples + 1)..).map(|number| miner(file, Some(number)));
    stale.extend(numbered.map_while(Result::ok).take_while(is_made));
    let names = first_few(stale.iter().map(|miner| format!("{miner}.py")));
    Ok((!stale.is_empty()).then(|| {
        format!(
            "{names} in {} made by a file of this name before still count; remove what is old",
            inbox.display()
        )
    }))
}

/// Says for how many tasks that count there is no sample, or not one for each agent.
fn lacking(samples: &Samples, workspace: &Workspace) -> Option<String> {
    let tasks = workspace.staged_tasks();
    let given = |task: &&Task| samples.of_task.get(&task.id).copied().unwrap_or_default();
    let tasks: Vec<&Task> = tasks.collect();
    let lacking = tasks.iter().filter(|task| given(task) < samples.agents.len()).count();
    let what = match samples.agents.len() {
        1 => "no sample".to_owned(),
        many => format!("fewer than {many} samples"),
    };
    let all = tasks.len();
    let way = "what is not there counts as 0; a stage that names the other tasks leaves them out";
    (lacking > 0).then(|| format!("{what} for {lacking} of {all} tasks: {way}"))
}

/// Tells of an agent that the pipeline would refuse for its size.
fn check_size(source: &str, validate: &Validate, path: &Path, refused: &mut Vec<Note>) {
    if source.len() as u64 > validate.max_bytes {
        let text = format!(
            "{} bytes; raise validate.max_bytes in pipeline.yaml, it is {}",
            source.len(),
            validate.max_bytes
        );
        refused.push(Note { place: path.display().to_string(), text });
    }
}

/// A miner's id of the file's name, such as `gpt-4` for `gpt-4.jsonl.gz`, with the sample's number.
fn miner(file: &Path, number: Option<usize>) -> anyhow::Result<String> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.trim_end_matches(".gz").trim_end_matches(".jsonl").trim_end_matches(".json");
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let id: String = name.chars().map(|c| if letter(c) { c } else { '-' }).collect();
    let id = number.map_or(id.clone(), |number| format!("{id}-{number}"));
    let miner = id.parse::<Miner>().map_err(|error| anyhow!("{id:?} is no miner's id: {error}"))?;
    Ok(miner.to_string())
}

fn write(folder: &Path, drafts: &mut Drafts, force: bool) -> anyhow::Result<Vec<Wrote>> {
    let mut wrote = Vec::new();
    for draft in &drafts.drafts {
        let one = import::write(folder, draft, force);
        let one = one.with_context(|| format!("can't write task {}", draft.id))?;
        if one == Wrote::Kept {
            let text = "other files are there; --force replaces them".to_owned();
            drafts.refused.push(Note { place: format!("task {}", draft.id), text });
        }
        wrote.push(one);
    }
    Ok(wrote)
}

fn tell(notes: &[Note], file: &Path) {
    for note in notes {
        term::complain(format_args!("{}: {}: {}", file.display(), note.place, note.text));
    }
}

fn summary(wrote: &[Wrote], folder: &Path) -> String {
    let words = [
        (Wrote::New, "written"),
        (Wrote::Replaced, "replaced"),
        (Wrote::Same, "there already"),
        (Wrote::Kept, "kept as they were"),
    ];
    let counted = words.map(|(kind, word)| (wrote.iter().filter(|one| **one == kind).count(), word));
    let told: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    match told.is_empty() {
        true => format!("tasks in {}: none taken\n", folder.display()),
        false => {
            format!("tasks in {}: {}; `agentmill check` proves them\n", folder.display(), told.join(", "))
        }
    }
}
