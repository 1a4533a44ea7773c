//! Where a second telling of an answer repeats the first: its beginning is held until that is decided.

/// Bytes that both must share before it counts as a repetition: shorter ones are found in any two texts.
const MIN_OVERLAP: usize = 12;
/// A second telling may begin anew; bytes of the first that must be there for it to be noticed.
const MIN_WHOLE: usize = 4;

pub(super) struct Overlap {
    /// How the second telling begins, as far as it is not decided.
    held: String,
    /// Places in the first that the second may be following, and is beyond none of them.
    places: Vec<usize>,
    /// Lengths at which the first ends as the second begins, shortest first.
    ends: Vec<usize>,
    /// Bytes of white space at the first's end: they were not sent along, and may come again.
    spare: usize,
}

impl Overlap {
    pub fn new(said: &str) -> Self {
        Self { held: String::new(), places: vec![], ends: vec![], spare: said.len() - said.trim_end().len() }
    }

    /// More of the second telling. What of it is new, once that is known.
    pub fn push(&mut self, said: &str, more: &str) -> Option<String> {
        let (bytes, mut at) = (said.as_bytes(), self.held.len());
        self.held.push_str(more);
        for byte in more.bytes() {
            if at == 0 {
                self.places = (0..bytes.len()).collect();
            }
            self.places.retain(|place| bytes.get(place + at) == Some(&byte));
            at += 1;
            // In order, so that only the last can be at the end.
            if self.places.last().is_some_and(|place| place + at == bytes.len()) {
                self.ends.push(at);
                self.places.pop();
            }
            if self.places.is_empty() {
                return Some(self.rest(said));
            }
        }
        None
    }

    pub const fn is_begun(&self) -> bool {
        !self.held.is_empty()
    }

    /// What is new in what was held, should no more come.
    pub fn rest(&mut self, said: &str) -> String {
        let held = std::mem::take(&mut self.held);
        let mut ends = self.ends.iter().enumerate().rev();
        let repeated = ends.find(|(nth, length)| self.is_repetition(*nth, **length, said.len())).map_or(0, |(_, length)| *length);
        held.get(repeated..).unwrap_or_default().to_owned()
    }

    /// A row of the same words ends as it begins whether it is repeated or goes on: that is none.
    fn is_repetition(&self, nth: usize, length: usize, said: usize) -> bool {
        let border = nth.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        length <= self.spare || (length == said && length >= MIN_WHOLE) || (length >= MIN_OVERLAP && border * 2 < length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In pieces of every size.
    fn joined(said: &str, second: &str) -> String {
        let mut results = vec![];
        let chars: Vec<char> = second.chars().collect();
        for size in 1..=chars.len().max(1) {
            let (mut overlap, mut out, mut decided) = (Overlap::new(said), said.to_owned(), false);
            for piece in chars.chunks(size) {
                let piece: String = piece.iter().collect();
                if decided {
                    out.push_str(&piece);
                } else if let Some(new) = overlap.push(said, &piece) {
                    out.push_str(&new);
                    decided = true;
                }
            }
            if !decided {
                out.push_str(&overlap.rest(said));
            }
            results.push(out);
        }
        results.dedup();
        assert_eq!(results.len(), 1, "the same however it is cut: {results:?}");
        results.remove(0)
    }

    #[test]
    fn what_is_told_twice_is_told_once() {
        let fox = "The quick brown fox jumps over the lazy dog.";
        for (said, second, whole) in [
            ("The quick brown ", "fox", "The quick brown fox"),
            // White space at the end is not sent along.
            ("The quick brown ", " fox", "The quick brown fox"),
            ("One.\n\n", "\nTwo.", "One.\n\nTwo."),
            ("The quick brown", " fox", "The quick brown fox"),
            ("The quick brown fox ju", fox, fox),
            ("The quick brown fox jum", "brown fox jumps over", "The quick brown fox jumps over"),
            ("The quick brown fox", "The quick brown fox", "The quick brown fox"),
            ("Größe und Wärme im Süden", "Wärme im Süden sind", "Größe und Wärme im Süden sind"),
            // Too short to be more than chance.
            ("hel", "lo", "hello"),
            ("10", "000", "10000"),
            ("so much the", "the end", "so much thethe end"),
            ("Hi ", "Hi there", "Hi Hi there"),
            ("Hi, ", "Hi, there", "Hi, there"),
            // A row is no repetition.
            ("0, 0, 0, 0, 0, 0, 0, 0, ", "0, 0, 0, 0, 0, 0, 1", "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1"),
            ("", "Hello", "Hello"),
            ("Hello", "", "Hello"),
            // Inside of what was said, and no more.
            ("The quick brown fox jumps", "quick brown", "The quick brown fox jumpsquick brown"),
        ] {
            assert_eq!(joined(said, second), whole, "{said:?} + {second:?}");
        }
    }
}
