//! README.md and the pages of docs/ say what is so.

mod testenv;

use std::fs;
use std::path::Path;

use testenv::TestEnv;

const README: &str = include_str!("../README.md");
const RESULTS: &str = include_str!("../docs/results.md");

/// The first block of code below this text.
fn block(after: &str) -> &'static str {
    let below = README.split_once(after).unwrap_or_else(|| panic!("README.md has no {after:?}")).1;
    let (_, code) = below.split_once("```").and_then(|(_, block)| block.split_once('\n')).expect("a block");
    code.split_once("```").expect("its end").0
}

#[test]
fn the_tour_ends_with_100() {
    let env = TestEnv::empty();
    env.agentmill(&["init"]).code(0);
    for entry in fs::read_dir(env.dir().join("tasks")).unwrap().flatten() {
        let (path, is_folder) = (entry.path(), entry.file_type().unwrap().is_dir());
        if is_folder { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
    env.write("tasks/double.yaml", block("`tasks/double.yaml`:"));
    env.write("inbox/me.py", block("`inbox/me.py`:"));
    let told = block("Look whether all is well").split("\n$ ").map(|step| step.trim_start_matches("$ "));
    let steps: Vec<(&str, &str)> = told.map(|step| step.split_once('\n').unwrap()).collect();
    assert_eq!(steps.len(), 3);
    for (command, told) in steps {
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        let finished = env.agentmill(&words).code(0);
        for line in told.lines().map(|line| line.trim_end_matches("...")).filter(|line| !line.is_empty()) {
            let line = line.replace("./results", env.path("results").to_str().unwrap());
            assert!(finished.to_string().contains(&line), "{line:?} is not in {finished}");
        }
    }
    env.write("inbox/me.py", &block("`inbox/me.py`:").replace("2 * n", "n + 2"));
    env.run();
    env.agentmill(&["show", "me"]).code(0).prints(&["negative numbers: failed", "-1 == -6 does not hold"]);
}

#[test]
fn every_link_leads_somewhere() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(home.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let pages = pages.chain(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| home.join(name)));
    let mut broken = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let target = link.split_once('#').map_or(link, |(file, _)| file);
            if target.contains(' ') || page.parent().unwrap().join(target).exists() {
                continue;
            }
            broken.push(format!("{}: {link}", page.display()));
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn every_page_is_linked_from_the_readme() {
    let docs = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap();
    let names = docs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let lost: Vec<String> = names
        .filter(|name| name.ends_with(".md") && name != "corpus.md")
        .filter(|name| !README.contains(&format!("(docs/{name})")))
        .collect();
    assert_eq!(lost, Vec::<String>::new());
}

/// mdBook leaves out what its contents don't name, and says nothing of parts of the README that aren't there.
#[test]
fn the_book_has_every_page() {
    let (summary, start) = (include_str!("../docs/SUMMARY.md"), include_str!("../docs/start.md"));
    let docs = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap();
    let names = docs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    for name in names.filter(|name| name.ends_with(".md") && name != "SUMMARY.md") {
        assert_eq!(summary.matches(&format!("]({name})")).count(), 1, "{name} in SUMMARY.md");
        let page =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(&name)).unwrap();
        assert!(!page.contains("](../"), "{name}: a link leads out of the book");
    }
    for part in start.split("README.md:").skip(1).map(|rest| rest.split_once('}').unwrap().0) {
        for mark in ["ANCHOR", "ANCHOR_END"] {
            assert!(README.contains(&format!("<!-- {mark}: {part} -->")), "{mark}: {part}");
        }
    }
}

/// The line for cron and the unit for systemd, in a folder of the test's own.
#[test]
fn cron_and_systemd_run_what_is_written() {
    let operations = include_str!("../docs/operations.md");
    let line = operations.lines().find(|line| line.starts_with("*/5 ")).unwrap();
    let (_, command) = line.split_once("  agentmill  ").unwrap();
    let unit = include_str!("../docs/agentmill.service");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let env = TestEnv::new();
    env.write("tasks/double.yaml", block("`tasks/double.yaml`:"));
    env.write("inbox/me.py", block("`inbox/me.py`:"));
    let home = env.dir().display().to_string();
    let run = |command: &str| {
        let command = command.replace("/srv/agentmill", &home);
        let binaries = Path::new(env!("CARGO_BIN_EXE_agentmill")).parent().unwrap();
        let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &command]).env("PATH", path).output().unwrap()
    };
    let output = run(command);
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "cron would mail it: {output:?}");
    assert!(env.dir().join("results/rankings.json").exists());
    // As systemd stops it: by SIGTERM, which the unit takes for a success.
    let output = run(&format!("timeout --preserve-status 2 {start}"));
    let success = format!("SuccessExitStatus={}", output.status.code().unwrap());
    assert!(unit.lines().any(|line| line == success), "{output:?}");
    check_unit(&env, unit);
}

