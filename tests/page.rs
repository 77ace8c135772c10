//! The page in a real browser.

#[path = "page/browser.rs"]
mod browser;
#[path = "page/closed.rs"]
mod closed;
mod ignorable;
#[path = "page/models.rs"]
mod models;
#[path = "page/sample.rs"]
mod sample;
#[path = "page/serve.rs"]
mod serve;
#[path = "page/shots.rs"]
mod shots;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use agentmill::config::Student;
use agentmill::model::feedback::Feedback;
use agentmill::model::model_use::{ModelUse, Money};
use agentmill::model::report::Outcome;
use browser::{Window, visit};
use ignorable::{Tested, tests};
use sample::{HOSTILE, Sample, miner};
use serde_json::json;
use thirtyfour::Key;

fn main() -> ExitCode {
    let mut tests = tests![
        opens_and_says_what_there_is,
        sorts_by_any_column,
        filters_and_keeps_the_filter_through_a_reload,
        opens_a_detail_with_every_run_and_test,
        questions_to_models_are_told,
        each_feedback_is_shown_whole,
        a_course_shows_everybody_and_no_rewards,
        a_link_leads_to_an_agent,
        a_task_has_a_page,
        two_agents_are_compared,
        expected_and_got_stand_side_by_side,
        paper_shows_all,
        the_map_goes_by_keys,
        closed::what_agents_write_does_nothing,
        closed::no_other_script_can_run,
        fits_a_phone,
        models::models_have_a_page,
        a_served_page_takes_newer_data_and_stays_as_it_is,
        many_agents_open_at_once,
    ];
    tests.push(ignorable::on_request("pictures to look at", "shots", shots::shots));
    tests.push(ignorable::on_request("AGENTMILL_AXE names axe.min.js", "axe", shots::axe));
    ignorable::main(tests)
}

/// Runs a test on a page with some of everything, opened from its folder.
fn on_sample(test: impl AsyncFnOnce(&Window, &Path)) -> Tested {
    browser::needed()?;
    let dir = tempfile::tempdir().unwrap();
    Sample::varied().publish_with_history(dir.path());
    visit(1280, 900, async |window| {
        window.open_file(dir.path()).await;
        test(window, dir.path()).await;
        assert_eq!(window.complaints().await, [""; 0], "on the console");
        let page = format!("file://{}/index.html", dir.path().display());
        let others: Vec<_> = window.requests().await.into_iter().filter(|url| *url != page).collect();
        assert_eq!(others, [""; 0], "asked for");
    });
    Ok(())
}

fn opens_and_says_what_there_is() -> Tested {
    on_sample(async |window, _| {
        assert_eq!(window.text("#count").await, "32 agents");
        assert_eq!(window.eval("document.querySelectorAll('.ranked tbody tr').length").await, 25);
        assert_eq!(window.eval("document.querySelectorAll('.grid [role=gridcell]').length").await, 32 * 14);
        let scores = window.text("#scores").await;
        assert!(scores.contains("evaluated") && scores.contains("passed screening (40 or more)"), "{scores}");
        assert_eq!(window.eval("document.querySelectorAll('.timeline path').length").await, 6);
        assert!(window.text("#pending").await.contains("erin"));
        assert!(window.text("#rejected").await.contains("mallory.py:3"));
    })
}

fn a_course_shows_everybody_and_no_rewards() -> Tested {
    browser::needed()?;
    let dir = tempfile::tempdir().unwrap();
    let mut sample = Sample::varied();
    sample.pipeline.title = Some("Programming <101>".into());
    sample.pipeline.rewards = None;
    let student = |id: &str, name: &str| Student {
        id: miner(id),
        written: id.into(),
        name: name.into(),
        group: "A".into(),
    };
    sample.roster =
        vec![student("zoe", "Zoë <b>Hall"), student("alice", "Alice Lee"), student("erin", "Erin Moss")];
    sample.publish(dir.path());
    visit(1280, 900, async |window| {
        window.open_file(dir.path()).await;
        assert_eq!(window.text("h1").await, "Programming <101>");
        assert_eq!(window.eval("document.title").await, "Programming <101>");
        let page = window.eval("document.body.innerText").await.to_string().to_lowercase();
        assert!(!["reward", "tao", "awarded"].iter().any(|word| page.contains(word)), "{page}");
        window.eval("(unfolded.ranking = Infinity, refresh(), null)").await;
        assert_eq!(
            window.eval(LINES).await.as_array().map(Vec::len),
            Some(32 + 2),
            "two have submitted nothing yet"
        );
        let lines = window.eval(LINES).await.to_string();
        for line in ["aliceAlice Lee, A", "–zoeZoë <b>Hall, Aabsent", "–erinErin Moss, Awaiting"] {
            assert!(lines.contains(line), "{line}: {lines}");
        }
        for (sought, found) in [("hall", "zoe"), ("lee", "alice"), ("erin m", "erin")] {
            search(window, sought).await;
            window.until(&format!("{LINES}.length === 1 && {LINES}[0].includes('{found}')")).await;
        }
        search(window, ", a").await;
        window.until("byId('ranking-body').textContent.includes('No agent is like that')").await;
        search(window, "").await;
        window.until(&format!("{LINES}.length === 25")).await;
        assert_eq!(window.complaints().await, [""; 0], "on the console");
    });
    Ok(())
}

