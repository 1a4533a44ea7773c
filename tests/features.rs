//! What is read of the canonical request: kinds, language, and how hard it is.

use std::fmt::Write as _;

use portolan::{
    chat::request::{Effort, Format, Message, Part, Reasoning, Request, Role, Source, Tool, ToolResult},
    features::{
        self,
        complexity::{BASE, SIGNALS, WEIGHTS, signals},
    },
    operation::estimate,
};
use serde_json::json;

fn turn(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn asked(prompt: &str) -> Request {
    Request { messages: vec![turn(Role::User, vec![Part::text(prompt)])], ..Request::default() }
}

fn score(prompt: &str) -> u16 {
    features::of(&asked(prompt)).complexity
}

fn result(parts: Vec<Part>) -> Part {
    Part::ToolResult(ToolResult { id: "1".into(), name: "f".into(), parts, is_error: false, cache: None })
}

fn image() -> Part {
    Part::Image { source: Source::Url("https://example.com/a.png".into()), detail: None, cache: None }
}

fn tool() -> Tool {
    Tool::Function { name: "f".into(), description: None, parameters: None, strict: None, cache: None }
}

#[test]
fn kinds_of_content_are_found_in_any_turn_and_in_results() {
    let file = || Part::File { source: Source::Url("https://example.com/a.pdf".into()), name: None, cache: None };
    let audio = || Part::Audio { source: Source::Url("https://example.com/a.mp3".into()), transcript: None };
    let video = || Part::Video { source: Source::Url("https://example.com/a.mp4".into()), fps: None };
    for (part, expected) in [
        (image(), [true, false, false, false]),
        (audio(), [false, true, false, false]),
        (file(), [false, false, true, false]),
        (video(), [false, false, false, true]),
        (result(vec![image()]), [true, false, false, false]),
        (result(vec![file()]), [false, false, true, false]),
        (Part::text("image, audio, file, video"), [false; 4]),
    ] {
        let request = Request {
            messages: vec![turn(Role::User, vec![part]), turn(Role::Assistant, vec![Part::text("Yes.")])],
            ..asked("")
        };
        let found = features::of(&request);
        assert_eq!([found.images, found.audio, found.files, found.video], expected, "{request:?}");
        assert_eq!(found.messages, 2);
    }
}

#[test]
fn tokens_are_those_of_the_estimate_with_tools_and_schema() {
    let plain = asked("How are you?");
    let schema = Format::Schema { name: None, description: None, schema: json!({"type": "object"}), strict: None };
    let more = Request { tools: vec![tool(), tool()], format: Some(schema), ..asked("How are you?") };
    for (request, tools, json_schema) in [(plain, 0, false), (more, 2, true)] {
        let found = features::of(&request);
        assert_eq!((found.input_tokens, found.tools, found.json_schema), (estimate::of_request(&request), tools, json_schema));
    }
}

#[test]
fn a_budget_is_an_effort() {
    for (reasoning, expected) in [
        (None, None),
        (Some(Reasoning::Off), None),
        (Some(Reasoning::Budget(0)), None),
        (Some(Reasoning::Adaptive), None),
        (Some(Reasoning::Effort(Effort::Minimal)), Some(Effort::Minimal)),
        (Some(Reasoning::Effort(Effort::Max)), Some(Effort::Max)),
        (Some(Reasoning::Budget(2048)), Some(Effort::Low)),
        (Some(Reasoning::Budget(2049)), Some(Effort::Medium)),
        (Some(Reasoning::Budget(8192)), Some(Effort::Medium)),
        (Some(Reasoning::Budget(8193)), Some(Effort::High)),
    ] {
        let request = Request { reasoning: reasoning.clone(), ..asked("Hi") };
        assert_eq!(features::of(&request).reasoning_effort, expected, "{reasoning:?}");
    }
}

#[test]
fn the_language_is_told_or_left_open() {
    for (text, expected) in [
        ("What is the capital of France?", "en"),
        ("Was ist die Hauptstadt von Frankreich?", "de"),
        ("Quelle est la capitale de la France ?", "fr"),
        ("¿Cuál es la capital de Francia?", "es"),
        ("Qual é a capital da França e quantas pessoas moram na cidade? Não sei.", "pt"),
        ("Qual è la capitale della Francia e perché?", "it"),
        ("Wat is de hoofdstad van Frankrijk en hoe groot is het?", "nl"),
        ("Jaka jest stolica Francji i dlaczego się tak nazywa?", "pl"),
        ("Fransa'nın başkenti nedir ve nüfusu ne kadar?", "tr"),
        ("Thủ đô của nước Pháp là gì?", "vi"),
        ("Apa ibu kota Prancis dan bagaimana sejarahnya?", "id"),
        ("Vad är huvudstaden i Frankrike och varför?", "sv"),
        ("Jaké je hlavní město Francie a proč se tak jmenuje?", "cs"),
        ("Mi Franciaország fővárosa, és miért nem Lyon?", "hu"),
        ("Mikä on Ranskan pääkaupunki ja miksi se on niin suuri?", "fi"),
        ("Care este capitala Franței și de ce nu este Lyon?", "ro"),
        ("Какая столица Франции?", "ru"),
        ("Яка столиця Франції і чому?", "uk"),
        ("Ποια είναι η πρωτεύουσα της Γαλλίας;", "el"),
        ("ما هي عاصمة فرنسا؟", "ar"),
        ("پایتخت فرانسه چیست و چرا؟", "fa"),
        ("מהי בירת צרפת?", "he"),
        ("फ्रांस की राजधानी क्या है?", "hi"),
        ("法国的首都是哪里？", "zh"),
        ("フランスの首都はどこですか？", "ja"),
        ("프랑스의 수도는 어디입니까?", "ko"),
        ("เมืองหลวงของฝรั่งเศสคืออะไร", "th"),
        // A German asks about English words, and code is no prose.
        ("Erkläre mir bitte, was das ist:\n```\nif the value is not in the list of this and that: return it\n```", "de"),
        ("用 Python 写一个 quicksort 函数", "zh"),
        // Nobody can tell.
        ("", ""),
        ("42", ""),
        ("OK", ""),
        ("SELECT id FROM users", ""),
        ("Lorem Xyzzy Foobar Quux", ""),
        ("😀😀😀", ""),
    ] {
        assert_eq!(features::of(&asked(text)).language, expected, "{text}");
    }
}

/// What a band holds: least and most.
const TRIVIAL: (u16, u16) = (0, 199);
const EASY: (u16, u16) = (0, 299);
const HARD: (u16, u16) = (450, 1000);

#[test]
fn a_prompt_is_in_its_band() {
    for (prompt, (least, most)) in [
        ("", TRIVIAL),
        ("Hi!", TRIVIAL),
        ("Thanks!", TRIVIAL),
        ("Danke", TRIVIAL),
        ("你好", TRIVIAL),
        ("Привет!", TRIVIAL),
        ("What is the capital of France?", TRIVIAL),
        ("Wer hat Hamlet geschrieben?", TRIVIAL),
        ("¿Cuándo terminó la guerra?", TRIVIAL),
        ("Translate 'good morning' to German.", TRIVIAL),
        ("Übersetze den Satz ins Englische: Ich habe Hunger.", TRIVIAL),
        ("翻译成英文：我饿了。", TRIVIAL),
        ("Summarize this in one sentence: the shop opens at nine and closes at noon, except on Sundays.", EASY),
        ("Résume ce texte : la boutique ouvre à neuf heures et ferme à midi.", EASY),
        ("Write a short poem about the ocean.", EASY),
        (
            "Prove that there are infinitely many primes p with p = 3 (mod 4), step by step, and explain why the proof \
             does not work for p = 1 (mod 4).",
            HARD,
        ),
        (
            "Beweise Schritt für Schritt, dass die Gleichung x^2 = 2 keine rationale Lösung hat, und vergleiche zwei \
             Beweise.",
            HARD,
        ),
        ("Докажите, что уравнение x^2 = 2 не имеет решений, и сравните вероятность обоих случаев шаг за шагом.", HARD),
        ("证明方程 x^2 = 2 没有有理数解，并分析、比较两种推导的复杂度，要求至少给出一个算法实现。", HARD),
        (
            "Refactor this, it must not allocate, and find why it fails:\n```rust\nfn load_all(path: &str) -> Vec<u8> {\n    \
             let mut out_buf = Vec::new();\n    for part in read_parts(path) {\n        out_buf.extend(part);\n    }\n    \
             out_buf\n}\n```\nTypeError: undefined is not a function",
            HARD,
        ),
        (
            "Design a distributed rate limiter: implement the algorithm in Python with Redis, handle clock skew, compare \
             token bucket and sliding window, and optimize memory.",
            HARD,
        ),
    ] {
        let found = score(prompt);
        assert!((least..=most).contains(&found), "{found}, not {least} to {most}: {prompt}");
    }
}

#[test]
fn what_is_asked_besides_raises_the_score() {
    let prompts = [
        "Hi!",
        "What is the capital of France?",
        "Translate this to German: good morning, my friend, how are you today and what will you do?",
        "Write a Python function that sorts a list.",
        "法国的首都是哪里？",
    ];
    let added = [
        " Prove that the bound is tight, step by step.",
        " Compare both designs and justify your choice.",
        "\n```\nlet x = f(y);\nlet z = g(x);\n```",
        " It must not use more than 5 calls. Why does it fail?",
        " 证明并分析。",
        " Beweise es.",
    ];
    for prompt in prompts {
        for more in added {
            let longer = format!("{prompt}{more}");
            assert!(score(&longer) >= score(prompt), "{longer}: {} < {}", score(&longer), score(prompt));
        }
    }
}

#[test]
fn what_surrounds_the_prompt_counts() {
    let prompt = "Find the cheapest flight that lands before noon in the city of my choice.";
    let plain = || asked(prompt);
    let result_turn = || turn(Role::User, vec![result(vec![Part::text("ok")])]);
    let of = |request: Request| features::of(&request).complexity;
    let effort = |reasoning| Request { reasoning: Some(reasoning), ..plain() };
    let with = |more: Vec<Message>| Request { messages: [plain().messages, more].concat(), ..plain() };
    let system = |text: &str| Request {
        messages: [vec![turn(Role::System, vec![Part::text(text)])], plain().messages].concat(),
        ..plain()
    };
    for (name, easier, harder) in [
        ("tools", of(plain()), of(Request { tools: vec![tool(); 8], ..plain() })),
        ("more tools", of(Request { tools: vec![tool()], ..plain() }), of(Request { tools: vec![tool(); 40], ..plain() })),
        ("results", of(plain()), of(with(vec![result_turn()]))),
        ("more results", of(with(vec![result_turn()])), of(with(vec![result_turn(); 9]))),
        ("effort", of(effort(Reasoning::Effort(Effort::Low))), of(effort(Reasoning::Effort(Effort::High)))),
        ("budget", of(plain()), of(effort(Reasoning::Budget(10_000)))),
        ("thinking off", of(effort(Reasoning::Off)), of(plain())),
        ("image", of(plain()), {
            let mut request = plain();
            request.messages[0].parts.push(image());
            of(request)
        }),
        ("an instruction to classify", of(system("Classify the message.")), of(plain())),
        ("an instruction to reason", of(plain()), of(system("Think step by step and verify the result."))),
    ] {
        assert!(easier < harder, "{name}: {easier}, {harder}");
    }
}

#[test]
fn a_follow_up_leans_on_what_it_follows() {
    let hard = "Prove that the sum of the angles of a triangle is 180 degrees, and derive the formula of its area.";
    let talk = |last: &str| Request {
        messages: vec![
            turn(Role::User, vec![Part::text(hard)]),
            turn(Role::Assistant, vec![Part::text("…")]),
            turn(Role::User, vec![Part::text(last)]),
        ],
        ..Request::default()
    };
    let found = features::of(&talk("And for a square?"));
    assert!(found.complexity >= 250, "{found:?}");
    // What stands on its own does not.
    let other = features::of(&talk("By the way, when does the museum in our street open on Sundays, do you know?"));
    assert!(other.complexity < found.complexity, "{other:?}");
}

#[test]
fn nothing_asked_is_easy_and_all_asked_is_a_thousand() {
    assert!(features::of(&Request::default()).complexity <= u16::try_from(BASE).unwrap());
    let mut all = String::from("Prove, derive, analyze and compare the algorithm and design. It must each require only:\n");
    for at in 0..40 {
        writeln!(all, "{at}. Implement theorem_{at} in Python with SQL, matrix = integral^2? Must avoid TypeError;").unwrap();
    }
    let request = Request { reasoning: Some(Reasoning::Effort(Effort::Max)), tools: vec![tool(); 50], ..asked(&all) };
    assert_eq!(features::of(&request).complexity, 1000);
    assert_eq!(features::of(&request), features::of(&request));
}

/// Letters are counted, not time: no request makes the score read more than this.
const MOST_READ: u32 = 6 * 1024;

#[test]
fn the_work_is_bounded_whatever_the_request() {
    let page = "Why does it fail? Prove it: x = 1; 证明 доказать.\n".repeat(20_000);
    let many = Request {
        messages: vec![turn(Role::User, vec![Part::text("so "), Part::text(&page), Part::text(&page)]); 50],
        ..Request::default()
    };
    for request in [asked(&page), many, asked(&"a".repeat(1 << 20)), asked(&"😀".repeat(1 << 18)), asked(&"`".repeat(1 << 20))]
    {
        let found = signals(&request, 1_000_000);
        assert!(found.read <= MOST_READ, "{}", found.read);
        assert_eq!(found.counts.len(), SIGNALS);
    }
    // The end is read too, where many put their question.
    let article = "The shop opens at nine. ".repeat(1000);
    assert!(score(&format!("{article}\nProve, derive and compare it step by step.")) > score(&article));
}

#[test]
fn the_page_shows_the_weights_in_force() {
    let page = include_str!("../docs/complexity.md");
    assert!(page.contains(&format!("starts at {BASE}")), "the base is {BASE}");
    for weight in &WEIGHTS {
        let row = format!("| {} | {} | {} |", weight.name, weight.each, weight.most);
        assert!(page.contains(&row), "docs/complexity.md lacks: {row}");
    }
}
