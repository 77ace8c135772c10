//! Packages of the image: found by agents where the pipeline allows them, and by nobody else.

mod testenv;

use std::process::Command;

use testenv::TestEnv;

const TASK: &str = "prompt: shine\ntests:\n  - assert shine() == 'bright'\n";
const AGENT: &str = "import shiny\ndef shine():\n    return shiny.LOOK\n";

/// The name of an image with a package, `shiny`; removed when dropped.
struct Image(String);

impl Image {
    fn with_package() -> Self {
        let name = format!("agentmill-test-packages-{}:1", std::process::id());
        let place = "import os, site; print(next(filter(os.path.isdir, site.getsitepackages())))";
        let packages = docker(&["run", "--rm", "--network=none", "python:3.11-slim", "python", "-c", place]);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "LOOK = 'bright'\n").unwrap();
        std::fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        let container = docker(&["create", "python:3.11-slim"]);
        docker(&["cp", file.path().to_str().unwrap(), &format!("{container}:{packages}/shiny.py")]);
        docker(&["commit", &container, &name]);
        docker(&["rm", &container]);
        Self(name)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        docker(&["rmi", &self.0]);
    }
}

fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().unwrap();
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn agents_import_what_the_image_has_where_that_is_allowed() {
    let shiny = |image: &str, allow: &str| {
        let pipeline =
            format!("sandbox: {{engine: docker, image: '{image}'}}\nvalidate: {{allow: {allow}}}\n");
        TestEnv::new().pipeline(&pipeline).task("shine", TASK).agent("zoe", AGENT)
    };
    // The plain image is there afterwards.
    let plain = shiny("python:3.11-slim", "[shiny]");
    plain.agentmill(&["run"]).code(0);
    assert_eq!(plain.score("zoe").as_deref(), Some("0"), "it was allowed, and is not there");
    let image = Image::with_package();
    let refused = shiny(&image.0, "[dull]");
    refused.agentmill(&["run"]).code(1);
    assert!(refused.read("results/rejected.csv").contains("standard library and dull are available"));
    for allow in ["[shiny]", "image"] {
        let env = shiny(&image.0, allow);
        env.agentmill(&["run"]).code(0);
        assert_eq!(env.score("zoe").as_deref(), Some("100"), "{allow}");
    }
    // Judges may run another image. What the image has is known by then, and what it has not is refused before it runs.
    let env = shiny(&image.0, "image").agent("yan", "import dull\ndef shine():\n    return 'bright'\n");
    let pipeline = env.read("pipeline.yaml") + "judge: {image: 'python:3.11-slim'}\n";
    env.write("pipeline.yaml", &pipeline);
    env.agentmill(&["run"]).code(1);
    assert_eq!((env.score("zoe").as_deref(), env.score("yan")), (Some("100"), None));
    assert!(env.read("results/rejected.csv").contains("what else the image has are available"));
    assert_eq!(env.read("results/rankings.json").matches("+sha256:").count(), 1);
    // What an agent finds by other ways is not there either as long as nothing is allowed, nor is it for a judge.
    let env = shiny(&image.0, "[]");
    env.drop_agent("zoe", &AGENT.replace("import shiny", "shiny = __import__('shiny')"));
    env.agentmill(&["run"]).code(0);
    assert_eq!(env.score("zoe").as_deref(), Some("0"));
    env.write("pipeline.yaml", &env.read("pipeline.yaml").replace("[]", "image"));
    env.write("tasks/judge.yaml", &format!("setup: import shiny\n{TASK}"));
    env.agentmill(&["run"]).code(1);
    let scores = env.read("results/scores.csv");
    assert!(
        scores.contains("zoe,all,judge,,task_fault,") && scores.contains("zoe,all,shine,100,passed,"),
        "{scores}"
    );
}