/// The text of each line of the ranking.
const LINES: &str = "[...document.querySelectorAll('.ranked tbody tr')].map((line) => line.textContent)";

/// Types something into the search.
async fn search(window: &Window, text: &str) {
    let typed = format!(
        "(byId('find').value = {}, byId('find').dispatchEvent(new Event('input')), null)",
        json!(text)
    );
    window.eval(&typed).await;
}

fn sorts_by_any_column() -> Tested {
    on_sample(async |window, _| {
        let first = "document.querySelector('.ranked tbody a').textContent";
        let column = "document.querySelector('th[aria-sort]').textContent";
        assert_eq!(window.eval(column).await, "#↑");
        window.click("[data-key=sort-miner]").await;
        assert_eq!(window.eval(first).await, "alice");
        assert_eq!(window.eval("document.activeElement.dataset.key").await, "sort-miner");
        window.press(Key::Enter).await;
        assert_eq!(window.eval(first).await, "miner-0031");
        assert_eq!(window.eval("document.querySelector('th[aria-sort]').ariaSort").await, "descending");
        // What one wants much of starts with the most; what has no value stays last.
        window.click("[data-key=sort-score]").await;
        assert_eq!(window.eval("chosen()[0].score").await, 100.0);
        window.click("[data-key=sort-score]").await;
        assert_eq!(
            window.eval("chosen()[0].score === Math.min(...data.agents.map((one) => one.score))").await,
            true
        );
        let map = "document.querySelector('.grid tbody [role=rowheader]').textContent";
        assert_eq!(window.eval(map).await, window.eval(first).await);
    })
}

fn filters_and_keeps_the_filter_through_a_reload() -> Tested {
    on_sample(async |window, _| {
        let names = "[...document.querySelectorAll('.ranked tbody a')].map((link) => link.textContent)";
        window.press("/").await;
        window.press("Eve").await;
        window.until("byId('count').textContent === '1 of 32 agents'").await;
        assert_eq!(window.eval(names).await, json!(["eve"]));
        assert_eq!(window.eval("document.querySelectorAll('.grid [role=rowheader]').length").await, 1);
        window.eval("location.reload()").await;
        window
            .until("document.readyState === 'complete' && byId('count')?.textContent === '1 of 32 agents'")
            .await;
        assert_eq!(window.eval("byId('find').value").await, "Eve");
        window
            .eval("(byId('find').value = 'nobody', byId('find').dispatchEvent(new Event('input')), null)")
            .await;
        window.until("byId('ranking-body').textContent.includes('No agent is like that')").await;
        window.eval("(byId('find').value = '', byId('find').dispatchEvent(new Event('input')), null)").await;
        window.until("byId('count').textContent === '32 agents'").await;
        window
            .eval("(byId('kind').value = 'copies', byId('kind').dispatchEvent(new Event('change')), null)")
            .await;
        assert_eq!(window.eval(names).await, json!(["eve"]));
        assert!(window.text("#ranking").await.contains("copy of dan"));
    })
}

