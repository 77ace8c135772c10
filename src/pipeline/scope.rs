//! Scope of a pass: the agents and the tasks that it may evaluate, where it is not to evaluate all.

use std::path::Path;

use anyhow::{anyhow, bail};
use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::config::check;
use crate::model::miner_id::Miner;
use crate::task::Task;
use crate::util::similar::{did_you_mean, nearest};

/// The agents and tasks of a pass; by default all of them.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    agents: Option<Patterns>,
    tasks: Option<Patterns>,
}

/// Patterns of which one must match.
#[derive(Debug, Clone)]
struct Patterns {
    written: Vec<String>,
    set: GlobSet,
}

impl Scope {
    /// The agents and tasks that these patterns name. No pattern stands for all.
    ///
    /// # Errors
    /// A pattern that is none, or one that matches no task; the message names it.
    pub fn new(agents: &[String], tasks: &[String], all: &[Task]) -> anyhow::Result<Self> {
        let (agents, tasks) = (Patterns::new("--agent", agents)?, Patterns::new("--task", tasks)?);
        for pattern in tasks.iter().flat_map(|tasks| &tasks.written) {
            let matcher = glob("--task", pattern)?.compile_matcher();
            if !all.iter().any(|task| matcher.is_match(&task.id)) {
                let near = nearest(pattern, all.iter().map(|task| task.id.as_str()));
                let meant = near.map_or_else(|| ";".to_owned(), |near| did_you_mean(Some(near)));
                bail!("--task {pattern:?} matches no task{meant} `agentmill tasks` lists them");
            }
        }
        Ok(Self { agents, tasks })
    }

    /// True if it leaves nothing out.
    pub fn is_all(&self) -> bool {
        self.agents.is_none() && self.tasks.is_none()
    }

    /// Tells whether a miner's agent may be evaluated.
    pub fn has_agent(&self, miner: &Miner) -> bool {
        self.agents.as_ref().is_none_or(|agents| agents.set.is_match(miner.as_str()))
    }

    /// Tells whether agents may be run on a task.
    pub fn has_task(&self, id: &str) -> bool {
        self.tasks.as_ref().is_none_or(|tasks| tasks.set.is_match(id))
    }

    /// Fails unless one of the miners is in it.
    ///
    /// # Errors
    /// None is; the message has the patterns.
    pub fn check_agents<'a>(
        &self,
        miners: impl Iterator<Item = &'a Miner>,
        inbox: &Path,
    ) -> anyhow::Result<()> {
        let miners: Vec<&Miner> = miners.collect();
        match &self.agents {
            Some(agents) if !miners.iter().any(|miner| self.has_agent(miner)) => {
                let patterns = agents.written.join(", ");
                let meant = agents.meant(miners.iter().map(|miner| miner.as_str()));
                bail!("--agent {patterns}: no submission in {} has such a name{meant}", inbox.display())
            }
            _ => Ok(()),
        }
    }
}

impl Patterns {
    /// The end of a message: the name that may be meant.
    fn meant<'a>(&self, names: impl Iterator<Item = &'a str> + Clone) -> String {
        did_you_mean(self.written.iter().find_map(|pattern| nearest(pattern, names.clone())))
    }

    fn new(option: &str, patterns: &[String]) -> anyhow::Result<Option<Self>> {
        if patterns.is_empty() {
            return Ok(None);
        }
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(glob(option, pattern)?);
        }
        Ok(Some(Self { written: patterns.to_vec(), set: set.build()? }))
    }
}

fn glob(option: &str, pattern: &str) -> anyhow::Result<Glob> {
    check::glob(pattern.to_owned()).map_err(|why| anyhow!("{option} {pattern:?}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(agents: &[&str], tasks: &[&str]) -> anyhow::Result<Scope> {
        let owned =
            |patterns: &[&str]| patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>();
        let all = [crate::pipeline::publish::samples::task("strings/join", 1.0)];
        Scope::new(&owned(agents), &owned(tasks), &all)
    }

    #[test]
    fn no_pattern_stands_for_all_and_one_of_several_suffices() {
        let miner = |id: &str| id.parse::<Miner>().unwrap();
        let all = scope(&[], &[]).unwrap();
        assert!(all.has_agent(&miner("ann")) && all.has_task("strings/join"));
        let some = scope(&["a*", "ben"], &["strings/*"]).unwrap();
        assert!(some.has_agent(&miner("ann")) && some.has_agent(&miner("ben")));
        assert!(!some.has_agent(&miner("cid")) && !some.has_task("join"));
    }

    #[test]
    fn patterns_that_are_none_or_match_nothing_are_told() {
        let message = |result: anyhow::Result<Scope>| result.unwrap_err().to_string();
        assert!(message(scope(&["[a"], &[])).starts_with("--agent \"[a\": not a valid pattern"));
        assert!(message(scope(&[], &["join"])).starts_with("--task \"join\" matches no task"));
        assert_eq!(
            message(scope(&[], &["string/join"])),
            "--task \"string/join\" matches no task; did you mean \"strings/join\"? `agentmill tasks` lists them"
        );
        let alice = ["alice".parse().unwrap()];
        let error =
            scope(&["alcie"], &[]).unwrap().check_agents(alice.iter(), Path::new("inbox")).unwrap_err();
        assert!(error.to_string().ends_with("has such a name; did you mean \"alice\"?"), "{error}");
        let ann = ["ann".parse().unwrap()];
        let error = scope(&["b*"], &[]).unwrap().check_agents(ann.iter(), Path::new("inbox")).unwrap_err();
        assert_eq!(error.to_string(), "--agent b*: no submission in inbox has such a name");
    }
}
