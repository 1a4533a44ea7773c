//! One pass over a text: what stands in it that tells how hard a task is, and in which language.

use super::{
    language::Tally,
    table::{Hash, OPENS, STEM, find, find_stem},
    words::{BUILD, CHAT, CODE, FACT, MATH, REASON, RULE, SIMPLE, TRACE, WORDS},
};

/// Words at the front, where a task is named; and in the last line, where some name it.
const HEAD: u32 = 16;
/// A pleasantry and a question of one fact are named sooner.
const CHAT_HEAD: u32 = 8;
const FACT_HEAD: u32 = 3;
/// Words longer than this are of no list.
const LONGEST: u32 = 24;
/// Letters of a long word.
const LONG: u32 = 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    /// Of a script without spaces, or with endings written to the word: looked up by pairs.
    Pair,
    Digit,
    Joint,
    Other,
}

impl Class {
    const fn of(c: char) -> Self {
        match c {
            'a'..='z' | 'A'..='Z' => Self::Letter,
            '0'..='9' => Self::Digit,
            '_' => Self::Joint,
            '\0'..='\u{bf}' | '×' | '÷' => Self::Other,
            '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' => Self::Pair,
            '\u{c0}'..='\u{1fff}' => Self::Letter,
            _ => Self::Other,
        }
    }
}

/// A word so far.
#[derive(Clone, Copy)]
struct Word {
    hash: Hash,
    stem: Hash,
    letters: u32,
    ascii: u32,
    /// A digit, an underscore or a capital within: no word of prose.
    is_name: bool,
    was_lower: bool,
}

const NO_WORD: Word = Word { hash: Hash::EMPTY, stem: Hash::EMPTY, letters: 0, ascii: 0, is_name: false, was_lower: false };

pub(super) struct Scan {
    pub(super) language: Tally,
    pub(super) words: u32,
    pub(super) long_words: u32,
    pub(super) questions: u32,
    pub(super) items: u32,
    pub(super) code_lines: u32,
    pub(super) names: u32,
    pub(super) symbols: u32,
    pub(super) numbers: u32,
    pub(super) reason: u32,
    pub(super) build: u32,
    pub(super) rules: u32,
    pub(super) code: u32,
    pub(super) math: u32,
    pub(super) simple: u32,
    pub(super) chat: u32,
    pub(super) facts: u32,
    pub(super) traces: u32,
    /// Letters looked at: the work done.
    pub(super) read: u32,
    word: Word,
    /// The word before, where two words may be meant.
    opener: Option<Hash>,
    pair_before: Option<char>,
    before: char,
    /// The last mark of the line that is no space; how many marks it has.
    mark: char,
    marks: u32,
    ticks: u32,
    in_fence: bool,
    line_words: u32,
    line_simple: u32,
}

