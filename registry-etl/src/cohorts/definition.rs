//! Endpoints as data: `schema/endpoints/endpoints.toml`. What a file may name is fixed here; how a named origin or event is dated
//! is Rust, in [`mod@super::estimate`].

use registry_core::versions::SchemaStore;
use serde::{Deserialize, Serialize};

const FILE: &str = "endpoints/endpoints.toml";

/// The file of endpoints cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    #[error("{FILE}: there is no such file")]
    Missing,
    /// With line and column, an unknown name with those that are known.
    #[error("{FILE}: {0}")]
    Unreadable(#[from] toml::de::Error),
    #[error("{FILE}: endpoint `{0}` stands twice")]
    Twice(String),
    #[error("{FILE}: endpoint `{endpoint}`: {what}")]
    Incoherent { endpoint: String, what: &'static str },
}

/// From when a patient is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = EndpointOrigin)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// `presentation.date_detected` of presentation 1.
    MetastaticDiagnosis,
    /// Start of the systemic line `line` of the metastatic setting.
    SystemicLine,
    /// End of that line.
    SystemicLineEnd,
    /// First metastasectomy at one of `sites` (any site when none is named).
    Metastasectomy,
    /// Every further one at those sites: a patient may count several times.
    RepeatMetastasectomy,
    /// First of those that left no known disease.
    ClearingMetastasectomy,
    /// First local treatment by one of `modalities`.
    LocalTreatment,
    /// First decision to wait.
    Observation,
}

impl Origin {
    /// Whether a local treatment is counted from.
    pub fn is_local(self) -> bool {
        matches!(
            self,
            Self::Metastasectomy
                | Self::RepeatMetastasectomy
                | Self::ClearingMetastasectomy
                | Self::LocalTreatment
        )
    }

    fn is_line(self) -> bool {
        matches!(self, Self::SystemicLine | Self::SystemicLineEnd)
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = EndpointEvent)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Death,
    /// Death of the sarcoma; of anything else, and of an unknown cause, compete.
    SarcomaDeath,
    /// `progression.type` is `recurrence_after_clearance`, or death; censored at the last imaging or contact.
    RecurrenceOrDeath,
    /// The site of the first recurrence; death competes.
    RecurrenceSite,
    /// Progression on or after the line, or death; censored where another treatment begins.
    ProgressionOrDeath,
    /// Progression at the site treated; death competes.
    ProgressionAtSite,
    /// Start of the next line; death competes.
    NextLine,
    /// First treatment, or progression; death competes.
    TreatmentOrProgression,
    /// Best response complete or partial: a share.
    Response,
    /// Death within 90 days: a share.
    EarlyDeath,
    /// Complications of grade IIIa or higher: a share.
    MajorMorbidity,
    /// Change of the quality-of-life score since the baseline.
    QualityOfLife,
}

/// How an endpoint is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// Kaplan-Meier.
    Survival,
    /// Cumulative incidence of competing events (Aalen-Johansen).
    Incidence,
    /// A share with its interval and bounds.
    Proportion,
    /// Mean change among those measured twice.
    Change,
}

impl Event {
    /// How it is estimated.
    pub fn estimator(self) -> Estimator {
        match self {
            Self::Death | Self::RecurrenceOrDeath | Self::ProgressionOrDeath => Estimator::Survival,
            Self::SarcomaDeath
            | Self::RecurrenceSite
            | Self::ProgressionAtSite
            | Self::NextLine
            | Self::TreatmentOrProgression => Estimator::Incidence,
            Self::Response | Self::EarlyDeath | Self::MajorMorbidity => Estimator::Proportion,
            Self::QualityOfLife => Estimator::Change,
        }
    }

    /// Code and name of each competing event, the one of interest first; none without competition.
    pub fn causes(self) -> &'static [(&'static str, &'static str)] {
        const DEATH: (&str, &str) = ("death", "Death before it");
        match self {
            Self::SarcomaDeath => &[
                ("sarcoma", "Death of sarcoma"),
                ("other_cause", "Death of another cause"),
                ("unknown_cause", "Death, cause not known"),
            ],
            Self::RecurrenceSite => &[
                ("lung", "First recurrence in the lung"),
                ("liver", "First recurrence in the liver"),
                ("intra_abdominal", "First recurrence within the abdomen"),
                (
                    "elsewhere",
                    "First recurrence elsewhere, at several sites or not recorded",
                ),
                ("death", "Death before recurrence"),
            ],
            Self::ProgressionAtSite => &[("progression", "Progression at the treated site"), DEATH],
            Self::NextLine => &[("next_line", "Start of the next line"), DEATH],
            Self::TreatmentOrProgression => {
                &[("treatment_or_progression", "Treatment or progression"), DEATH]
            }
            _ => &[],
        }
    }
}

/// A breakdown. Every level is known on the day of the origin, or earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stratum {
    Histology,
    Timing,
    Organ,
    Age,
    Period,
    /// Residual tumour of the operation counted from.
    Completeness,
    /// The same, R0 and R1 together.
    MacroscopicCompleteness,
    /// Disease-free interval before the presentation treated.
    Dfi,
    /// Number and size of the lesions of the presentation treated.
    LowVolume,
    /// Whether lesions of the same presentation were ablated up to the day of the operation.
    TreatmentKind,
    /// Response to the last line that ended before the operation.
    PriorResponse,
    /// Class of the line counted from.
    Regimen,
    Grade,
    Ecog,
    /// Third of the centres by yearly operations for retroperitoneal sarcoma; by metastasectomies where one is counted from.
    Volume,
    /// Site treated.
    Site,
    /// Kind of the treatment counted from.
    Modality,
}

