//! The built-in provider: deterministic answers, and faults on demand.
