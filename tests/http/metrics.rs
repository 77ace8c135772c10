//! Metrics: the organiser's figures, from the published files.

use crate::support::Folder;

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

const SCORES: &str = "miner,stage,task,score,verdict,passed,tests,wall_ms,cpu_ms,max_rss_kib\n\
    alice,all,t,100,passed,1,1,100,80,9000\nbob,all,t,,unscored,,,,,\n";

#[test]
fn they_tell_of_the_published_results() {
    let folder = Folder::new("");
    let api = folder.serve();
    let empty = api.get("/metrics");
    assert!(empty.status == 200 && empty.head.contains("text/plain; version=0.0.4"), "{empty:?}");
    assert!(empty.body.contains("agentmill_agents{state=\"waiting\"} 0\n"), "{}", empty.body);

    folder.write("results/scores.csv", SCORES);
    folder.write("results/rankings.json", &crate::guard::rankings().to_string());
    let told = api.get("/metrics").body;
    for line in [
        "agentmill_agents{state=\"ranked\"} 1\n",
        "agentmill_runs{verdict=\"passed\"} 1\n",
        "agentmill_runs{verdict=\"unscored\"} 1\n",
        "agentmill_run_seconds_sum 0.1\n",
        "agentmill_results_timestamp_seconds ",
    ] {
        assert!(told.contains(line), "no {line:?} in\n{told}");
    }
    let is_sample =
        |line: &str| line.split(' ').next_back().is_some_and(|value| value.parse::<f64>().is_ok());
    assert!(told.lines().all(|line| line.starts_with("# ") || is_sample(line)), "{told}");
}

#[test]
fn they_are_the_organisers() {
    let folder = Folder::new("board: public\n");
    let (alice, organiser) = (folder.token("alice"), folder.organisers_token());
    let api = folder.serve();
    assert_eq!(api.get("/metrics").status, 401);
    let refused = api.get_as("/metrics", &bearer(&alice));
    assert!(refused.status == 403 && refused.body.contains("organiser"), "{refused:?}");
    assert_eq!(api.get_as("/metrics", &bearer(&organiser)).status, 200);
}

#[test]
fn the_organisers_token_sees_all_and_submits_for_nobody() {
    let folder = Folder::new("");
    folder.write("results/rankings.json", &crate::guard::rankings().to_string());
    folder.token("bob");
    let organiser = folder.organisers_token();
    let api = folder.serve();
    let ranking = api.get_as("/rankings", &bearer(&organiser)).json();
    assert_eq!(ranking["rankings"][0]["miner"], "alice");
    assert!(api.get_as("/agents/alice", &bearer(&organiser)).json().get("own").is_none());
    let upload = api.put("alice", &bearer(&organiser), crate::support::GOOD);
    assert!(upload.status == 403 && upload.body.contains("organiser's token, which submits"), "{upload:?}");
}
