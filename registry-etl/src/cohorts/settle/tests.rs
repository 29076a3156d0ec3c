use super::super::facts::Contact;
use super::*;
use registry_core::record::PartialDate;

fn date(text: &str) -> RecordedDate {
    if text.is_empty() {
        RecordedDate::None
    } else {
        PartialDate::parse(text).unwrap().into()
    }
}

fn day_number(text: &str) -> i32 {
    PartialDate::parse(text).unwrap().first()
}

/// Origin, registration, contacts (date, vital, death), all before the cut-off of 2026-06-30.
fn case(origin: &str, registration: &str, contacts: &[(&str, Vital, &str)]) -> SurvivalFacts {
    SurvivalFacts {
        in_core: true,
        origin: date(origin),
        registration: date(registration),
        ascertainment: Ascertainment::Prospective,
        contacts: contacts
            .iter()
            .map(|(at, vital, death)| Contact {
                date: date(at),
                vital: *vital,
                death: date(death),
            })
            .collect(),
        cut_off: day_number("2026-06-30"),
        as_seen: false,
    }
}

fn settled(facts: &SurvivalFacts) -> Result<(Option<i32>, i32, bool), LeftOut> {
    settle(facts, day_number("2026-06-30"), DateReading::Fifteenth, false).map(|s| (s.entry, s.exit, s.event))
}

#[test]
fn a_death_and_a_contact() {
    let dead = case(
        "2025-01-10",
        "2025-01-20",
        &[("2025-03-01", Vital::Dead, "2025-02-19")],
    );
    assert_eq!(settled(&dead), Ok((Some(10), 40, true)));
    let alive = case(
        "2025-01-10",
        "2025-01-05",
        &[("2025-01-20", Vital::Alive, ""), ("2025-01-12", Vital::Alive, "")],
    );
    assert_eq!(
        settled(&alive),
        Ok((None, 10, false)),
        "registered before the origin: no truncation"
    );
}

#[test]
fn registration_on_the_day_of_the_origin_is_no_truncation() {
    let facts = case("2025-01-10", "2025-01-10", &[("2025-01-11", Vital::Alive, "")]);
    assert_eq!(settled(&facts), Ok((None, 1, false)));
}

#[test]
fn exit_at_or_before_entry_leaves_the_case_out() {
    for registration in ["2025-02-19", "2025-02-20"] {
        let facts = case(
            "2025-01-10",
            registration,
            &[("2025-03-01", Vital::Dead, "2025-02-19")],
        );
        assert_eq!(settled(&facts), Err(LeftOut::ExitNotAfterEntry), "{registration}");
    }
}

#[test]
fn the_earliest_known_death_date_counts_and_one_after_the_cut_off_is_not_seen() {
    let two = [
        ("2025-03-01", Vital::Dead, "2025-02-19"),
        ("2025-04-01", Vital::Dead, "2025-02-20"),
    ];
    assert_eq!(
        settled(&case("2025-01-10", "2025-01-10", &two)),
        Ok((None, 40, true))
    );
    let mut later = case(
        "2026-06-20",
        "2026-06-20",
        &[
            ("2026-06-25", Vital::Alive, ""),
            ("2026-07-05", Vital::Dead, "2026-07-04"),
        ],
    );
    assert_eq!(settled(&later), Ok((None, 10, false)));
    later.cut_off = day_number("2026-07-31");
    assert_eq!(
        settled(&later),
        Ok((None, 10, false)),
        "the run's cut-off binds too"
    );
}

/// Nobody is left out for dying soon after the cut-off: that would take patients out by their outcome.
#[test]
fn a_death_after_the_cut_off_alone_says_that_the_patient_was_alive_on_that_day() {
    let died = case(
        "2026-06-20",
        "2026-06-20",
        &[("2026-07-05", Vital::Dead, "2026-07-04")],
    );
    assert_eq!(settled(&died), Ok((None, 10, false)));
}

/// In a release the days from the origin to the cut-off would be the calendar date of the origin: nobody's observation ends there.
#[test]
fn for_a_release_nobody_is_censored_on_the_cut_off() {
    let released = |contacts: &[(&str, Vital, &str)]| {
        let mut facts = case("2026-01-10", "2026-01-10", contacts);
        facts.as_seen = true;
        settled(&facts)
    };
    let seen = ("2026-03-11", Vital::Alive, "");
    let seen_later = ("2026-07-02", Vital::Alive, "");
    let died_later = ("2026-07-05", Vital::Dead, "2026-07-04");
    // From 10 January to 11 March: 60 days; the cut-off of 30 June would be 171.
    assert_eq!(released(&[seen, seen_later]), Ok((None, 60, false)));
    assert_eq!(released(&[seen, died_later]), Ok((None, 60, false)));
    // Whoever was not seen up to the cut-off is left out, whatever came after it.
    assert_eq!(released(&[seen_later]), Err(LeftOut::NoFollowUp));
    assert_eq!(released(&[died_later]), Err(LeftOut::NoFollowUp));
    // Events up to the cut-off are as ever.
    let died = ("2026-03-11", Vital::Dead, "2026-03-11");
    assert_eq!(released(&[died, seen_later]), Ok((None, 60, true)));
    // Of a course with other events: seen free of it on 9 February, 30 days; the event itself comes after the cut-off.
    let mut facts = case("2026-01-10", "2026-01-10", &[("2026-01-20", Vital::Alive, "")]);
    facts.as_seen = true;
    let course = Course {
        origins: vec![facts.origin],
        events: vec![(date("2026-07-01"), 1)],
        seen: vec![date("2026-02-09"), date("2026-07-01")],
        death: 1,
        ..Course::default()
    };
    let end = settle_course(
        &facts,
        &course,
        day_number("2026-06-30"),
        DateReading::Fifteenth,
        false,
    );
    assert_eq!(end.map(|(_, s)| (s.exit, s.event)), Ok((30, false)));
}

