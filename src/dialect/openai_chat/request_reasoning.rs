//! How much to think, in the many ways callers of this dialect say it.

use crate::{
    chat::request::{Effort, Reasoning},
    error::Error,
    wire::fields::{Fields, must_be},
};

/// Everything that was said about thinking.
#[derive(Default)]
pub struct Thinking {
    off: bool,
    on: bool,
    effort: Option<Effort>,
    budget: Option<u64>,
    /// Whether the caller wants to read it.
    pub show: Option<bool>,
}

impl Thinking {
    /// A switch that says no wins, then the word, then the number.
    pub const fn how_much(&self) -> Option<Reasoning> {
        match (self.off, self.effort, self.budget) {
            (true, _, _) | (false, None, Some(0)) => Some(Reasoning::Off),
            (false, Some(effort), _) => Some(Reasoning::Effort(effort)),
            (false, None, Some(tokens)) => Some(Reasoning::Budget(tokens)),
            (false, None, None) if self.on => Some(Reasoning::Adaptive),
            (false, None, None) => None,
        }
    }

    fn word(&mut self, word: &str, path: &str) -> Result<(), Error> {
        self.effort = Some(match word {
            "none" => {
                self.off = true;
                return Ok(());
            }
            "minimal" => Effort::Minimal,
            "low" => Effort::Low,
            "medium" => Effort::Medium,
            "high" => Effort::High,
            "xhigh" => Effort::XHigh,
            "max" => Effort::Max,
            _ => return Err(must_be(path, "`none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`")),
        });
        Ok(())
    }

    fn switch(&mut self, on: bool) {
        self.on |= on;
        self.off |= !on;
    }
}

/// OpenAI's word; OpenRouter's `reasoning`; `thinking` of DeepSeek, GLM, Ark and Kimi; Qwen's two members.
pub fn read(top: &mut Fields, dropped: &mut Vec<String>) -> Result<Thinking, Error> {
    let mut said = Thinking::default();
    if let Some(mut reasoning) = top.take_fields("reasoning")? {
        read_openrouter(&mut reasoning, &mut said)?;
        reasoning.leave(dropped);
    }
    if let Some(mut thinking) = top.take_fields("thinking")? {
        let kind = thinking.need_str("type")?;
        match kind.as_str() {
            "disabled" => said.switch(false),
            "enabled" | "adaptive" | "auto" => said.switch(true),
            _ => return Err(must_be(&thinking.path_of("type"), "`enabled`, `disabled`, `adaptive` or `auto`")),
        }
        said.budget = thinking.take_u64("budget_tokens")?.or(said.budget);
        thinking.leave(dropped);
    }
    if let Some(on) = top.take_bool("enable_thinking")? {
        said.switch(on);
    }
    said.budget = top.take_u64("thinking_budget")?.or(said.budget);
    if let Some(word) = top.take_str("reasoning_effort")? {
        said.word(&word, "reasoning_effort")?;
    }
    if let Some(show) = top.take_bool("include_reasoning")? {
        said.show = Some(show);
    }
    Ok(said)
}

fn read_openrouter(reasoning: &mut Fields, said: &mut Thinking) -> Result<(), Error> {
    let path = reasoning.path_of("effort");
    if let Some(word) = reasoning.take_str("effort")? {
        said.word(&word, &path)?;
    }
    said.budget = reasoning.take_u64("max_tokens")?;
    if let Some(on) = reasoning.take_bool("enabled")? {
        said.switch(on);
    }
    said.show = reasoning.take_bool("exclude")?.map(|hidden| !hidden);
    // OpenAI's word for how to show it.
    if let Some(summary) = reasoning.take_str("summary")? {
        said.show = Some(summary != "none");
    }
    Ok(())
}
