//! Which language a text is in: by its script, by letters that few languages have, by its most frequent words.

use super::{
    table::{Hash, find},
    words::{LANGUAGES, LETTER, WORDS},
};

/// In the order of the bits in the tables.
const LATIN: [&str; 18] =
    ["en", "de", "fr", "es", "pt", "it", "nl", "pl", "tr", "vi", "id", "sv", "da", "no", "cs", "ro", "hu", "fi"];

const VIETNAMESE: u32 = 1 << 9;

/// One word in so many must be a frequent one, and there must be this many.
const SHARE: u32 = 8;
const LEAST: u32 = 2;
/// Letters of one script that tell its language.
const SCRIPT_LEAST: u32 = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Cyrillic,
    Greek,
    Hebrew,
    Arabic,
    Devanagari,
    Bengali,
    Tamil,
    Telugu,
    Thai,
    Georgian,
    Armenian,
    Han,
    Kana,
    Hangul,
}

const SCRIPTS: usize = 15;

#[derive(Default)]
pub(super) struct Tally {
    latin: [u32; LATIN.len()],
    words: u32,
    scripts: [u32; SCRIPTS],
    /// Cyrillic: і ї є ґ, ў, ј њ ћ ђ љ џ, ы э ё, ъ. Arabic: پ چ ژ گ ک ی, ٹ ڈ ڑ ں ے.
    telling: [u32; 7],
}

impl Tally {
    /// What the table says of a word.
    pub(super) fn word(&mut self, meaning: u32) {
        self.words += 1;
        self.add(meaning, 1);
    }

    /// A letter beyond ASCII, in lower case.
    pub(super) fn letter(&mut self, letter: char) {
        let code = u32::from(letter);
        let script = match code {
            0xa1..=0x24f => {
                self.add(find(&WORDS, Hash::EMPTY.letter(LETTER).letter(code)), 1);
                Script::Latin
            }
            // Only Vietnamese needs these.
            0x1ea0..=0x1ef9 => {
                self.add(VIETNAMESE, 2);
                Script::Latin
            }
            0x370..=0x3ff => Script::Greek,
            0x400..=0x52f => Script::Cyrillic,
            0x530..=0x58f => Script::Armenian,
            0x5d0..=0x5ff => Script::Hebrew,
            0x620..=0x6ff => Script::Arabic,
            0x900..=0x97f => Script::Devanagari,
            0x980..=0x9ff => Script::Bengali,
            0xb80..=0xbff => Script::Tamil,
            0xc00..=0xc7f => Script::Telugu,
            0xe00..=0xe7f => Script::Thai,
            0x10a0..=0x10ff => Script::Georgian,
            0x3040..=0x30ff => Script::Kana,
            0x3400..=0x9fff => Script::Han,
            0xac00..=0xd7af => Script::Hangul,
            _ => return,
        };
        let telling = match letter {
            'і' | 'ї' | 'є' | 'ґ' => 1,
            'ў' => 2,
            'ј' | 'њ' | 'ћ' | 'ђ' | 'љ' | 'џ' => 3,
            'ы' | 'э' | 'ё' => 4,
            'ъ' => 5,
            'پ' | 'چ' | 'ژ' | 'گ' | 'ک' | 'ی' => 6,
            'ٹ' | 'ڈ' | 'ڑ' | 'ں' | 'ے' => 7,
            _ => 0,
        };
        let place = SCRIPT_ORDER.iter().position(|of| *of == script);
        if let Some(count) = place.and_then(|at| self.scripts.get_mut(at)) {
            *count += 1;
        }
        if let Some(count) = usize::checked_sub(telling, 1).and_then(|at| self.telling.get_mut(at)) {
            *count += 1;
        }
    }

    pub(super) fn ascii_letters(&mut self, letters: u32) {
        if let Some(count) = self.scripts.first_mut() {
            *count += letters;
        }
    }

    fn add(&mut self, languages: u32, count: u32) {
        if languages & LANGUAGES != 0 {
            for (at, hits) in (0_u32..).zip(&mut self.latin) {
                *hits += count * (languages >> at & 1);
            }
        }
    }

    /// ISO 639-1; empty where nothing is clear.
    pub(super) fn language(&self) -> &'static str {
        let of = |script: Script| SCRIPT_ORDER.iter().zip(&self.scripts).find(|(at, _)| **at == script).map_or(0, |(_, n)| *n);
        // A letter of these is worth more than one of an alphabet, and Latin names and terms stand amid most of them.
        let heavy = |script: Script| {
            of(script).saturating_mul(if matches!(script, Script::Han | Script::Kana | Script::Hangul) { 4 } else { 2 })
        };
        let east = heavy(Script::Han) + heavy(Script::Kana);
        let share = |script: &Script| {
            let is_east = *script == Script::Han || *script == Script::Kana;
            if *script == Script::Latin {
                of(Script::Latin)
            } else if is_east {
                east
            } else {
                heavy(*script)
            }
        };
        let Some(most) = SCRIPT_ORDER.iter().copied().max_by_key(share) else {
            return "";
        };
        if of(most) < SCRIPT_LEAST && east < 4 * SCRIPT_LEAST {
            return "";
        }
        match most {
            Script::Latin => self.latin_language(),
            Script::Cyrillic => self.cyrillic(),
            Script::Greek => "el",
            Script::Hebrew => "he",
            Script::Arabic => self.arabic(of(Script::Arabic)),
            Script::Devanagari => "hi",
            Script::Bengali => "bn",
            Script::Tamil => "ta",
            Script::Telugu => "te",
            Script::Thai => "th",
            Script::Georgian => "ka",
            Script::Armenian => "hy",
            // Chinese quotes a Japanese word now and then.
            Script::Han | Script::Kana => {
                if of(Script::Kana).saturating_mul(8) > of(Script::Han) {
                    "ja"
                } else {
                    "zh"
                }
            }
            Script::Hangul => "ko",
        }
    }

    fn latin_language(&self) -> &'static str {
        let best = self.latin.iter().copied().max().unwrap_or_default();
        let mut first = LATIN.iter().zip(&self.latin).filter(|(_, hits)| **hits == best);
        match (first.next(), first.next()) {
            (Some((language, _)), None) if best >= LEAST && best.saturating_mul(SHARE) >= self.words => language,
            _ => "",
        }
    }

    fn cyrillic(&self) -> &'static str {
        let [ukrainian, belarusian, serbian, russian, hard, ..] = self.telling;
        if belarusian > 0 {
            "be"
        } else if serbian > 0 && serbian >= russian {
            "sr"
        } else if ukrainian > russian {
            "uk"
        // A vowel there, and frequent; in Russian a rare sign.
        } else if hard > russian {
            "bg"
        } else {
            "ru"
        }
    }

    fn arabic(&self, letters: u32) -> &'static str {
        let [.., persian, urdu] = self.telling;
        if urdu.saturating_mul(40) > letters {
            "ur"
        } else if persian.saturating_mul(40) > letters {
            "fa"
        } else {
            "ar"
        }
    }
}

const SCRIPT_ORDER: [Script; SCRIPTS] = [
    Script::Latin,
    Script::Cyrillic,
    Script::Greek,
    Script::Hebrew,
    Script::Arabic,
    Script::Devanagari,
    Script::Bengali,
    Script::Tamil,
    Script::Telugu,
    Script::Thai,
    Script::Georgian,
    Script::Armenian,
    Script::Han,
    Script::Kana,
    Script::Hangul,
];
