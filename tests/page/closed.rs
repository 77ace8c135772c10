//! Text of agents on the page, which does nothing.

use crate::ignorable::Tested;
use crate::on_sample;
use crate::sample::HOSTILE;

pub fn what_agents_write_does_nothing() -> Tested {
    on_sample(async |window, dir| {
        // Everything is unfolded that can be.
        window.eval("(unfolded.ranking = Infinity, refresh(), null)").await;
        for agent in 0..32 {
            window.eval(&format!("(openDetail(data.agents[{agent}].miner), document.querySelectorAll('details').forEach((one) => (one.open = true)), null)")).await;
            window
                .until("[...document.querySelectorAll('details')].every((one) => one.children.length === 2)")
                .await;
        }
        assert_eq!(window.eval("document.title").await, "agentmill rankings");
        assert_eq!(window.eval("document.scripts.length").await, 2);
        assert_eq!(
            window
                .eval(
                    "document.querySelectorAll('img, iframe, object, [href^=javascript], [onerror]').length"
                )
                .await,
            0
        );
        assert!(window.eval("byId('rejected').textContent").await.as_str().unwrap().contains(HOSTILE));
        let page = std::fs::read_to_string(dir.join("index.html")).unwrap();
        assert!(!page.contains("secret(42)"), "private tests tell nothing");
        assert!(!page.contains(HOSTILE));
    })
}

/// Were there a hole in the script, the policy still holds.
pub fn no_other_script_can_run() -> Tested {
    on_sample(async |window, _| {
        let outcome = "(() => { try { document.body.innerHTML = '<img src=x onerror=document.title=1>'; return 'taken'; } catch (error) { return error.name; } })()";
        assert_eq!(window.eval(outcome).await, "TypeError");
        let script = "(() => { try { const node = document.createElement('script'); node.text = 'document.title = 1'; document.body.append(node); return document.title; } catch (error) { return error.name; } })()";
        assert_eq!(window.eval(script).await, "TypeError");
        window.eval("fetch('https://example.com/').catch(() => (document.title = 'refused'))").await;
        window.until("document.title === 'refused'").await;
        let complaints = window.complaints().await;
        assert!(
            complaints.iter().all(|one| one.contains("Content Security Policy")
                || one.contains("TrustedHTML")
                || one.contains("TrustedScript")),
            "{complaints:?}"
        );
        window.requests().await;
    })
}
