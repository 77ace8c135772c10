//! Rules 3 to 5 of docs/security.md: no process of an agent finds what another run was asked or answered, a second attempt
//! looks like a first, and nothing that an agent has answered is ever another's question.

mod common;

use std::time::Duration;

use agentmill::config::Limits;
use agentmill::model::report::Scored;
use agentmill::sandbox::Sandbox;
use agentmill::task::Task;
use common::{LIMITS, Lab, Outcome, messages, path, side_by_side, task, verdicts};

/// An agent that answers, prints and takes in what it is told, and that can search all that it sees.
fn searcher() -> Vec<u8> {
    let search = std::fs::read_to_string(path("hostile/search.py")).expect("readable");
    let rest = "
def say(*pieces):
    print(*pieces, sep='')
    print(*pieces, sep='', file=sys.stderr)
    return ''.join(pieces)
def take(text):
    return None
if __name__ == '__main__':
    print(sys.stdin.read(), sys.argv)
";
    (search + rest).into_bytes()
}

/// A task with a mark in its prompt, an argument, an answer, what is printed, a script's arguments and input; by one
/// exchange, or call by call as a question depends on an answer.
fn marked(depends: bool) -> Task {
    let call = if depends { "take(say('x'))" } else { "take('x')" };
    task(&format!(
        "prompt: markofpromptishere\ntests:\n  - assert {call} is None\n  - assert take('markofargumentishere') is None\n  - \
         assert say('mark', 'of', 'answer', 'is', 'here')[:6] == 'markof'\n  - assert agent.run('markofargvishere', \
         stdin='markofstdinishere').returncode == 0\n  - assert 'of' in output\n"
    ))
}

/// Finds none of those marks; that the search works is shown by an argument, which it must find.
fn searching(depends: bool) -> Task {
    let call = if depends { "take(say('x'))" } else { "take('x')" };
    let tests = ["prompt", "argument", "answer", "argv", "stdin"].map(|name| {
        format!(
            "  - assert search('mark', 'of', '{name}', 'ishere', 'markofthissearchishere') == ['argument']\n"
        )
    });
    task(&format!("prompt: look around\ntests:\n  - assert {call} is None\n{}", tests.concat()))
}

