//! Cells on a Slurm cluster: as steps and as jobs, and through everything that goes wrong with one.

mod cluster;
#[path = "../gateway/elsewhere.rs"]
mod elsewhere;
mod faults;
#[path = "../ignorable/mod.rs"]
mod ignorable;
#[path = "../testenv/mod.rs"]
mod testenv;
mod verdicts;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut tests = ignorable::tests![
        verdicts::the_demo_is_judged_as_on_one_machine,
        verdicts::an_agent_can_not_look_like_a_fault_of_the_cluster,
        verdicts::an_agent_on_a_node_asks_a_model,
        verdicts::a_node_without_the_image_is_named_and_passed_over,
        faults::a_node_that_dies_in_the_middle,
        faults::a_cancelled_job_and_a_drained_node,
        faults::a_controller_that_is_started_anew,
        faults::a_full_queue_is_told_and_left,
        faults::an_end_by_ctrl_c_or_sigkill_leaves_nothing,
    ];
    tests.push(ignorable::on_request(
        "needs AGENTMILL_HUMANEVAL=FILE",
        "verdicts::humaneval_is_judged_as_on_one_machine",
        verdicts::humaneval_is_judged_as_on_one_machine,
    ));
    ignorable::main_of_waiting(tests)
}
