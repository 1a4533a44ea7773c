//! How many tokens a text has, without a vocabulary: letters, words, digits and marks counted by script, and weighed.
//!
//! The weights are fitted to three vocabularies (o200k, Llama 3, Qwen); `docs/tokens.md` tells how far off they are.

use crate::{
    chat::request::{Format, Message, Part, Request, Source, Tool, ToolCall, ToolResult},
    wire::json::json_text,
};

/// Around each turn of a chat, and once around the whole.
const PER_MESSAGE: u64 = 4;
const PER_REQUEST: u64 = 3;
/// Around a tool, a call of it and its result.
const PER_TOOL: u64 = 10;
/// Claude is told how to use tools in some 550 tokens of Anthropic's own, counted as the caller's.
const CLAUDE_TOOLS: u64 = 550;
/// A picture of usual size: 258 a tile (Google), 765 at high detail (OpenAI), width × height ÷ 750 (Anthropic).
const PER_IMAGE: u64 = 800;
/// OpenAI's flat price of a picture at low detail.
const PER_SMALL_IMAGE: u64 = 85;
/// A document whose length is not known: a page or two.
const PER_FILE: u64 = 3000;
/// Bytes of base64 in a token, of a PDF (some 1500 tokens in a page of 40 KB), of sound (32 tokens a second of MP3), and of
/// a film (300 tokens a second).
const PDF_BYTES: u64 = 36;
const AUDIO_BYTES: u64 = 660;
const VIDEO_BYTES: u64 = 550;
/// Sound or film whose length is not known: half a minute.
const PER_AUDIO: u64 = 1000;
const PER_VIDEO: u64 = 9000;

/// What is counted of a text. A run is cut after so many marks: a token rarely holds more.
const MARKS: u32 = 16;
/// Letters of a word that cost nothing extra; in words of other languages than English.
const SHORT_WORD: u32 = 5;
const SHORT_FOREIGN_WORD: u32 = 3;
/// In English, one word in so many is of the most frequent ones; where fewer are, the text is of another language, or code.
const COMMON: u64 = 5;

/// Words of up to four letters that make up a quarter of English text.
static FREQUENT: [u32; 24] = [
    code(b"the"),
    code(b"of"),
    code(b"and"),
    code(b"to"),
    code(b"in"),
    code(b"a"),
    code(b"is"),
    code(b"that"),
    code(b"it"),
    code(b"for"),
    code(b"was"),
    code(b"on"),
    code(b"with"),
    code(b"be"),
    code(b"or"),
    code(b"not"),
    code(b"you"),
    code(b"are"),
    code(b"this"),
    code(b"as"),
    code(b"by"),
    code(b"at"),
    code(b"we"),
    code(b"if"),
];

const fn code(word: &[u8]) -> u32 {
    match *word {
        [a] => u32::from_be_bytes([0, 0, 0, a]),
        [a, b] => u32::from_be_bytes([0, 0, a, b]),
        [a, b, c] => u32::from_be_bytes([0, a, b, c]),
        [a, b, c, d] => u32::from_be_bytes([a, b, c, d]),
        _ => 0,
    }
}

/// Kinds of counts; `WEIGHTS` has one of each.
pub const KINDS: usize = 27;

/// Thousandths of a token, as `tests/operation/estimate.rs` fits them, in the order of `Counter::counts`.
pub static WEIGHTS: [u64; KINDS] = [
    990, 53, 54, 206, 46, 1067, 151, 1125, 547, 865, 638, 351, 776, 2979, 900, 475, 461, 679, 222, 71, 419, 906, 510, 1025, 582,
    1417, 286,
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Start,
    Latin,
    /// Latin letters beyond ASCII, and beyond Western Europe.
    Accented,
    Extended,
    Digit,
    Mark,
    Line,
    Space,
    Cyrillic,
    Arabic,
    Indic,
    Thai,
    Han,
    Kana,
    Hangul,
    WideMark,
    Symbol,
    Other,
}

