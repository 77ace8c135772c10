//! The house rules of `src/`, held by reading the sources: who may import whom, no circles, no file too long, every
//! file introduced by a sentence that names its subject. The allowed arrows stand in `src/lib.rs`.

mod circles;
mod imports;
mod sentences;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sources::{Source, sources};

/// Lines of a file, its tests included.
const MOST_LINES: usize = 500;

/// First words that put off what the sentence is about.
const PUT_OFF: [&str; 6] = ["What", "Whether", "Whose", "Who", "Whoever", "That"];

/// The layers of `src/lib.rs`, from the top: each a line of modules.
fn layers(sources: &[Source]) -> Vec<Vec<String>> {
    let lib = sources.iter().find(|source| source.module == "lib").expect("there is src/lib.rs");
    let diagram = lib.text.split("```text\n").nth(2).expect("its second diagram lists the layers");
    let lines = diagram.lines().map_while(|line| line.strip_prefix("//! ").filter(|line| *line != "```"));
    lines.map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

/// Where a module stands: its line, and its place on it.
fn places(sources: &[Source]) -> BTreeMap<String, (usize, usize)> {
    let mut places = BTreeMap::new();
    for (line, modules) in layers(sources).into_iter().enumerate() {
        for (place, module) in modules.into_iter().enumerate() {
            assert_eq!(places.insert(module.clone(), (line, place)), None, "{module} stands there twice");
        }
    }
    places
}

fn fail_on(faults: Vec<String>, rule: &str) {
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

#[test]
fn every_module_has_a_place() {
    let sources = sources();
    let declared: BTreeSet<String> =
        sources.iter().map(|source| source.room().to_owned()).filter(|room| room != "fuzz_entry").collect();
    let listed: BTreeSet<String> = places(&sources).into_keys().collect();
    let rooms: BTreeSet<String> =
        declared.into_iter().filter(|room| room != "lib" && room != "main").collect();
    assert_eq!(rooms, listed, "src/lib.rs lists the modules that there are");
}

#[test]
fn imports_go_down() {
    let sources = sources();
    let places = places(&sources);
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| source.is_shipped()) {
        for target in imports::of(source, &sources) {
            let (from, to) = (source.room(), target.split("::").next().unwrap_or_default());
            let (Some(here), Some(there)) = (places.get(from), places.get(to)) else { continue };
            if from != to && here >= there {
                faults.push(format!("{} imports {target}", source.file));
            }
        }
    }
    fail_on(faults, "modules import from below (src/lib.rs has the order)");
}

#[test]
fn steps_of_the_pipeline_see_traits_and_not_each_other() {
    let shared = ["model", "plan", "run_keys", "report_store", "report_summary", "score"];
    let sources = sources();
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| source.is_shipped()) {
        let Some(step) = source.below("pipeline") else { continue };
        for target in imports::of(source, &sources) {
            if target.starts_with("sandbox::") {
                faults.push(format!(
                    "{} imports {target}: the pipeline sees the sandbox's face only",
                    source.file
                ));
            }
            let Some(other) = target.strip_prefix("pipeline::").and_then(|path| path.split("::").next())
            else {
                continue;
            };
            let is_step = |name: &str| ["intake", "validate", "evaluate", "score", "publish"].contains(&name);
            if is_step(step) && is_step(other) && step != other && !shared.contains(&other) {
                faults.push(format!("{} imports {target}: steps don't import each other", source.file));
            }
        }
    }
    fail_on(faults, "the pipeline's rules");
}

#[test]
fn there_are_no_circles() {
    let sources = sources();
    let shipped = || sources.iter().filter(|source| source.is_shipped());
    let edges = |name: &dyn Fn(&str) -> String| {
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for source in shipped() {
            for target in imports::of(source, &sources) {
                let (from, to) = (name(&source.module), name(&target));
                if from != to {
                    edges.entry(from).or_default().insert(to);
                }
            }
        }
        edges
    };
    let mut faults = circles::of(&edges(&|module| module.to_owned()));
    // Seen from its parent, a folder must not be entered and left in a circle either.
    for depth in 1..=3 {
        faults.extend(circles::of(&edges(&|module| {
            module.split("::").take(depth).collect::<Vec<_>>().join("::")
        })));
    }
    fail_on(faults.into_iter().map(|circle| circle.join(" -> ")).collect(), "no import circles");
}

#[test]
fn no_file_is_too_long() {
    let tests = ["tests", "benches", "fuzz"].into_iter().flat_map(sources::below);
    let programs = tests.filter(|(file, _)| file.ends_with(".rs") || file.ends_with(".py"));
    let long = sources::all_files().into_iter().chain(programs).filter_map(|(file, text)| {
        let lines = text.lines().count();
        (lines > MOST_LINES).then(|| format!("{file}: {lines} lines"))
    });
    fail_on(long.collect(), "files have at most 500 lines");
}

