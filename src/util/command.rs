//! Short commands of other programs: their output, or the reason why there is none.

use std::time::Duration;

use duct::cmd;

/// Runs a command; gives what it printed on stdout.
///
/// # Errors
/// It can't be started, fails, or takes longer than `patience`; the text says which and what it printed.
pub fn ask(program: &str, args: &[&str], patience: Duration) -> Result<String, String> {
    let child = cmd(program, args)
        .stdin_null()
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .start()
        .map_err(|error| format!("can't be started ({error}); is {program} installed?"))?;
    match child.wait_timeout(patience) {
        Ok(Some(output)) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(Some(output)) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Ok(None) => {
            let _ = child.kill();
            Err(format!("no answer within {} s", patience.as_secs()))
        }
        Err(error) => Err(error.to_string()),
    }
}
