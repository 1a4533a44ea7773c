//! One error for the whole house: what the caller is told, and whose fault it is.
//!
//! `message` is for the caller and says what to do; `detail` is for the log. Neither holds a key, a prompt or a credential.

use std::ops::{Deref, DerefMut};

/// Milliseconds in the second that `Retry-After` counts in.
const MS_PER_SECOND: u64 = 1000;

/// What went wrong, in words every dialect can translate into its own type and code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    InvalidRequest,
    Unauthenticated,
    Forbidden,
    NotFound,
    ModelNotFound,
    MethodNotAllowed,
    UpgradeRequired,
    TooLarge,
    ContextTooLong,
    ContentFiltered,
    RateLimited,
    /// Of tokens, not of requests.
    TokensLimited,
    Internal,
    BadGateway,
    Unavailable,
    Timeout,
}

/// Whose fault an error is: `x-portolan-error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    Caller,
    Gateway,
    Provider,
}

impl Blame {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Gateway => "gateway",
            Self::Provider => "provider",
        }
    }
}

/// Behind a pointer: errors are rare, and what a function that may fail hands back stays small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Failure>);

/// What an [`Error`] says; read through it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: Kind,
    pub blame: Blame,
    pub status: u16,
    pub message: String,
    /// The field of the request that is wrong, as a path: `messages[2].content`.
    pub param: Option<String>,
    /// The provider's own code, kept when its verdict is final.
    pub code: Option<String>,
    /// For the log only.
    pub detail: Option<String>,
    pub retry_after_ms: Option<u64>,
}

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self::of(kind, message.into())
    }

    fn of(kind: Kind, message: String) -> Self {
        Self(Box::new(Failure {
            kind,
            blame: kind.blame(),
            status: kind.status(),
            message,
            param: None,
            code: None,
            detail: None,
            retry_after_ms: None,
        }))
    }

    /// A field of the request has the wrong shape or value.
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidRequest, message).with_param(param)
    }

    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub fn with_blame(mut self, blame: Blame) -> Self {
        self.blame = blame;
        self
    }

    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// What the caller should wait, where it is known.
    pub fn with_wait(mut self, wait_ms: Option<u64>) -> Self {
        self.retry_after_ms = wait_ms;
        self
    }

    pub fn into_failure(self) -> Failure {
        *self.0
    }

    /// Whole seconds for `Retry-After`, rounded up: never earlier than what was asked.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after_ms.map(|ms| ms.div_ceil(MS_PER_SECOND))
    }
}

impl Deref for Error {
    type Target = Failure;

    fn deref(&self) -> &Failure {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Failure {
        &mut self.0
    }
}

impl Kind {
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::ContextTooLong | Self::ContentFiltered => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound | Self::ModelNotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::UpgradeRequired => 426,
            Self::RateLimited | Self::TokensLimited => 429,
            Self::Internal => 500,
            Self::BadGateway => 502,
            Self::Unavailable => 503,
            Self::Timeout => 504,
        }
    }

    /// Who is usually to blame; a provider's own verdict says otherwise.
    const fn blame(self) -> Blame {
        match self {
            Self::InvalidRequest
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::NotFound
            | Self::ModelNotFound
            | Self::MethodNotAllowed
            | Self::UpgradeRequired
            | Self::TooLarge
            | Self::ContextTooLong
            | Self::ContentFiltered => Blame::Caller,
            Self::RateLimited | Self::TokensLimited | Self::BadGateway | Self::Unavailable | Self::Timeout => Blame::Provider,
            Self::Internal => Blame::Gateway,
        }
    }
}
