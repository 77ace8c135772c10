//! `bench-model` against scripted models: the ranking, what it costs, and that nothing is paid for twice.

use serde_json::{Value, json};

use crate::support::Line::{self, Fails};
use crate::support::{Folder, GOOD, Model, said};

pub const SHOUT: &str = "def shout(s):\n    return s.upper()\n";

/// A reply that has used so many tokens.
pub fn reply(source: &str, tokens: u64) -> Line {
    let usage = json!({ "prompt_tokens": 1000, "completion_tokens": tokens });
    let body = json!({ "choices": [{ "message": { "content": source } }], "usage": usage });
    Fails(200, "", body.to_string())
}

pub fn folder(model: &Model) -> Folder {
    let prices = ", prices: {small: [1, 10]}}\n";
    let folder = Folder::new(&model.pipeline().replace("}\n", prices));
    folder.write(
        "tasks/shout.yaml",
        "prompt: shout(s)\ntests: [{assert: \"shout('a') == 'A'\", public: true}]\n",
    );
    folder
}

/// Runs `bench-model`, one request at a time: the exit code and what was said.
pub fn bench(folder: &Folder, args: &[&str]) -> (i32, String) {
    let mut command = folder.command(&[&["bench-model", "--requests", "1"], args].concat());
    let output = command.env("TEST_KEY", "none").output().unwrap();
    (output.status.code().unwrap(), said(&output))
}

pub fn rows(folder: &Folder) -> Vec<Value> {
    serde_json::from_str(&folder.read("results/models.json")).unwrap()
}

#[test]
fn models_are_ranked_by_what_their_code_scores() {
    // Asked first for both tasks' first sample, then for their second.
    let large = [SHOUT, GOOD, SHOUT, GOOD].map(|source| reply(source, 500));
    let small =
        [SHOUT, "def reverse_string(s):\n    return s\n", "I can't.", GOOD].map(|source| reply(source, 100));
    let model = Model::new(small.into_iter().chain(large));
    let folder = folder(&model);
    let (code, text) = bench(&folder, &["--model", "small", "--model", "large", "--samples", "2"]);
    assert_eq!(code, 0, "{text}");
    let csv = folder.read("results/models.csv");
    assert_eq!(
        csv,
        "rank,model,pass_at_1,pass_at_k,k,score,tasks,samples,missing,prompt_tokens,completion_tokens,cost,cut_off,\
         pass_at_1_low,pass_at_1_high,rank_low,rank_high\n\
         1,large,100,100,2,100,2,4,0,4000,2000,,0,,,1,1\n\
         2,small,50,100,2,50,2,4,0,4000,400,0.008,0,,,2,2\n",
        "{text}"
    );
    assert!(text.contains("llm.prices has none for large") && !text.contains("none for small"), "{text}");
    assert!(text.contains("PASS@2") && text.contains(" 0.008\n"), "{text}");
    let (code, _) = bench(&folder, &["--model", "small", "--samples", "2"]);
    assert_eq!((code, model.requests().len()), (0, 8), "nothing is asked for twice");
    assert_eq!(
        (folder.read("results/models.csv"), model.requests()[0].1["model"].as_str()),
        (csv, Some("small"))
    );
}

#[test]
fn a_price_that_is_corrected_or_added_counts_for_replies_that_are_kept() {
    let model = Model::new([reply(SHOUT, 500)]);
    let folder = folder(&model);
    let costs = |prices: &str| {
        folder.write("pipeline.yaml", &model.pipeline().replace("}\n", &format!("{prices}}}\n")));
        let (code, text) = bench(&folder, &["shout", "--model", "small", "--model", "large"]);
        assert_eq!(code, 0, "{text}");
        let cost =
            |name: &str| rows(&folder).into_iter().find(|row| row["model"] == name).unwrap()["cost"].clone();
        (cost("small").as_f64(), cost("large").as_f64(), text)
    };
    let (small, large, text) = costs("");
    assert_eq!((small, large), (None, None));
    let told = "so its COST is -; a price counts for what it has replied, too";
    assert_eq!(text.matches(told).count(), 2, "{text}");
    let (small, large, text) = costs(", prices: {small: [1000, 10000]}");
    assert_eq!((small, large), (Some(6.0), None));
    assert_eq!(text.matches(told).count(), 1, "{text}");
    let (small, large, text) = costs(", prices: {small: [1, 10], large: [2, 20]}");
    assert_eq!((small, large, model.requests().len()), (Some(0.006), Some(0.012), 2), "{text}");
    assert!(!text.contains(told), "{text}");
    assert_eq!(costs("").0, None, "it was asked when there was no price");
}

