//! Cells and judges.
