//! Tests of files that are there already: what stays as it is, and what is made anew.

use super::*;

#[test]
fn unchanged_files_stay_and_all_can_be_read_by_all() {
    let dir = tempfile::tempdir().unwrap();
    let stamp = |name: &str| {
        let metadata = fs::metadata(dir.path().join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o644, "{name}");
        std::os::unix::fs::MetadataExt::ino(&metadata)
    };
    let mut pass = small();
    pass.publish(dir.path());
    let before = FILES.map(stamp);
    pass.publish(dir.path());
    assert_eq!(FILES.map(stamp), before);
    // A new time alone leaves the tables as they are, and the rest too if nothing was evaluated.
    pass.at += jiff::SignedDuration::from_mins(2);
    pass.publish(dir.path());
    let changed: Vec<&str> = FILES
        .into_iter()
        .zip(before)
        .filter(|(name, old)| stamp(name) != *old)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(changed, ["rankings.json", "index.html"]);
}

#[test]
fn a_pass_that_stays_changes_the_page_alone_and_one_that_ends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let all = || FILES.map(|name| read(dir.path(), name));
    let mut pass = small();
    pass.publish(dir.path());
    let before = all();
    (pass.live, pass.at) = (true, pass.at + jiff::SignedDuration::from_mins(2));
    pass.publish_unevaluated(dir.path());
    let after = all();
    assert_eq!((&after[..5], on_page(dir.path())["live"].as_bool()), (&before[..5], Some(true)));
    pass.live = false;
    pass.publish_unevaluated(dir.path());
    assert_eq!(all(), after);
}

#[test]
fn a_pass_that_finds_all_as_it_was_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut pass = small();
    pass.publish(dir.path());
    let seen = || json::load(dir.path()).unwrap().generated_at;
    let before = seen();
    pass.at += jiff::SignedDuration::from_mins(2);
    pass.publish_unevaluated(dir.path());
    assert_eq!(seen(), before);
    fs::remove_file(dir.path().join("scores.csv")).unwrap();
    pass.publish_unevaluated(dir.path());
    assert!(dir.path().join("scores.csv").exists());
    assert_eq!(seen(), pass.at);
    // Another verdict under the same score.
    pass.at += jiff::SignedDuration::from_mins(2);
    if let Outcome::Scored(run) = &mut pass.reports[0].runs[1].outcome {
        run.verdict = Verdict::Timeout;
    }
    pass.publish_unevaluated(dir.path());
    assert_eq!(seen(), pass.at);
}

/// As after a kill: some tables are new, some old, and all are ours.
#[test]
fn tables_that_were_written_in_part_are_nobodys_edit() {
    let dir = tempfile::tempdir().unwrap();
    let in_the_way = dir.path().join("rejected.csv");
    let mut pass = small();
    pass.publish(dir.path());
    fs::remove_file(&in_the_way).unwrap();
    fs::create_dir(&in_the_way).unwrap();
    pass.pending.clear();
    pass.reports.truncate(1);
    pass.try_to_publish(dir.path(), true).unwrap_err();
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(pass.try_to_publish(dir.path(), false).unwrap().1, Vec::<String>::new());
    fs::write(&in_the_way, "edited").unwrap();
    assert_eq!(pass.try_to_publish(dir.path(), false).unwrap().1.len(), 1);
}
