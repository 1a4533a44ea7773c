//! Tests of what requests cost: every class, length and tier at its own rate, and the most that one can cost.

use portolan::{
    catalog::{self, Class, Operation, Price, Rate, Style, Told},
    chat::usage::{Service, Usage},
    dialect::{Upstream, converse::Converse, gemini::Gemini, openai_chat::OpenAiChat, openai_responses::OpenAiResponses},
    ledger::{Spent, cost},
    operation,
    units::Money,
};
use serde_json::{Value, json};

fn rate(service: Service, above: u32, class: Class, amount: u64) -> Rate {
    Rate { service, above, class, amount: Money(amount) }
}

/// $2, $8, $0.50 and $2.50 a million, and much besides.
fn rich() -> Price {
    let rates = vec![
        rate(Service::Standard, 0, Class::CacheWriteHour, 4_000_000),
        rate(Service::Standard, 0, Class::Reasoning, 9_000_000),
        rate(Service::Standard, 0, Class::InputAudio, 40_000_000),
        rate(Service::Standard, 0, Class::OutputAudio, 80_000_000),
        rate(Service::Standard, 0, Class::CacheReadAudio, 2_500_000),
        rate(Service::Standard, 0, Class::InputImage, 5_000_000),
        rate(Service::Standard, 0, Class::OutputImage, 30_000_000),
        rate(Service::Standard, 0, Class::Request, 5_000_000_000),
        rate(Service::Standard, 0, Class::Search, 10_000_000_000),
        rate(Service::Standard, 0, Class::Image, 40_000_000_000),
        rate(Service::Standard, 0, Class::Second, 100_000_001),
        rate(Service::Standard, 0, Class::Character, 15_000_000),
        rate(Service::Standard, 1_000, Class::Input, 4_000_000),
        rate(Service::Standard, 1_000, Class::Output, 12_000_000),
        rate(Service::Standard, 5_000, Class::Input, 6_000_000),
        rate(Service::Batch, 0, Class::Input, 1_000_000),
        rate(Service::Batch, 1_000, Class::Input, 2_000_000),
        rate(Service::Priority, 0, Class::Input, 5_000_000),
    ];
    let cached = (Some(Money(500_000)), Some(Money(2_500_000)));
    Price::told(Money(2_000_000), Money(8_000_000), cached, Told { rates, ..Told::default() })
}

/// Half a cent, which each request costs before anything is counted.
const A_CALL: u64 = 5_000_000_000;

#[test]
fn a_cost_is_the_sum_of_what_was_counted() {
    let none = Usage::default();
    let batch = Usage { service: Service::Batch, ..none };
    let priority = Usage { service: Service::Priority, ..none };
    for (rule, usage, expected) in [
        ("a call", none, 0),
        ("input", Usage { input: 10, ..none }, 20_000_000),
        ("what is heard is a share of input", Usage { input: 10, input_audio: 4, ..none }, 172_000_000),
        ("what is seen too", Usage { input: 10, input_audio: 4, input_image: 5, ..none }, 187_000_000),
        ("shares are no more than their whole", Usage { input: 3, input_audio: 4, input_image: 5, ..none }, 120_000_000),
        ("sound that was cached", Usage { cache_read: 10, cache_read_audio: 2, ..none }, 9_000_000),
        ("written for an hour", Usage { cache_write: 10, cache_write_1h: 4, ..none }, 31_000_000),
        ("thoughts priced apart", Usage { output: 10, reasoning: 3, ..none }, 83_000_000),
        ("said aloud and drawn", Usage { output: 10, output_audio: 1, output_image: 2, ..none }, 196_000_000),
        ("searches", Usage { searches: 3, ..none }, 30_000_000_000),
        ("pictures", Usage { images: 2, ..none }, 80_000_000_000),
        ("characters", Usage { characters: 7, ..none }, 105_000_000),
        ("seconds", Usage { duration_ms: 2_000, ..none }, 200_000_002),
        ("a part of a second is rounded up", Usage { duration_ms: 2_001, ..none }, 200_000_002 + 100_001),
        ("a prompt that is just short", Usage { input: 900, cache_read: 100, ..none }, 1_850_000_000),
        ("all of the prompt makes it long", Usage { input: 900, cache_read: 101, ..none }, 3_650_500_000),
        ("the answer to a long prompt", Usage { input: 1_001, output: 1, ..none }, 4_016_000_000),
        ("the longest length counts", Usage { input: 5_001, ..none }, 30_006_000_000),
        ("a tier", Usage { input: 10, output: 1, ..batch }, 18_000_000),
        ("a tier and a length", Usage { input: 1_001, ..batch }, 2_002_000_000),
        ("a tier with a length that is longer than the tier says", Usage { input: 5_001, ..batch }, 30_006_000_000),
        ("of tier and length, the dearer", Usage { input: 1_001, ..priority }, 5_005_000_000),
    ] {
        assert_eq!(cost::of(&usage, &rich()).0, expected + A_CALL, "{rule}");
    }
}

