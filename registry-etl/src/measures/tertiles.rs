//! Centres by volume.

use registry_core::record::CentreTable;
use serde_json::Value;
use std::collections::BTreeMap;

const NAMES: [&str; 3] = ["low", "middle", "high"];

/// The third each centre is in by the yearly RPS volume of its last known year up to `year`; centres of equal volume are in the same,
/// the lower one. A centre without a volume is in none.
pub fn volume_tertiles(centres: &CentreTable, year: i32) -> BTreeMap<String, &'static str> {
    tertiles_of(centres, "annual_rps_volume", year)
}

/// The same by the metastasectomies of a year.
pub fn metastasectomy_tertiles(centres: &CentreTable, year: i32) -> BTreeMap<String, &'static str> {
    tertiles_of(centres, "annual_metastasectomy_volume", year)
}

fn tertiles_of(centres: &CentreTable, element: &str, year: i32) -> BTreeMap<String, &'static str> {
    let mut volumes: BTreeMap<String, u64> = BTreeMap::new();
    // Rows come in the order of years: the last one wins.
    for row in centres.rows() {
        let known = row.get("effective_year").and_then(Value::as_i64);
        let (Some(centre), Some(volume)) = (
            row.get("centre_id").and_then(Value::as_str),
            row.get(element).and_then(Value::as_u64),
        ) else {
            continue;
        };
        if known.is_some_and(|known| known <= i64::from(year)) {
            volumes.insert(centre.to_owned(), volume);
        }
    }
    let mut sorted: Vec<u64> = volumes.values().copied().collect();
    sorted.sort_unstable();
    volumes
        .into_iter()
        .map(|(centre, volume)| {
            let below = sorted.partition_point(|other| *other < volume);
            let third = below * NAMES.len() / sorted.len().max(1);
            (centre, NAMES.get(third).copied().unwrap_or(NAMES[2]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn thirds_by_the_last_volume_known() {
        let row = |centre: &str, year: i32, volume: u32| json!({"centre_id": centre, "effective_year": year, "annual_rps_volume": volume});
        let table = CentreTable::from_rows([
            row("A", 2020, 50),
            row("A", 2024, 5),
            row("B", 2020, 10),
            row("C", 2020, 10),
            row("D", 2020, 20),
            row("E", 2020, 30),
            row("F", 2020, 40),
            row("F", 2027, 1),
            json!({"centre_id": "G", "effective_year": 2020}),
        ])
        .unwrap();
        let thirds = volume_tertiles(&table, 2026);
        let of = |centre: &str| thirds.get(centre).copied();
        // 5, 10, 10, 20, 30, 40: two centres a third; B and C are equal and both have one centre below.
        assert_eq!([of("A"), of("B"), of("C")], [Some("low"); 3]);
        assert_eq!(of("D"), Some("middle"));
        assert_eq!([of("E"), of("F")], [Some("high"); 2]);
        assert_eq!(of("G"), None);
    }
}
