//! Submission -> agent or rejection: UTF-8, standard library only, nothing forbidden.
