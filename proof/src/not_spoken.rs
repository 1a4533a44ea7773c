//! What the gateway does not speak, and why.

const WHY: [(&str, &str); 15] = [
    ("ark.video_tasks", "videos: not connected here"),
    ("bedrock.invoke", "bodies of each model's own: Bedrock is called by Converse, and Claude there in Anthropic's"),
    ("cohere.chat_v1", "superseded by v2, which is what Cohere is called by"),
    ("cohere.generate", "withdrawn by Cohere"),
    ("gemini.interactions", "a preview, whose state Google keeps"),
    ("mistral.ocr", "no other provider has it; passes below /passthrough"),
    ("models", "lists that were given: the gateway lists what it is configured for, and asks nobody"),
    ("ollama.chat", "Ollama is called by its OpenAI-compatible API"),
    ("ollama.embed", "Ollama is called by its OpenAI-compatible API"),
    ("ollama.generate", "Ollama is called by its OpenAI-compatible API"),
    ("openai.images", "pictures: not connected here"),
    ("openai.responses_compact", "what it answers only OpenAI can read; passes below /passthrough"),
    ("openai.speech", "sound as a file; passes below /passthrough"),
    ("openai.transcription", "sound as a file; passes below /passthrough"),
    ("xai.videos", "videos: not connected here"),
];

pub fn reason(api: &str) -> Option<&'static str> {
    WHY.iter().find(|(name, _)| *name == api).map(|(_, why)| *why)
}
