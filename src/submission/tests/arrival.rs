//! Order of uploads that wait for their turn.

use super::*;

/// The second one had its turn earlier.
#[test]
fn an_upload_is_first_by_its_arrival_with_a_season_and_without_one() {
    for rules in [&b""[..], b"season: {closes: 2099-01-01T00:00Z}"] {
        let inbox = Folders::new();
        let mut pipeline = inbox.pipeline();
        pipeline.season = config::parse(Path::new("pipeline.yaml"), rules).unwrap().season;
        let (alice, thief) = (Instant::now(), Instant::now() + Duration::from_millis(20));
        thread::sleep(Duration::from_millis(50));
        let submitter = Submitter::default();
        let put = |id: &str, here| {
            submitter.submit(&pipeline, &miner(id), b"x = 1\n", (Channel::Http, here)).unwrap().0.received_at
        };
        let (second, first) = (put("thief", thief), put("alice", alice));
        assert!(first < second);
        let sha256 = crate::util::digest::sha256(b"x = 1\n");
        let expected = vec![(miner("alice"), first), (miner("thief"), second)];
        assert_eq!(Submitter::default().miners_of(inbox.results.path(), &sha256).unwrap(), expected);
    }
}
