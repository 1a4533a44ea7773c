//! Statistics of rounds. Noise only ever adds CPU, so costs are lower quartiles; a ratio is the median of the rounds' own.

/// A count as a real number.
pub fn real(count: u64) -> f64 {
    let high = u32::try_from(count >> 32).unwrap_or(u32::MAX);
    let low = u32::try_from(count & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

/// The quantile of unsorted values, linear between neighbours; zero of none.
pub fn quantile(values: &[f64], permille: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let position = last * permille.min(1000);
    let below = sorted.get(position / 1000).copied().unwrap_or_default();
    let above = sorted.get((position / 1000 + 1).min(last)).copied().unwrap_or(below);
    let share = f64::from(u32::try_from(position % 1000).unwrap_or_default()) / 1000.0;
    below + (above - below) * share
}

pub fn median(values: &[f64]) -> f64 {
    quantile(values, 500)
}

pub fn lower_quartile(values: &[f64]) -> f64 {
    quantile(values, 250)
}

/// The costs of two things measured in turn, round by round.
pub struct Pairs {
    pub floor: Vec<f64>,
    pub gateway: Vec<f64>,
}

impl Pairs {
    /// The median of the per-round ratios: slow drift of the machine cancels out.
    pub fn ratio(&self) -> f64 {
        let ratios: Vec<f64> = self.floor.iter().zip(&self.gateway).map(|(floor, gateway)| gateway / floor).collect();
        median(&ratios)
    }

    /// The ratio of the lower quartiles, as a check on the median.
    pub fn quartile_ratio(&self) -> f64 {
        lower_quartile(&self.gateway) / lower_quartile(&self.floor)
    }

    pub fn added(&self) -> f64 {
        lower_quartile(&self.gateway) - lower_quartile(&self.floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        for (values, permille, expected) in [
            (&[][..], 500, 0.0),
            (&[7.0][..], 990, 7.0),
            (&[3.0, 1.0, 2.0][..], 500, 2.0),
            (&[1.0, 2.0, 3.0, 4.0][..], 500, 2.5),
            (&[4.0, 1.0, 3.0, 2.0, 5.0][..], 250, 2.0),
            (&[0.0, 10.0][..], 990, 9.9),
            (&[0.0, 10.0][..], 1000, 10.0),
        ] {
            assert!(near(quantile(values, permille), expected), "{values:?} at {permille}");
        }
    }

    #[test]
    fn ratio_is_of_rounds_and_not_of_sums() {
        // The machine was three times slower in the last round: both sides felt it, the ratio does not.
        let pairs = Pairs { floor: vec![10.0, 10.0, 30.0], gateway: vec![15.0, 16.0, 45.0] };
        assert!(near(pairs.ratio(), 1.5));
        assert!(near(pairs.quartile_ratio(), 1.55));
        assert!(near(pairs.added(), 5.5));
    }

    #[test]
    fn counts_above_32_bits_are_kept() {
        assert!(near(real(5_000_000_000), 5e9));
        assert!(near(real(0), 0.0));
    }
}
