//! Where a request came in: one of the platform's location hints, which name the health objects too.

pub const ALL: [&str; 9] = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"];

/// Degrees west of which North America counts as its western half.
const AMERICA_SPLIT: i32 = -100;
/// Degrees east of which Europe counts as its eastern half.
const EUROPE_SPLIT: i32 = 15;

/// The region of `continent, country, colo, longitude`, separated by tabs. Unknown places count as western Europe.
pub fn of(place: &str) -> &'static str {
    let mut parts = place.split('\t');
    let continent = parts.next().unwrap_or_default();
    let country = parts.next().unwrap_or_default();
    // Whole degrees are fine enough: `-122.4` counts as `-122`.
    let longitude: Option<i32> = parts.nth(1).and_then(|text| text.split('.').next()?.parse().ok());
    let west_of = |split: i32, default: bool| longitude.map_or(default, |l| l < split);
    match continent {
        "NA" if west_of(AMERICA_SPLIT, false) => "wnam",
        "NA" => "enam",
        "SA" => "sam",
        "EU" if !west_of(EUROPE_SPLIT, true) => "eeur",
        "AF" => "afr",
        "OC" => "oc",
        "AS" if MIDDLE_EAST.contains(&country) => "me",
        "AS" => "apac",
        _ => "weur",
    }
}

const MIDDLE_EAST: [&str; 14] = ["AE", "BH", "CY", "IL", "IQ", "IR", "JO", "KW", "LB", "OM", "QA", "SA", "SY", "YE"];

#[cfg(test)]
mod tests {
    use super::{ALL, of};

    #[test]
    fn places_have_regions() {
        for (place, region) in [
            ("NA\tUS\tSFO\t-122.4", "wnam"),
            ("NA\tUS\tEWR\t-74.2", "enam"),
            ("EU\tDE\tFRA\t8.5", "weur"),
            ("EU\tPL\tWAW\t20.9", "eeur"),
            ("AS\tAE\tDXB\t55.3", "me"),
            ("AS\tJP\tNRT\t140.3", "apac"),
            ("\t\t\t", "weur"),
        ] {
            assert_eq!(of(place), region, "{place:?}");
            assert!(ALL.contains(&region), "{place:?}");
        }
    }
}
