//! How a provider's bytes reach the caller.

/// How the provider's bytes reach the caller.
pub(super) enum Carriage {
    /// As they are; with `hide_usage` without the report that only the gateway asked for.
    Verbatim {
        hide_usage: bool,
    },
    /// The provider's own data, in the frames that the caller asked for.
    Reframed(Shape),
    Translated,
}

/// Frames around a provider's own data.
pub(super) enum Shape {
    /// One JSON array, an element an event.
    Array { begun: bool },
}

impl Shape {
    pub(super) fn write(&mut self, data: &str, out: &mut Vec<u8>) {
        match self {
            Self::Array { begun } => {
                out.extend_from_slice(if std::mem::replace(begun, true) { b",\r\n" } else { b"[" });
                out.extend_from_slice(data.as_bytes());
            }
        }
    }

    pub(super) fn close(&self, out: &mut Vec<u8>) {
        match self {
            Self::Array { begun } => out.extend_from_slice(if *begun { b"]" } else { b"[]" }),
        }
    }
}
