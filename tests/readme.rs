//! README.md says what is so.

const README: &str = include_str!("../README.md");

#[test]
fn it_shows_the_shipped_pipeline() {
    assert!(
        README.contains(agentmill::config::DEFAULT),
        "README.md shows another pipeline.yaml than the shipped one"
    );
}

#[test]
fn every_dependency_has_a_line_that_says_why() {
    let manifest = include_str!("../Cargo.toml");
    let section = manifest.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
    let names = section.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let missing: Vec<&str> = names.filter(|name| !README.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "without a line in README.md's table: {missing:?}");
}

#[test]
fn every_column_is_documented() {
    for columns in [
        "rank,miner,score,reward,passed,tests,unscored,stage,duplicate_of,first_seen,sha256",
        "miner,stage,task,score,verdict,passed,tests,wall_ms,cpu_ms,max_rss_kib",
        "file,miner,line,reason",
    ] {
        assert!(README.contains(columns));
    }
}