impl Stratum {
    /// The code in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Histology => "histology",
            Self::Timing => "timing",
            Self::Organ => "organ",
            Self::Age => "age",
            Self::Period => "period",
            Self::Completeness => "completeness",
            Self::MacroscopicCompleteness => "macroscopic_completeness",
            Self::Dfi => "dfi",
            Self::LowVolume => "low_volume",
            Self::TreatmentKind => "treatment_kind",
            Self::PriorResponse => "prior_response",
            Self::Regimen => "regimen",
            Self::Grade => "grade",
            Self::Ecog => "ecog",
            Self::Volume => "volume",
            Self::Site => "site",
            Self::Modality => "modality",
        }
    }

    fn of_local(self) -> bool {
        matches!(
            self,
            Self::Completeness
                | Self::MacroscopicCompleteness
                | Self::TreatmentKind
                | Self::PriorResponse
                | Self::Site
                | Self::Modality
        )
    }
}

/// A treatment after the origin by which patients may be compared from a landmark on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exposure {
    Metastasectomy,
    Ablation,
    LocalTreatment,
    Systemic,
}

impl Exposure {
    /// The code in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metastasectomy => "metastasectomy",
            Self::Ablation => "ablation",
            Self::LocalTreatment => "local_treatment",
            Self::Systemic => "systemic",
        }
    }
}

/// One endpoint. One row per patient, unless it counts repeated operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = EndpointDefinition)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// As `S4-lung`: the key of its result.
    pub id: String,
    /// The endpoint of the specification, and the group of it, as published series are matched.
    pub endpoint: String,
    pub group: String,
    pub title: String,
    pub origin: Origin,
    pub origin_text: String,
    pub event: Event,
    pub event_text: String,
    #[serde(default)]
    pub line: Option<u32>,
    #[serde(default)]
    pub sites: Vec<String>,
    #[serde(default)]
    pub modalities: Vec<String>,
    pub strata: Vec<Stratum>,
    /// Compared from a landmark of 6 and of 12 months on.
    #[serde(default)]
    pub landmarks: Vec<Exposure>,
    /// Whether centres are compared by observed over expected deaths.
    #[serde(default)]
    pub centres: bool,
    /// Shown beside the curves.
    pub caveat: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    endpoint: Vec<Definition>,
}

/// The endpoints of a schema folder, in the order of the file.
///
/// # Errors
/// [`DefinitionError`].
pub fn definitions(store: &SchemaStore) -> Result<Vec<Definition>, DefinitionError> {
    read(store.file(FILE).ok_or(DefinitionError::Missing)?)
}

/// Reads the text of the file.
///
/// # Errors
/// [`DefinitionError`].
pub fn read(text: &str) -> Result<Vec<Definition>, DefinitionError> {
    let all = toml::from_str::<File>(text)?.endpoint;
    for (at, one) in all.iter().enumerate() {
        if all[..at].iter().any(|other| other.id == one.id) {
            return Err(DefinitionError::Twice(one.id.clone()));
        }
        let (origin, event) = (one.origin, one.event);
        let local = origin.is_local();
        let what = if one.line.is_some() != origin.is_line() {
            "a line belongs to an origin that is a line, and it to a line"
        } else if !local && (!one.sites.is_empty() || one.strata.iter().any(|by| by.of_local())) {
            "sites, completeness and what came before are of local treatments"
        } else if (origin == Origin::LocalTreatment) == one.modalities.is_empty() {
            "modalities belong to the origin `local_treatment`, and it to modalities"
        } else if matches!(event, Event::RecurrenceOrDeath | Event::RecurrenceSite)
            && origin != Origin::ClearingMetastasectomy
        {
            "recurrence needs an operation that cleared all disease"
        } else if matches!(event, Event::ProgressionOrDeath | Event::Response)
            && origin != Origin::SystemicLine
        {
            "progression and response are counted from a line"
        } else if one.strata.contains(&Stratum::Regimen) && !origin.is_line() {
            "a regimen belongs to a line"
        } else if (event == Event::NextLine) != (origin == Origin::SystemicLineEnd) {
            "the next line is counted from the end of a line"
        } else if matches!(
            event,
            Event::EarlyDeath | Event::MajorMorbidity | Event::ProgressionAtSite
        ) && !local
        {
            "this event follows a local treatment"
        } else if !one.landmarks.is_empty()
            && (origin != Origin::MetastaticDiagnosis || event != Event::Death)
        {
            "landmarks are of survival from metastatic diagnosis"
        } else if one.centres
            && !(event == Event::Death
                && matches!(origin, Origin::MetastaticDiagnosis | Origin::Metastasectomy))
        {
            "centres are compared by deaths since metastatic diagnosis or a first operation"
        } else {
            continue;
        };
        return Err(DefinitionError::Incoherent {
            endpoint: one.id.clone(),
            what,
        });
    }
    Ok(all)
}
