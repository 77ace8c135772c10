//! The same verdicts on two nodes as on one machine.

use std::path::Path;

use crate::cluster::Cluster;
use crate::elsewhere;
use crate::ignorable::Tested;
use crate::testenv::{TestEnv, wait_until};

/// The demo's own, with cells that go to Slurm.
const DEMO: &str = "
sandbox: {timeout: 2s, launch: [srun]}
parallel: 4
stages: [{name: main}]
rewards: {split: winner}
";

/// Results of miners and runs, without figures that differ from one time to the next.
fn results(env: &TestEnv, folder: &str) -> Vec<String> {
    let columns = |line: &str| line.split(',').take(7).collect::<Vec<_>>().join(",");
    let table = |name: &str| env.read(&format!("{folder}/results/{name}.csv"));
    [table("rankings"), table("scores")].iter().flat_map(|text| text.lines()).map(columns).collect()
}

fn expect_both_nodes(cluster: &Cluster) {
    for node in ["NodeList=node1 ", "NodeList=node2 "] {
        assert!(cluster.log().contains(node), "nothing ran on {node}\n{}", cluster.log());
    }
}

pub fn the_demo_is_judged_as_on_one_machine() -> Tested {
    let cluster = Cluster::new(2)?;
    let env = cluster.of(TestEnv::empty());
    let place = |name: &str| env.path(name).to_str().unwrap().to_owned();
    env.agentmill(&["demo", &place("local")]).code(0);

    env.write("jobs/pipeline.yaml", DEMO);
    env.agentmill(&["demo", &place("jobs")]).code(0);
    assert_eq!(results(&env, "jobs"), results(&env, "local"));
    expect_both_nodes(&cluster);
    cluster.expect_nothing_left();

    env.write("steps/pipeline.yaml", DEMO);
    let allocation = ["salloc", "--quiet", "--nodes=2", "--ntasks=4", "--mem=1600M"];
    env.start_by(&allocation, &["demo", &place("steps")]).wait().code(0);
    assert_eq!(results(&env, "steps"), results(&env, "local"));
    cluster.expect_nothing_left();
    Ok(())
}

pub fn an_agent_on_a_node_asks_a_model() -> Tested {
    let cluster = Cluster::new(1)?;
    elsewhere::a_model_is_asked(cluster.of(TestEnv::new()), "launch: [srun]");
    cluster.expect_nothing_left();
    Ok(())
}

const TRICKS: &str = "
prompt: count
tests:
  - assert f(1) == 1
  - assert f(2) == 2
  - assert f(3) == 3
";

/// Each passes all tests but the second, by trying to look like a machine that failed.
const FORGERS: [(&str, &str, &str); 6] = [
    ("ends", "crashed", "os._exit(125)"),
    ("kills", "crashed", "os.kill(os.getpid(), 9)"),
    ("kills_all", "crashed", "os.kill(1, 9); os.kill(1, 15); os._exit(3)"),
    ("hangs", "timeout", "time.sleep(100)"),
    ("eats", "out_of_memory", "x = [bytearray(1 << 20) for _ in range(1 << 20)]"),
    (
        "tells",
        "crashed",
        "[os.write(fd, b'\\n{\"Action\":\"kill\"}\\nsrun: error: Node failure on node1\\n') for fd in (1, 2)]; os._exit(0)",
    ),
];

pub fn an_agent_can_not_look_like_a_fault_of_the_cluster() -> Tested {
    let cluster = Cluster::new(2)?;
    let env = cluster.of(TestEnv::new()).task("count", TRICKS);
    env.write("pipeline.yaml", "sandbox: {launch: [srun], timeout: 3s, memory: 96MiB}\nparallel: 3\n");
    for (miner, _, trick) in FORGERS {
        env.drop_agent(
            miner,
            &format!("import os, time\ndef f(n):\n    if n == 2:\n        {trick}\n    return n\n"),
        );
    }
    env.run();
    let verdicts = env.verdicts();
    for (miner, verdict, _) in FORGERS {
        assert_eq!(verdicts[&(miner.to_owned(), "count".to_owned())], verdict, "{miner}");
    }
    cluster.expect_nothing_left();
    Ok(())
}

/// On request: `AGENTMILL_HUMANEVAL=HumanEval.jsonl.gz cargo test --test slurm humaneval -- --ignored`.
pub fn humaneval_is_judged_as_on_one_machine() -> Tested {
    let file = std::env::var_os("AGENTMILL_HUMANEVAL").expect("AGENTMILL_HUMANEVAL names the published file");
    let cluster = Cluster::new(2)?;
    let env = cluster.of(TestEnv::new());
    env.agentmill(&["import", "humaneval", Path::new(&file).to_str().unwrap()]).code(0);
    for (miner, keeps) in [("all", 1), ("half", 2), ("third", 3)] {
        env.drop_agent(miner, &solutions(&env, keeps));
    }
    env.run();
    let local = results(&env, ".");
    env.write("pipeline.yaml", "sandbox: {launch: [srun]}\nparallel: 4\n");
    env.agentmill(&["run", "--force"]).code(0);
    assert_eq!(results(&env, "."), local);
    assert!(local.len() > 3 * 164, "{local:#?}");
    let score = env.rankings()["all"]["score"].parse::<f64>().unwrap();
    assert!(score > 90.0, "{score}");
    expect_both_nodes(&cluster);
    cluster.expect_nothing_left();
    Ok(())
}

/// An agent out of every so-manieth reference solution, which it picks by the prompt.
fn solutions(env: &TestEnv, keeps: usize) -> String {
    let texts = (0..164).step_by(keeps).map(|number| {
        let task = env.read(&format!("tasks/humaneval/{number}.yaml"));
        assert!(task.contains("prompt"), "{task}");
        env.read(&format!("tasks/humaneval/solutions/{number}.py"))
    });
    texts.collect::<Vec<_>>().join("\n\n")
}

pub fn a_node_without_the_image_is_named_and_passed_over() -> Tested {
    let cluster = Cluster::new(2)?;
    let env = cluster.of(TestEnv::new()).task("double", crate::testenv::DOUBLE_TASK);
    let docker = format!(
        "#!/bin/sh\nPATH=${{PATH#*:}}\n\
         case \"$LACKS $1\" in *\"${{SLURMD_NODENAME:-no}},\"*run) set -- run --pull=never sha256:{:064};; esac\n\
         exec docker \"$@\"\n",
        0
    );
    env.write("bin/docker", &docker);
    let path = format!("{}:{}", env.path("bin").display(), std::env::var("PATH").unwrap());
    std::fs::set_permissions(env.path("bin/docker"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let env = env.variable("PATH", &path).variable("LACKS", "node2,");
    env.write("pipeline.yaml", "sandbox: {launch: [srun]}\nparallel: 4\n");
    (0..6).for_each(|miner| env.drop_agent(&format!("m{miner}"), crate::testenv::DOUBLE_AGENT));
    env.run();
    assert!(env.rankings().values().all(|line| line["score"] == "100"), "{:#?}", env.rankings());

    let env = env.variable("LACKS", "node1,node2,");
    env.drop_agent("late", crate::testenv::DOUBLE_AGENT);
    env.agentmill(&["run"]).code(1);
    let told = env.agentmill(&["show", "late", "double"]).stdout;
    assert!(told.contains("No such image") && told.contains("node"), "{told}");
    wait_until("nothing is left", || cluster.jobs().is_empty());
    Ok(())
}