#[test]
fn a_bill_says_whose_rates_held() {
    for (service, input, expected) in [
        (Service::Standard, 1_000, None),
        (Service::Standard, 1_001, Some("above 1000")),
        (Service::Priority, 9_000, Some("priority, above 5000")),
        (Service::Batch, 1, Some("batch")),
        (Service::Flex, 1, None),
    ] {
        let bill = cost::bill(&Usage { input, service, ..Usage::default() }, &rich());
        assert_eq!(bill.tier.words().as_deref(), expected, "{service:?} {input}");
    }
}

/// The operator's price, then the provider's word, then nobody knows.
#[test]
fn what_a_provider_says_it_asks_counts_where_no_price_is_known() {
    let said = Usage { input: 10, reported: Some(Money(7)), ..Usage::default() };
    let silent = Usage { reported: None, ..said };
    let rich = rich();
    let cost = |usage, price| Spent::of(usage, price, false).cost.map(|cost| cost.0);
    assert_eq!(cost(said, Some(&rich)), Some(20_000_000 + A_CALL));
    assert_eq!((cost(said, None), cost(silent, None)), (Some(7), None));
    let both = |one, other| Spent::of(one, None, false).plus(Spent::of(other, Some(&rich), false)).cost.map(|cost| cost.0);
    assert_eq!((both(said, silent), both(silent, silent)), (Some(7 + 20_000_000 + A_CALL), None));
}

#[test]
fn the_worst_case_is_the_dearest_of_everything() {
    for (rule, input, output, expected) in
        [("a call alone", 0, 0, 0), ("all of it sound", 100, 10, 100 * 40_000_000 + 10 * 80_000_000)]
    {
        assert_eq!(cost::worst_case(&rich(), input, output).0, expected + A_CALL, "{rule}");
    }
    let plain = catalog::bare_model("gpt-5.6-sol").and_then(|m| m.price.as_ref()).unwrap();
    // Priority is twice the usual, a long prompt twice again; writing to the cache is a quarter dearer than that.
    assert_eq!(cost::worst_case(plain, 272_000, 1_000).0, 272_000 * 10_000_000 + 1_000 * 40_000_000);
    assert_eq!(cost::worst_case(plain, 272_001, 1_000).0, 272_001 * 20_000_000 + 1_000 * 60_000_000);
    let most = cost::worst_case(plain, u64::MAX, u64::MAX);
    assert_eq!(most, Money(u64::MAX), "saturates");
}

/// Whatever is counted of so many tokens, in whichever tier.
#[test]
fn no_cost_is_above_the_worst_case() {
    let mut seed = 7_u64;
    let mut dice = move |most: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % (most + 1)
    };
    let rich = rich();
    let prices: Vec<&Price> = catalog::models().iter().filter_map(|m| m.price.as_ref()).chain([&rich]).collect();
    let mut reached = 0;
    for _ in 0..40_000 {
        let price = prices[usize::try_from(dice(u64::MAX >> 40)).unwrap() % prices.len()];
        let longest = [100, 10_000, 600_000][usize::try_from(dice(2)).unwrap()];
        let (input, cache_read, cache_write, output) = (dice(longest), dice(longest), dice(longest), dice(10_000));
        let usage = Usage {
            input,
            cache_read,
            cache_write,
            output,
            input_audio: dice(input),
            input_image: dice(input),
            cache_read_audio: dice(cache_read),
            cache_write_1h: dice(cache_write),
            reasoning: dice(output),
            output_audio: dice(output),
            output_image: dice(output),
            service: Service::ALL[usize::try_from(dice(3)).unwrap()],
            ..Usage::default()
        };
        let (cost, most) = (cost::of(&usage, price), cost::worst_case(price, usage.prompt(), usage.output));
        assert!(cost <= most, "{usage:?} costs {cost:?} at {price:?}, and {most:?} at most");
        reached += u32::from(cost == most && most.0 > 0);
    }
    assert!(reached > 10, "the bound is met: {reached}");
}

