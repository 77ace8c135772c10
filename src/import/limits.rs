//! Fields of imported tasks: time limits of cases, one for each and one of the run that has room for all of them; and no exit at import.

/// Time for a case where the source names none, in seconds: what the pipeline gives a whole run by default.
pub(super) const SECONDS: f64 = 10.0;

/// Longest time that a task may have, in seconds.
const LONGEST: f64 = 3600.0;

/// The field that limits each case, so that one endless loop does not take the time of those behind it.
pub(super) fn of_case(seconds: f64) -> (&'static str, String) {
    let seconds = bounded(seconds);
    let text = if seconds.fract() == 0.0 {
        format!("{seconds}s")
    } else {
        format!("{}ms", (seconds * 1000.0) as u64)
    };
    ("timeout", text)
}

/// The field that limits the run of so many cases: all of them may take their time, up to an hour.
pub(super) fn of_run(seconds: f64, cases: usize) -> (&'static str, String) {
    ("timeout", format!("{}s", bounded(seconds * cases as f64).ceil()))
}

/// The field by which an import that ends by `sys.exit()` has failed, as in harnesses that run a test behind the sample.
pub(super) fn no_exit() -> (&'static str, String) {
    ("may_exit", "false".to_owned())
}

fn bounded(seconds: f64) -> f64 {
    seconds.clamp(0.01, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_room_for_all_its_cases_within_bounds() {
        assert_eq!((of_case(10.0).1.as_str(), of_run(10.0, 3).1.as_str()), ("10s", "30s"));
        assert_eq!((of_case(1.5).1.as_str(), of_run(1.5, 1).1.as_str()), ("1500ms", "2s"));
        assert_eq!((of_case(0.0).1.as_str(), of_run(0.0, 1).1.as_str()), ("10ms", "1s"));
        assert_eq!((of_case(1e9).1.as_str(), of_run(10.0, 1000).1.as_str()), ("3600s", "3600s"));
    }
}
