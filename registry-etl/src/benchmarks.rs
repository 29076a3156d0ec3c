//! Published series, as data: `schema/benchmarks/published.csv` (73 rows with their confidence) and `comparisons.toml`, which says beside
//! which estimate of the registry a row may stand. Nothing is tested against them: they are crude numbers of other populations.

use std::collections::BTreeSet;

use crate::cohorts::definition::Stratum;
use registry_core::versions::SchemaStore;
use serde::{Deserialize, Serialize};

const PUBLISHED: &str = "benchmarks/published.csv";
const COMPARISONS: &str = "benchmarks/comparisons.toml";
/// The endpoints of the survival specification.
const ENDPOINTS: [&str; 13] = [
    "S1", "S1b", "S2", "S3", "S3r", "S4", "S5", "S5s", "S6", "S7", "S8", "S9", "S10",
];

/// What is wrong with the files, all of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct BenchmarkErrors(pub Vec<String>);

/// How sure it is that a number was read from the source as it was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReadingConfidence)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

/// What kind of number a row gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PublishedKind)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// A figure cited in the source's introduction.
    Headline,
    /// A cohort of operated patients.
    Cohort,
    /// One arm of a randomised trial.
    TrialArm,
}

/// What a survival or a median is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PublishedOutcome)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Overall,
    DiseaseSpecific,
    DiseaseFree,
}

/// One published row. Times are in months, shares in per cent; p-values are as printed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PublishedSeries)]
pub struct Published {
    pub id: String,
    pub kind: RowKind,
    pub source_table: String,
    pub topic: String,
    pub reference: String,
    pub reference_no: Option<String>,
    pub year: Option<u16>,
    pub institution: Option<String>,
    pub n: Option<u32>,
    pub n_note: Option<String>,
    pub survival_pct: Option<f64>,
    /// When it is read off: five years mostly, three or four in two series.
    pub survival_months: Option<u32>,
    pub survival_of: Option<Outcome>,
    pub median_months: Option<f64>,
    pub median_of: Option<Outcome>,
    pub median_note: Option<String>,
    /// Share of retroperitoneal sarcoma among the patients.
    pub rps_pct: Option<f64>,
    pub rps_note: Option<String>,
    pub phase: Option<String>,
    pub arm: Option<String>,
    pub arm_role: Option<String>,
    pub trial_n: Option<u32>,
    pub orr_pct: Option<f64>,
    pub orr_p: Option<String>,
    pub pfs_months: Option<f64>,
    pub pfs_p: Option<String>,
    pub os_months: Option<f64>,
    pub os_p: Option<String>,
    pub conclusion: Option<String>,
    pub confidence: Confidence,
    pub reading_note: Option<String>,
    pub note: Option<String>,
}

/// Published rows for one group of an endpoint; none when the source has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = BenchmarkComparison)]
pub struct Comparison {
    pub endpoint: String,
    pub group: String,
    /// Where the rows are of a part of another group: which, and the levels of its breakdown that they stand beside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Stratum>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<String>,
    /// Ids, in the order of the table.
    pub rows: Vec<String>,
    pub caveat: String,
}

/// Published rows that stand beside no estimate of the registry, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apart {
    /// Ids.
    pub rows: Vec<String>,
    pub caveat: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    comparison: Vec<Entry>,
    #[serde(default)]
    apart: Vec<Apart>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    endpoint: String,
    group: String,
    #[serde(default)]
    of: Option<String>,
    #[serde(default)]
    by: Option<Stratum>,
    #[serde(default)]
    levels: Vec<String>,
    rows: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    caveat: String,
}

/// The published series and what they may be compared with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Benchmarks {
    pub published: Vec<Published>,
    pub comparisons: Vec<Comparison>,
    pub apart: Vec<Apart>,
}

