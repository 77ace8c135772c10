//! agentmill's word beside plain Python's.

use super::family::{Family, Shape};
use super::{oracle, play};

/// Mistakes in the table itself: a right answer that does not pass under plain Python, or a wrong one that does.
pub fn unsound(families: &[Family], wanted: &[Vec<[oracle::Told; 2]>]) -> Vec<String> {
    let mistake = |family: &Family, shape: &Shape, [right, wrong]: &[oracle::Told; 2]| {
        let what = match (right.0.as_str(), wrong.0.as_str()) {
            ("passed", "passed") if shape.has_wrong => "the wrong answer passes".to_owned(),
            (_, "stuck") => "the wrong answer does not end".to_owned(),
            ("passed", _) => return None,
            (word, _) => format!("the right answer {word}: {}", right.1),
        };
        Some(format!("{}/{}: {what}", family.name, shape.name))
    };
    each(families, wanted).filter_map(|(family, shape, told)| mistake(family, shape, told)).collect()
}

/// Shapes for which agentmill says something else, a paragraph for each answer.
pub fn faults(
    families: &[Family],
    wanted: &[Vec<[oracle::Told; 2]>],
    got: &[Vec<[play::Told; 2]>],
) -> Vec<String> {
    let got = each(families, got).map(|(_, _, got)| got);
    let both = each(families, wanted).zip(got);
    both.filter_map(|((family, shape, wanted), got)| {
        let answers = ["right", "wrong"].into_iter().zip(wanted.iter().zip(got));
        let odd: String =
            answers.filter_map(|(answer, (wanted, got))| odd(shape, answer, wanted, got)).collect();
        (!odd.is_empty()).then(|| format!("{}/{}\n{odd}", family.name, shape.name))
    })
    .collect()
}

fn each<'a, T>(
    families: &'a [Family],
    told: &'a [Vec<T>],
) -> impl Iterator<Item = (&'a Family, &'a Shape, &'a T)> {
    let shapes = |(family, told): (&'a Family, &'a Vec<T>)| {
        family.shapes.iter().zip(told).map(move |(shape, told)| (family, shape, told))
    };
    families.iter().zip(told).flat_map(shapes)
}

/// The fault of the verdict, or of the message.
fn odd(shape: &Shape, answer: &str, wanted: &oracle::Told, got: &play::Told) -> Option<String> {
    let ours = format!("agentmill {}: {}", got.0, got.1);
    if !allowed(shape, &wanted.0).contains(&got.0.as_str()) {
        return Some(format!("  {answer}: Python {} {}; {ours}\n", wanted.0, wanted.1));
    }
    let told = if shape.edge.is_some() { "right" } else { "wrong" };
    let missing: Vec<_> = shape.says.iter().filter(|part| !got.1.contains(*part)).collect();
    (answer == told && !missing.is_empty()).then(|| format!("  {answer}: {missing:?} not in: {ours}\n"))
}

/// The verdicts that agree with plain Python's word.
fn allowed(shape: &Shape, word: &str) -> &'static [&'static str] {
    match word {
        _ if shape.edge.is_some() => &["failed", "error", "task_fault"],
        "passed" => &["passed"],
        "failed" => &["failed"],
        _ => &["failed", "error"],
    }
}
