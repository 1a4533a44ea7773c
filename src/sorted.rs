//! What is kept in order as one list: sorted rows, and a map in place of `BTreeMap`: that one brings eight kilobytes of code along for each type it
//! holds, and what is kept here are tens of rows, seldom thousands.

use std::{borrow::Borrow, iter::Map, slice, vec};

/// The rows in order; of two that may stand either way the first stays first. Sorted by insertion, for some tens of rows or
/// such as are nearly in order: the library's sort brings five kilobytes of code along for each type.
pub fn in_order<T>(rows: impl IntoIterator<Item = T>, may_precede: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut sorted = vec![];
    for row in rows {
        let place = sorted.partition_point(|known| may_precede(known, &row));
        sorted.insert(place, row);
    }
    sorted
}

type Row<'a, K, V> = fn(&'a (K, V)) -> (&'a K, &'a V);
type RowMut<'a, K, V> = fn(&'a mut (K, V)) -> (&'a K, &'a mut V);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortedMap<K, V>(Vec<(K, V)>);

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> SortedMap<K, V> {
    pub const fn new() -> Self {
        Self(vec![])
    }

    pub const fn len(&self) -> usize {
        self.0.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn iter(&self) -> Map<slice::Iter<'_, (K, V)>, Row<'_, K, V>> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub fn iter_mut(&mut self) -> Map<slice::IterMut<'_, (K, V)>, RowMut<'_, K, V>> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator + Clone {
        self.0.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator + Clone {
        self.0.iter().map(|(_, value)| value)
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    pub fn retain(&mut self, mut keeps: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| keeps(key, value));
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    /// Where a key is, or where it belongs.
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(known, _)| known.borrow().cmp(key))
    }

    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.get_key_value(key).map(|(_, value)| value)
    }

    pub fn get_key_value<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        self.0.get(self.place(key).ok()?).map(|(key, value)| (key, value))
    }

    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    /// The value under a key, put there if there was none.
    pub fn or_insert(&mut self, key: K, value: V) -> &mut V {
        match self.place(&key) {
            Ok(place) => &mut self.0[place].1,
            Err(place) => &mut self.0.insert_mut(place, (key, value)).1,
        }
    }

    pub fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.or_insert(key, V::default())
    }

    /// Gives back what was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(place) => self.0.get_mut(place).map(|(_, known)| std::mem::replace(known, value)),
            Err(place) => {
                self.0.insert(place, (key, value));
                None
            }
        }
    }

    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|place| self.0.remove(place).1)
    }
}

impl<K: Ord, V> Extend<(K, V)> for SortedMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, rows: I) {
        for (key, value) in rows {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(rows: I) -> Self {
        let mut map = Self::new();
        map.extend(rows);
        map
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for SortedMap<K, V> {
    fn from(rows: [(K, V); N]) -> Self {
        rows.into_iter().collect()
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, K, V> IntoIterator for &'a SortedMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Map<slice::Iter<'a, (K, V)>, Row<'a, K, V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, K, V> IntoIterator for &'a mut SortedMap<K, V> {
    type Item = (&'a K, &'a mut V);
    type IntoIter = Map<slice::IterMut<'a, (K, V)>, RowMut<'a, K, V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{SortedMap, in_order};

    /// The same as a `BTreeMap`, whatever is done to it.
    #[test]
    fn it_behaves_as_a_map_in_order() {
        let (mut map, mut model, mut dice) = (SortedMap::new(), BTreeMap::new(), 1_u32);
        for round in 0..2_000_u32 {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = dice >> 26;
            match dice >> 20 & 7 {
                0..3 => assert_eq!(map.insert(key, round), model.insert(key, round)),
                3 => assert_eq!(map.or_insert(key, round), model.entry(key).or_insert(round)),
                4 => assert_eq!(map.or_default(key), model.entry(key).or_default()),
                5 => assert_eq!(map.remove(&key), model.remove(&key)),
                6 => assert_eq!(map.get_mut(&key), model.get_mut(&key)),
                _ => {
                    map.retain(|key, value| (*key + *value) % 3 > 0);
                    model.retain(|key, value| (*key + *value) % 3 > 0);
                }
            }
            assert_eq!((map.get(&key), map.contains_key(&key)), (model.get(&key), model.contains_key(&key)));
            assert!(map.iter().eq(&model) && map.len() == model.len(), "round {round}");
        }
    }

    #[test]
    fn rows_that_may_stand_either_way_keep_their_order() {
        let rows = [(2, 'a'), (1, 'b'), (2, 'c'), (0, 'd'), (1, 'e')];
        let sorted = in_order(rows, |a, b| a.0 <= b.0);
        assert_eq!(sorted, [(0, 'd'), (1, 'b'), (1, 'e'), (2, 'a'), (2, 'c')]);
    }

    #[test]
    fn of_rows_with_one_key_the_last_stays() {
        let map: SortedMap<_, _> = [("b", 1), ("a", 2), ("b", 3)].into_iter().collect();
        assert!(map.into_iter().eq([("a", 2), ("b", 3)]));
    }
}