#[test]
fn a_model_that_no_money_is_left_for_is_not_said_to_be_asked() {
    let model = Model::new([reply(SHOUT, 500)]);
    let folder = folder(&model);
    let prices = ", prices: {small: [1000, 1000], large: [1, 1]}}\n";
    folder.write("pipeline.yaml", &model.pipeline().replace("}\n", prices));
    let (code, text) = bench(&folder, &["shout", "--model", "small", "--model", "large", "--max-cost", "1"]);
    assert_eq!((code, model.requests().len()), (1, 1), "{text}");
    let told = "large: not asked: all replies of this command have cost $1.5, and --max-cost is 1\n";
    assert!(text.contains(told) && text.contains("asking small for 1 reply"), "{text}");
    assert!(text.contains("large: 1 sample is missing") && !text.contains("asking large"), "{text}");
}

#[test]
fn replies_whose_cost_nobody_tells_are_paid_for_once() {
    let body = json!({ "choices": [{ "message": { "content": SHOUT } }], "usage": { "prompt_tokens": -1 } });
    let model = Model::new([Fails(200, "", body.to_string())]);
    let folder = folder(&model);
    for _ in 0..2 {
        let args = ["shout", "--model", "small", "--samples", "3", "--max-cost", "0.1"];
        let (code, text) = bench(&folder, &args);
        assert_eq!((code, model.requests().len()), (1, 1), "{text}");
        assert!(text.contains("the endpoint tells no usable number of tokens (usage) for small"), "{text}");
        assert!(text.contains("2 samples are missing\n") && !text.contains("llm.prices has none"), "{text}");
    }
}

#[test]
fn a_model_without_a_name_and_money_below_nothing_are_refused_before_anything_is_asked() {
    let model = Model::new([reply(SHOUT, 1)]);
    let folder = folder(&model);
    for (args, told) in [
        (["--model", ""], "the name is empty; say which model"),
        (["--max-cost", "-1"], "expected dollars above 0, such as 2.50"),
    ] {
        let (code, text) = bench(&folder, &args);
        assert!(code == 2 && text.contains(told), "{text}");
    }
    assert_eq!(model.requests().len(), 0);
}

