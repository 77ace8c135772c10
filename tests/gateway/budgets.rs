//! Budgets: refused beyond them, and by one question at most.

use std::time::Duration;

use crate::provider::{Provider, Says};
use crate::support::Folder;

#[test]
fn what_is_over_the_budget_is_refused_with_what_is_used_and_left() {
    let provider = Provider::echo();
    let agent = r#"
def work():
    first = [ask("a", max_tokens=100000), ask("b")]
    status, body = chat("c")
    error = json.loads(body)["error"]
    told = json.loads(get("/budget")[1])
    return [*first, status, error["type"], error["budget"]["used"]["requests"], error["budget"]["left"]["requests"], told["used"]["tokens_in"]]


def post_other():
    return [chat("d", model="expensive")[0], chat("e", web_search_options={})[0]]
"#;
    let tests = [
        "work() == ['echo a', 'echo b', 429, 'insufficient_quota', 2, 0, 20]",
        "chat('d', model='expensive')[0] == 403",
        "chat('e', web_search_options={})[0] == 400",
    ];
    let folder = Folder::with(&provider, "{allow: [m], requests: 2, tokens: 500}", &tests, agent);
    folder.expect_passed();
    let asked = provider.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    let longest: Vec<u64> = asked.iter().map(|asked| asked.body["max_tokens"].as_u64().unwrap()).collect();
    assert!(longest[0] < 500 && longest[1] < longest[0], "cut to what is left: {longest:?}");
}

/// 64 threads ask at the same moment; each answer has 10 and 5 tokens, and a question some 70 bytes.
#[test]
fn a_race_of_64_threads_passes_no_budget() {
    let provider = Provider::new(|asked| Says::Text(asked.text(), Duration::from_millis(20)));
    let agent = r#"
def work():
    start, found = threading.Barrier(64), []

    def race():
        start.wait()
        for _ in range(4):
            found.append(ask("x", max_tokens=5))

    threads = [threading.Thread(target=race) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found.count("x"), found.count(429), len(found)]
"#;
    let tests = ["work() in ([20, 236, 256], [21, 235, 256])"];
    let grant = "{allow: [m], requests: 1000, tokens: 300, at_once: 64}";
    let folder = Folder::with(&provider, grant, &tests, agent);
    let text = folder
        .read("pipeline.yaml")
        .replace("    model:", "    sandbox: {timeout: 60s, pids: 128}\n    model:");
    folder.write("pipeline.yaml", &text);
    folder.expect_passed();
    assert_eq!(provider.asked().len(), 20, "300 tokens are 20 answers of 15");
}

#[test]
fn no_more_questions_are_open_at_once_than_granted() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static OPEN: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let provider = Provider::new(|asked| {
        let open = OPEN.fetch_add(usize::from(!asked.is_control()), Ordering::SeqCst) + 1;
        MOST.fetch_max(open, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(50));
        OPEN.fetch_sub(1, Ordering::SeqCst);
        Says::Text("x".into(), Duration::ZERO)
    });
    let agent = r#"
def work():
    found = []
    threads = [threading.Thread(target=lambda: found.append(ask("x", max_tokens=5))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
"#;
    let folder = Folder::with(&provider, "{allow: [m], at_once: 3}", &["work() == ['x'] * 20"], agent);
    folder.expect_passed();
    assert!((2..=3).contains(&MOST.load(Ordering::SeqCst)), "{MOST:?}");
}

/// The provider may want to be paid for it.
#[test]
fn an_answer_that_was_lost_counts_as_if_it_had_come_at_its_longest() {
    let provider = Provider::new(|asked| match asked.text().as_str() {
        "lost" => Says::Cut,
        _ => Says::Text("yes".into(), Duration::ZERO),
    });
    let test = "[chat('lost', max_tokens=100, n=2)[0], json.loads(get('/budget')[1])['used']['tokens_out']]";
    let agent = format!("\ndef work():\n    return {test}\n");
    let tests = ["(lambda said: said[0] == 504 and said[1] >= 200)(work())"];
    let folder = Folder::with(&provider, "{allow: [m], wait: 2s}", &tests, &agent);
    folder.expect_passed();
    let (known, tries) = (&folder.recording()[0], provider.asked().len() as u64);
    assert_eq!((&known["status"], &known["tokens_out"]), (&504.into(), &(200 * tries).into()));
    assert!((10 * tries..40 * tries).contains(&known["tokens_in"].as_u64().unwrap()), "{known}");
}
