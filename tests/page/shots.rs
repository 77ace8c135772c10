//! Pictures of the page, to be looked at by people.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::{self, Window, visit};
use crate::ignorable::Tested;
use crate::sample::Sample;

/// Name, sample, width, colours.
const SHOTS: [(&str, &str, u32, &str); 7] = [
    ("light", "little", 1280, "light"),
    ("dark", "little", 1280, "dark"),
    ("paper", "little", 900, "light"),
    ("narrow", "little", 500, "light"),
    ("phone", "little", 390, "light"),
    ("phone-dark", "little", 390, "dark"),
    ("big", "big", 1280, "light"),
];

/// `AGENTMILL_SHOTS=/tmp/x cargo test --test page shots -- --ignored`
pub fn shots() -> Tested {
    browser::needed()?;
    let dir = tempfile::tempdir().unwrap();
    let shots = std::env::var_os("AGENTMILL_SHOTS").map_or(dir.path().to_owned(), PathBuf::from);
    std::fs::create_dir_all(&shots).unwrap();
    Sample::varied().publish_with_history(&dir.path().join("little"));
    crate::models::write_models(&dir.path().join("little"));
    Sample::varied().publish(&dir.path().join("little"));
    Sample::new(2_000, 50).publish(&dir.path().join("big"));
    for (name, sample, width, scheme) in SHOTS {
        visit(1280, 900, async |window| {
            let phone = width <= 500;
            let size = json!({"width": width, "height": if phone { 844 } else { 900 }, "deviceScaleFactor": 1.5, "mobile": phone});
            window.emulate("Emulation.setDeviceMetricsOverride", size).await;
            let media = if name == "paper" { "print" } else { "screen" };
            let scheme =
                json!({"media": media, "features": [{"name": "prefers-color-scheme", "value": scheme}]});
            window.emulate("Emulation.setEmulatedMedia", scheme).await;
            window.open_file(&dir.path().join(sample)).await;
            shoot_parts(window, &|part| shots.join(format!("{name}-{part}.png"))).await;
            if sample == "little" {
                window.open(&format!("file://{}/models.html", dir.path().join(sample).display())).await;
                window.shoot(&shots.join(format!("{name}-models.png"))).await;
            }
        });
    }
    Ok(())
}

/// `AGENTMILL_AXE=axe.min.js cargo test --test page axe -- --ignored`: axe-core's rules on every view of the page.
pub fn axe() -> Tested {
    browser::needed()?;
    let axe = std::env::var("AGENTMILL_AXE").expect("AGENTMILL_AXE names axe.min.js");
    let axe = std::fs::read_to_string(axe).unwrap();
    let dir = tempfile::tempdir().unwrap();
    crate::models::write_models(dir.path());
    Sample::varied().publish_with_history(dir.path());
    for scheme in ["light", "dark"] {
        visit(1280, 900, async |window| {
            let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            window.emulate("Emulation.setEmulatedMedia", scheme).await;
            // The page lets no script run but its own.
            window.emulate("Page.setBypassCSP", json!({"enabled": true})).await;
            window.open_file(dir.path()).await;
            window.emulate("Runtime.evaluate", json!({"expression": axe})).await;
            for view in ["{}", "{agent: 'bob'}", "{agent: 'bob', with: 'alice'}", "{task: taskKey(1)}"] {
                window.eval(&format!("(show({view}, 1), null)")).await;
                assert_eq!(violations(window).await, json!([]), "{view}");
            }
            window.open(&format!("file://{}/models.html", dir.path().display())).await;
            window.emulate("Runtime.evaluate", json!({"expression": axe})).await;
            assert_eq!(violations(window).await, json!([]), "models");
        });
    }
    Ok(())
}

/// The rules that the page breaks.
async fn violations(window: &Window) -> Value {
    window.eval("(window.broken = null)").await;
    window.eval("(axe.run({resultTypes: ['violations']}).then((all) => (window.broken = all.violations.map((one) => `${one.id}: ${one.nodes[0].html}`))), null)").await;
    window.until("window.broken !== null").await;
    window.eval("window.broken").await
}

async fn shoot_parts(window: &Window, path: &dyn Fn(&str) -> PathBuf) {
    let shoot = async |part: &str| window.shoot(Path::new(&path(part))).await;
    shoot("top").await;
    for part in ["matrix", "scores", "rejected"] {
        window.eval(&format!("byId('{part}').scrollIntoView()")).await;
        shoot(part).await;
    }
    window.eval("byId('matrix').scrollIntoView()").await;
    // Scrolling hides what hovering shows.
    tokio::time::sleep(Duration::from_millis(200)).await;
    window.eval("tipFor(byId('cell-15-2'))").await;
    shoot("tip").await;
    // One in the middle, who fails here and there.
    window.eval("openDetail(data.agents[Math.floor(data.agents.length / 2)].miner, 1)").await;
    tokio::time::sleep(Duration::from_millis(250)).await;
    shoot("detail-run").await;
    window.eval("(byId('detail').scrollTop = 0)").await;
    shoot("detail").await;
    window.eval("show({task: taskKey(1)})").await;
    shoot("task").await;
    window.eval("show({agent: data.agents[1].miner, with: data.agents[9].miner})").await;
    shoot("compare").await;
}
