//! A crowd loses nothing.

use std::io::Write;
use std::thread;

use agentmill::pipeline::intake;
use agentmill::util::digest;
use serde_json::Value;

use crate::support::{Folder, answer, request};

const MINERS: usize = 100;
const EACH: usize = 10;

#[test]
fn a_thousand_parallel_uploads_by_a_hundred_miners_lose_nothing() {
    let folder =
        Folder::new("serve: {uploads_per_minute: 1000000, requests_per_minute: 1000000, timeout: 60s}");
    let api = folder.serve();
    thread::scope(|scope| {
        for miner in 0..MINERS {
            let api = &api;
            scope.spawn(move || upload(api, miner));
        }
    });
    for miner in 0..MINERS {
        let bytes = folder.read(&format!("inbox/miner-{miner}.py"));
        assert!((0..EACH).any(|number| bytes == source(miner, number)), "{bytes}");
        let receipt: Value =
            serde_json::from_str(&folder.read(&format!("results/.uploads/miner-{miner}.json"))).unwrap();
        assert_eq!(receipt["sha256"], digest::sha256(bytes.as_bytes()));
    }
    let listing = intake::list(&folder.inbox(), intake::Bounds { bytes: 1 << 20, files: 1 }).unwrap();
    assert_eq!((listing.files.len() + listing.unsettled, listing.rejected), (MINERS, vec![]));
    let left = std::fs::read_dir(folder.path().join("results/.uploads")).unwrap().flatten();
    assert_eq!(left.filter(|entry| entry.path().extension().is_some_and(|it| it == "tmp")).count(), 0);
}

/// All of a miner's uploads at once.
fn upload(api: &crate::support::Api, miner: usize) {
    let mut streams: Vec<_> = (0..EACH).map(|_| api.connect()).collect();
    for (number, stream) in streams.iter_mut().enumerate() {
        let path = format!("/upload/agent?miner_id=miner-{miner}");
        stream.write_all(&request("PUT", &path, "", source(miner, number).as_bytes())).unwrap();
    }
    for stream in &mut streams {
        assert_eq!(answer(stream).status, 201);
    }
}

fn source(miner: usize, number: usize) -> String {
    format!("VALUE = ({miner}, {number})\n").repeat(200)
}
