//! The operator's calls.