impl Benchmarks {
    /// Reads the files of a schema folder.
    ///
    /// # Errors
    /// Every fault at once: a row that cannot be read or stands twice, an id or prefix without a row, an endpoint nobody knows.
    pub fn of(store: &SchemaStore) -> Result<Self, BenchmarkErrors> {
        let missing = |path: &str| BenchmarkErrors(vec![format!("{path}: there is no such file")]);
        let published = store.file(PUBLISHED).ok_or_else(|| missing(PUBLISHED))?;
        let comparisons = store.file(COMPARISONS).ok_or_else(|| missing(COMPARISONS))?;
        Self::read(published, comparisons)
    }

    /// Reads the texts of both files.
    ///
    /// # Errors
    /// As [`Benchmarks::of`].
    pub fn read(published: &str, comparisons: &str) -> Result<Self, BenchmarkErrors> {
        let mut faults = Vec::new();
        let mut rows: Vec<Published> = Vec::new();
        for row in csv::Reader::from_reader(published.as_bytes()).deserialize::<Published>() {
            match row {
                Ok(row) => {
                    if rows.iter().any(|known| known.id == row.id) {
                        faults.push(format!("{PUBLISHED}: row `{}` stands twice", row.id));
                    }
                    faults.extend(
                        incoherent(&row).map(|what| format!("{PUBLISHED}: row `{}`: {what}", row.id)),
                    );
                    rows.push(row);
                }
                Err(error) => faults.push(format!("{PUBLISHED}: {error}")),
            }
        }
        let file: File = match toml::from_str(comparisons) {
            Ok(file) => file,
            Err(error) => {
                faults.push(format!("{COMPARISONS}: {error}"));
                return Err(BenchmarkErrors(faults));
            }
        };
        let mut resolved: Vec<Comparison> = Vec::new();
        for entry in file.comparison {
            let mut fault = |what: String| {
                faults.push(format!(
                    "{COMPARISONS}: {} {}: {what}",
                    entry.endpoint, entry.group
                ))
            };
            if !ENDPOINTS.contains(&entry.endpoint.as_str()) {
                fault("there is no such endpoint".to_owned());
            }
            if resolved
                .iter()
                .any(|known| known.endpoint == entry.endpoint && known.group == entry.group)
            {
                fault("stands twice".to_owned());
            }
            if entry.of.is_some() != entry.by.is_some() || entry.by.is_none() != entry.levels.is_empty() {
                fault("a part of a group is told by `of`, `by` and `levels` together".to_owned());
            }
            let mut named = |words: &[String]| -> BTreeSet<usize> {
                let mut found = BTreeSet::new();
                for word in words {
                    let before = found.len();
                    let matching = rows.iter().enumerate().filter(|(_, row)| begins(&row.id, word));
                    found.extend(matching.map(|(at, _)| at));
                    if found.len() == before {
                        fault(format!("`{word}` names no row, or only rows named before"));
                    }
                }
                found
            };
            let without = named(&entry.except);
            let with = named(&entry.rows);
            if without.iter().any(|at| !with.contains(at)) {
                fault("an exception is not among the rows".to_owned());
            }
            let ids = with.difference(&without).filter_map(|at| rows.get(*at));
            resolved.push(Comparison {
                rows: ids.map(|row| row.id.clone()).collect(),
                endpoint: entry.endpoint,
                group: entry.group,
                of: entry.of,
                by: entry.by,
                levels: entry.levels,
                caveat: entry.caveat,
            });
        }
        for id in file.apart.iter().flat_map(|one| &one.rows) {
            if !rows.iter().any(|row| row.id == *id) {
                faults.push(format!("{COMPARISONS}: apart: `{id}` names no row"));
            }
            if resolved.iter().any(|one| one.rows.contains(id)) {
                faults.push(format!("{COMPARISONS}: apart: `{id}` stands beside an estimate"));
            }
        }
        if faults.is_empty() {
            Ok(Self {
                published: rows,
                comparisons: resolved,
                apart: file.apart,
            })
        } else {
            Err(BenchmarkErrors(faults))
        }
    }

    /// A published row by id.
    pub fn row(&self, id: &str) -> Option<&Published> {
        self.published.iter().find(|row| row.id == id)
    }

