//! JUnit's XML, as CI systems and course platforms read it: a suite for each person, a case for each test.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::export::people::{People, Person};
use crate::model::report::{Outcome, Run, TestResult, Verdict, of_sample};
use crate::util::text::visible;

/// Most characters of a message.
const MAX: usize = 2_000;

type Xml<'a> = Writer<&'a mut dyn Write>;

pub(super) fn write(out: &mut dyn Write, people: &People<'_>) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(out, b' ', 1);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = xml.create_element("testsuites").with_attribute(("name", "agentmill"));
    suites.write_inner_content(|xml| {
        people.all().iter().try_for_each(|person| suite(xml, person, &people.runs(person)))
    })?;
    writeln!(xml.get_mut())
}

/// One test of JUnit's.
struct Case {
    class: String,
    name: String,
    seconds: Option<f64>,
    end: End,
}

enum End {
    Passed,
    /// By the agent: the kind and the message.
    Failed(&'static str, String),
    /// By nobody who is judged here.
    Skipped(String),
}

fn suite(xml: &mut Xml<'_>, person: &Person<'_>, runs: &[Run]) -> io::Result<()> {
    let missing = person.missing().map(|why| Case {
        class: person.written.to_owned(),
        name: "submission".to_owned(),
        seconds: None,
        end: End::Skipped(why),
    });
    let cases: Vec<Case> = runs.iter().flat_map(cases).chain(missing).collect();
    let count = |is: fn(&End) -> bool| cases.iter().filter(|case| is(&case.end)).count().to_string();
    let (failed, skipped) =
        (count(|end| matches!(end, End::Failed(..))), count(|end| matches!(end, End::Skipped(_))));
    // The sum of none is -0.
    let seconds = cases.iter().filter_map(|case| case.seconds).fold(0.0, |all, one| all + one);
    let suite = xml
        .create_element("testsuite")
        .with_attribute(("name", person.written))
        .with_attribute(("tests", cases.len().to_string().as_str()))
        .with_attribute(("failures", failed.as_str()))
        .with_attribute(("errors", "0"))
        .with_attribute(("skipped", skipped.as_str()))
        .with_attribute(("time", format!("{seconds:.3}").as_str()));
    suite.write_inner_content(|xml| {
        properties(xml, person)?;
        cases.iter().try_for_each(|one| case(xml, one))
    })?;
    Ok(())
}

fn properties(xml: &mut Xml<'_>, person: &Person<'_>) -> io::Result<()> {
    let score = person.row.and_then(|row| row.score).map(|score| score.to_string());
    let rank = person.row.and_then(|row| row.rank).map(|rank| rank.to_string());
    let group = Some(person.group).filter(|group| !group.is_empty()).map(str::to_owned);
    let all = [
        ("name", person.name.map(str::to_owned)),
        ("group", group),
        ("state", Some(person.state.name().to_owned())),
        ("rank", rank),
        ("score", score),
    ];
    xml.create_element("properties").write_inner_content(|xml| {
        for (name, value) in all.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?))) {
            let property = xml.create_element("property").with_attribute(("name", name));
            property.with_attribute(("value", text(value).as_str())).write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

/// A run's time stands with its first test: the tests share it.
fn cases(run: &Run) -> Vec<Case> {
    let class = format!("{}.{}", text(&run.stage), run.task);
    let alone =
        |why: String| Case { class: class.clone(), name: run.label(), seconds: None, end: End::Skipped(why) };
    match &run.outcome {
        Outcome::Scored(scored) => {
            let times =
                std::iter::once(Some(scored.usage.wall_ms as f64 / 1000.0)).chain(std::iter::repeat(None));
            let case = |(test, seconds): (&TestResult, Option<f64>)| Case {
                class: class.clone(),
                name: text(&test.name) + &of_sample(run.sample),
                seconds,
                end: end(test),
            };
            scored.tests.iter().zip(times).map(case).collect()
        }
        Outcome::TaskFault { task_fault } => vec![alone(format!("counts for nobody: {task_fault}"))],
        Outcome::Unscored { unscored } => vec![alone(format!("not scored yet: {unscored}"))],
    }
}

fn end(test: &TestResult) -> End {
    match test.verdict {
        Verdict::Passed => End::Passed,
        verdict => End::Failed(verdict.name(), test.message.clone().unwrap_or_default()),
    }
}

fn case(xml: &mut Xml<'_>, case: &Case) -> io::Result<()> {
    let seconds = format!("{:.3}", case.seconds.unwrap_or_default());
    let element = xml
        .create_element("testcase")
        .with_attribute(("classname", case.class.as_str()))
        .with_attribute(("name", case.name.as_str()))
        .with_attribute(("time", seconds.as_str()));
    match &case.end {
        End::Passed => element.write_empty()?,
        End::Failed(verdict, message) => element.write_inner_content(|xml| {
            let (first, all) = (text(message.lines().next().unwrap_or_default()), text(message));
            let failure = xml.create_element("failure").with_attribute(("type", *verdict));
            failure.with_attribute(("message", first.as_str())).write_text_content(BytesText::new(&all))?;
            Ok(())
        })?,
        End::Skipped(why) => element.write_inner_content(|xml| {
            xml.create_element("skipped").with_attribute(("message", text(why).as_str())).write_empty()?;
            Ok(())
        })?,
    };
    Ok(())
}

/// Text that XML can hold: no control characters, and neither of the two that are no characters.
fn text(text: &str) -> String {
    visible(text, MAX).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