#[test]
fn partial_dates() {
    let month = case("2025-01", "2025-01-20", &[("2025-03", Vital::Alive, "")]);
    // 15 January to 15 March: 59 days; registered 5 days after the origin.
    assert_eq!(settled(&month), Ok((Some(5), 59, false)));
    let other = |reading| settle(&month, day_number("2026-06-30"), reading, false).map(|s| s.exit);
    assert_eq!(other(DateReading::Earliest), Ok(59), "1 January to 1 March");
    assert_eq!(other(DateReading::Latest), Ok(59), "31 January to 31 March");
    let year = case("2025", "2025-01-20", &[("2025-03", Vital::Alive, "")]);
    assert_eq!(settled(&year), Err(LeftOut::YearOnly));
    let dead = case("2025-01-10", "2025-01-20", &[("2025-12-31", Vital::Dead, "2025")]);
    assert_eq!(settled(&dead), Err(LeftOut::YearOnly));
}

#[test]
fn every_other_reason() {
    let contact = [("2025-03-01", Vital::Alive, "")];
    let good = case("2025-01-10", "2025-01-20", &contact);
    let with = |change: &dyn Fn(&mut SurvivalFacts)| {
        let mut facts = good.clone();
        change(&mut facts);
        settled(&facts)
    };
    assert_eq!(with(&|f| f.in_core = false), Err(LeftOut::NotCore));
    assert_eq!(with(&|f| f.origin = RecordedDate::None), Err(LeftOut::NoOrigin));
    assert_eq!(
        with(&|f| f.registration = RecordedDate::Blocked),
        Err(LeftOut::EditError)
    );
    assert_eq!(
        with(&|f| f.contacts[0].vital = Vital::Blocked),
        Err(LeftOut::EditError)
    );
    assert_eq!(
        with(&|f| f.origin = date("2026-08-01")),
        Err(LeftOut::OriginAfterCutOff)
    );
    assert_eq!(
        with(&|f| f.contacts[0].vital = Vital::Dead),
        Err(LeftOut::DeathDateUnknown)
    );
    assert_eq!(with(&|f| f.contacts.clear()), Err(LeftOut::NoFollowUp));
    assert_eq!(
        with(&|f| f.registration = RecordedDate::None),
        Err(LeftOut::NoRegistration)
    );
    assert_eq!(
        with(&|f| f.ascertainment = Ascertainment::NotRecorded),
        Err(LeftOut::AscertainmentNotRecorded)
    );
    assert_eq!(
        with(&|f| f.ascertainment = Ascertainment::Retrospective),
        Err(LeftOut::Retrospective)
    );
    assert_eq!(
        with(&|f| f.contacts[0].date = date("2025-01-09")),
        Err(LeftOut::ExitBeforeOrigin)
    );
}

#[test]
fn a_retrospective_case_is_followed_from_its_origin() {
    let mut facts = case(
        "2020-01-10",
        "2025-01-20",
        &[("2021-01-09", Vital::Dead, "2021-01-09")],
    );
    facts.ascertainment = Ascertainment::Retrospective;
    let got = settle(&facts, day_number("2026-06-30"), DateReading::Fifteenth, true).unwrap();
    assert_eq!((got.entry, got.exit, got.event), (None, 365, true));
}

#[test]
fn lost_only_when_the_last_contact_says_so() {
    let last = |contacts: &[(&str, Vital, &str)]| {
        let facts = case("2025-01-10", "2025-01-10", contacts);
        settle(&facts, day_number("2026-06-30"), DateReading::Fifteenth, false).map(|s| (s.exit, s.lost))
    };
    assert_eq!(
        last(&[("2025-01-20", Vital::Alive, ""), ("2025-02-19", Vital::Lost, "")]),
        Ok((40, true))
    );
    assert_eq!(
        last(&[("2025-03-01", Vital::Alive, ""), ("2025-02-19", Vital::Lost, "")]),
        Ok((50, false))
    );
}
