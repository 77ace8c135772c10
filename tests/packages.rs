//! Packages of the image: found by agents where the pipeline allows them, and by nobody else.

mod ignorable;
mod testenv;

use std::io::{BufRead, BufReader, Cursor, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, ExitCode};
use std::thread;

use agentmill::util::digest;
use ignorable::with_docker;
use testenv::TestEnv;

fn main() -> ExitCode {
    ignorable::main(with_docker![agents_import_what_the_image_has_where_that_is_allowed])
}

const TASK: &str = "prompt: shine\ntests:\n  - assert shine() == 'bright'\n";
const AGENT: &str = "import shiny\ndef shine():\n    return shiny.LOOK\n";

/// The address of this machine, as a container has it.
const GATEWAY: &str = "
import socket
routes = map(str.split, open('/proc/net/route'))
print(next(socket.inet_ntoa(bytes.fromhex(gate)[::-1]) for _, to, gate, *_ in routes if to == '00000000'))
";

/// The name of an image with a package, `shiny`; removed when dropped.
struct Image(String);

impl Image {
    /// Built by pip's file of requirements and an index that is at hand.
    fn with_package(env: &TestEnv) -> Self {
        // A comment of its own gives it a name of its own.
        env.write("requirements.txt", &format!("shiny==1.0 # for {}\n", std::process::id()));
        let index = index();
        let host = index.ip().to_string();
        let pip = [("PIP_INDEX_URL", format!("http://{index}/simple")), ("PIP_TRUSTED_HOST", host)];
        let mut build = Command::new(env!("CARGO_BIN_EXE_agentmill"));
        build.args(["image", "build", "requirements.txt"]).current_dir(env.path("")).envs(pip);
        let output = build.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }
}

/// An index of packages with one that is made here, where containers reach it.
fn index() -> SocketAddr {
    let gateway = docker(&["run", "--rm", "python:3.11-slim", "python", "-c", GATEWAY]);
    let listener = TcpListener::bind((gateway.as_str(), 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (wheel, name) = (wheel(), "shiny-1.0-py3-none-any.whl");
    let page = format!("<a href='/{name}#sha256={}'>{name}</a>", digest::sha256(&wheel));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            let (kind, body) = match line.contains(name) {
                true => ("application/octet-stream", wheel.as_slice()),
                false => ("text/html", page.as_bytes()),
            };
            let head =
                format!("HTTP/1.0 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = (&stream).write_all(&[head.as_bytes(), body].concat());
        }
    });
    address
}

fn wheel() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [
        // To import it anywhere but in a cell would be seen.
        ("shiny.py", "import os\nassert os.getuid() not in (0, 65534)\nLOOK = 'bright'\n"),
        ("shiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: shiny\nVersion: 1.0\n"),
        ("shiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        ("shiny-1.0.dist-info/RECORD", ""),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
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
    let image = Image::with_package(&plain);
    let lock = plain.read("requirements.lock");
    assert!(lock.starts_with("shiny==1.0 --hash=sha256:") && lock.lines().count() == 1, "{lock}");
    let name = plain.path("requirements.txt");
    let name = plain.agentmill(&["image", "build", name.to_str().unwrap()]).code(0).stdout;
    assert_eq!(name.trim(), image.0, "it is there, and not built again");
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
