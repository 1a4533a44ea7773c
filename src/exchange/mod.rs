//! The life of one request, without I/O.