fn opens_a_detail_with_every_run_and_test() -> Tested {
    on_sample(async |window, _| {
        window.eval("document.querySelector('[data-key=\"bob\"]').focus()").await;
        window.press(Key::Enter).await;
        window.until("byId('detail').open").await;
        assert_eq!(window.eval("document.activeElement.textContent").await, "bob");
        assert_eq!(window.eval("document.querySelectorAll('#detail .run').length").await, 14);
        let key = "[data-key=run-1]";
        window.eval(&format!("document.querySelector('{key}').focus()")).await;
        window.press(Key::Enter).await;
        window.until("document.querySelectorAll('#run-1 .tests li').length === 4").await;
        let run = window.text("#run-1").await;
        assert!(run.contains("f(2) was 3") && run.contains("hidden (not public)"), "{run}");
        assert!(run.contains(HOSTILE), "{run}");
        assert!(!run.contains("End of stderr"), "it may tell of the hidden test: {run}");
        window.press(Key::Escape).await;
        window.until("!byId('detail').open").await;
        assert_eq!(window.eval("document.activeElement.textContent").await, "bob");
        assert_eq!(window.eval("location.hash").await, "");
    })
}

fn questions_to_models_are_told() -> Tested {
    browser::needed()?;
    let dir = tempfile::tempdir().unwrap();
    let mut sample = Sample::varied();
    let used = |requests, cost| ModelUse {
        requests,
        tokens_in: 1000,
        tokens_out: 50,
        cost: Money::dollars(cost),
        ..ModelUse::default()
    };
    for (run, model) in sample.reports[0].runs.iter_mut().zip([used(1, 0.25), used(3, 0.0)]) {
        let Outcome::Scored(scored) = &mut run.outcome else { panic!("it is scored") };
        scored.usage.model = Some(model);
    }
    let stages = sample.reports[0].runs[..2].iter().map(|run| run.stage.clone()).collect::<Vec<_>>();
    sample.publish(dir.path());
    visit(1280, 900, async |window| {
        window.open(&format!("file://{}/index.html#agent=alice", dir.path().display())).await;
        window.until("byId('detail').open").await;
        let told = window.text("#detail").await;
        let expected = match stages[0] == stages[1] {
            true => vec!["asked of models: 4 requests, 2,000 tokens in, 100 out, $0.25"],
            false => vec![
                "asked of models: 1 request, 1,000 tokens in, 50 out, $0.25",
                "asked of models: 3 requests, 1,000 tokens in, 50 out",
            ],
        };
        expected.iter().for_each(|text| assert!(told.contains(text), "{text}: {told}"));
        window.eval("(document.querySelectorAll('.run summary').forEach((one) => one.click()), null)").await;
        window.until("[...document.querySelectorAll('.run')].some((run) => run.textContent.includes('MiB · asked of models: 1 request'))").await;
        assert_eq!(window.complaints().await, [""; 0], "on the console");
    });
    Ok(())
}

fn each_feedback_is_shown_whole() -> Tested {
    browser::needed()?;
    let dir = tempfile::tempdir().unwrap();
    visit(1280, 900, async |window| {
        for (feedback, score, cell, run) in [
            (Feedback::None, "not shown", "•", "evaluated"),
            (Feedback::Score, "100", "•", "evaluated"),
            (Feedback::Tasks, "100", "100", "passed"),
        ] {
            Sample::varied().with_feedback(feedback).publish_with_history(dir.path());
            window.open_file(dir.path()).await;
            let first = window.text(".ranked tbody tr").await;
            let cells =
                "[...document.querySelectorAll('.grid td')].map((cell) => cell.textContent).join(' ')";
            let cells = window.eval(cells).await;
            window.eval("(document.querySelector('.ranked tbody a').click(), document.querySelectorAll('details').forEach((one) => (one.open = true)), null)").await;
            window
                .until("[...document.querySelectorAll('details')].every((one) => one.children.length === 2)")
                .await;
            let detail = window.text("#detail").await;
            assert!(first.contains(score), "{first}");
            assert!(cells.as_str().unwrap().contains(cell), "{cells}");
            assert!(detail.contains(run) && detail.contains("empty input"), "{detail}");
            assert!(
                !detail.contains("hidden") && !detail.contains("MiB") && !detail.contains("undefined"),
                "{detail}"
            );
            assert_eq!(window.complaints().await, [""; 0], "on the console");
        }
    });
    Ok(())
}

fn a_link_leads_to_an_agent() -> Tested {
    on_sample(async |window, dir| {
        window.open(&format!("file://{}/index.html#agent=carol", dir.display())).await;
        window.until("byId('detail').open && byId('detail-title').textContent === 'carol'").await;
        window.click("[data-key=close]").await;
        window.until("!byId('detail').open").await;
        window
            .open(&format!(
                "file://{}/index.html#agent=__proto__&kind=toString&sort=constructor",
                dir.display()
            ))
            .await;
        window.until("byId('count').textContent === '32 agents' && !byId('detail').open").await;
    })
}

