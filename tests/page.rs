//! The page in a real browser.

#[path = "page/browser.rs"]
mod browser;
#[path = "page/sample.rs"]
mod sample;

use std::path::Path;
use std::time::Instant;

use browser::{Window, visit};
use sample::Sample;
use serde_json::json;

/// A page with some of everything, opened from its folder.
fn on_sample(test: impl AsyncFnOnce(&Window, &Path)) {
    if !browser::is_there() {
        return;
    }
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
}

/// `AGENTMILL_SHOTS=/tmp/x cargo test --test page -- --ignored`
#[test]
#[ignore = "pictures to look at"]
fn shots() {
    let dir = tempfile::tempdir().unwrap();
    let shots = std::env::var_os("AGENTMILL_SHOTS").map_or(dir.path().to_owned(), std::path::PathBuf::from);
    std::fs::create_dir_all(&shots).unwrap();
    let big = dir.path().join("big");
    let little = dir.path().join("little");
    Sample::varied().publish_with_history(&little);
    Sample::new(2_000, 50).publish(&big);
    for (name, folder, width, scheme) in [
        ("light", &little, 1280, "light"),
        ("dark", &little, 1280, "dark"),
        ("phone", &little, 390, "light"),
        ("phone-dark", &little, 390, "dark"),
        ("big", &big, 1280, "light"),
    ] {
        visit(1280, 900, async |window| {
            let phone = width < 500;
            let size = json!({"width": width, "height": if phone { 844 } else { 900 }, "deviceScaleFactor": 1.5, "mobile": phone});
            window.emulate("Emulation.setDeviceMetricsOverride", size).await;
            let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            window.emulate("Emulation.setEmulatedMedia", scheme).await;
            window.open_file(folder).await;
            let shoot = async |part: &str| window.shoot(&shots.join(format!("{name}-{part}.png"))).await;
            shoot("top").await;
            for part in ["matrix", "scores", "rejected"] {
                window.eval(&format!("byId('{part}').scrollIntoView()")).await;
                shoot(part).await;
            }
            window.eval("tipFor(byId('cell-5-2'))").await;
            window.eval("(byId('matrix').scrollIntoView(), tipFor(byId('cell-5-2')))").await;
            shoot("tip").await;
            window.eval("openDetail(data.agents[Math.floor(data.agents.length / 2)].miner, data.agents[Math.floor(data.agents.length / 2)].runs[2][0])").await;
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
            shoot("detail-run").await;
            window.eval("byId('detail').scrollTop = 0").await;
            shoot("detail").await;
        });
    }
}

#[test]
fn opens_and_says_what_there_is() {
    on_sample(async |window, _| {
        assert_eq!(window.text("#count").await, "32 agents");
        assert_eq!(window.eval("document.querySelectorAll('.ranked tbody tr').length").await, 25);
        assert_eq!(window.eval("document.querySelectorAll('.grid [role=gridcell]').length").await, 32 * 14);
        assert!(window.text("#scores").await.contains("evaluated"));
        assert_eq!(window.eval("document.querySelectorAll('.timeline path').length").await, 6);
        assert!(window.text("#pending").await.contains("erin"));
        assert!(window.text("#rejected").await.contains("mallory.py:3"));
    });
}