    /// Comparisons of parts of a group: of one histology, of R0 only.
    pub fn parts<'a>(&'a self, endpoint: &'a str, group: &'a str) -> impl Iterator<Item = &'a Comparison> {
        let parts = self.comparisons.iter();
        parts.filter(move |one| one.endpoint == endpoint && one.of.as_deref() == Some(group))
    }

    /// What stands beside a group of an endpoint: its rows of at least the given confidence, and what to keep in mind. `None` when
    /// nobody said whether there is any.
    pub fn beside(&self, endpoint: &str, group: &str, least: Confidence) -> Option<(Vec<&Published>, &str)> {
        let comparison = self
            .comparisons
            .iter()
            .find(|known| known.endpoint == endpoint && known.group == group)?;
        let rows = comparison.rows.iter().filter_map(|id| self.row(id));
        Some((
            rows.filter(|row| row.confidence >= least).collect(),
            &comparison.caveat,
        ))
    }
}

/// An id begins with a word and goes on, if at all, with a digit or a letter of the arm: `P1` does not name `P10`.
fn begins(id: &str, word: &str) -> bool {
    id.strip_prefix(word).is_some_and(|rest| {
        let ends_in_digit = word.ends_with(|c: char| c.is_ascii_digit());
        rest.is_empty() || !(ends_in_digit && rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

fn incoherent(row: &Published) -> impl Iterator<Item = &'static str> {
    let survival = [
        row.survival_pct.is_some(),
        row.survival_months.is_some(),
        row.survival_of.is_some(),
    ];
    let share = |value: Option<f64>| value.is_none_or(|value| (0.0..=100.0).contains(&value));
    let time = |value: Option<f64>| value.is_none_or(|value| value > 0.0 && value < 1200.0);
    [
        (
            survival.iter().any(|given| *given != survival[0]),
            "a survival needs its month and what it is of",
        ),
        (
            row.median_months.is_some() != row.median_of.is_some(),
            "a median needs what it is of",
        ),
        (
            !(share(row.survival_pct) && share(row.rps_pct) && share(row.orr_pct)),
            "a share lies between 0 and 100",
        ),
        (
            !(time(row.median_months) && time(row.pfs_months) && time(row.os_months)),
            "a time is above 0 months",
        ),
    ]
    .into_iter()
    .filter_map(|(wrong, what)| wrong.then_some(what))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn ids(rows: &[&Published]) -> Vec<String> {
        rows.iter().map(|row| row.id.clone()).collect()
    }

    #[test]
    fn all_73_rows_are_there_and_every_one_stands_beside_something_or_apart() {
        let all = Benchmarks::of(&SchemaStore::embedded().unwrap()).unwrap();
        assert_eq!(all.published.len(), 73);
        let low: Vec<&str> = all
            .published
            .iter()
            .filter(|row| row.confidence == Confidence::Low)
            .map(|row| row.id.as_str())
            .collect();
        assert_eq!(low, ["P12", "P18", "P23", "P27", "P29", "L11", "T03a", "T03b"]);
        for row in &all.published {
            let beside = all.comparisons.iter().any(|one| one.rows.contains(&row.id));
            let apart = all.apart.iter().any(|one| one.rows.contains(&row.id));
            assert!(beside != apart, "{}", row.id);
        }
    }

    #[test]
    fn the_headline_figures_stand_beside_overall_survival() {
        let all = Benchmarks::of(&SchemaStore::embedded().unwrap()).unwrap();
        let (rows, caveat) = all.beside("S1", "all", Confidence::Medium).unwrap();
        assert_eq!(ids(&rows), ["H1", "H2"]);
        assert_eq!((rows[0].median_months, rows[0].survival_pct), (Some(16.0), None));
        assert_eq!(
            (rows[1].survival_pct, rows[1].survival_months),
            (Some(5.0), Some(60))
        );
        assert!(caveat.contains("not one cohort"));
    }

    #[test]
    fn rows_that_measure_something_else_do_not_stand_beside_overall_survival_after_lung_surgery() {
        let all = Benchmarks::of(&SchemaStore::embedded().unwrap()).unwrap();
        let (rows, _) = all.beside("S4", "lung", Confidence::Medium).unwrap();
        let shown = ids(&rows);
        // 35 rows, less seven for other groups, less five of low confidence.
        assert_eq!(shown.len(), 23);
        for other in ["P01", "P15", "P16", "P25", "P28", "P33", "P34", "P29", "P12"] {
            assert!(!shown.iter().any(|id| id == other), "{other}");
        }
        let at = |id: &str| all.row(id).unwrap().survival_months;
        assert_eq!((at("P07"), at("P14"), at("P02")), (Some(48), Some(36), None));
        let dfs = all.row("P25").unwrap();
        assert_eq!(
            (dfs.median_months, dfs.median_of),
            (Some(20.4), Some(Outcome::DiseaseFree))
        );
    }

    #[test]
    fn values_of_a_part_stand_beside_the_estimate_of_that_part() {
        let store = SchemaStore::embedded().unwrap();
        let all = Benchmarks::of(&store).unwrap();
        let endpoints = crate::cohorts::definitions(&store).unwrap();
        let told = |endpoint: &str, group: &str| -> Vec<(String, Vec<String>, Vec<String>)> {
            let parts = all.parts(endpoint, group);
            let one = |part: &Comparison| {
                let by = part.by.unwrap().as_str().to_owned();
                (by, part.levels.clone(), part.rows.clone())
            };
            parts.map(one).collect()
        };
        let row = |by: &str, levels: &[&str], rows: &[&str]| {
            let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
            (by.to_owned(), owned(levels), owned(rows))
        };
        assert_eq!(
            told("S4", "lung"),
            [
                row("histology", &["lms"], &["P28", "P33"]),
                row("histology", &["wdlps", "ddlps"], &["P34"]),
                row("dfi", &["12_months_and_over"], &["P01"]),
            ]
        );
        let others = ["wdlps", "ddlps", "sft", "mpnst", "ss", "ups"];
        assert_eq!(
            told("S4", "liver"),
            [
                row("completeness", &["R0"], &["L03"]),
                row("histology", &["lms"], &["L12"]),
                row("histology", &others, &["L13"]),
            ]
        );
        assert_eq!(told("S5", "all"), [row("organ", &["lung"], &["P25"])]);
        // Every part is of a group that an endpoint has, broken down as it says.
        for part in all.comparisons.iter().filter(|one| one.of.is_some()) {
            assert!(
                endpoints.iter().any(|one| {
                    one.endpoint == part.endpoint
                        && Some(&one.group) == part.of.as_ref()
                        && part.by.is_some_and(|by| one.strata.contains(&by))
                }),
                "{part:?}"
            );
        }
        // Every other group is that of an endpoint.
        for one in all.comparisons.iter().filter(|one| one.of.is_none()) {
            let known = |definition: &crate::cohorts::Definition| {
                definition.endpoint == one.endpoint && definition.group == one.group
            };
            assert!(endpoints.iter().any(known), "{one:?}");
        }
    }

    /// Disease-specific survival after an operation is not that of everybody from the diagnosis on.
    #[test]
    fn a_row_of_another_origin_stands_beside_nothing() {
        let all = Benchmarks::of(&SchemaStore::embedded().unwrap()).unwrap();
        assert_eq!(
            all.row("P16").unwrap().survival_of,
            Some(Outcome::DiseaseSpecific)
        );
        let (rows, _) = all.beside("S1b", "all", Confidence::Low).unwrap();
        assert!(rows.is_empty());
        let apart: Vec<&String> = all.apart.iter().flat_map(|one| &one.rows).collect();
        assert_eq!(apart, ["P16"]);
    }

    /// Pazopanib was not tried in liposarcoma, trabectedin and eribulin in nothing else but leiomyosarcoma, T05 in leiomyosarcoma alone.
    #[test]
    fn trials_of_later_lines_stand_beside_the_histology_they_took() {
        let all = Benchmarks::of(&SchemaStore::embedded().unwrap()).unwrap();
        for endpoint in ["S2", "S3", "S3r"] {
            let (rows, _) = all.beside(endpoint, "later lines", Confidence::Low).unwrap();
            assert_eq!(ids(&rows), ["T01a", "T01b", "T03a", "T03b"], "of every histology");
            let trials = |level: &str| -> Vec<String> {
                let parts = all.parts(endpoint, "later lines");
                let of_level = parts.filter(|part| part.levels.iter().any(|one| one == level));
                let mut rows: Vec<String> = of_level.flat_map(|part| part.rows.clone()).collect();
                rows.sort();
                rows
            };
            for liposarcoma in ["wdlps", "ddlps"] {
                assert_eq!(
                    trials(liposarcoma),
                    ["T08a", "T08b", "T11a", "T11b"],
                    "{endpoint}"
                );
            }
            let leiomyosarcoma = ["T04a", "T04b", "T05a", "T05b", "T08a", "T08b", "T11a", "T11b"];
            assert_eq!(trials("lms"), leiomyosarcoma, "{endpoint}");
            for other in ["sft", "mpnst", "ss", "ups"] {
                assert_eq!(trials(other), ["T04a", "T04b"], "{endpoint}");
            }
        }
    }

    #[test]
    fn what_has_no_series_says_so_and_low_confidence_is_hidden() {
        let all = Benchmarks::of(&SchemaStore::embedded().unwrap()).unwrap();
        assert!(
            all.beside("S4", "intra-abdominal", Confidence::Low)
                .unwrap()
                .0
                .is_empty()
        );
        assert_eq!(all.beside("S4", "bone", Confidence::Low), None);
        let (rows, _) = all.beside("S2", "later lines", Confidence::Medium).unwrap();
        assert!(!ids(&rows).iter().any(|id| id.starts_with("T03")));
        let (rows, _) = all.beside("S2", "later lines", Confidence::Low).unwrap();
        assert!(ids(&rows).contains(&"T03a".to_owned()));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let head = SchemaStore::embedded().unwrap();
        let head = head.file(PUBLISHED).unwrap().lines().next().unwrap().to_owned();
        let empty = ",".repeat(head.matches(',').count());
        let row = |id: &str, confidence: &str, survival: &str| {
            let mut fields: Vec<&str> = empty.split(',').collect();
            let names: Vec<&str> = head.split(',').collect();
            let mut set = |name: &str, value: &'static str| {
                fields[names.iter().position(|n| *n == name).unwrap()] = value;
            };
            set("kind", "cohort");
            let at = |name: &str| names.iter().position(|n| *n == name).unwrap();
            let (id_at, confidence_at, survival_at) = (at("id"), at("confidence"), at("survival_pct"));
            fields[id_at] = id;
            fields[confidence_at] = confidence;
            fields[survival_at] = survival;
            fields.join(",")
        };
        let rows = [
            head.clone(),
            row("P01", "high", ""),
            row("P01", "high", ""),
            row("P02", "high", "120"),
            row("P03", "sure", ""),
        ]
        .join("\n");
        let comparisons = r#"
            [[comparison]]
            endpoint = "S11"
            group = "all"
            rows = ["P01", "L"]
            caveat = ""

            [[apart]]
            rows = ["P01", "P09"]
            caveat = ""
        "#;
        let BenchmarkErrors(faults) = Benchmarks::read(&rows, comparisons).unwrap_err();
        let said = faults.join("\n");
        for part in [
            "row `P01` stands twice",
            "row `P02`: a survival needs its month",
            "row `P02`: a share lies between 0 and 100",
            "unknown variant `sure`",
            "S11 all: there is no such endpoint",
            "S11 all: `L` names no row",
            "apart: `P01` stands beside an estimate",
            "apart: `P09` names no row",
        ] {
            assert!(said.contains(part), "{part} in\n{said}");
        }
    }
}