fn a_task_has_a_page() -> Tested {
    on_sample(async |window, dir| {
        window.eval("map.grid.focus()").await;
        window.press(Key::Up).await;
        assert_eq!(window.eval("map.grid.getAttribute('aria-activedescendant')").await, "cell--1-0");
        window.press(Key::Enter).await;
        window.until("byId('detail').open").await;
        let task = window.eval("data.tasks[0].id").await;
        let link = window.eval("location.hash").await;
        assert!(window.text("#detail-title").await.contains(task.as_str().unwrap()));
        let told = window.text("#detail").await;
        for words in [
            "Mean score",
            "Limits",
            "10.0 s, 256 MiB",
            "Solved by",
            "Tests, hardest first",
            "empty input",
            "Distribution",
        ] {
            assert!(told.contains(words), "{words}: {told}");
        }
        let shares = "[...document.querySelectorAll('#detail .funnel i')].map((bar) => Number(bar.style.getPropertyValue('--s')))";
        let ordered = format!("(({shares}).every((share, at, all) => at === 0 || all[at - 1] <= share))");
        assert_eq!(window.eval(&ordered).await, true);
        window.click("#detail .chips a").await;
        window.until("state.agent !== '' && state.task === ''").await;
        window.press(Key::Escape).await;
        window.until("!byId('detail').open && location.hash === ''").await;
        window.open(&format!("file://{}/index.html{}", dir.display(), link.as_str().unwrap())).await;
        window.until("byId('detail').open && state.task !== ''").await;
        // As far as feedback shows it: no score, and nothing of tests that are hidden.
        Sample::varied().with_feedback(Feedback::Score).publish(dir);
        window.eval("location.reload()").await;
        window
            .until("document.readyState === 'complete' && byId('detail').open && data.feedback === 'score'")
            .await;
        let told = window.text("#detail").await;
        assert!(told.contains("not shown") && told.contains("empty input"), "{told}");
        assert!(
            !told.contains("hidden") && !told.contains("Solved by") && !told.contains("Distribution"),
            "{told}"
        );
    })
}

fn two_agents_are_compared() -> Tested {
    on_sample(async |window, dir| {
        window.open(&format!("file://{}/index.html#agent=bob&with=alice", dir.display())).await;
        window.until("byId('detail').open && byId('detail-title').textContent === 'bob and alice'").await;
        assert_eq!(window.eval("document.querySelectorAll('.compared')[1].tBodies[0].rows.length").await, 14);
        let told = window.text("#detail").await;
        assert!(told.contains("bob is ahead on") && told.contains("not reached"), "{told}");
        let choose = "(document.querySelector('.compare').value = 'carol', document.querySelector('.compare').dispatchEvent(new Event('change')), null)";
        window.eval(choose).await;
        window.until("byId('detail-title').textContent === 'bob and carol' && location.hash.includes('with=carol')").await;
        window.eval(&choose.replace("'carol'", "''")).await;
        window.until("byId('detail-title').textContent === 'bob' && location.hash === '#agent=bob'").await;
    })
}

fn expected_and_got_stand_side_by_side() -> Tested {
    on_sample(async |window, _| {
        let boxes = async |message: &str| {
            let made = format!(
                "[...(sides({}) ?? document.createElement('div')).querySelectorAll('pre, p')].map((one) => one.textContent)",
                json!(message)
            );
            window.eval(&made).await
        };
        assert_eq!(
            boxes("[1, 2] == [1, 3] does not hold: [1] is 2, not 3").await,
            json!(["[1, 2]", "[1, 3]", "[1] is 2, not 3"])
        );
        assert_eq!(boxes("line 3: expected '<b>', got 'x'").await, json!(["'<b>'", "'x'", "line 3"]));
        // What may be read in two ways stays as it is.
        for message in [
            "'a == b' == 'c' does not hold",
            "line 1: expected ', got ', got 'x'",
            "ValueError: x",
            "1 < 0 does not hold",
        ] {
            assert_eq!(boxes(message).await, json!([]), "{message}");
        }
    })
}

