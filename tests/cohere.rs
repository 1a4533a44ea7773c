//! Tests of the dialect Cohere.

#[path = "cohere/answers.rs"]
mod answers;
#[path = "cohere/requests.rs"]
mod requests;
