//! Faults of a cluster cost no agent its score, and lose nothing.

use std::time::Duration;

use rustix::process::Signal;

use crate::cluster::Cluster;
use crate::ignorable::{Missing, Tested};
use crate::testenv::{Running, TestEnv, wait_until};

const MINERS: usize = 4;

/// Long enough to be met in the middle.
const NAP: Duration = Duration::from_secs(5);

const TASK: &str = "prompt: nap\ntests:\n  - assert nap(1) == 1\n  - assert nap(0) == 1\n";

/// A cluster of two nodes, and agents that take their time and half of the points.
fn napping() -> Result<(Cluster, TestEnv), Missing> {
    let cluster = Cluster::new(2)?;
    let env = cluster.of(TestEnv::new()).task("nap", TASK);
    env.write("pipeline.yaml", "sandbox: {launch: [srun], timeout: 30s, memory: 64MiB}\nparallel: 4\n");
    let agent = format!("import time\ndef nap(n):\n    if n: time.sleep({})\n    return n\n", NAP.as_secs());
    (0..MINERS).for_each(|miner| env.drop_agent(&format!("m{miner}"), &agent));
    Ok((cluster, env))
}

/// A run whose cells are all at work.
fn in_the_middle(cluster: &Cluster, env: &TestEnv) -> Running {
    let run = env.start(&["run"]);
    cluster.expect_running(MINERS);
    wait_until("all cells run", || cells(env) == MINERS);
    std::thread::sleep(NAP / 5);
    run
}

fn cells(env: &TestEnv) -> usize {
    env.containers().iter().filter(|name| name.starts_with("agentmill-cell-")).count()
}

fn expect_all_judged(cluster: &Cluster, env: &TestEnv) {
    let rankings = env.rankings();
    assert_eq!(rankings.len(), MINERS);
    for line in rankings.values() {
        assert_eq!(
            (line["rank"].as_str(), line["score"].as_str(), line["unscored"].as_str()),
            ("1", "50", "0")
        );
    }
    cluster.expect_nothing_left();
    env.expect_nothing_left();
}

pub fn a_node_that_dies_in_the_middle() -> Tested {
    let (mut cluster, env) = napping()?;
    let run = in_the_middle(&cluster, &env);
    cluster.kill_node(1);
    run.wait().code(0);
    expect_all_judged(&cluster, &env);
    Ok(())
}

pub fn a_cancelled_job_and_a_drained_node() -> Tested {
    let (cluster, env) = napping()?;
    let run = in_the_middle(&cluster, &env);
    cluster.ask("scontrol", &["update", "nodename=node1", "state=drain", "reason=test"]);
    cluster.ask("scancel", &[&cluster.jobs()[0].0]);
    run.wait().code(0);
    expect_all_judged(&cluster, &env);
    Ok(())
}

pub fn a_controller_that_is_started_anew() -> Tested {
    let (mut cluster, env) = napping()?;
    let run = in_the_middle(&cluster, &env);
    cluster.stop_controller();
    std::thread::sleep(NAP * 2);
    cluster.start_controller();
    run.wait().code(0);
    expect_all_judged(&cluster, &env);
    Ok(())
}

pub fn a_full_queue_is_told_and_left() -> Tested {
    let (cluster, env) = napping()?;
    cluster.ask("sbatch", &["--exclusive", "--nodes=2", "--output=/dev/null", "--wrap=sleep 1000"]);
    cluster.expect_running(1);
    env.write("pipeline.yaml", "sandbox: {launch: [srun], launch_timeout: 1s}\nparallel: 4\n");
    env.agentmill(&["run"]).code(1);
    assert!(env.verdicts().values().all(|verdict| verdict == "unscored"), "{:#?}", env.verdicts());
    env.agentmill(&["show", "m0", "nap"]).prints(&["waited 1s", "queued and waiting for resources"]);
    assert_eq!(cluster.jobs().len(), 1, "only the other's");

    env.write("pipeline.yaml", "sandbox: {launch: [srun], timeout: 30s}\nparallel: 4\n");
    let killed = env.start(&["run"]);
    wait_until("cells wait", || cluster.jobs().len() == 1 + MINERS);
    killed.signal(Signal::KILL);
    killed.wait();
    let left = cluster.jobs();
    let stopped = env.start(&["run"]);
    wait_until("what was left is cancelled", || {
        cluster.jobs().iter().filter(|job| left.contains(job)).count() == 1
    });
    wait_until("cells wait again", || cluster.jobs().len() == 1 + MINERS);
    stopped.signal(Signal::INT);
    stopped.wait().code(130);
    assert_eq!(cluster.jobs().len(), 1, "only the other's");

    cluster.ask("scancel", &["--me"]);
    env.run();
    expect_all_judged(&cluster, &env);
    Ok(())
}

pub fn an_end_by_ctrl_c_or_sigkill_leaves_nothing() -> Tested {
    let (cluster, env) = napping()?;
    let run = in_the_middle(&cluster, &env);
    run.signal(Signal::INT);
    run.wait().code(130);
    env.expect_nothing_left();
    cluster.expect_nothing_left();

    let run = in_the_middle(&cluster, &env);
    run.signal(Signal::KILL);
    run.wait();
    env.expect_nothing_left();
    cluster.expect_nothing_left();

    env.run();
    expect_all_judged(&cluster, &env);
    Ok(())
}
