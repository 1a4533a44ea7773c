//! The description of the admin API, for who builds against it. No part of the Worker: it serves the file.

/// As `openapi.json` has it.
pub fn text() -> String {
    "{}\n".to_owned()
}
