//! How a stream ended.

/// Why a stream was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The provider closed it.
    Closed,
    Cut,
    Idle,
    Total,
    /// The client left.
    Gone,
    /// Our own code failed.
    Trap,
}

impl Ended {
    pub fn read(word: &str) -> Self {
        match word {
            "end" => Self::Closed,
            "idle" => Self::Idle,
            "total" => Self::Total,
            "gone" => Self::Gone,
            "trap" => Self::Trap,
            _ => Self::Cut,
        }
    }

    /// What the caller is told of it.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Closed | Self::Cut => {
                "The provider's stream broke off before its end. The answer is incomplete; send the request again."
            }
            Self::Idle => {
                "The provider fell silent in the middle of the answer. The answer is incomplete; send the request again."
            }
            Self::Total => "The answer took longer than allowed and was ended. It is incomplete.",
            Self::Gone => "The client left.",
            Self::Trap => "The gateway failed while it passed this answer on. The answer is incomplete; send the request again.",
        }
    }
}
