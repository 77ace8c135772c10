//! Clocks: waiting for a model is nobody's time, and nobody's CPU.

use std::time::Duration;

use crate::provider::{Provider, Says};
use crate::support::Folder;

fn slow(agent: &str, test: &str) -> (Folder, Provider) {
    let provider = Provider::new(|asked| {
        let pause =
            if asked.is_control() || asked.body.is_null() { Duration::ZERO } else { Duration::from_secs(3) };
        Says::Text("slow".into(), pause)
    });
    let folder = Folder::with(&provider, "{allow: [m]}", &[test], agent);
    let text = folder.read("pipeline.yaml").replace("    model:", "    sandbox: {timeout: 2s}\n    model:");
    folder.write("pipeline.yaml", &text);
    (folder, provider)
}

#[test]
fn waiting_is_not_the_agents_time() {
    let (folder, _provider) =
        slow("\ndef work():\n    return [ask('a'), ask('b')]\n", "work() == ['slow', 'slow']");
    folder.expect_passed();
    let wall = folder.alice()["usage"]["wall_ms"].as_u64().unwrap();
    assert!(wall < 2000, "{wall} ms");
}

/// Two of three seconds' waiting are not worth computing: it is the CPU that counts then.
#[test]
fn who_computes_while_waiting_pays_for_it() {
    let agent = r#"
def burn():
    while True:
        pass


def work():
    threading.Thread(target=burn, daemon=True).start()
    return [ask(str(number)) for number in range(20)]
"#;
    let (folder, _provider) = slow(agent, "work() == []");
    folder.run(&[]);
    let run = folder.alice();
    assert_eq!(run["verdict"], "timeout", "{run:#}");
}
