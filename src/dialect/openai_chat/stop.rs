//! Why an answer ended, in the words of all who speak this dialect.

use crate::chat::response::StopReason;

/// A finish reason as read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    Reason(StopReason),
    /// The provider gave up.
    Failed,
}

/// `calls`: whether a tool was called. OpenAI says `stop` after a call that was forced by name.
pub fn read(reason: &str, calls: bool) -> Stop {
    let reason = match reason.to_ascii_lowercase().as_str() {
        "length" | "max_tokens" | "model_length" | "model_context_window_exceeded" => StopReason::Length,
        "tool_calls" | "function_call" | "tool_use" | "tool_call" => StopReason::ToolCalls,
        "content_filter" | "sensitive" | "refusal" | "safety" => StopReason::ContentFilter,
        "error" | "network_error" | "insufficient_system_resource" => return Stop::Failed,
        _ if calls => StopReason::ToolCalls,
        _ => StopReason::End,
    };
    Stop::Reason(reason)
}

/// A tool was called, so that is why it stopped: some say only that it did.
pub const fn called(reason: StopReason, calls: bool) -> StopReason {
    if calls && matches!(reason, StopReason::End) { StopReason::ToolCalls } else { reason }
}

/// `legacy`: for callers of the old `functions`.
pub const fn write(reason: StopReason, legacy: bool) -> &'static str {
    match reason {
        StopReason::End | StopReason::StopSequence | StopReason::Pause => "stop",
        StopReason::Length => "length",
        StopReason::ToolCalls if legacy => "function_call",
        StopReason::ToolCalls => "tool_calls",
        StopReason::ContentFilter => "content_filter",
    }
}