impl Scan {
    pub(super) fn new() -> Self {
        Self {
            language: Tally::default(),
            words: 0,
            long_words: 0,
            questions: 0,
            items: 0,
            code_lines: 0,
            names: 0,
            symbols: 0,
            numbers: 0,
            reason: 0,
            build: 0,
            rules: 0,
            code: 0,
            math: 0,
            simple: 0,
            chat: 0,
            facts: 0,
            traces: 0,
            read: 0,
            word: NO_WORD,
            opener: None,
            pair_before: None,
            before: '\n',
            mark: ' ',
            marks: 0,
            ticks: 0,
            in_fence: false,
            line_words: 0,
            line_simple: 0,
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        for c in text.chars() {
            self.letter(c);
        }
        self.letter('\n');
    }

    /// To be called once, after all texts.
    pub(super) fn end(&mut self) {
        // The last line that had words; where there is but one it was counted as the front.
        if self.words > HEAD && self.line_words <= HEAD {
            self.simple += self.line_simple;
        }
    }

    fn letter(&mut self, c: char) {
        self.read += 1;
        let class = Class::of(c);
        match class {
            Class::Letter => self.extend(c),
            Class::Digit | Class::Joint if self.word.letters > 0 => {
                self.word.hash = self.word.hash.letter(u32::from(c));
                self.word.is_name = true;
            }
            Class::Digit => self.numbers += u32::from(!self.before.is_ascii_digit() && self.before != '.'),
            Class::Pair | Class::Joint | Class::Other => self.end_word(),
        }
        if class == Class::Pair {
            self.pair(c);
        } else {
            self.pair_before = None;
        }
        match c {
            '\n' => self.end_line(),
            ' ' | '\t' | '\r' => {}
            _ => self.mark(c),
        }
        self.before = c;
    }

    fn extend(&mut self, c: char) {
        let lower = lower(c);
        let word = &mut self.word;
        word.is_name |= word.was_lower && c.is_ascii_uppercase();
        word.was_lower = c.is_ascii_lowercase();
        word.hash = word.hash.letter(u32::from(lower));
        word.letters += 1;
        word.ascii += u32::from(c.is_ascii());
        if word.letters == STEM {
            word.stem = word.hash;
        }
        if !c.is_ascii() && !self.in_fence {
            self.language.letter(lower);
        }
    }

    fn end_word(&mut self) {
        let word = self.word;
        if word.letters == 0 {
            return;
        }
        self.word = NO_WORD;
        self.count_word();
        self.names += u32::from(word.is_name);
        if word.letters > LONGEST {
            self.opener = None;
            return;
        }
        self.long_words += u32::from(word.letters >= LONG);
        let own = find(&WORDS, word.hash);
        if !self.in_fence && !word.is_name {
            self.language.ascii_letters(word.ascii);
            self.language.word(own);
        }
        let stem = if word.letters > STEM { find_stem(&WORDS, word.stem) } else { 0 };
        let both = self.opener.map_or(0, |before| find(&WORDS, before.then(word.hash)));
        self.meaning(own | stem | both);
        self.opener = (own & OPENS != 0).then_some(word.hash);
    }

    fn pair(&mut self, c: char) {
        if !self.in_fence {
            self.language.letter(c);
        }
        if let Some(before) = self.pair_before {
            // Words of these scripts have two letters, as a rule.
            let hash = Hash::EMPTY.letter(u32::from(before)).letter(u32::from(c));
            self.meaning(find(&WORDS, hash));
        }
        if self.read.is_multiple_of(2) {
            self.count_word();
        }
        self.pair_before = Some(c);
    }

    fn count_word(&mut self) {
        if self.line_words == 0 {
            self.line_simple = 0;
        }
        self.words += 1;
        self.line_words += 1;
    }

    fn meaning(&mut self, meaning: u32) {
        if meaning & !OPENS < REASON {
            return;
        }
        let has = |bit: u32| u32::from(meaning & bit != 0);
        self.traces += has(TRACE);
        // In code the rest are names.
        if self.in_fence {
            return;
        }
        self.reason += has(REASON);
        self.build += has(BUILD);
        self.rules += has(RULE);
        self.code += has(CODE);
        self.math += has(MATH);
        self.line_simple += has(SIMPLE);
        if self.words <= HEAD {
            self.simple += has(SIMPLE);
        }
        if self.words <= CHAT_HEAD {
            self.chat += has(CHAT);
        }
        if self.words <= FACT_HEAD {
            self.facts += has(FACT);
        }
    }

    fn mark(&mut self, c: char) {
        self.marks += 1;
        match c {
            '`' if self.ticks + 1 == self.marks => self.ticks += 1,
            '?' | '？' | '؟' => self.questions += u32::from(!self.in_fence),
            '=' | '^' | '\\' | '√' | 'π' | '²' | '³' | '\u{2200}'..='\u{22ff}' => self.symbols += u32::from(!self.in_fence),
            '.' | ')' if self.marks == 2 && self.before.is_ascii_digit() => self.items += 1,
            '-' | '*' | '•' if self.marks == 1 => self.items += 1,
            _ => {}
        }
        self.mark = c;
    }

    fn end_line(&mut self) {
        let is_fence = self.ticks >= 3;
        if is_fence {
            self.in_fence = !self.in_fence;
        } else if self.marks > 0 {
            self.code_lines += u32::from(self.in_fence || matches!(self.mark, ';' | '{' | '}'));
        }
        if self.marks > 0 {
            self.line_words = 0;
        }
        self.marks = 0;
        self.ticks = 0;
        self.opener = None;
    }
}

/// In lower case, where that is one letter of the alphabets in the lists.
fn lower(c: char) -> char {
    let add = match c {
        'A'..='Z' => return c.to_ascii_lowercase(),
        'À'..='Þ' | 'А'..='Я' | 'Α'..='Ω' => 32,
        'Ѐ'..='Џ' => 80,
        // Capital and small letter take turns, twice with the capital on the odd place.
        'Ĺ'..='ň' | 'Ź'..='ž' => u32::from(c) % 2,
        'Ā'..='ķ' | 'Ŋ'..='ŷ' | 'Ơ'..='ơ' | 'Ș'..='ț' | 'Ạ'..='ỹ' => 1 - u32::from(c) % 2,
        'Ư' => 1,
        _ => 0,
    };
    char::from_u32(u32::from(c) + add).unwrap_or(c)
}
