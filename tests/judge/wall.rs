//! The wall inside a judge: what code in its worker could reach of the process that hands out verdicts, were there ever such code.

use std::time::Duration;

use agentmill::config::Judge;

use super::{Lab, ONE, run};
use crate::common::{messages, verdicts};

/// Tests that do what hostile code would: look for memory and open ends of the supervisor and of the worker itself, and hold them.
const REACHING: &str = r#"
prompt: one() gives 1.
setup: |
  import ctypes, os, resource
  C = ctypes.CDLL(None, use_errno=True)
  def opened(pid, name, how):
      try:
          os.close(os.open(f'/proc/{pid}/{name}', how))
          return True
      except OSError:
          return False
  def files():
      return [(pid, name) for pid in (1, 'self') for name in ('mem', 'environ', 'maps') if opened(pid, name, os.O_RDONLY)]
  def ends():
      try:
          return os.listdir('/proc/1/fd')
      except OSError:
          return []
  def attached():
      return C.ptrace(16, 1, None, None)
  def written():
      class Area(ctypes.Structure):
          _fields_ = [('base', ctypes.c_void_p), ('size', ctypes.c_size_t)]
      room = ctypes.create_string_buffer(8)
      ours = Area(ctypes.addressof(room), 8)
      return C.process_vm_writev(1, ctypes.byref(ours), 1, ctypes.byref(ours), 1, 0)
  def limited():
      for change in (lambda: resource.prlimit(1, resource.RLIMIT_FSIZE, (0, 0)), lambda: os.setpriority(os.PRIO_PROCESS, 1, 10),
                     lambda: os.sched_setaffinity(1, {0})):
          try:
              change()
              return True
          except PermissionError:
              pass
tests:
  - assert files() == [('self', 'maps')] and one() == 1, files()
  - assert one() == 1 and not limited()
  - assert one() == 1 and ends() == [], ends()
  - assert one() == 1 and attached() == -1
  - assert one() == 1 and written() == -1
"#;

pub fn code_in_a_worker_would_reach_nobody_elses_verdict() {
    let lab = Lab::with_workers(1);
    let run = run(&lab, ONE, REACHING);
    assert_eq!(verdicts(&run), ["passed"; 5], "{:?}", messages(&run));
}

/// Tests that say what hostile code would say in the worker's name, once the agent was asked.
const SAYING: &str = r#"
prompt: one() gives 1.
setup: |
  import signal, sys
  def say(kind, text=b''):
      frame = sys._getframe()
      while type(frame.f_locals.get('self')).__name__ != 'Run':
          frame = frame.f_back
      host, kinds = frame.f_locals['self'].host, frame.f_globals['FromJudge']
      host.put(getattr(kinds, kind), text)
      host.flush()
      signal.pause()
tests:
  - |
    assert one() == 1 and say('Fault', b'{"test": null, "line": 1, "message": "setup is broken"}')
  - |
    assert one() == 1 and say('Learnt', b'{"flaws": [], "steady": true, "timeless": true}')
  - assert one() == 1
"#;

pub fn what_does_not_answer_the_order_is_no_word() {
    let lab = Lab::with_workers(1);
    let run = run(&lab, ONE, SAYING);
    assert_eq!(verdicts(&run), ["error", "error", "passed"], "{:?}", messages(&run));
}

/// A test that stops its own clock and computes for ever.
const STOPPING: &str = r#"
prompt: one() gives 1.
setup: |
  import signal
  def go_on(n):
      signal.setitimer(signal.ITIMER_PROF, 0)
      while type(n) is int:
          pass
tests:
  - assert one() == 1
  - assert one() == 1 and go_on(one())
"#;

pub fn a_worker_that_stops_its_clock_is_ended() {
    let lab = Lab::with_judge(1, Judge { time: Duration::from_millis(200), memory: 128 << 20 });
    let run = run(&lab, ONE, STOPPING);
    assert_eq!(verdicts(&run), ["passed", "timeout"], "{:?}", messages(&run));
}

/// A test that starts a program, before the agent has answered and after that.
const STARTING: &str = r#"
prompt: one() gives 1.
setup: import subprocess
tests:
  - assert subprocess.run(["true"]).returncode == 0 and one() == 1
  - assert one() == 1 and subprocess.run(["true"]).returncode == 0
"#;

pub fn no_program_is_started_once_the_agent_has_answered() {
    let lab = Lab::with_workers(1);
    let run = run(&lab, ONE, STARTING);
    assert_eq!(verdicts(&run), ["passed", "error"], "{:?}", messages(&run));
}

/// A test that replaces what the agent names. In its texts stand `builtins`, and `len` within another word.
const REPLACING: &str = r#"
prompt: Write one(), which is 1, and target(), the dotted name of what one() calls.
setup: |
  from unittest.mock import patch
  NOTE = "lengths, by builtins"
tests:
  - |
    with patch(target(), return_value=1):
        assert len([one(), one()]) == 1
"#;

pub fn a_name_within_another_word_of_the_task_does_not_stand_in_it() {
    let lab = Lab::with_workers(1);
    let source = "def one(): return 1\ndef target(): return 'builtins.len'\n";
    let run = run(&lab, source, REPLACING);
    assert_eq!(verdicts(&run), ["error"], "{:?}", messages(&run));
}