impl Class {
    const fn of(c: char) -> Self {
        match c {
            'a'..='z' | 'A'..='Z' => Self::Latin,
            '0'..='9' => Self::Digit,
            '\n' | '\r' => Self::Line,
            ' ' | '\t' => Self::Space,
            '\0'..='\u{bf}' | '×' | '÷' | '\u{2000}'..='\u{206f}' => Self::Mark,
            // Those of Vietnamese are as frequent in vocabularies as those of Western Europe.
            '\u{c0}'..='\u{ff}' | '\u{1e00}'..='\u{1eff}' => Self::Accented,
            '\u{100}'..='\u{24f}' => Self::Extended,
            // Greek is cut as finely.
            '\u{370}'..='\u{52f}' => Self::Cyrillic,
            '\u{590}'..='\u{77f}' => Self::Arabic,
            '\u{900}'..='\u{dff}' => Self::Indic,
            '\u{e00}'..='\u{fff}' => Self::Thai,
            '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => Self::Han,
            '\u{3040}'..='\u{30ff}' => Self::Kana,
            '\u{ac00}'..='\u{d7af}' | '\u{1100}'..='\u{11ff}' => Self::Hangul,
            '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}' => Self::WideMark,
            '\u{2070}'..='\u{2fff}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f000}'..='\u{1ffff}' => Self::Symbol,
            _ => Self::Other,
        }
    }

    const fn is_latin(self) -> bool {
        matches!(self, Self::Latin | Self::Accented | Self::Extended)
    }
}

#[derive(Default)]
struct Counter {
    words: u64,
    frequent: u64,
    long: u64,
    foreign_mid: u64,
    accented: u64,
    extended: u64,
    digits: u64,
    digit_groups: u64,
    spaced_numbers: u64,
    marks: u64,
    lines: u64,
    spaces: u64,
    wide_marks: u64,
    symbols: u64,
    other: u64,
    thai: u64,
    kana: u64,
    /// Runs and letters of each.
    cyrillic: [u64; 2],
    arabic: [u64; 2],
    indic: [u64; 2],
    han: [u64; 2],
    hangul: [u64; 2],
    /// The word so far: its length, and up to four letters of it.
    run: u32,
    letters: u32,
}

impl Counter {
    fn latin(&mut self, c: char, class: Class, goes_on: bool) {
        if !goes_on {
            self.end_word();
            self.words += 1;
            self.run = 0;
        }
        self.run = self.run.saturating_add(1);
        self.letters =
            if self.run > 4 || class != Class::Latin { 0 } else { self.letters << 8 | u32::from(c.to_ascii_lowercase()) };
        self.long += u64::from(self.run > SHORT_WORD);
        self.foreign_mid += u64::from(self.run > SHORT_FOREIGN_WORD);
        self.accented += u64::from(class == Class::Accented);
        self.extended += u64::from(class == Class::Extended);
    }

    fn end_word(&mut self) {
        self.frequent += u64::from(self.letters != 0 && FREQUENT.contains(&self.letters));
        self.letters = 0;
    }

    fn other(&mut self, class: Class, before: Class) {
        self.end_word();
        let goes_on = class == before;
        self.run = if goes_on { self.run.saturating_add(1) } else { 1 };
        let add = |pair: &mut [u64; 2]| {
            let [runs, letters] = pair;
            *runs += u64::from(!goes_on);
            *letters += 1;
        };
        match class {
            Class::Digit => {
                self.digits += 1;
                self.digit_groups += u64::from(self.run % 3 == 1);
                self.spaced_numbers += u64::from(before == Class::Space);
            }
            Class::Mark => self.marks += u64::from(self.run % MARKS == 1),
            // Vocabularies take the end of a line into the marks before it.
            Class::Line => self.lines += u64::from(!goes_on && before != Class::Mark),
            Class::Space => self.spaces += u64::from(self.run == 2),
            Class::Cyrillic => add(&mut self.cyrillic),
            Class::Arabic => add(&mut self.arabic),
            Class::Indic => add(&mut self.indic),
            Class::Thai => self.thai += 1,
            Class::Han => add(&mut self.han),
            Class::Kana => self.kana += 1,
            Class::Hangul => add(&mut self.hangul),
            Class::WideMark => self.wide_marks += 1,
            Class::Symbol => self.symbols += 1,
            Class::Other | Class::Start | Class::Latin | Class::Accented | Class::Extended => self.other += 1,
        }
    }

    fn counts(&self) -> [u64; KINDS] {
        let foreign_words = self.words.saturating_sub(self.frequent.saturating_mul(COMMON));
        let foreign = |count: u64| count.saturating_mul(foreign_words) / self.words.max(1);
        let [cyrillic_runs, cyrillic] = self.cyrillic;
        let [arabic_runs, arabic] = self.arabic;
        let [indic_runs, indic] = self.indic;
        let [han_runs, han] = self.han;
        let [hangul_runs, hangul] = self.hangul;
        [
            self.words,
            self.long,
            foreign(self.foreign_mid),
            foreign(self.long),
            self.accented,
            self.extended,
            self.digits,
            self.digit_groups,
            self.spaced_numbers,
            self.marks,
            self.lines,
            self.spaces,
            self.wide_marks,
            self.symbols,
            self.other,
            self.thai,
            self.kana,
            cyrillic_runs,
            cyrillic,
            arabic_runs,
            arabic,
            indic_runs,
            indic,
            han_runs,
            han,
            hangul_runs,
            hangul,
        ]
    }
}

