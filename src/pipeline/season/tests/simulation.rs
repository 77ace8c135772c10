//! A season of 90 days in one go: 300 miners, 5,000 submissions, copies, refusals, kills between any two steps, halves of
//! lines, a change of tasks, two freezes, and a clock that is set back. A simple model beside it decides everything anew from a list
//! of what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::board::Board;
use super::model::{BEGIN, CLOSES, DAYS, MINERS, Model, OPENS, TOTAL, UNTIL, miner, moment};
use super::*;
use crate::config::Extension;
use crate::pipeline::ledger::{Found, Ledger};

const MINUTE: i64 = 60;
const SUBMISSIONS: usize = 5_000;

const RULES: &str = "{opens: OPENS, closes: CLOSES, submissions: {per_day: 2, total: 12}, \
                     late: {until: UNTIL, per_day: 10%}, counts: best}";

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// A file in the inbox.
#[derive(Clone)]
struct Lying {
    sha256: String,
    valid: bool,
    changed: i64,
}

struct World {
    results: tempfile::TempDir,
    season: Season,
    ledger: Ledger,
    inbox: BTreeMap<usize, Lying>,
    model: Model,
    kills: usize,
    /// Files that were no agents and are by other rules.
    turned: usize,
}

impl World {
    fn new() -> Self {
        let shm = Path::new("/dev/shm");
        let results = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap();
        let told = |day: i64| moment(day * 86_400).display_with_offset(jiff::tz::offset(1)).to_string();
        let rules = RULES
            .replace("OPENS", &told(OPENS))
            .replace("CLOSES", &told(CLOSES))
            .replace("UNTIL", &told(UNTIL));
        let mut season = season(&rules);
        let extended = (0..MINERS).filter(|number| Model::close(*number) != CLOSES);
        let extension = Extension { closes: Some(moment((CLOSES + 3) * 86_400)), received: Vec::new() };
        season.extensions = extended.map(|number| (miner(number), extension.clone())).collect();
        let ledger = Ledger::open(results.path()).unwrap().0;
        Self {
            results,
            season,
            ledger,
            inbox: BTreeMap::new(),
            model: Model { newest: i64::MIN, looked: i64::MIN, ..Model::default() },
            kills: 0,
            turned: 0,
        }
    }

    fn file(&self) -> PathBuf {
        self.results.path().join("ledger.jsonl")
    }