fn paper_shows_all() -> Tested {
    on_sample(async |window, _| {
        window.emulate("Emulation.setEmulatedMedia", json!({"media": "print"})).await;
        window.eval("(dispatchEvent(new Event('beforeprint')), null)").await;
        assert_eq!(window.eval(LINES).await.as_array().map(Vec::len), Some(32));
        assert_eq!(window.eval("getComputedStyle(byId('bar')).display").await, "none");
        assert_eq!(window.eval("map.box.scrollHeight === map.box.clientHeight").await, true);
        window.eval("(dispatchEvent(new Event('afterprint')), null)").await;
        assert_eq!(window.eval(LINES).await.as_array().map(Vec::len), Some(25));
    })
}

fn the_map_goes_by_keys() -> Tested {
    on_sample(async |window, _| {
        window.eval("map.grid.focus()").await;
        for key in [Key::Down, Key::Down, Key::End, Key::Left] {
            window.press(key).await;
        }
        assert_eq!(window.eval("map.grid.getAttribute('aria-activedescendant')").await, "cell-2-12");
        assert!(window.text("#tip").await.contains("of 4 tests passed"));
        window.press(Key::Enter).await;
        window.until("byId('detail').open && byId('run-12').open").await;
        window.press(Key::Escape).await;
        window.until("!byId('detail').open && document.activeElement === map.grid").await;
    })
}

fn fits_a_phone() -> Tested {
    on_sample(async |window, _| {
        let phone = json!({"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true});
        window.emulate("Emulation.setDeviceMetricsOverride", phone).await;
        window.emulate("Emulation.setTouchEmulationEnabled", json!({"enabled": true})).await;
        window.eval("location.reload()").await;
        window.until("document.readyState === 'complete' && data.agents.length === 32").await;
        assert_eq!(window.eval("document.documentElement.scrollWidth").await, 390);
        window.eval("openDetail('bob', 1)").await;
        assert_eq!(window.eval("byId('detail').scrollWidth").await, 390);
    })
}

fn a_served_page_takes_newer_data_and_stays_as_it_is() -> Tested {
    browser::needed()?;
    let dir = tempfile::tempdir().unwrap();
    let mut sample = Sample::new(12, 6);
    sample.live = true;
    sample.publish(dir.path());
    let home = serve::folder(dir.path());
    visit(1280, 900, async |window| {
        window.open(&home).await;
        window.until("!byId('live').hidden").await;
        window.eval("openDetail('alice', 0)").await;
        window.eval("(window.old = true, null)").await;
        sample.reports.truncate(9);
        sample.at += jiff::SignedDuration::from_mins(1);
        sample.publish(dir.path());
        window.eval("look()").await;
        window.until("data.agents.length === 9 && byId('count').textContent === '9 agents'").await;
        assert_eq!(window.eval("old && byId('detail').open && byId('run-0').open").await, true);
        window.eval("byId('detail').close()").await;
        // Paused, it asks for nothing.
        window.click("#live").await;
        window.requests().await;
        window.eval("look()").await;
        assert_eq!(window.requests().await, [""; 0]);
        assert_eq!(window.complaints().await, [""; 0]);
    });
    Ok(())
}

fn many_agents_open_at_once() -> Tested {
    browser::needed()?;
    let dir = tempfile::tempdir().unwrap();
    Sample::new(2_000, 50).publish(dir.path());
    let size = std::fs::metadata(dir.path().join("index.html")).unwrap().len();
    visit(1280, 900, async |window| {
        let start = Instant::now();
        window.open_file(dir.path()).await;
        let opened = start.elapsed();
        let nodes = window.eval("document.querySelectorAll('*').length").await;
        let filter = "(() => { const start = performance.now(); state.q = 'miner-19'; refresh(); byId('count').offsetTop; return performance.now() - start; })()";
        let filtered = window.eval(filter).await.as_f64().unwrap();
        let last = "(() => { map.row = 1e9; state.q = ''; refresh(); map.box.scrollTop = 1e9; drawRows(); return [...document.querySelectorAll('.grid [role=rowheader]')].at(-1).textContent === data.agents.at(-1).miner; })()";
        assert_eq!(window.eval(last).await, true);
        eprintln!(
            "2,000 agents x 50 tasks: {} KiB, open in {opened:?}, {nodes} elements, filtered in {filtered:.0} ms",
            size >> 10
        );
        assert!(size < 8 << 20, "{size}");
        // Generous, for slow machines; a page that draws everything takes far longer.
        assert!(opened.as_secs() < 8, "{opened:?}");
        assert!(window.eval("document.querySelectorAll('*').length").await.as_u64().unwrap() < 10_000);
    });
    Ok(())
}
