//! What was told of the items of a stream so far.

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Refusal,
    Call,
    Summary,
    Thoughts,
    Other,
}

/// An item, by its place in the output.
pub(super) struct Item {
    pub(super) output_index: u64,
    pub(super) pieces: Vec<Piece>,
    pub(super) ended: bool,
}

/// A piece of an item that has a block of its own.
pub(super) struct Piece {
    pub(super) kind: Kind,
    pub(super) place: u64,
    pub(super) block: usize,
    /// Its text, its sources, its likelihoods were told.
    pub(super) told: bool,
    pub(super) cited: bool,
    pub(super) weighed: bool,
}

impl Item {
    pub(super) const fn new(output_index: u64) -> Self {
        Self { output_index, pieces: vec![], ended: false }
    }

    /// A piece by its place; the only one of its kind without.
    fn find(&self, kind: Kind, place: Option<u64>) -> Option<&Piece> {
        self.pieces.iter().find(|piece| piece.kind == kind && place.is_none_or(|place| piece.place == place))
    }

    pub(super) fn block(&self, kind: Kind, place: Option<u64>) -> Option<usize> {
        self.find(kind, place).map(|piece| piece.block)
    }

    pub(super) fn has_told(&self, kind: Kind, place: Option<u64>) -> bool {
        self.find(kind, place).is_some_and(|piece| piece.told)
    }

    /// Whether its text, its sources and its likelihoods were told.
    pub(super) fn told(&self, kind: Kind, place: Option<u64>) -> (bool, bool, bool) {
        self.find(kind, place).map(|piece| (piece.told, piece.cited, piece.weighed)).unwrap_or_default()
    }
}
