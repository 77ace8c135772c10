//! The page of models.

use std::path::Path;

use agentmill::client::bench::{self, by_task::TaskRow, ranking::Row};
use jiff::Timestamp;
use serde_json::json;

use crate::browser::{self, visit};
use crate::ignorable::Tested;
use crate::sample::{HOSTILE, Sample};

/// Results of two models on 40 tasks.
fn models() -> Vec<Row> {
    let task = |model: u32, task: u32| {
        let passed = (model * 3 + task * task) % 5;
        let share = Some(25.0 * f64::from(passed));
        let first_failure = Some(HOSTILE.to_owned());
        let (pass_at_1, pass_at_k, score) = (share, share, share);
        TaskRow {
            task: format!("humaneval/{task}"),
            samples: 4,
            passed,
            pass_at_1,
            pass_at_k,
            score,
            first_failure,
        }
    };
    let row = |model: u32| Row {
        rank: Some(model as usize + 1),
        model: ["qwen2.5-coder:7b", HOSTILE][model as usize].to_owned(),
        rank_low: Some(1),
        rank_high: Some(model + 1),
        pass_at_1: Some(87.5 - f64::from(model) * 20.0),
        pass_at_1_low: Some(78.25 - f64::from(model) * 20.0),
        pass_at_1_high: Some(95.0 - f64::from(model) * 20.0),
        pass_at_k: Some(95.0),
        k: 4,
        score: Some(91.25),
        tasks: 40,
        samples: 160,
        missing: 0,
        prompt_tokens: Some(123_456),
        completion_tokens: Some(7_654_321),
        cost: (model == 0).then_some(0.1234),
        cut_off: 0,
        by_task: (0..40).map(|number| task(model, number)).collect(),
    };
    (0..2).map(row).collect()
}

/// Writes the page of models beside the ranking's.
pub fn write_models(dir: &Path) {
    let mut file = std::fs::File::create(dir.join("models.html")).unwrap();
    bench::page::write(&mut file, &models(), Some("Small models"), Timestamp::UNIX_EPOCH).unwrap();
}

pub fn models_have_a_page() -> Tested {
    browser::needed()?;
    let dir = tempfile::tempdir().unwrap();
    write_models(dir.path());
    Sample::varied().publish(dir.path());
    visit(1280, 900, async |window| {
        window.open_file(dir.path()).await;
        window.click("#made a").await;
        window.until("document.title === 'Models · Small models'").await;
        let lines = "[...document.querySelectorAll('tbody')].map((body) => body.rows.length)";
        assert_eq!(window.eval(lines).await, json!([2, 40]));
        assert_eq!(
            window
                .eval(
                    "getComputedStyle(document.querySelector('.s10')).backgroundColor !== 'rgba(0, 0, 0, 0)'"
                )
                .await,
            true
        );
        assert!(window.text("main").await.contains(&HOSTILE[..60]), "as text");
        for width in [1280, 500, 390] {
            window
                .emulate(
                    "Emulation.setDeviceMetricsOverride",
                    json!({"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}),
                )
                .await;
            assert_eq!(
                window.eval("document.documentElement.scrollWidth <= innerWidth").await,
                true,
                "{width}"
            );
        }
        assert_eq!(window.complaints().await, [""; 0], "on the console");
    });
    Ok(())
}
