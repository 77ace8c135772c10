//! Reading grants.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_yaml::Value;

use crate::config::check::{self, within};
use crate::config::grant::{Face, Grant};
use crate::model::model_use::Money;
use crate::util::units::Time;
use crate::yaml::{Place, Reader, describe, list};

/// The `model` of a stage; None where agents may ask nobody.
pub(super) fn grant(fields: &mut Reader<'_>) -> Option<Grant> {
    let place = fields.get("model").filter(|place| !place.is_null())?;
    let mut fields = place.fields()?;
    let allow = fields.required("allow");
    let allow = list(allow.clone(), check::model).inspect(|names| {
        if let (true, Some(place)) = (names.is_empty(), &allow) {
            place.complain("expected at least one model's name");
        }
    });
    let at_once = fields.checked("at_once", 4, |count| within(count, 1, 64));
    let faces = faces(fields.get("faces"));
    let grant = Grant { at_once, faces, ..bounds(&mut fields, allow.unwrap_or_default()) };
    if grant.faces.contains(&Face::Ridges) && grant.cost.is_none() {
        fields.complain("faces", "agents are told a budget in dollars in Ridges' protocol: set cost");
    }
    fields.finish();
    Some(grant)
}

/// The `model` of the judge: the one that tests ask; None where they may ask nobody.
pub(super) fn of_judge(fields: &mut Reader<'_>) -> Option<Grant> {
    let place = fields.get("model").filter(|place| !place.is_null())?;
    let mut fields = place.fields()?;
    let model = fields.required("use").and_then(|place| place.value(check::model));
    let grant = bounds(&mut fields, model.into_iter().collect());
    fields.finish();
    Some(grant)
}

/// A budget for these models.
fn bounds(fields: &mut Reader<'_>, allow: Vec<String>) -> Grant {
    Grant {
        allow,
        requests: fields.checked("requests", 50, |count| within(count, 1, 1_000_000)),
        tokens: fields.checked("tokens", 200_000, tokens),
        cost: fields.optional("cost", |dollars| within(dollars, 0.000_001, 1e6).map(Money::dollars)),
        wait: fields.checked("wait", Duration::from_secs(600), wait),
        at_once: 1,
        faces: vec![Face::Openai],
    }
}

fn faces(place: Option<Place<'_>>) -> Vec<Face> {
    let names = list(place.clone(), Ok::<Face, String>).unwrap_or_else(|| vec![Face::Openai]);
    if let (true, Some(place)) = (names.is_empty(), &place) {
        place.complain("expected at least one of openai, bitsec, ridges");
    }
    BTreeSet::from_iter(names).into_iter().collect()
}

/// A whole number, or one such as `200k` or `2M`.
fn tokens(value: Value) -> Result<u64, String> {
    let scaled = |text: &str| {
        let (number, scale) = match text.strip_suffix('k') {
            Some(number) => (number, 1_000),
            None => (text.strip_suffix('M')?, 1_000_000),
        };
        number.parse::<u64>().ok()?.checked_mul(scale)
    };
    let count = value.as_u64().or_else(|| value.as_str().and_then(scaled));
    count
        .ok_or_else(|| format!("expected a number of tokens such as 200k, found {}", describe(&value)))
        .and_then(|count| within(count, 1, 1_000_000_000))
}

