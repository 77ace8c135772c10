//! Ranking -> JSON, CSV, page; each file replaced atomically.
