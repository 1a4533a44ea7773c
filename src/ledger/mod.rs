//! What a request used, cost and is remembered by.