/// What the estimate is made of: one count for each of `WEIGHTS`.
pub fn counts(text: &str) -> [u64; KINDS] {
    let (mut counter, mut before, mut was_lower) = (Counter::default(), Class::Start, false);
    for c in text.chars() {
        let class = Class::of(c);
        if class.is_latin() {
            // Vocabularies cut `camelCase`.
            let goes_on = before.is_latin() && !(was_lower && c.is_ascii_uppercase());
            counter.latin(c, class, goes_on);
        } else {
            counter.other(class, before);
        }
        was_lower = c.is_ascii_lowercase();
        before = class;
    }
    counter.end_word();
    counter.counts()
}

/// Tokens of a text; none only where there is no text.
pub fn of_text(text: &str) -> u64 {
    let thousandths: u64 = counts(text).iter().zip(&WEIGHTS).map(|(count, weight)| count.saturating_mul(*weight)).sum();
    thousandths.div_ceil(1000).max(u64::from(!text.is_empty()))
}

/// Tokens of all that is sent to the model.
pub fn of_request(request: &Request) -> u64 {
    let messages: u64 = request.messages.iter().map(of_message).sum();
    let mut tools: u64 = request.tools.iter().map(of_tool).sum();
    if tools > 0 && request.model.contains("claude") {
        tools += CLAUDE_TOOLS;
    }
    let format = match &request.format {
        Some(Format::Schema { schema, .. }) => of_text(&json_text(schema)).saturating_add(PER_TOOL),
        Some(Format::Json) | None => 0,
    };
    messages.saturating_add(tools).saturating_add(format).saturating_add(PER_REQUEST)
}

fn of_message(message: &Message) -> u64 {
    of_parts(&message.parts).saturating_add(PER_MESSAGE)
}

fn of_parts(parts: &[Part]) -> u64 {
    parts.iter().map(of_part).sum()
}

fn of_part(part: &Part) -> u64 {
    match part {
        Part::Text { text, .. } | Part::Reasoning { text, .. } | Part::Refusal { text } => of_text(text),
        Part::Image { detail, .. } => {
            if detail.as_deref() == Some("low") {
                PER_SMALL_IMAGE
            } else {
                PER_IMAGE
            }
        }
        Part::File { source, .. } => of_media(source, PDF_BYTES, PER_FILE),
        Part::Audio { source, transcript } => {
            transcript.as_deref().map_or_else(|| of_media(source, AUDIO_BYTES, PER_AUDIO), of_text)
        }
        Part::Video { source, .. } => of_media(source, VIDEO_BYTES, PER_VIDEO),
        // What only its provider can read is mostly not read again.
        Part::RedactedReasoning { .. } => 0,
        Part::ToolCall(ToolCall { name, arguments, .. }) => of_text(name) + of_text(arguments) + PER_TOOL,
        Part::ToolResult(ToolResult { parts, .. }) => of_parts(parts).saturating_add(PER_TOOL),
        Part::Opaque { value, .. } => of_text(&json_text(value)),
    }
}

fn of_media(source: &Source, bytes_per_token: u64, unknown: u64) -> u64 {
    match source {
        Source::Inline { media_type, data } => {
            // Text is as long as it is: four letters of base64 hold three, and those hardly a token.
            let bytes = if media_type.starts_with("text/") { 5 } else { bytes_per_token };
            u64::try_from(data.len()).unwrap_or(u64::MAX).div_ceil(bytes)
        }
        Source::Url(_) | Source::Id { .. } => unknown,
    }
}

fn of_tool(tool: &Tool) -> u64 {
    let text = |text: &Option<String>| text.as_deref().map_or(0, of_text);
    let json = |value: &serde_json::Value| of_text(&json_text(value));
    match tool {
        Tool::Function { name, description, parameters, .. } => {
            of_text(name) + text(description) + parameters.as_ref().map_or(0, json) + PER_TOOL
        }
        Tool::Custom { name, description, format } => {
            of_text(name) + text(description) + format.as_ref().map_or(0, json) + PER_TOOL
        }
        Tool::Opaque { value, .. } => json(value).saturating_add(PER_TOOL),
    }
}
