use std::path::Path;

use super::*;

fn problems(text: &str) -> Vec<String> {
    match parse(Path::new("pipeline.yaml"), text.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_shipped_file_is_valid() {
    assert_eq!(problems(DEFAULT), Vec::<String>::new());
}

#[test]
fn the_shipped_file_shows_the_defaults() {
    let comparable = |text: &str| {
        let mut pipeline = parse(Path::new("pipeline.yaml"), text.as_bytes()).unwrap();
        pipeline.sha256.clear();
        format!("{pipeline:#?}")
    };
    assert_eq!(comparable(""), comparable(DEFAULT));
}
