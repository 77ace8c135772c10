//! Benchmarks of models: all tasks, several samples of each, straight into a ranking of models.
//!
//! ```text
//! tasks ──asking: prompt──▶ model ──▶ memory: replies ──judging: cells──▶ memory: scores ──ranking──▶ models.csv
//!                                                                                      ├──by_task──▶ models_tasks.csv
//!                                                                                      ├──samples──▶ models_samples.csv
//!                                                                                      └──page─────▶ models.html
//! ```
//!
//! A reply that was paid for is never lost: it is remembered as soon as it comes, in `results/models/<model>.jsonl`, and
//! not asked for again. A reply is judged anew when its task's tests change, and asked for anew when the
//! prompt or the settings do.

pub mod asking;
pub mod by_task;
pub mod confidence;
pub mod judging;
pub mod memory;
pub mod page;
pub mod published;
pub mod ranking;
pub mod remarks;
pub mod samples;
pub mod spending;
pub mod unranked;