#[test]
fn a_benchmark_goes_on_where_it_was_stopped() {
    let model = Model::new([reply(GOOD, 1), Fails(401, "", "{}".into()), reply(SHOUT, 1)]);
    let folder = folder(&model);
    let (code, text) = bench(&folder, &["strings/reverse", "shout", "--model", "m"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("HTTP 401") && text.contains("1 sample is missing"), "{text}");
    assert_eq!((&rows(&folder)[0]["rank"], &rows(&folder)[0]["missing"]), (&Value::Null, &1.into()));
    let (code, text) = bench(&folder, &["strings/reverse", "shout", "--model", "m"]);
    assert_eq!((code, model.requests().len()), (0, 3), "{text}");
    assert_eq!((&rows(&folder)[0]["rank"], &rows(&folder)[0]["pass_at_1"]), (&1.into(), &100.0.into()));
    folder.write(
        "tasks/shout.yaml",
        "prompt: shout(s)\ntests: [{assert: \"shout('a') == 'A'\", public: true}, \"assert shout('b') == 2\"]\n",
    );
    let (code, text) = bench(&folder, &["--model", "m"]);
    assert_eq!((code, model.requests().len()), (0, 3), "judged anew, not asked for anew: {text}");
    assert_eq!(rows(&folder)[0]["pass_at_1"], 50.0);
    folder.write(
        "tasks/shout.yaml",
        "prompt: shout(s) loudly\ntests: [{assert: \"shout('a') == 'A'\", public: true}]\n",
    );
    let (code, text) = bench(&folder, &["--model", "m"]);
    assert_eq!((code, model.requests().len()), (0, 4), "another prompt");
    let told = "of which 1 is kept); 1 reply of before does not count: a prompt has changed since";
    assert!(text.contains(told), "{text}");
}

#[test]
fn models_without_what_is_asked_for_are_told_and_those_without_a_reply_left_out() {
    let cut_off =
        json!({ "choices": [{ "message": { "content": "```python\ndef sho" }, "finish_reason": "length" }] });
    let cut_off = Fails(200, "", cut_off.to_string());
    let unknown = json!({ "error": { "message": "model 'smal,l' not found" } }).to_string();
    let replies = [reply(SHOUT, 1), Fails(404, "", unknown), cut_off, reply(SHOUT, 1), reply(SHOUT, 1)];
    let model = Model::new(replies);
    let folder = folder(&model);
    let ask = |name, samples| bench(&folder, &["shout", "--model", name, "--samples", samples]);
    assert_eq!(ask("small", "1").0, 0);
    let (code, text) = ask("smal,l", "1");
    assert!(code == 1 && text.contains("--model smal,l is one model's name; repeat --model"), "{text}");
    assert!(text.contains("'smal,l' not found") && !text.contains("base_url"), "{text}");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("- smal,l - - - 0 of 1 - -"), "{text}");
    let (code, text) = ask("large", "2");
    assert!(code == 0 && !text.contains("no rank") && !text.contains("smal,l"), "{text}");
    assert_eq!(
        (&rows(&folder)[0]["rank"], &rows(&folder)[0]["missing"]),
        (&1.into(), &1.into()),
        "as many as it has"
    );
    let samples = folder.read("results/models_samples.csv");
    let told = "true,the reply was cut off before its code ended; a larger llm.max_tokens may help";
    assert!(samples.contains(told), "{samples}");
    assert!(folder.read("results/models.csv").lines().nth(2).unwrap().ends_with(",1,,,,"), "one is cut off");
    let warmer = folder.read("pipeline.yaml").replace("prices:", "temperature: 0.5, prices:");
    folder.write("pipeline.yaml", &warmer);
    let (_, text) = ask("other", "1");
    let old = "2 models of before have replies to another prompt or by other settings, which don't count";
    assert!(text.contains(old) && text.contains("large, small; --model NAME asks anew"), "{text}");
}

#[test]
fn a_task_that_its_own_solution_fails_is_told() {
    let model = Model::new([reply(SHOUT, 1)]);
    let folder = folder(&model);
    folder.write("tasks/solutions/wrong.py", "def shout(s):\n    return s\n");
    folder.write(
        "tasks/shout.yaml",
        "prompt: shout(s)\nsolution: solutions/wrong.py\ntests: [\"assert shout('a') == 2\"]\n",
    );
    let (code, text) = bench(&folder, &["shout", "--model", "m"]);
    assert!(
        code == 0 && text.contains("agentmill: no sample passes shout, nor does its solution: "),
        "{text}"
    );
}

#[test]
fn what_a_model_declines_has_failed() {
    let message = json!({ "content": null, "reasoning_content": "long" });
    let usage = json!({ "prompt_tokens": 155, "completion_tokens": 30 });
    let nothing = json!({ "choices": [{ "message": message, "finish_reason": "length" }], "usage": usage });
    let model =
        Model::new([Fails(200, "", nothing.to_string()), reply("import numpy\ndef shout(s): pass\n", 1)]);
    let folder = folder(&model);
    let (code, text) = bench(&folder, &["--model", "a/b c", "--json"]);
    assert_eq!(code, 0, "{text}");
    let row = &rows(&folder)[0];
    assert_eq!(
        (&row["model"], &row["pass_at_1"], &row["samples"]),
        (&"a/b c".into(), &0.0.into(), &2.into())
    );
    assert_eq!(
        (&row["prompt_tokens"], &row["completion_tokens"], &row["cut_off"]),
        (&1155.into(), &31.into(), &1.into()),
        "what was billed counts"
    );
    let (code, text) = bench(&folder, &["--k", "2"]);
    assert!(
        code == 2 && text.contains("--k 2 takes at least as many samples: give --samples 2; now they are 1"),
        "{text}"
    );
}
