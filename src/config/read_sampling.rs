//! Reading `samples` and `reduce` of a stage.

use serde_yaml::Value;

use crate::config::check::within;
use crate::config::sampling::{MOST_SAMPLES, Reduce, Sampling};
use crate::yaml::{Kind, Place, Reader, describe};

const EXPECTED: &str =
    "expected mean, best, pass_at_k or pass_all_k, or the last two with their k, such as {pass_at_k: 3}";

/// The samples of a stage; one where nothing is said of them.
pub(super) fn sampling(fields: &mut Reader<'_>) -> Sampling {
    let samples = fields.checked("samples", 1, |count| within(count, 1, MOST_SAMPLES));
    let reduce = fields.get("reduce").and_then(|place| reduce(&place, samples)).unwrap_or(Reduce::Mean);
    Sampling { samples, reduce }
}

/// Advice on a way to reduce that stands beside `reduce`; None for any other field.
pub(super) fn advice(name: &str) -> Option<String> {
    ["pass_at_k", "pass_all_k"].contains(&name).then(|| format!("did you mean reduce: {{{name}: ...}}?"))
}

/// A word alone takes all samples for its k.
fn reduce(place: &Place<'_>, samples: u32) -> Option<Reduce> {
    if !matches!(place.node.kind, Kind::Mapping(_)) {
        return place.value(|value: Value| match value.as_str() {
            Some("mean") => Ok(Reduce::Mean),
            Some("best") => Ok(Reduce::Best),
            Some("pass_at_k") => Ok(Reduce::PassAt(samples)),
            Some("pass_all_k") => Ok(Reduce::PassAll(samples)),
            _ => Err(format!("{EXPECTED}; found {}", describe(&value))),
        });
    }
    let mut fields = place.fields()?;
    if fields.names().count() != 1 {
        place.complain(EXPECTED);
        return None;
    }
    let at_most = |k: u32| match within(k, 1, samples) {
        Err(why) if k > samples => Err(format!("{why}: the stage has no more samples")),
        checked => checked,
    };
    let pass_at = fields.get("pass_at_k").and_then(|place| place.value(at_most)).map(Reduce::PassAt);
    let pass_all = fields.get("pass_all_k").and_then(|place| place.value(at_most)).map(Reduce::PassAll);
    fields.finish();
    pass_at.or(pass_all)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;

    fn read(stage: &str) -> Result<Sampling, String> {
        let text = format!("stages: [{{name: a, {stage}}}]");
        let pipeline =
            parse(Path::new("p.yaml"), text.as_bytes()).map_err(|problems| problems.to_string())?;
        Ok(pipeline.stages[0].sampling)
    }

    #[test]
    fn a_stage_has_one_sample_unless_it_says_so() {
        assert_eq!(read(""), Ok(Sampling::ONE));
        assert_eq!(parse(Path::new("p"), b"").unwrap().stages[0].sampling, Sampling::ONE);
        assert_eq!(read("samples: 5"), Ok(Sampling { samples: 5, reduce: Reduce::Mean }));
    }

    #[test]
    fn rules_have_their_k() {
        for (yaml, reduce) in [
            ("mean", Reduce::Mean),
            ("best", Reduce::Best),
            ("pass_at_k", Reduce::PassAt(5)),
            ("pass_all_k", Reduce::PassAll(5)),
            ("{pass_at_k: 3}", Reduce::PassAt(3)),
            ("{pass_all_k: 2}", Reduce::PassAll(2)),
        ] {
            assert_eq!(read(&format!("samples: 5, reduce: {yaml}")), Ok(Sampling { samples: 5, reduce }));
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (yaml, told) in [
            ("samples: 0", "p.yaml:1:29: stages[0].samples: expected 1 to 200, found 0"),
            ("samples: 201", "expected 1 to 200, found 201"),
            ("samples: many", "stages[0].samples"),
            ("reduce: worst", "stages[0].reduce: expected mean, best, pass_at_k or pass_all_k"),
            (
                "samples: 2, reduce: {pass_at_k: 3}",
                "stages[0].reduce.pass_at_k: expected 1 to 2, found 3: the stage",
            ),
            ("reduce: {pass_at: 1}", "unknown field; did you mean \"pass_at_k\"?"),
            ("reduce: {pass_at_k: 1, pass_all_k: 1}", "stages[0].reduce: expected mean"),
        ] {
            let error = read(yaml).unwrap_err();
            assert!(error.contains(told), "{yaml}: {error}");
        }
    }
}
