//! Exports: the results in the formats of course platforms, CI systems, spreadsheets and leaderboards. Those of
//! platforms and leaderboards, which miners see, tell as much as the feedback; the others are the organiser's, and hold all.

mod csv_long;
mod gradebook;
mod gradescope;
mod junit;
mod kaggle;
mod people;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::util::atomic_file;

pub use crate::export::people::{Mark, People, Person};

/// A format of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A results.json for each person, as Gradescope's autograder has it
    Gradescope,
    /// One JUnit XML file: a suite for each person, a case for each test
    Junit,
    /// One CSV file: a line for each test of each run
    CsvLong,
    /// One CSV file: a line for each student, a column for each task
    Gradebook,
    /// One CSV file: a leaderboard with Kaggle's columns
    Kaggle,
}

impl Format {
    /// Writes everything as one stream; of a format with a file for each person, a line for each.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(self, out: &mut dyn Write, people: &People<'_>) -> io::Result<()> {
        match self {
            Self::Gradescope => gradescope::lines(out, people),
            Self::Junit => junit::write(out, people),
            Self::CsvLong => csv_long::write(out, people),
            Self::Gradebook => gradebook::write(out, people),
            Self::Kaggle => kaggle::write(out, people),
        }
    }

    /// Writes the format's files into a folder, which is made if need be; gives their paths. Each is replaced whole.
    ///
    /// # Errors
    /// The folder or a file can't be written; the message names it.
    pub fn write_to(self, folder: &Path, people: &People<'_>) -> io::Result<Vec<PathBuf>> {
        std::fs::create_dir_all(folder).map_err(|error| atomic_file::blame(folder, &error))?;
        let name = match self {
            Self::Gradescope => return gradescope::files(folder, people),
            Self::Junit => "junit.xml",
            Self::CsvLong => "tests.csv",
            Self::Gradebook => "gradebook.csv",
            Self::Kaggle => "leaderboard.csv",
        };
        let path = folder.join(name);
        atomic_file::replace_by(&path, |out| self.write(out, people))?;
        Ok(vec![path])
    }
}
