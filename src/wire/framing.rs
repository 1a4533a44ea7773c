//! How a stream is cut into events: one way to read them all.

use super::{
    event_stream,
    sse::{self, Frame},
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    #[default]
    Sse,
    /// Amazon's binary messages. Its bytes cannot go to a caller as they are; the `raw` of its frames can.
    EventStream,
}

impl Framing {
    /// What an answer with this `content-type` is cut by.
    pub fn of(content_type: &str) -> Self {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/vnd.amazon.eventstream") { Self::EventStream } else { Self::Sse }
    }
}

/// The stream cannot be cut further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// One event is larger than bearable.
    TooLarge,
    /// A length or a checksum is wrong.
    Corrupt,
}

/// An incremental splitter: `push` bytes, then take frames until there is none.
pub enum Decoder {
    Sse(sse::Frames),
    EventStream(event_stream::Frames),
}

impl Default for Decoder {
    fn default() -> Self {
        Self::Sse(sse::Frames::default())
    }
}

impl Decoder {
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::Sse => Self::default(),
            Framing::EventStream => Self::EventStream(event_stream::Frames::default()),
        }
    }

    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        match self {
            Self::Sse(frames) => frames.push(bytes).map_err(|sse::FrameTooLarge| Unreadable::TooLarge),
            Self::EventStream(frames) => frames.push(bytes),
        }
    }

    /// Bytes of the frame that is being collected.
    pub const fn pending(&self) -> usize {
        match self {
            Self::Sse(frames) => frames.pending(),
            Self::EventStream(frames) => frames.pending(),
        }
    }

    /// The next whole frame.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        match self {
            Self::Sse(frames) => frames.next_frame(),
            Self::EventStream(frames) => frames.next_frame(),
        }
    }

    /// At the end of the stream: what is left, as a frame.
    pub fn last_frame(&mut self) -> Option<Frame<'_>> {
        match self {
            Self::Sse(frames) => frames.last_frame(),
            Self::EventStream(frames) => frames.last_frame(),
        }
    }
}