/// Has systemd look at the unit, as if the command were installed; where there is no systemd, at its sections alone.
fn check_unit(env: &TestEnv, unit: &str) {
    let command = format!("ExecStart={} ", env!("CARGO_BIN_EXE_agentmill"));
    env.write("agentmill.service", &unit.replace("ExecStart=agentmill ", &command));
    let mut verify = std::process::Command::new("systemd-analyze");
    verify.args(["verify", "--man=no", "--recursive-errors=no"]).arg(env.dir().join("agentmill.service"));
    match verify.output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let about_it: Vec<&str> =
                said.lines().filter(|line| line.contains("agentmill.service")).collect();
            assert!(output.status.success() && about_it.is_empty(), "{said}");
        }
        Err(_) => {
            let sections: Vec<&str> = unit.lines().filter(|line| line.starts_with('[')).collect();
            assert_eq!(sections, ["[Unit]", "[Service]", "[Install]"]);
        }
    }
}

/// Names of folders and files that more than one of the files for operators have.
#[test]
fn the_container_runs_what_the_service_runs() {
    let compose: serde_yaml::Value = serde_yaml::from_str(include_str!("../docs/compose.yaml")).unwrap();
    let service = &compose["services"]["agentmill"];
    let words = |field: &str| -> Vec<String> { serde_yaml::from_value(service[field].clone()).unwrap() };
    let command = [words("entrypoint"), words("command")].concat().join(" ");
    let unit = include_str!("../docs/agentmill.service");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    assert_eq!(command, format!("/usr/local/bin/{start}"));
    assert!(
        unit.contains("ReadWritePaths=/srv/agentmill\n")
            && words("volumes").contains(&"/srv/agentmill:/srv/agentmill".to_owned())
    );
    let stop =
        format!("TimeoutStopSec={}\n", service["stop_grace_period"].as_str().unwrap().trim_end_matches('s'));
    assert!(unit.contains(&stop), "{stop}");
}

#[test]
fn the_shipped_pipeline_is_shown() {
    let page = include_str!("../docs/pipeline.md");
    assert!(
        page.contains(agentmill::config::DEFAULT),
        "docs/pipeline.md shows another pipeline.yaml than the shipped one"
    );
}

#[test]
fn every_column_is_documented() {
    for columns in [
        "rank,miner,score,reward,passed,tests,unscored,stage,duplicate_of,first_seen,sha256,similar_to,similarity,rank_low,rank_high,tier",
        "miner,stage,task,score,verdict,passed,tests,wall_ms,cpu_ms,max_rss_kib",
        "file,miner,line,reason",
    ] {
        assert!(RESULTS.contains(columns));
    }
}

#[test]
fn every_dependency_has_a_line_that_says_why() {
    let page = include_str!("../CONTRIBUTING.md");
    let manifest = include_str!("../Cargo.toml");
    let section = manifest.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
    let names = section.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let missing: Vec<&str> = names.filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "without a line in CONTRIBUTING.md's table: {missing:?}");
}
