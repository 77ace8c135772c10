//! Fuzz entries: frames of cells and judges, whole or cut, right or wrong, as the host takes them.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::model::report::{Scored, Usage};
use crate::sandbox::channel::frame::{self, Frame};
use crate::sandbox::engine::api::demux::Demux;
use crate::sandbox::guest::frames::bounds::MAX_MESSAGE;
use crate::sandbox::run::cell_messages::{Answer, Compiled, Spending};
use crate::sandbox::run::judge::Said;
use crate::sandbox::run::replay::CallPlan;
use crate::sandbox::run::run_clock::CpuAccount;
use crate::sandbox::run::score_sheet::{ScoreSheet, Standing};
use crate::task::{self, Task};
use crate::util::text::visible;

const BUDGET: Duration = Duration::from_secs(10);

static TASK: LazyLock<Task> = LazyLock::new(|| {
    let text = b"prompt: p\ntests: [assert a, {assert: b, weight: 2, public: true}, assert c]\n";
    task::parse(Path::new("t.yaml"), text).expect("it is sound")
});

/// The host takes any bytes of a cell for what they are: a claim, an end, or an account of what was used.
pub fn cell_frames(bytes: &[u8]) {
    for frame in frames(bytes) {
        if let Some(cpu) = account::<CpuAccount>(&frame) {
            assert!(cpu.allowance(BUDGET, 1.0) < BUDGET * 30);
        }
        if let Some(refusal) = account::<Compiled>(&frame).and_then(Compiled::refusal) {
            expect_showable(&refusal.message);
        }
        if let Some(spending) = Spending::of(&frame.payload) {
            expect_sound(
                &ScoreSheet::new(&TASK, &Standing::default()).add_up(Usage::default(), spending.stderr),
            );
        }
        if let Ok(Answer::Exited(exited)) = Answer::of(frame, None) {
            expect_showable(&exited.how());
        }
    }
}

/// Bytes over an engine's socket are told apart in the same way however they are cut, and are frames like any others.
pub fn attached(bytes: &[u8]) {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let whole = told_apart(&[bytes]);
    assert_eq!(whole, told_apart(&[first, second]));
    cell_frames(&whole.0);
}

/// Stdout and stderr as far as they make sense.
fn told_apart(pieces: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
    let (mut demux, mut stdout, mut stderr) = (Demux::default(), Vec::new(), Vec::new());
    let _ = pieces.iter().try_for_each(|piece| demux.sort(piece, &mut stdout, &mut stderr));
    (stdout, stderr)
}

/// Whatever a judge says, a run has one result per test, and the first that was said.
pub fn judge_frames(bytes: &[u8]) {
    let (mut sheet, mut asked) = (ScoreSheet::new(&TASK, &Standing::default()), Vec::new());
    for frame in frames(bytes) {
        match Said::of(frame) {
            Said::Result(judged) => sheet.enter(judged),
            Said::Request(request) => {
                asked.push((char::from(u8::from(request.kind)), text(&request.payload)))
            }
            Said::Fetch(_) | Said::Consult(_) => {}
            Said::Fault(_) | Said::Died(_) | Said::Done | Said::Late | Said::Gone => break,
        }
    }
    let _ = CallPlan::foreseen(asked, true);
    expect_sound(&sheet.add_up(Usage::default(), String::new()));
}

/// The whole frames among the bytes, which come in two pieces as through a pipe.
fn frames(bytes: &[u8]) -> Vec<Frame> {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let (mut inbox, mut found) = (Vec::new(), Vec::new());
    for piece in [first, second] {
        inbox.extend_from_slice(piece);
        while let Ok(Some(frame)) = frame::take(&mut inbox) {
            found.push(frame);
        }
    }
    let size: usize = found.iter().map(|frame| frame.payload.len() + 5).sum();
    assert_eq!(size + inbox.len(), bytes.len(), "nothing is lost or made up");
    found
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn account<T: DeserializeOwned>(frame: &Frame) -> Option<T> {
    serde_json::from_slice(&frame.payload).ok()
}

fn expect_sound(scored: &Scored) {
    assert!((0.0..=100.0).contains(&scored.score));
    assert_eq!(Some(scored.verdict), scored.tests.iter().map(|test| test.verdict).max());
    let names = |task: &Task| task.tests.iter().map(|test| test.name.clone()).collect::<Vec<_>>();
    assert!(scored.tests.iter().map(|test| &test.name).eq(&names(&TASK)));
    for message in scored.tests.iter().filter_map(|test| test.message.as_ref()) {
        assert!(message.len() <= MAX_MESSAGE);
        expect_showable(message);
    }
    let written = serde_json::to_vec(scored).expect("it can be written");
    assert_eq!(serde_json::from_slice::<Scored>(&written).expect("and read"), *scored);
}

fn expect_showable(text: &str) {
    assert!(!visible(text, usize::MAX).contains(char::is_control));
}
