//! The order of candidates.
