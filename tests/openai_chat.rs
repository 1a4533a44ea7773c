//! Tests of the room `openai_chat`.