#[test]
fn no_run_finds_what_another_was_asked_or_has_answered() {
    let lab = Lab::new();
    let limits = Limits { timeout: Duration::from_secs(120), memory: 512 << 20, ..LIMITS };
    let (known, asked) = (marked(false), marked(true));
    let (search, search_by_calls) = (searching(false), searching(true));
    let orders: [&[&Task]; 3] = [
        &[&known, &known, &search, &asked, &search],
        &[&asked, &search_by_calls, &known, &search_by_calls],
        &[&search, &known, &asked, &search_by_calls],
    ];
    let ways = [Lab::run_announced, Lab::run_all];
    let runs: Vec<_> = ways.iter().flat_map(|way| orders.map(|order| (way, order))).collect();
    side_by_side(&runs, |(way, order)| {
        let outcome = way(&lab, &searcher(), order, &limits);
        let Outcome::Judged(runs) = outcome else { panic!("{outcome:?}") };
        for run in &runs {
            assert!(verdicts(run).iter().all(|word| word == "passed"), "{:?}", messages(run));
        }
    });
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// An agent that tells all that a process can see of its cell, by name; each a text.
const LOOKER: &[u8] = b"
import os, resource
def flip():
    return False
def take(it):
    return None
def stat(path):
    return open(path).read().rpartition(')')[2].split()
def look(name):
    pids = sorted(int(pid) for pid in os.listdir('/proc') if pid.isdigit())
    if name == 'pids':  # the runtime takes some before the cell has any: they count from the second of the cell's on
        return str([pid - pids[1] for pid in pids[1:]])
    if name == 'ids':
        return str((os.getpid() - pids[1], os.getppid(), os.getpgid(0) == os.getpid(), os.getsid(0)))
    if name == 'inodes':
        with open('/tmp/new', 'w') as file:
            return str((os.stat('/tmp/agent.py').st_ino, os.fstat(file.fileno()).st_ino, os.listdir('/tmp')))
    if name == 'descriptors':
        return str(sorted(os.listdir('/proc/self/fd'), key=int))
    if name == 'children':
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return str((used.ru_maxrss, used.ru_minflt, stat('/proc/self/stat')[13:15]))
    if name == 'groups':
        return str([os.listdir('/sys'), [os.statvfs(it).f_files for it in ('/sys', '/sys/fs/cgroup')]])
    if name == 'limits':
        return str([open('/proc/self/limits').read(), os.getpriority(os.PRIO_PROCESS, 0)])[-80:]
    if name == 'shared':
        return str([open('/proc/sysvipc/' + kind).read().count('\\n') for kind in ('shm', 'sem', 'msg')] + os.listdir('/dev/shm'))
";

const LOOKS: [&str; 8] = ["pids", "ids", "inodes", "descriptors", "children", "groups", "limits", "shared"];

/// A task whose first test is this one, and which then tells all that a process can see at that place.
fn looking(first: &str) -> Task {
    let looks = LOOKS.map(|name| format!("  - assert look('{name}') == ''\n"));
    task(&format!("prompt: look\ntests:\n  - {first}\n{}", looks.concat()))
}

fn seen(lab: &Lab, task: &Task) -> Vec<String> {
    match lab.run(LOOKER, task, &LIMITS, 1) {
        Outcome::Judged(runs) => tests_messages(&runs[0]),
        outcome => panic!("{outcome:?}"),
    }
}

fn tests_messages(run: &Scored) -> Vec<String> {
    assert_eq!(verdicts(run)[1..], ["failed"; LOOKS.len()], "{:?}", messages(run));
    run.tests[1..].iter().filter_map(|test| test.message.clone()).collect()
}

/// A run that is made again can't tell: it is made in another cell. The first task is asked call by call from the
/// start, as a question depends on an answer. The second is foreseen to ask once, as an answer that says nothing is true,
/// and asks twice; so it is made in one exchange, in vain, and then again.
#[test]
fn a_second_attempt_sees_what_a_first_one_does() {
    let lab = Lab::new();
    let first = looking("assert take(flip()) is None");
    let again = looking("assert flip() or take(False) is None");
    lab.sandbox.check(&[first.clone(), again.clone()]).expect("a judge learns them");
    let cells = lab.started("cell");
    let (once, twice) = (seen(&lab, &first), seen(&lab, &again));
    let more = lab.started("cell") - cells;
    // `take` is asked of the same process in both.
    assert_eq!(once, twice);
    assert_eq!(more, 3, "one cell for the first task, and one for each attempt at the second");
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// T1 of the field: the sealed text is a question made of an answer, and must be made of one's own.
#[test]
fn an_answer_of_one_agent_is_never_asked_of_another() {
    let lab = Lab::new();
    let seal = task(
        "prompt: seal and unseal\nsetup: |\n  def rule(text): return text[::-1] + '-sealed-by-the-rule'\ntests:\n  - |\n    s = \
         seal('hello')\n    assert unseal(s) == 'hello'\n    assert s == rule('hello')\n",
    );
    let honest =
        b"def seal(text): return text[::-1] + '-sealed-by-the-rule'\ndef unseal(text): return text[4::-1]\n";
    // Its own pattern is no match of itself.
    let thief = b"
import re, time
def seal(text):
    time.sleep(0.5)
    for number in range(3, 20):
        try:
            with open('/proc/self/mem', 'rb', 0) as memory, open('/proc/self/maps') as maps:
                for line in maps:
                    area, rights = line.split()[:2]
                    if not rights.startswith('rw'):
                        continue
                    start, end = (int(number, 16) for number in area.split('-'))
                    memory.seek(start)
                    if found := re.search(rb'olle[h]-seale[d]-by-the-rule', memory.read(end - start)):
                        return found[0].decode()
        except OSError:
            pass
    return 'nothing found'
def unseal(text):
    return 'hello'
";
    for (source, wanted) in [(&honest[..], "passed"), (&thief[..], "failed"), (&honest[..], "passed")] {
        for outcome in [
            lab.run_announced(source, &[&seal, &seal], &LIMITS),
            lab.run_all(source, &[&seal, &seal], &LIMITS),
        ] {
            let Outcome::Judged(runs) = outcome else { panic!("{outcome:?}") };
            for run in &runs {
                assert_eq!(verdicts(run), [wanted], "{:?}", messages(run));
            }
        }
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// T11 of the field: a thread that may run only when nobody else does, and a child that always does.
#[test]
fn waits_that_an_agent_makes_itself_are_not_given_back() {
    let lab = Lab::new();
    let double = task("prompt: double\ntests:\n  - assert double(4) == 8\n");
    let source = b"
import os, subprocess, sys, threading
def double(n):
    cpu = min(os.sched_getaffinity(0))
    for change in (lambda: os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0)), lambda: os.nice(19),
                   lambda: os.sched_setaffinity(0, [cpu])):
        try:
            change()
        except PermissionError:
            continue
        return 'it could be changed'
    for _ in range(3):
        if os.fork() == 0:
            while True: pass
    while True: pass
";
    let Outcome::Judged(runs) = lab.run(source, &double, &LIMITS, 1) else { panic!("refused") };
    assert_eq!(verdicts(&runs[0]), ["timeout"], "{:?}", messages(&runs[0]));
    // On a busy machine it may take long to have its CPU time; but that is all that it gets, with its children's.
    let cpu = Duration::from_millis(runs[0].usage.cpu_ms);
    assert!(cpu < LIMITS.timeout * 2, "{cpu:?}");
    assert_eq!(lab.close(), Vec::<String>::new());
}

fn judged_once(lab: &Lab, source: &[u8], text: &str) -> Scored {
    let task = task(text);
    lab.sandbox.check(std::slice::from_ref(&task)).expect("a judge learns it");
    let Outcome::Judged(mut runs) = lab.run(source, &task, &LIMITS, 1) else { panic!("refused") };
    runs.remove(0)
}

/// Counters of the whole machine would tell a second attempt, or another agent, of a first.
#[test]
fn what_the_machine_counts_is_out_of_sight() {
    let lab = Lab::new();
    let source = b"def read(path):\n    try:\n        return open(path).read()\n    except OSError:\n        return ''\n";
    let files = "vmstat stat interrupts softirqs diskstats loadavg sys/fs/inode-nr locks zoneinfo pressure/cpu cgroups key-users \
                 meminfo uptime modules swaps irq/0/per_cpu_count sys/kernel/pty/nr ../sys/kernel/uevent_seqnum \
                 ../sys/devices/system/node/node0/vmstat";
    let read = |file| format!("  - assert read('/proc/{file}') == ''\n");
    let tests: String = files.split(' ').map(read).collect();
    let run = judged_once(&lab, source, &format!("prompt: p\ntests:\n{tests}"));
    assert!(verdicts(&run).iter().all(|verdict| verdict == "passed"), "{:?}", messages(&run));
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Children whose ends the kernel keeps to itself: their time would be in no account, and the parent's wait be owed.
#[test]
fn children_that_nobody_collects_are_billed() {
    let lab = Lab::new();
    let source = b"
import os, signal, time
def work():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for _ in range(4):
            try:
                child = os.fork()
            except BlockingIOError:
                break
            if child == 0:
                start = time.process_time()
                while time.process_time() < start + 0.009: pass
                os._exit(0)
        start = time.process_time()
        while time.process_time() < start + 0.001: pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0]: pass
        except ChildProcessError:
            pass
    return 1
";
    let run = judged_once(&lab, source, "prompt: p\ntests:\n  - assert work() == 1\n");
    assert_eq!(verdicts(&run), ["timeout"], "{:?}", messages(&run));
    let cpu = Duration::from_millis(run.usage.cpu_ms);
    // It would be a minute; on a busy machine some of what was not seen is owed.
    assert!(cpu < LIMITS.timeout * 5, "{cpu:?}");
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// While the judge thinks, it is not the agent's turn.
#[test]
fn nothing_works_on_between_two_calls() {
    let lab = Lab::new();
    let source = b"
import threading, time
count = 0
def work():
    global count
    while True:
        count += 1
def start(n):
    threading.Thread(target=work, daemon=True).start()
    return n
def get(n):
    return count
";
    // Call by call, as a question depends on an answer; and the judge takes its time in between, in which it would count to
    // tens of millions.
    let text = "prompt: p\nsetup: |\n  import time\ntests:\n  - |\n    n = start(1)\n    before = get(n)\n    time.sleep(0.7)\n    \
                after = get(n)\n    time.sleep(0.7)\n    again = get(n)\n    assert 0 <= before <= after <= again < 3_000_000\n";
    let run = judged_once(&lab, source, text);
    assert_eq!(verdicts(&run), ["passed"], "{:?}", messages(&run));
    let cpu = run.usage.cpu_ms;
    assert!(cpu < 600, "{cpu} ms of CPU in a run that was asked three short questions");
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// The forker can't be stopped by a signal that the kernel is asked to send.
#[test]
fn no_signal_reaches_the_forker_by_way_of_a_file() {
    let lab = Lab::new();
    let source = b"
import fcntl, os, signal, socket
def own():
    a, b = socket.socketpair()
    told = []
    for command, value in ((fcntl.F_SETOWN, 1), (10, signal.SIGSTOP), (15, b'\\0' * 8)):
        try:
            fcntl.fcntl(a, command, value)
            told.append('allowed')
        except PermissionError:
            told.append('refused')
    return told
";
    let run = judged_once(&lab, source, "prompt: p\ntests:\n  - assert own() == ['refused'] * 3\n");
    assert_eq!(verdicts(&run), ["passed"], "{:?}", messages(&run));
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// The kernel's counts for a user are no cell's but the one's that used it.
#[test]
fn descriptors_in_flight_of_one_cell_are_nothing_to_another() {
    let lab = Lab::with_workers(2);
    let hog = b"
import array, socket, time
def double(n):
    a, b = socket.socketpair()
    for _ in range(2):
        a.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0] * 250))])
    time.sleep(1.5)
    return 2 * n
";
    let double = task("prompt: double\ntests:\n  - assert double(4) == 8\n");
    std::thread::scope(|scope| {
        let hogs = scope.spawn(|| lab.run(hog, &double, &LIMITS, 3));
        let Outcome::Judged(runs) = lab.run(b"def double(n): return 2 * n", &double, &LIMITS, 60) else {
            panic!("refused")
        };
        for run in &runs {
            assert_eq!(verdicts(run), ["passed"], "{:?}", messages(run));
        }
        assert!(matches!(hogs.join(), Ok(Outcome::Judged(_))));
    });
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// A source that takes long to load pays for it in each cell.
#[test]
fn loading_is_billed() {
    let lab = Lab::new();
    let source = format!("x = [{}]\ndef double(n): return 2 * n", "[1, 'a'], ".repeat(60_000));
    let task = task("prompt: double\ntests:\n  - assert double(4) == 8\n");
    let limits = Limits { memory: 512 << 20, timeout: Duration::from_secs(20), ..LIMITS };
    let Outcome::Judged(runs) = lab.run(source.as_bytes(), &task, &limits, 2) else { panic!("refused") };
    assert!(runs[0].usage.cpu_ms > 100 && runs[0].usage.wall_ms > 100, "{:?}", runs[0].usage);
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// An agent that does what counters of the machine count, and one that looks whether anything that it can read has changed.
const BUSY: &[u8] = b"
import fcntl, mmap, os, socket, time
def busy(n):
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        if os.fork() == 0:
            os._exit(0)
        os.wait()
        with open('/tmp/x', 'wb') as file:
            file.write(bytes(1 << 20))
            fcntl.lockf(file, fcntl.LOCK_EX)
            area = mmap.mmap(-1, 1 << 20, mmap.MAP_PRIVATE)
            area.write(bytes(1 << 20))
            with socket.create_server(('127.0.0.1', 0)) as server, socket.create_connection(server.getsockname()):
                server.accept()[0].close()
            area.close()
    return n
";
const READER: &[u8] = b"
import os, time
def scan():
    found, todo = {}, ['/proc', '/sys', '/proc/self/net']
    while todo:
        folder = todo.pop()
        for name in os.listdir(folder) if os.access(folder, os.R_OK | os.X_OK) else ():
            path = folder + '/' + name
            if os.path.islink(path) or folder == '/proc' and name.isdigit():
                continue
            if os.path.isdir(path):
                todo.append(path)
                continue
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                found[path] = os.read(descriptor, 1 << 16)
                os.close(descriptor)
            except OSError:
                pass
    return found
def changed():
    before = scan()
    time.sleep(1.2)
    after = scan()
    return len(before) > 100, sorted(path for path in after if before.get(path) != after[path])
";

/// Files that change all the same: docs/security.md names them.
const STILL_SEEN: [&str; 5] = [
    "/proc/cpuinfo", // of a processor that changes its clock
    "/proc/self/net/protocols",
    "/proc/self/net/sockstat",
    "/proc/self/net/softnet_stat",
    "/proc/self/net/stat/rt_cache",
];

#[test]
fn what_others_do_changes_nothing_that_a_cell_reads() {
    let lab = Lab::with_workers(2);
    let limits = Limits { timeout: Duration::from_secs(20), ..LIMITS };
    let busy = task("prompt: p\ntests:\n  - assert busy(1) == 1\n");
    let still = STILL_SEEN.iter().chain(&["/proc/sys/kernel/random/uuid"]);
    let still: Vec<String> = still.map(|path| format!("'{path}'")).collect();
    let text = format!(
        "prompt: p\ntests:\n  - |\n    many, changed = changed()\n    assert many\n    assert [path for path in changed if path not \
         in [{}]] == []\n",
        still.join(", ")
    );
    std::thread::scope(|scope| {
        let others = scope.spawn(|| lab.run(BUSY, &busy, &limits, 2));
        let Outcome::Judged(runs) = lab.run(READER, &task(&text), &limits, 2) else { panic!("refused") };
        for run in &runs {
            assert_eq!(verdicts(run), ["passed"], "{:?}", messages(run));
        }
        let Ok(Outcome::Judged(runs)) = others.join() else { panic!("refused") };
        assert_eq!(verdicts(&runs[0]), ["passed"], "{:?}", messages(&runs[0]));
    });
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Miners see what public tests say: it must tell nothing of what was hidden in another task.
#[test]
fn a_public_test_tells_nothing_of_another_tasks_hidden_ones() {
    let lab = Lab::with_public_apart();
    let source = b"
import os
def number():
    with open('/tmp/x', 'w') as file:
        number = os.fstat(file.fileno()).st_ino
    os.unlink('/tmp/x')
    return number
def hide(n):
    while number() < 1000 + 8 * n:
        pass
def tell(n):
    raise ValueError(f'the hidden argument was {(number() - 1000) // 8}')
";
    let hidden = task("prompt: p\ntests:\n  - assert hide(391) == 'hidden'\n");
    let open =
        task("prompt: p\ntests:\n  - assert: tell(1) == 1\n    public: true\n  - assert tell(2) == 2\n");
    lab.sandbox.check(&[hidden.clone(), open.clone()]).expect("a judge learns them");
    let tasks = [&hidden, &open];
    for outcome in [lab.run_announced(source, &tasks, &LIMITS), lab.run_all(source, &tasks, &LIMITS)] {
        let Outcome::Judged(runs) = outcome else { panic!("{outcome:?}") };
        let told = messages(&runs[1]).concat();
        assert!(told.contains("the hidden argument was") && !told.contains("391"), "{told}");
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}