fn wait(time: Time) -> Result<Duration, String> {
    within(time, Time(Duration::from_millis(100)), Time(Duration::from_secs(24 * 3600))).map(|time| time.0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;

    fn grant_of(model: &str, rest: &str) -> Result<Option<Grant>, String> {
        let text = format!("stages: [{{name: a, model: {model}}}]\n{rest}");
        let pipeline = parse(Path::new("p"), text.as_bytes()).map_err(|problems| problems.to_string())?;
        Ok(pipeline.stages[0].model.clone())
    }

    #[test]
    fn a_stage_grants_nothing_unless_it_says_so() {
        assert_eq!(grant_of("null", ""), Ok(None));
        let error = grant_of("{}", "").unwrap_err();
        assert!(error.contains("stages[0].model.allow: missing"), "{error}");
        let error = grant_of("{allow: []}", "").unwrap_err();
        assert!(error.contains("at least one model's name"), "{error}");
    }

    #[test]
    fn budgets_have_defaults_and_units() {
        let grant = grant_of("{allow: [m]}", "").unwrap().unwrap();
        assert_eq!((grant.requests, grant.tokens, grant.cost, grant.at_once), (50, 200_000, None, 4));
        let grant = grant_of("{allow: [m, n], requests: 3, tokens: 2M, wait: 30s}", "").unwrap().unwrap();
        assert_eq!((grant.allow.len(), grant.requests, grant.tokens), (2, 3, 2_000_000));
        assert_eq!(grant.wait, Duration::from_secs(30));
        for wrong in
            ["tokens: 1.5k", "tokens: k", "requests: 0", "at_once: 65", "cost: -1", "wait: 1ms", "x: 1"]
        {
            assert!(grant_of(&format!("{{allow: [m], {wrong}}}"), "").is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_judge_has_a_model_and_a_budget_of_its_own() {
        let of_judge = |model: &str| {
            let text = format!("judge: {{model: {model}}}");
            let pipeline = parse(Path::new("p"), text.as_bytes()).map_err(|problems| problems.to_string())?;
            Ok::<_, String>(pipeline.judge_model)
        };
        assert_eq!(of_judge("null"), Ok(None));
        let grant = of_judge("{use: m, requests: 5, tokens: 1k}").unwrap().unwrap();
        assert_eq!((grant.allow, grant.requests, grant.tokens), (vec!["m".to_owned()], 5, 1000));
        let error = of_judge("{allow: [m], faces: [openai]}").unwrap_err();
        assert!(error.contains("judge.model.use: missing") && error.contains("judge.model.allow"), "{error}");
        let error = of_judge("{use: m, cost: 1}").unwrap_err();
        assert!(error.contains("judge.model bounds the cost of \"m\", which has no price"), "{error}");
    }

    #[test]
    fn agents_speak_openais_protocol_unless_others_are_named() {
        let faces = |text: &str| {
            let text = format!("{{allow: [m], cost: 1, {text}}}");
            grant_of(&text, "llm: {prices: {m: [1, 2]}}").map(|grant| grant.unwrap().faces)
        };
        assert_eq!(faces(""), Ok(vec![Face::Openai]));
        assert_eq!(faces("faces: [ridges, openai, ridges]"), Ok(vec![Face::Openai, Face::Ridges]));
        assert!(faces("faces: []").unwrap_err().contains("at least one of openai, bitsec, ridges"));
        let error = faces("faces: [ollama]").unwrap_err();
        assert!(error.contains("faces[0]: expected one of") && error.contains("bitsec"), "{error}");
        let error = grant_of("{allow: [m], faces: [ridges]}", "").unwrap_err();
        assert!(error.contains("model.faces: ") && error.contains("set cost"), "{error}");
    }

    #[test]
    fn a_bound_on_cost_needs_prices() {
        let error = grant_of("{allow: [m], cost: 0.1}", "").unwrap_err();
        assert!(error.contains("llm: stage \"a\" bounds the cost of \"m\", which has no price"), "{error}");
        let error = grant_of("{allow: [stronk], cost: 0.1}", "llm: {prices: {strong: [1, 2]}}").unwrap_err();
        assert!(error.contains("which has no price; did you mean \"strong\"?"), "{error}");
        let grant = grant_of("{allow: [m], cost: 0.1}", "llm: {prices: {m: [0.15, 0.6]}}");
        assert_eq!(grant.unwrap().unwrap().cost, Some(Money::dollars(0.1)));
    }
}