/// Tokens, tiers and units as each provider reports them.
#[test]
fn what_is_paid_for_apart_is_counted_apart() {
    let none = Usage::default();
    let chat = |usage: Value, tier: &str| {
        let choice = json!({"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"});
        json!({"id": "c", "model": "m", "choices": [choice], "usage": usage, "service_tier": tier})
    };
    let response = |usage: Value| {
        let message = json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]});
        json!({"id": "r", "status": "completed", "output": [message], "usage": usage, "service_tier": "flex"})
    };
    let gemini = |usage: Value| json!({"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}], "usageMetadata": usage});
    let modalities = |audio: u64, image: u64| json!([{"modality": "TEXT", "tokenCount": 1}, {"modality": "AUDIO", "tokenCount": audio}, {"modality": "IMAGE", "tokenCount": image}]);
    let rows: [(&dyn Upstream, Value, Usage); 8] = [
        (
            &OpenAiChat,
            chat(
                json!({"prompt_tokens": 90, "completion_tokens": 50, "prompt_tokens_details": {"audio_tokens": 7, "cached_tokens": 10},
                    "completion_tokens_details": {"audio_tokens": 30, "reasoning_tokens": 2}}),
                "priority",
            ),
            Usage {
                input: 80,
                cache_read: 10,
                output: 50,
                reasoning: 2,
                input_audio: 7,
                output_audio: 30,
                service: Service::Priority,
                ..none
            },
        ),
        (
            &OpenAiChat,
            chat(json!({"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.000_012_345_678_95}), "default"),
            Usage { input: 1, output: 2, reported: Some(Money(12_345_679)), ..none },
        ),
        (
            &OpenAiChat,
            chat(json!({"prompt_tokens": 1, "completion_tokens": 2, "cost": {"total_cost": 0.006, "currency": "USD"}}), "scale"),
            Usage { input: 1, output: 2, reported: Some(Money(6_000_000_000)), ..none },
        ),
        (
            &OpenAiResponses,
            response(json!({"input_tokens": 9, "output_tokens": 5, "output_tokens_details": {"image_tokens": 4}})),
            Usage { input: 9, output: 5, output_image: 4, service: Service::Flex, ..none },
        ),
        (
            &Gemini,
            gemini(json!({"promptTokenCount": 100, "cachedContentTokenCount": 40, "candidatesTokenCount": 20,
                "promptTokensDetails": modalities(30, 9), "cacheTokensDetails": modalities(25, 4),
                "candidatesTokensDetails": modalities(3, 12), "serviceTier": "priority"})),
            Usage {
                input: 60,
                cache_read: 40,
                output: 20,
                input_audio: 5,
                cache_read_audio: 25,
                input_image: 5,
                output_audio: 3,
                output_image: 12,
                service: Service::Priority,
                ..none
            },
        ),
        (
            &Gemini,
            gemini(json!({"promptTokenCount": 1, "trafficType": "ON_DEMAND_FLEX"})),
            Usage { input: 1, service: Service::Flex, ..none },
        ),
        (&Gemini, gemini(json!({"promptTokenCount": 1, "trafficType": "PROVISIONED_THROUGHPUT"})), Usage { input: 1, ..none }),
        (
            &Converse,
            json!({"output": {"message": {"role": "assistant", "content": [{"text": "x"}]}}, "stopReason": "end_turn",
                "usage": {"inputTokens": 3, "outputTokens": 4, "cacheWriteInputTokens": 9,
                    "cacheDetails": [{"ttl": "5m", "inputTokens": 4}, {"ttl": "1h", "inputTokens": 5}]}}),
            Usage { input: 3, output: 4, cache_write: 9, cache_write_1h: 5, ..none },
        ),
    ];
    for (dialect, body, expected) in rows {
        assert_eq!(dialect.read_response(&body.to_string()).unwrap().usage, Some(expected), "{body}");
    }
}

#[test]
fn pictures_and_units_of_ranking_are_counted() {
    let none = Usage::default();
    let read = |operation, style, asked: &str, answer: &str| {
        operation::read(operation, (style, style), asked.as_bytes(), answer.as_bytes(), "m").unwrap().usage
    };
    for (rule, answer, expected) in [
        ("by the picture", r#"{"data":[{"url":"u"},{"url":"v"}]}"#, Some(Usage { images: 2, ..none })),
        (
            "by the token",
            r#"{"data":[{"b64_json":"eA=="}],"usage":{"input_tokens":50,"input_tokens_details":{"image_tokens":40,"text_tokens":10},"output_tokens":900}}"#,
            Some(Usage { input: 50, input_image: 40, output: 900, output_image: 900, images: 1, ..none }),
        ),
        (
            "with words",
            r#"{"data":[],"usage":{"input_tokens":5,"output_tokens":90,"output_tokens_details":{"image_tokens":80}}}"#,
            Some(Usage { input: 5, output: 90, output_image: 80, ..none }),
        ),
        ("nothing made yet", r#"{"id":"video_1","status":"queued"}"#, None),
    ] {
        assert_eq!(read(Operation::Image, Style::OpenAi, "{}", answer), expected, "{rule}");
    }
    let ranked = r#"{"results":[{"index":0,"relevance_score":0.9}],"meta":{"billed_units":{"search_units":3}}}"#;
    let usage = read(Operation::Rerank, Style::Cohere, r#"{"model":"m","query":"q","documents":["a"]}"#, ranked).unwrap();
    assert_eq!(usage.searches, 3);
    let price = catalog::bare_model("rerank-v3.5").and_then(|m| m.price.as_ref()).unwrap();
    assert_eq!(cost::of(&usage, price).dollars(), "0.006", "whatever its tokens are reckoned to be");
}
