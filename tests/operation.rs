//! Calls that are not chat: their bodies between callers and providers, and the estimate of tokens.

mod estimate;
