//! A live cell, seen from outside and from inside, on the real engine.

mod common;
mod ignorable;

use std::collections::{BTreeMap, HashMap};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use agentmill::config::{EngineKind, Limits};
use agentmill::model::report::Verdict;
use agentmill::sandbox::engine::Role;
use agentmill::sandbox::engine::backend::Backend;
use agentmill::sandbox::{Opened, Sandbox};
use common::{LIMITS, Lab, Outcome, messages, path, task, verdicts};
use ignorable::{plain, with_docker};
use serde_json::{Value, json};

fn main() -> ExitCode {
    ignorable::main_of([
        plain![
            nothing_that_a_cell_can_see_holds_what_is_expected,
            a_source_that_compiles_in_the_first_cell_only_is_judged,
            no_run_finds_a_mark_that_another_left_on_the_network,
            what_waits_in_sockets_stays_within_the_limit,
            python_lives_with_what_is_refused
        ],
        with_docker![
            a_live_cell_has_every_bound_and_no_right,
            a_cell_is_the_same_over_the_socket_and_by_the_command_line
        ],
    ])
}

const LOOKER: &[u8] = b"def status():\n    return open('/proc/self/status').read()";

/// Inspects a cell that holds an agent, which must then say the same.
fn inspect_live_cell(lab: &Lab, limits: &Limits) -> Value {
    let look = task("prompt: look\ntests:\n  - \"assert 'Seccomp:\\t2' in status()\"\n");
    let Opened::Ready(mut cell) = lab.sandbox.open(LOOKER.into(), limits).expect("a cell") else {
        panic!("refused")
    };
    let found = inspect(lab, &lab.containers("cell")[0]);
    assert_eq!(found["State"]["Running"], json!(true));
    let run = cell.run(&look, limits).expect("judged");
    assert_eq!(verdicts(&run), ["passed"], "seccomp is off: {:?}", messages(&run));
    found
}

fn inspect(lab: &Lab, container: &str) -> Value {
    let mut found: Value = serde_json::from_str(&lab.ask(&["inspect", container])).expect("it is JSON");
    found[0].take()
}

