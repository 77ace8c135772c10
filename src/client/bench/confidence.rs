//! Confidence: how far other tasks of the same kind could have moved a model's pass@1 and its rank.

use crate::client::bench::by_task::TaskRow;
use crate::client::bench::ranking::Row;
use crate::pipeline::score::hundredths;
use crate::pipeline::score::ranges;

/// Adds intervals and ranges of ranks to lines that are in order and have their ranks.
pub fn add(rows: &mut [Row]) {
    for row in rows.iter_mut() {
        let [low, high] = ranges::interval(&shares(row)).map_or([None; 2], |ends| ends.map(Some));
        (row.pass_at_1_low, row.pass_at_1_high) = (low.map(hundredths), high.map(hundredths));
    }
    let ranked = rows.iter().take_while(|row| row.rank.is_some()).count();
    let ranked = &mut rows[..ranked];
    // The draws are the same tasks for all.
    if !ranked.windows(2).all(|pair| tasks(&pair[0]).eq(tasks(&pair[1]))) {
        return;
    }
    let ranks = ranked.iter().filter_map(|row| u32::try_from(row.rank?).ok()).collect::<Vec<_>>();
    let told = ranges::of_equal_tasks(ranked.iter().map(shares).collect(), &ranks);
    for (row, range) in ranked.iter_mut().zip(told.into_iter().flatten()) {
        (row.rank_low, row.rank_high) = (Some(range.low), Some(range.high));
    }
}

fn judged(row: &Row) -> impl Iterator<Item = (&TaskRow, f64)> {
    row.by_task.iter().filter_map(|task| Some((task, task.pass_at_1?)))
}

fn shares(row: &Row) -> Vec<f64> {
    judged(row).map(|(_, share)| share).collect()
}

fn tasks(row: &Row) -> impl Iterator<Item = &str> {
    judged(row).map(|(task, _)| task.task.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::bench::judging::Results;
    use crate::client::bench::ranking::rank;

    /// A model of which the first tasks of so many are passed.
    fn row(model: &str, passed: usize, tasks: usize) -> Row {
        let mut row = Row::new(model, &Results::default(), &[], 1, 1);
        let share = |at: usize| if at < passed { 100.0 } else { 0.0 };
        let task = |at| TaskRow { pass_at_1: Some(share(at)), ..TaskRow::new(&format!("t/{at}"), &[], 1) };
        row.by_task = (0..tasks).map(task).collect();
        row.pass_at_1 = Some(100.0 * passed as f64 / tasks as f64);
        row
    }

    fn told(mut rows: Vec<Row>) -> Vec<Row> {
        rank(&mut rows);
        add(&mut rows);
        rows
    }

    #[test]
    fn few_tasks_leave_the_order_open_and_many_do_not() {
        let ranges = |tasks| {
            let rows = told(vec![row("a", tasks * 6 / 10, tasks), row("b", tasks * 5 / 10, tasks)]);
            [&rows[0], &rows[1]].map(|row| (row.rank_low.unwrap(), row.rank_high.unwrap()))
        };
        assert_eq!((ranges(10), ranges(400)), ([(1, 1), (1, 2)], [(1, 1), (2, 2)]));
        assert_eq!(ranges(400), ranges(400), "the same results give the same ranges");
    }

    #[test]
    fn an_interval_is_as_wide_as_statistics_has_it() {
        let row = &told(vec![row("a", 50, 100)])[0];
        let (low, high) = (row.pass_at_1_low.unwrap(), row.pass_at_1_high.unwrap());
        // Of a share of a half of 100: 1.96 x 5 to each side.
        assert!((38.0..=42.0).contains(&low) && (58.0..=62.0).contains(&high), "{low} {high}");
        assert_eq!(row.rank_low, None, "there is none to compare it with");
    }

    #[test]
    fn nothing_is_told_where_draws_would_not_differ_or_tasks_do() {
        for (passed, tasks) in [(0, 0), (1, 1), (5, 5), (0, 5)] {
            assert_eq!(told(vec![row("a", passed, tasks)])[0].pass_at_1_low, None, "{passed} {tasks}");
        }
        let rows = told(vec![row("a", 3, 4), row("b", 3, 5)]);
        assert!(rows.iter().all(|row| row.rank_low.is_none() && row.pass_at_1_low.is_some()));
    }
}
