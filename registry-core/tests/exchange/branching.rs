//! REDCap's branching logic: when a field is asked, written by hand from `schema/form/1.toml`.

use std::collections::{BTreeMap, BTreeSet};

use registry_core::dictionary::Cardinality;
use registry_core::exchange::redcap_dictionary;
use registry_core::form::Forms;
use registry_core::versions::SchemaStore;

struct Line {
    form: String,
    choices: BTreeSet<String>,
    note: String,
    logic: String,
}

/// The fields of a version by name.
fn fields(version: &str) -> BTreeMap<String, Line> {
    let store = SchemaStore::embedded().unwrap();
    let schema = store.case_schema(version).unwrap();
    let text = redcap_dictionary(&schema.dictionary, &Forms::of(&store).unwrap());
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let header = csv.headers().unwrap().clone();
    assert_eq!(&header[11], "Branching Logic (Show field only if...)");
    let line = |row: csv::StringRecord| {
        let codes = row[5].split(" | ").filter_map(|choice| choice.split_once(", "));
        let line = Line {
            form: row[1].to_owned(),
            choices: codes.map(|(code, _)| code.to_owned()).collect(),
            note: row[6].to_owned(),
            logic: row[11].to_owned(),
        };
        (row[0].to_owned(), line)
    };
    csv.records().map(|row| line(row.unwrap())).collect()
}

#[test]
fn a_field_is_asked_when_the_form_asks_it() {
    let fields = fields("1.1.0");
    let expected = [
        ("consent_date", "[consent_status] = 'consented'"),
        ("followup_death_date", "[followup_vital_status] = 'dead'"),
        (
            "biopsy_gauge",
            "[biopsy_technique] = 'core_needle' or [biopsy_technique] = 'fna'",
        ),
        // No is 0.
        (
            "trial_referred_elsewhere_date",
            "[trial_local_trial_available] = '0'",
        ),
        ("goals_of_care_priority", "[goals_of_care_documented] = '1'"),
        // A member of a list is a box.
        (
            "systemic_ifosfamide_schedule",
            "[systemic_agents(ifosfamide)] = '1'",
        ),
        // Two conditions of one block.
        (
            "local_treatment_pft_status",
            "[local_treatment_site] = 'lung' and [local_treatment_modality] = 'metastasectomy'",
        ),
        // Two blocks are alternatives.
        (
            "mdt_resection_candidate_after_response",
            "[mdt_options_considered(resection)] = '1' or [mdt_trigger] = 'favourable_response'",
        ),
        // Answered, and not this; a missing-data code is no answer. The syndrome may be unknown, not done or withheld.
        (
            "hereditary_basis",
            "[hereditary_syndrome] <> '' and [hereditary_syndrome] <> 'none_known' and \
             [hereditary_syndrome] <> 'absent_unknown' and [hereditary_syndrome] <> 'absent_not_done' and \
             [hereditary_syndrome] <> 'absent_withheld'",
        ),
        (
            "assessment_nutrition_risk",
            "[assessment_nutrition_instrument] <> '' and [assessment_nutrition_instrument] <> 'absent_unknown' and \
             [assessment_nutrition_instrument] <> 'absent_not_done'",
        ),
        (
            "section_attestation_complete_through",
            "[section_attestation_status] = 'complete_through'",
        ),
        ("patient_sex", ""),
    ];
    for (name, logic) in expected {
        assert_eq!(fields[name].logic, logic, "{name}");
    }
}

/// `systemic.agents` has other codes and may be said to be empty; the three anthracyclines are not among them.
#[test]
fn a_list_without_some_codes_has_another_and_none_of_these() {
    let fields = fields("1.1.0");
    let logic = &fields["systemic_refused_anthracycline"].logic;
    let start = "[systemic_setting] = 'metastatic' and [systemic_line_number] = '1' and ((";
    let end = " or [systemic_agents_state] = 'empty') and [systemic_agents(doxorubicin)] <> '1' and \
               [systemic_agents(epirubicin)] <> '1' and [systemic_agents(liposomal_doxorubicin)] <> '1')";
    let others = logic.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    let others = others.unwrap_or_else(|| panic!("{logic}"));
    let ticked = others.split(" or ").count();
    assert_eq!(ticked, fields["systemic_agents"].choices.len() - 3);
    assert!(others.contains("[systemic_agents(trabectedin)] = '1'") && !others.contains("doxorubicin"));
}

#[test]
fn what_redcap_cannot_tell_is_shown_and_named() {
    let fields = fields("1.1.0");
    // Any row of another repeating form, whether there is one, and dates that may be partial.
    for (name, why) in [
        ("lesion_organ_involvement_pct", None),
        (
            "presentation_delay_risk_to_resectability",
            Some("observation has a row"),
        ),
        ("assessment_fev1_pct_pred", Some("lesion.site is lung or pleura")),
        (
            "systemic_source_record_status",
            Some("systemic.start_date before presentation.date_detected"),
        ),
        (
            "assessment_geriatric_instrument",
            Some("patient.birth_year at least 70 years before presentation.date_detected"),
        ),
        (
            "biopsy_decision_date",
            Some(
                "presentation.equivocal_only is yes or lesion.radiographic_pattern is atypical or equivocal",
            ),
        ),
    ] {
        let field = &fields[name];
        assert_eq!(field.logic.is_empty(), why.is_some(), "{name}");
        assert_eq!(
            field.note.contains("which REDCap's logic cannot tell"),
            why.is_some(),
            "{name}"
        );
        assert!(
            field.note.contains(why.unwrap_or_default()),
            "{name}: {}",
            field.note
        );
    }
    // What can be told of a block narrows it, what cannot is named: both must hold.
    let repeated = &fields["mdt_repeat_resection_justification"];
    assert_eq!(repeated.logic, "[mdt_options_considered(resection)] = '1'");
    assert!(
        repeated
            .note
            .contains("only where local_treatment.modality is metastasectomy")
    );
    // Of a form that is asked under conditions on others, its own condition still holds.
    assert_eq!(
        fields["biopsy_decision_reason"].logic,
        "[biopsy_decision_decision] = 'considered_not_done'"
    );
}

/// Every field that a logic reads is there, with the code, on the same form or on one that does not repeat.
#[test]
fn a_logic_reads_only_what_redcap_sees() {
    let store = SchemaStore::embedded().unwrap();
    for schema in store.case_schemas() {
        let fields = fields(&schema.version);
        let mut read = 0;
        for (name, field) in fields.iter().filter(|(_, field)| !field.logic.is_empty()) {
            for test in field.logic.split(" and ").flat_map(|part| part.split(" or ")) {
                let test = test.trim_matches(['(', ')']);
                let (left, value) = test.split_once("] ").unwrap_or_else(|| panic!("{name}: {test}"));
                let (other, code) = match left[1..].split_once('(') {
                    Some((other, code)) => (other, Some(code.trim_end_matches(')'))),
                    None => (&left[1..], None),
                };
                let value = value.trim_start_matches(['=', '<', '>', ' ']).trim_matches('\'');
                let of = fields
                    .get(other)
                    .unwrap_or_else(|| panic!("{name} reads {other}"));
                let form = schema.dictionary.entity(&of.form).unwrap();
                assert!(
                    of.form == field.form || form.cardinality == Cardinality::One,
                    "{name}: {other}"
                );
                let code = code.unwrap_or(value);
                let known = of.choices.is_empty() || code.is_empty() || code.starts_with("absent_");
                assert!(known || of.choices.contains(code), "{name}: {code} of {other}");
                read += 1;
            }
        }
        assert!(read > 40, "{read}");
    }
}
