//! Carrying cells to other machines: the user's prefix before the engine's command, and what it needs around it.
//!
//! A cell is one command fed on stdin and read on stdout, so whatever starts a command elsewhere can carry it. The local
//! engine knows nothing of such a cell: `carry.sh` goes with it and tells on stderr what the engine there records.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tracing::warn;

use crate::config::Limits;
use crate::sandbox::remote::slurm::Slurm;

/// Runs beside a carried cell's engine; says at its top how.
const CARRY: &str = include_str!("carry.sh");

/// How long no cell goes to a machine after one did not get ready there: one that is broken is also the first to be
/// free again, and would take one cell after the other.
const SHUNNED: Duration = Duration::from_secs(60);

/// The way that cells take.
#[derive(Debug)]
pub struct Launch {
    words: Vec<String>,
    slurm: Option<Slurm>,
    session: String,
    folder: String,
    /// Machines that fail, since when and why.
    shunned: Mutex<HashMap<String, (Instant, String)>>,
}

impl Launch {
    /// By these words before the engine's command, for this session in this folder. `srun` is known by its name.
    pub fn new(words: &[String], session: &str, folder: &str) -> Self {
        let words = words.to_owned();
        let slurm = words.first().filter(|word| is_srun(word)).map(|_| Slurm::new(folder));
        let (session, folder) = (session.to_owned(), folder.to_owned());
        Self { words, slurm, session, folder, shunned: Mutex::default() }
    }

    /// Tells whether cells run on other machines at all.
    pub fn carries(&self) -> bool {
        !self.words.is_empty()
    }

    /// The words before the engine's command; `engine` is its first word.
    pub fn argv(&self, engine: &str, name: &str, limits: &Limits) -> Vec<String> {
        let mut argv = self.words.clone();
        if let Some(slurm) = &self.slurm {
            // Behind the program and before what the user wants, which has the last word.
            argv.splice(1..1, slurm.options(name, limits, &self.shunned_now()));
        }
        let carry = ["/bin/sh", "-c", CARRY, "sh", engine, name, &self.session, &self.folder];
        argv.extend(carry.map(String::from));
        argv
    }

    /// No cell came to be ready, on this machine if it came to one at all. Tells what else is known to be wrong.
    pub fn failed(&self, node: Option<String>, reason: &str) -> String {
        let mut shunned = self.shunned.lock();
        let Some(node) = node else {
            // There may be no other machine than those.
            let told = shunned.drain().map(|(node, (_, reason))| format!("; before, on {node}: {reason}"));
            return format!("no machine took a cell: {reason}{}", told.collect::<String>());
        };
        warn!(node, reason, "no cell goes there for a while");
        let told = format!("a cell did not get ready on {node}: {reason}");
        shunned.insert(node, (Instant::now(), reason.to_owned()));
        told
    }

    fn shunned_now(&self) -> Vec<String> {
        let mut shunned = self.shunned.lock();
        shunned.retain(|_, (since, _)| since.elapsed() < SHUNNED);
        let mut nodes: Vec<String> = shunned.keys().cloned().collect();
        nodes.sort();
        nodes
    }

    /// Ends cells by their names, wherever they are, waiting ones too.
    pub fn cancel(&self, names: &[&str]) {
        if let Some(slurm) = &self.slurm {
            slurm.cancel(|job| names.contains(&job));
        }
    }

    /// Ends all that is left of this session, or, before it has begun, of earlier ones in this folder.
    pub fn cancel_all(&self) {
        if let Some(slurm) = &self.slurm {
            slurm.cancel(|_| true);
        }
    }
}

fn is_srun(word: &str) -> bool {
    word.rsplit('/').next() == Some("srun")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        timeout: Duration::from_secs(1),
        memory: 256 << 20,
        cpus: 1.5,
        pids: 64,
        output: 1 << 16,
        tmp: 16 << 20,
        entries: 0,
        value: 1 << 20,
    };

    fn launch(words: &[&str]) -> Launch {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Launch::new(&words, "session", "folder")
    }

    fn line(launch: &Launch) -> String {
        launch.argv("docker", "cell-1", &LIMITS).join(" ").replace(CARRY, "CARRY")
    }

    #[test]
    fn any_command_may_carry_a_cell() {
        assert_eq!(
            line(&launch(&["env", "A=b"])),
            "env A=b /bin/sh -c CARRY sh docker cell-1 session folder"
        );
    }

    #[test]
    fn srun_is_asked_for_what_the_cell_may_use_and_the_user_has_the_last_word() {
        let line = line(&launch(&["/opt/bin/srun", "--mem=1G"]));
        assert!(line.contains("--cpus-per-task=2 --mem=384M"), "{line}");
        assert!(line.starts_with("/opt/bin/srun --job-name=cell-1@folder "), "{line}");
        assert!(line.contains(" --mem=1G /bin/sh -c CARRY"), "{line}");
    }

    #[test]
    fn a_machine_that_fails_is_passed_over_until_there_is_no_other() {
        let launch = launch(&["srun"]);
        let told = launch.failed(Some("n2".into()), "no such image");
        assert_eq!(told, "a cell did not get ready on n2: no such image");
        assert!(line(&launch).contains(" --exclude=n2 "));
        let told = launch.failed(None, "none left");
        assert_eq!(told, "no machine took a cell: none left; before, on n2: no such image");
        assert!(!line(&launch).contains("--exclude"));
    }
}
