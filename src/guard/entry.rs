//! The KV entry of a gateway key.
