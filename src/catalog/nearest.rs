//! "Did you mean": the known names closest to one that is not known.

/// Names offered in a message.
const MAX_SHOWN: usize = 3;
/// Names compared at most: the work of an error is bounded, however many routes there are.
const MAX_COMPARED: usize = 4096;
/// Characters compared of a name; longer ones are not typing slips.
const MAX_LENGTH: usize = 64;
/// One slip in so many characters still counts as near.
const CHARACTERS_PER_SLIP: usize = 4;
/// Names this short match too much as a prefix.
const MIN_PREFIX: usize = 3;

/// The nearest of `known`, best first; none when nothing is near.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = folded(name);
    let limit = (wanted.len() / CHARACTERS_PER_SLIP).max(2);
    let mut near: Vec<(usize, &str)> = known
        .take(MAX_COMPARED)
        .filter_map(|candidate| {
            let other = folded(candidate);
            if wanted.len() >= MIN_PREFIX && other.starts_with(&wanted) {
                return Some((1, candidate));
            }
            if wanted.len().abs_diff(other.len()) > limit {
                return None;
            }
            let slips = distance(&wanted, &other);
            (slips <= limit && slips < wanted.len()).then_some((slips, candidate))
        })
        .collect();
    let mut shown = vec![];
    while shown.len() < MAX_SHOWN
        && let Some(best) = near.iter().min().copied()
    {
        near.retain(|other| *other != best);
        shown.push(best.1);
    }
    shown
}

fn folded(name: &str) -> Vec<u8> {
    name.bytes().take(MAX_LENGTH).map(|b| b.to_ascii_lowercase()).collect()
}

/// Insertions, deletions and replacements between two names.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, &above) in b.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            diagonal = above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