fn a_live_cell_has_every_bound_and_no_right() {
    let lab = Lab::with(EngineKind::Docker, None);
    let found = inspect_live_cell(&lab, &LIMITS);
    let host = &found["HostConfig"];
    let ulimits: HashMap<&str, &Value> = host["Ulimits"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|u| (u["Name"].as_str().unwrap(), &u["Hard"]))
        .collect();

    assert_eq!(host["CapDrop"], json!(["ALL"]));
    assert_eq!(host["CapAdd"], json!(null));
    assert_eq!(host["Privileged"], json!(false));
    assert_eq!(host["SecurityOpt"], json!(["no-new-privileges"]), "anything more could turn seccomp off");
    assert_eq!(host["ReadonlyRootfs"], json!(true));
    assert_eq!(host["PidsLimit"], json!(LIMITS.pids));
    assert_eq!(host["Memory"], json!(LIMITS.memory));
    assert_eq!(host["MemorySwap"], json!(LIMITS.memory), "the sum: no swap");
    assert_eq!(host["NanoCpus"], json!(1_000_000_000));
    assert_eq!(host["NetworkMode"], json!("none"));
    assert_eq!(host["ShmSize"], json!(LIMITS.tmp));
    let tmpfs = format!("rw,noexec,nosuid,nodev,mode=1777,size={},nr_inodes=1024", LIMITS.tmp);
    let empty = "ro,noexec,nosuid,nodev,size=4k";
    assert_eq!(host["Tmpfs"], json!({ "/tmp": tmpfs, "/sys": empty, "/sys/fs/cgroup": empty }));
    let bounded = [("core", json!(0)), ("nofile", json!(256)), ("stack", json!(-1)), ("fsize", json!(-1))];
    for (name, hard) in &bounded {
        assert_eq!(ulimits.get(name), Some(&hard), "{name}");
    }
    assert_eq!(host["Binds"], json!(null));
    assert_eq!(host["VolumesFrom"], json!(null));
    assert_eq!(found["Mounts"], json!([]));
    assert!(
        matches!(&host["Devices"], Value::Null | Value::Array(_))
            && host["Devices"].as_array().is_none_or(Vec::is_empty)
    );
    assert_eq!(host["LogConfig"]["Type"], json!("none"));
    assert_eq!(host["AutoRemove"], json!(true));
    for namespace in ["PidMode", "UTSMode", "UsernsMode"] {
        assert_eq!(host[namespace], json!(""), "{namespace} is the host's");
    }
    assert_eq!(host["IpcMode"], json!("private"));
    let user =
        found["Config"]["User"].as_str().and_then(|user| user.strip_suffix(":65534")).unwrap_or_default();
    assert!((10_000..60_000).contains(&user.parse::<u32>().unwrap_or_default()), "{user}");
    let masked = host["MaskedPaths"].as_array().expect("a list");
    for path in ["/proc/vmstat", "/proc/kcore", "/proc/locks", "/dev/pts"] {
        assert!(masked.contains(&json!(path)), "{path}");
    }
    assert_eq!(found["Config"]["WorkingDir"], json!("/tmp"));
    assert_eq!(found["Config"]["Volumes"], json!(null));
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Inspects a container that the engine's client starts, by the command that would start this cell.
fn inspect_by_client(lab: &Lab, cell: &Value, limits: &Limits) -> Value {
    let engine = lab.sandbox.engine();
    let program =
        cell["Config"]["Cmd"].as_array().and_then(|words| words.last()?.as_str()).expect("a program");
    let image = cell["Config"]["Image"].as_str().expect("an image");
    let role = Role::Cell(limits, 0);
    let name = engine.new_name(role);
    let argv = engine.run_argv(role, &engine.spec(role, &name, image, program));
    let mut client = Command::new(&argv[0])
        .args(&argv[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the client starts");
    while lab.ask(&["ps", "--quiet", "--filter", &format!("name={name}")]).is_empty() {
        thread::sleep(Duration::from_millis(50));
    }
    let found = inspect(lab, &name);
    drop(client.stdin.take());
    client.wait().expect("it ends");
    found
}

/// All that is set; the client sends some lists empty instead of not at all.
fn settings(config: &Value) -> BTreeMap<&String, &Value> {
    let is_set = |value: &Value| *value != json!(null) && *value != json!([]) && *value != json!({});
    config.as_object().expect("it is one").iter().filter(|(_, value)| is_set(value)).collect()
}

/// No bound may be missing on one of the two ways, nor any come to be added to one of them only.
fn a_cell_is_the_same_over_the_socket_and_by_the_command_line() {
    let lab = Lab::with(EngineKind::Docker, Some("runc".into()));
    assert!(
        matches!(lab.sandbox.engine().backend(), Ok(Backend::Socket(_))),
        "this test needs a Docker Engine on a socket of this machine"
    );
    let limits = Limits { cpus: 0.7, ..LIMITS };
    let mut by_socket = inspect_live_cell(&lab, &limits);
    let mut by_client = inspect_by_client(&lab, &by_socket, &limits);
    for found in [&mut by_socket, &mut by_client] {
        found["Config"]["Hostname"] = json!("its own");
        found["Config"]["User"] = json!("its own");
        found["Config"]["Env"].as_array_mut().expect("a list").sort_by_key(Value::to_string);
        found["HostConfig"]["MaskedPaths"].take(); // Docker's command line has no word for more of them
    }
    // The same empty network, made by the runtime alone; the command line has no word for it.
    assert_eq!(by_socket["Config"]["NetworkDisabled"].take(), json!(true));
    assert_eq!(settings(&by_socket["Config"]), settings(&by_client["Config"]));
    assert_eq!(settings(&by_socket["HostConfig"]), settings(&by_client["HostConfig"]));
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// A text that no file and no command line holds: it comes to be here.
fn marker(name: &str) -> String {
    ["mark", "of", name, "is", "here"].join("")
}

/// Rule 5: expected values, assertions, test names and `setup` never enter a cell. That the search works is shown by an
/// argument, which it must find.
fn nothing_that_a_cell_can_see_holds_what_is_expected() {
    let (secret, argument) = (marker("secret"), marker("argument"));
    let [before, after] = ["mark", "ishere"];
    let text = format!(
        "prompt: look around\nsetup: |\n  HIDDEN = '{secret}'\n  def expected(): return ['{secret}', HIDDEN]\ntests:\n  \
         - name: '{secret}'\n    assert: search('{before}', 'of', 'secret', '{after}', '{argument}') == ['argument'] != expected()\n  \
         - name: after it\n    assert: search('{before}', 'of', 'secret', '{after}', '{argument}') != '{secret}'\n"
    );
    let search = std::fs::read(path("hostile/search.py")).expect("readable");
    let limits = Limits { timeout: Duration::from_secs(60), memory: 512 << 20, ..LIMITS };
    let lab = Lab::new();
    // Twice: the second time by a replay, which holds all questions at once.
    for _ in 0..2 {
        let Outcome::Judged(runs) = lab.run(&search, &task(&text), &limits, 2) else { panic!("refused") };
        for run in &runs {
            assert_eq!(verdicts(run), ["passed", "passed"], "{:?}", messages(run));
        }
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Which limits a source compiles within is up to the source: no way to stay unscored.
fn a_source_that_compiles_in_the_first_cell_only_is_judged() {
    let lab = Lab::new();
    let source = format!("x = [{}]\ndef double(n): return 2 * n", "[1, 'a'], ".repeat(60_000));
    let double = task("prompt: double\ntests:\n  - assert double(4) == 8\n");
    let roomy = Limits { memory: 512 << 20, timeout: Duration::from_secs(20), ..LIMITS };
    let narrow = Limits { memory: 32 << 20, ..roomy };
    let Opened::Ready(mut cell) = lab.sandbox.open(source.into_bytes(), &roomy).expect("a cell") else {
        panic!("refused")
    };
    assert_eq!(cell.run(&double, &roomy).expect("judged").verdict, Verdict::Passed);
    assert_eq!(cell.run(&double, &narrow).expect("judged").verdict, Verdict::Crashed);
    drop(cell);
    assert_eq!(lab.close(), Vec::<String>::new());
}

const CALLER: &[u8] = b"
import socket, threading
def call(port):
    server = socket.create_server(('127.0.0.1', port))
    thread = threading.Thread(target=lambda: server.accept()[0].close())
    thread.start()
    client = socket.create_connection(('127.0.0.1', port))
    client.recv(1)
    thread.join()
    return port
def seen():
    lines = open('/proc/net/tcp').read().splitlines() + open('/proc/net/dev').read().split('lo:')[1].split()[:1]
    return lines[1:]
";

/// A mark on a cell's network would be a message to the next run, and a port still busy a harm.
fn no_run_finds_a_mark_that_another_left_on_the_network() {
    let lab = Lab::new();
    let call = task("prompt: call\ntests:\n  - assert call(8080) == 8080\n");
    let seen = task("prompt: see\ntests:\n  - assert seen() == ['0']\n");
    let tasks = [&call, &seen, &call, &call, &seen];
    for outcome in [lab.run_announced(CALLER, &tasks, &LIMITS), lab.run_all(CALLER, &tasks, &LIMITS)] {
        let Outcome::Judged(runs) = outcome else { panic!("{outcome:?}") };
        for run in runs {
            assert_eq!(verdicts(&run), ["passed"], "{:?}", messages(&run));
        }
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Memory of the kernel's that no control group counts, or not in version 1: what waits in sockets.
fn what_waits_in_sockets_stays_within_the_limit() {
    let lab = Lab::new();
    let source = b"
import socket
kept = []
def make(*kind):
    kept.append(socket.socket(*kind))
    for option in socket.SO_RCVBUF, socket.SO_SNDBUF:
        kept[-1].setsockopt(socket.SOL_SOCKET, option, 4 << 20)
    return kept[-1]
def datagrams(family, kind, protocol, place, length):
    total = 0
    sender = make(family, kind, protocol)
    sender.setblocking(False)
    for _ in range(100):
        receiver = make(family, kind, protocol)
        receiver.bind(place)
        try:
            for _ in range(80):
                total += sender.sendto(bytes(length), receiver.getsockname())
        except BlockingIOError:
            pass
    return total
def netlink():
    return datagrams(socket.AF_NETLINK, socket.SOCK_RAW, 2, (0, 0), 60000)
def udp():
    return datagrams(socket.AF_INET, socket.SOCK_DGRAM, 0, ('127.0.0.1', 0), 60000)
def tcp():
    total, server = 0, make()
    server.bind(('127.0.0.1', 0))
    server.listen(100)
    while total < 400 << 20:
        client = make()
        client.connect(server.getsockname())
        kept.append(server.accept()[0])
        client.setblocking(False)
        try:
            while True:
                total += client.send(bytes(1 << 20))
        except BlockingIOError:
            pass
    return total
def held(way):
    try:
        return globals()[way]()
    except OSError as error:
        return type(error).__name__, error.errno, len(kept)
";
    let text = "prompt: p\nsetup: |\n  import errno\ntests:\n  - assert held('netlink') == ('OSError', errno.EAFNOSUPPORT, 0)\n  \
         - assert held('udp') == ('OSError', errno.EPROTONOSUPPORT, 0)\n  - assert held('tcp')[:2] == ('OSError', errno.ENFILE)\n";
    let Outcome::Judged(runs) = lab.run(source, &task(text), &LIMITS, 1) else { panic!("refused") };
    assert_eq!(verdicts(&runs[0]), ["passed"; 3], "{:?}", messages(&runs[0]));
    assert_eq!(lab.close(), Vec::<String>::new());
}

fn python_lives_with_what_is_refused() {
    let lab = Lab::new();
    let source = b"
import asyncio, os, socket
async def served():
    server = await asyncio.start_server(lambda reader, writer: writer.close(), '127.0.0.1', 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    return await reader.read()
def look():
    addresses = {it[4][0] for it in socket.getaddrinfo('127.0.0.1', 80)}
    return os.cpu_count() == len(os.sched_getaffinity(0)), '127.0.0.1' in addresses, asyncio.run(served())
def again():
    return [look() for _ in range(100)][-1]
";
    let text = "prompt: p\ntests:\n  - assert look() == (True, True, b'')\n  - assert again() == (True, True, b'')\n";
    let Outcome::Judged(runs) = lab.run(source, &task(text), &LIMITS, 1) else { panic!("refused") };
    assert_eq!(verdicts(&runs[0]), ["passed"; 2], "{:?}", messages(&runs[0]));
    assert_eq!(lab.close(), Vec::<String>::new());
}