    /// The process dies and starts again: all that it knows is in the files. It may have died amid a line.
    fn kill(&mut self, dice: &mut Dice) {
        if dice.below(4) == 0
            && let Ok(mut file) = OpenOptions::new().append(true).open(self.file())
        {
            // Behind an older half it would have begun another line.
            let ending = if fs::read(self.file()).unwrap().ends_with(b"\n") { "" } else { "\n" };
            write!(file, r#"{ending}{{"sha256":"half","miner":"miner1","at":"20"#).unwrap();
        }
        self.ledger = Ledger::open(self.results.path()).unwrap().0;
        self.kills += 1;
    }

    /// A pass over the inbox, which may die before anything is written: then it comes again.
    fn pass(&mut self, now: i64, dice: &mut Dice) {
        if dice.below(6) == 0 {
            self.look(now);
            self.kill(dice);
        }
        let at = now.max(self.model.newest);
        let mut lying: Vec<(usize, Lying)> =
            self.inbox.iter().map(|(number, lying)| (*number, lying.clone())).collect();
        lying.sort_by_key(|(number, lying)| (lying.changed, format!("miner{number}.py")));
        for (number, file) in &lying {
            if self.model.is_news(*number, &file.sha256, file.valid) {
                let came = file.changed.max(self.model.not_before(*number)).min(at);
                self.model.note(*number, &file.sha256, came, at, !file.valid);
            }
        }
        for (number, file) in lying.iter().filter(|(_, file)| file.valid) {
            self.model.look(*number, &file.sha256, now);
        }
        self.look(now);
        self.ledger.write().unwrap();
        self.ledger.looked(moment(now), BTreeSet::new());
        self.model.looked = self.model.looked.max(now);
        self.model.newest = self.model.newest.max(now);
    }

    /// Look at the inbox by agentmill's own season and ledger.
    fn look(&mut self, now: i64) {
        let found = self.inbox.iter().map(|(number, lying)| Found {
            changed: (BEGIN + lying.changed, 0),
            arrived: (BEGIN + lying.changed, 0),
            came: None,
            ordered: true,
            file: format!("miner{number}.py"),
            miner: miner(*number),
            sha256: lying.sha256.clone(),
            refused: !lying.valid,
            packed: false,
            other: None,
        });
        self.ledger.add(found.collect(), moment(now));
        for (number, lying) in self.inbox.iter().filter(|(_, lying)| lying.valid) {
            let at = self.ledger.now(moment(now));
            let file = format!("miner{number}.py");
            settle(&mut self.ledger, &self.season, &miner(*number), (&lying.sha256, &file), at);
        }
    }

    /// An upload over HTTP. What is refused leaves no trace.
    fn upload(&mut self, number: usize, sha256: &str, now: i64) {
        let at = self.ledger.now(moment(now));
        let decision = Course::of(&self.season, &miner(number), self.ledger.sights()).decide(sha256, at);
        let effective = now.max(self.model.newest);
        let counted = self.model.counted(number);
        let verdict = Model::verdict(number, &counted, sha256, effective);
        let stands = counted.last().is_some_and(|(last, ..)| last == sha256);
        match &decision {
            Decision::Stands => assert!(stands),
            Decision::Counts(days) => assert_eq!(verdict, Some(i64::from(*days)), "{number} at {effective}"),
            Decision::Refused(refusal) => {
                assert!(verdict.is_none() && !stands, "{number} at {effective}: {}", refusal.reason);
                if let Some(next) = refusal.next {
                    let next = next.as_second() - BEGIN;
                    let before = Model::verdict(number, &counted, sha256, next - 1);
                    let then = Model::verdict(number, &counted, sha256, next);
                    assert!(before.is_none() && then.is_some(), "the time that is told is the first");
                }
                return;
            }
        }
        self.inbox.insert(number, Lying { sha256: sha256.to_owned(), valid: true, changed: now });
        if !stands {
            let found = Found {
                changed: (BEGIN + now, 0),
                arrived: (BEGIN + now, 0),
                came: Some(at),
                ordered: true,
                file: format!("miner{number}.py"),
                miner: miner(number),
                sha256: sha256.to_owned(),
                refused: false,
                packed: false,
                other: None,
            };
            self.ledger.add(vec![found], moment(now));
            let file = format!("miner{number}.py");
            settle(&mut self.ledger, &self.season, &miner(number), (sha256, &file), at);
            self.ledger.write().unwrap();
            match self.model.was_no_agent(number, sha256) {
                true => self.model.look(number, sha256, now),
                false => self.model.note(number, sha256, effective, effective, false),
            }
        }
    }

    /// Python does not compile what counted so far.
    fn turn_out_bad(&mut self, number: usize, now: i64) {
        let Some((sha256, ..)) = self.model.counted(number).last().cloned() else { return };
        self.ledger.refuse(&miner(number), &sha256, &format!("miner{number}.py"), moment(now));
        self.ledger.write().unwrap();
        let noted = self.model.noted.get_mut(&number).unwrap();
        noted.iter_mut().rev().find(|noted| noted.sha256 == sha256).unwrap().refused = true;
        self.model.newest = self.model.newest.max(now);
        self.inbox.remove(&number);
    }

    /// Other rules, by which what lies in the inbox is an agent.
    fn turn_out_good(&mut self, number: usize) {
        if let Some(lying) = self.inbox.get_mut(&number).filter(|lying| !lying.valid) {
            lying.valid = true;
            self.turned += 1;
        }
    }

    fn compare(&self, number: usize) {
        let course = Course::of(&self.season, &miner(number), self.ledger.sights());
        let real = course.counted().iter().map(|counted| {
            // Lines of one moment are milliseconds apart.
            (counted.sha256.clone(), counted.came.as_second() - BEGIN, i64::from(counted.days_late))
        });
        assert_eq!(real.collect::<Vec<_>>(), self.model.counted(number), "miner{number}");
    }
}

/// The clock's time at a step: nearly even, never close to midnight, and set back by four days for a while.
fn clock(step: usize, dice: &mut Dice) -> i64 {
    let even = DAYS * 86_400 * step as i64 / SUBMISSIONS as i64;
    let within = (even % 86_400).clamp(10 * MINUTE, 86_400 - 10 * MINUTE);
    let now = even / 86_400 * 86_400 + within + dice.below(240) as i64;
    if (2_200..2_300).contains(&step) { now - 4 * 86_400 } else { now }
}

#[test]
fn ninety_days_come_to_what_a_simple_model_says() {
    let (mut world, mut dice, mut shas) =
        (World::new(), Dice(0x9e37_79b9_7f4a_7c15), vec![String::from("first")]);
    let results = world.results.path().to_owned();
    let (mut board, mut passes) = (Board::new(&results), 0);
    for step in 0..SUBMISSIONS {
        let now = clock(step, &mut dice);
        // Some are more eager than others.
        let number = dice.below(MINERS).min(dice.below(MINERS));
        let sha256 = match dice.below(16) {
            0 => shas[dice.below(shas.len())].clone(),
            1 => world.model.noted.get(&number).map_or("first", |noted| &noted[0].sha256).to_owned(),
            _ => format!("bytes{step}"),
        };
        shas.push(sha256.clone());
        match dice.below(10) {
            0..5 => world.upload(number, &sha256, now),
            5..9 => {
                let valid = dice.below(6) > 0;
                let sha256 = if valid { sha256 } else { format!("bad{step}") };
                world.inbox.insert(number, Lying { sha256, valid, changed: now });
            }
            _ => world.turn_out_bad(number, now),
        }
        if dice.below(4) == 0 {
            world.turn_out_good(dice.below(MINERS).min(dice.below(MINERS)));
        }
        if dice.below(12) == 0 {
            world.pass(now, &mut dice);
            world.compare(number);
            passes += 1;
            if passes % 12 == 0 {
                board.publish(&world.season, world.ledger.sights(), &world.model, now);
            } else {
                board.look(now);
            }
        }
        if dice.below(60) == 0 {
            world.kill(&mut dice);
            board.kill();
        }
    }
    world.pass(DAYS * 86_400, &mut dice);
    world.kill(&mut dice);
    (0..MINERS).for_each(|number| world.compare(number));
    board.publish(&world.season, world.ledger.sights(), &world.model, DAYS * 86_400);
    let counted: Vec<_> = (0..MINERS).map(|number| world.model.counted(number)).collect();
    let of = |holds: &dyn Fn(&(String, i64, i64)) -> bool| {
        counted.iter().flatten().filter(|one| holds(one)).count()
    };
    let full = counted.iter().filter(|counted| counted.len() == TOTAL).count();
    assert!(
        world.kills > 80
            && world.turned > 20
            && of(&|_| true) > 1_000
            && of(&|one| one.2 > 0) > 20
            && full > 10,
        "it was too tame"
    );
    assert!(board.stood_still > 10, "the board stood still {} times", board.stood_still);
    assert!(fs::read_to_string(world.file()).unwrap().lines().any(|line| line.ends_with(r#""at":"20"#)));
}