/// Fuzz targets have a lock file of their own, which nothing else reads.
#[test]
fn fuzz_targets_are_locked_to_what_is_shipped() {
    let read = |path: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        std::fs::read_to_string(path).expect("it is there")
    };
    let (manifest, lock, fuzzed) = (read("Cargo.toml"), read("Cargo.lock"), read("fuzz/Cargo.lock"));
    let part = manifest.split("\n[dependencies]\n").nth(1).expect("there are dependencies");
    let lines = part.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split_once(" = ")).map(|(key, value)| {
        let renamed = value.split_once("package = \"").and_then(|(_, rest)| rest.split('"').next());
        renamed.unwrap_or(key)
    });
    let versions = |lock: &str, name: &str| -> BTreeSet<String> {
        let head = format!("name = \"{name}\"\nversion = ");
        lock.split(&head).skip(1).filter_map(|rest| rest.lines().next().map(str::to_owned)).collect()
    };
    let differ = |name: &&str| {
        !versions(&lock, name).is_superset(&versions(&fuzzed, name)) || versions(&fuzzed, name).is_empty()
    };
    let faults =
        names.filter(differ).map(|name| format!("{name}: fuzz/Cargo.lock has another version, or none"));
    fail_on(
        faults.collect(),
        "copy Cargo.lock to fuzz/ and run `cargo metadata --manifest-path fuzz/Cargo.toml`",
    );
}

#[test]
fn every_file_says_what_it_is() {
    let mut faults = Vec::new();
    for (file, text) in sources::all_files() {
        let sentence = match file.rsplit('.').next() {
            Some("rs") => text.lines().next().and_then(|line| line.strip_prefix("//! ")),
            Some("py") if !file.contains("/demo/") => {
                text.lines().next().and_then(|line| line.strip_prefix("\"\"\""))
            }
            _ => continue,
        };
        match sentence.map(|sentence| sentence.split(' ').next().unwrap_or_default()) {
            None => faults.push(format!("{file} begins with no sentence")),
            Some(word) if PUT_OFF.contains(&word) => faults.push(format!("{file} begins with {word:?}")),
            Some(_) => {}
        }
    }
    fail_on(faults, "a file's first sentence names the thing");
}

#[test]
fn sentences_name_their_subject() {
    let folders = ["src", "tests", "benches", "fuzz", "docs"].into_iter().flat_map(sources::below);
    let pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].into_iter().flat_map(sources::below);
    let faults = folders.chain(pages).flat_map(|(file, text)| {
        let first = sentences::first(&file, &text);
        let put_off = first.into_iter().filter(|(_, word)| PUT_OFF.contains(&word.as_str()));
        put_off.map(move |(line, word)| format!("{file}:{line}: begins with {word:?}")).collect::<Vec<_>>()
    });
    fail_on(faults.collect(), "a first sentence names the thing");
}

/// The macros panic where nobody reads what they print; `term` knows what to do then.
#[test]
fn only_term_prints() {
    let macros = ["print!(", "println!(", "dbg!("]; // and eprint! and eprintln!, which end the same
    let sources = sources();
    let printing = sources
        .iter()
        .filter(|source| source.is_shipped() && macros.iter().any(|one| source.code().contains(one)));
    fail_on(printing.map(|source| source.file.clone()).collect(), "print through `term`");
}

#[test]
fn python_lives_in_the_guest_only() {
    let strays = sources::all_files().into_iter().map(|(file, _)| file).filter(|file| {
        file.ends_with(".py") && !file.starts_with("src/sandbox/guest/") && !file.starts_with("src/demo/")
    });
    fail_on(strays.collect(), "src/sandbox/guest is the only folder with Python of ours");
}

/// An edit of them would have agentmill built anew, and change what `init`, `demo` and `schema` say.
#[test]
fn files_for_people_to_edit_are_not_compiled_in() {
    let (ours, theirs) = ("/../pipeline.yaml\"", "/../tasks/");
    let sources = sources();
    let reading = sources.iter().filter(|source| source.text.contains(ours) || source.text.contains(theirs));
    let reading = reading.filter(|source| source.is_shipped()).map(|source| source.file.clone());
    fail_on(reading.collect(), "templates lie in src/demo and src/config/default.yaml");
    let shipped = std::fs::read_to_string("src/config/default.yaml").expect("readable");
    let own = std::fs::read_to_string("pipeline.yaml").expect("readable");
    assert_eq!(own, shipped, "pipeline.yaml here is no longer what `init` writes, src/config/default.yaml");
}

/// Where a test file brings its own `main`, an attribute would be dropped without a word, and the test never run.
#[test]
fn files_that_list_their_tests_have_no_attributed_ones() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("readable");
    let listing = manifest.split("[[test]]").skip(1).filter(|part| part.contains("harness = false"));
    let names = listing.filter_map(|part| part.split('"').nth(1));
    let mut faults = Vec::new();
    for file in names.flat_map(|name| [format!("tests/{name}.rs"), format!("tests/{name}")]) {
        faults.extend(sources::below(&file).into_iter().filter(|(_, text)| text.contains("#[test]")));
    }
    fail_on(
        faults.into_iter().map(|(file, _)| file).collect(),
        "tests of a file with harness = false stand in its main",
    );
}
