//! Shapes as agentmill judges them: two cells for each family, one of right and one of wrong answers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use agentmill::config::Limits;
use agentmill::sandbox::{Cell, Fault, Opened, Sandbox};
use agentmill::task::Task;

use super::common::{LIMITS, Lab, word};
use super::family::Family;

/// Cells at the same time.
const THREADS: usize = 4;

/// Room enough on a busy machine; nothing here is meant to run into a limit.
const ROOMY: Limits = Limits { timeout: Duration::from_secs(10), ..LIMITS };

/// A verdict of agentmill's and its message.
pub type Told = (String, String);

/// For each family, for each shape: what comes of it with the right answer and with the wrong one.
pub fn all(lab: &Lab, families: &[Family]) -> Vec<Vec<[Told; 2]>> {
    let (next, played) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Some(family) = families.get(number / 2) else { break };
                    let told = play(lab, family, number % 2);
                    played.lock().unwrap().push((number, told));
                }
            });
        }
    });
    let mut played = played.into_inner().unwrap();
    played.sort_by_key(|(number, _)| *number);
    let told: Vec<Vec<Told>> = played.into_iter().map(|(_, told)| told).collect();
    told.chunks(2)
        .map(|two| two[0].iter().cloned().zip(two[1].iter().cloned()).map(<[Told; 2]>::from).collect())
        .collect()
}

/// All shapes of a family in one cell.
fn play(lab: &Lab, family: &Family, agent: usize) -> Vec<Told> {
    let runs: Vec<(&Task, &Limits)> = family.shapes.iter().map(|shape| (&shape.task, &ROOMY)).collect();
    match lab.sandbox.open(family.agents[agent].clone().into_bytes(), &ROOMY) {
        Ok(Opened::Ready(mut cell)) => {
            cell.expect(&runs);
            runs.iter().map(|(task, limits)| judged(&mut *cell, task, limits)).collect()
        }
        Ok(Opened::Refused(refusal)) => panic!("{}: {}", family.name, refusal.message),
        Err(fault) => panic!("{}: {fault}", family.name),
    }
}

fn judged(cell: &mut (dyn Cell + '_), task: &Task, limits: &Limits) -> Told {
    match cell.run(task, limits) {
        Ok(run) => (word(run.tests[0].verdict), run.tests[0].message.clone().unwrap_or_default()),
        Err(Fault::Task(fault)) => ("task_fault".to_owned(), fault),
        Err(fault) => ("unscored".to_owned(), fault.to_string()),
    }
}
