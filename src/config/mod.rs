//! The documents of the operator, read and checked.
