//! SQLite and PostgreSQL give the same answers and end in the same state: one seeded sequence of operations on both.

use chrono::{Duration, NaiveDate};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use registry_core::access::{Role, Scope};
use registry_core::storage::{
    AuditFilter, CaseFilter, CaseRef, CaseStatus, ChosenFor, ClosedFor, EvaluationRef, FinishRun, LifeCycle,
    NewCentre, NewEvaluation, NewKey, NewQuery, NewVerification, Precondition, Publication, PutCase,
    QueryAction, QueryFilter, QueryMove, QuerySide, QueryState, QueryThread, RaisedBy, RevealedFor,
    RunResult, SampledCase, SignalRef, SignalStatus, SignalStep, StartRun, StoreError, StoredSeverity,
    Transfer, Withdraw, WithdrawalMode,
};
use serde_json::json;

use crate::support::{Dialect, TestStore, finding, new_centre, put, system};

/// One side: the store and what the sequence remembers.
struct Side {
    test: TestStore,
    scopes: Vec<Scope>,
    coordinator: Scope,
    lead: Scope,
    etags: Vec<String>,
    keys: Vec<String>,
    queries: Vec<String>,
    draws: Vec<String>,
}

impl Side {
    fn new(test: TestStore) -> Self {
        Self {
            scopes: ["C01", "C02", "C03"]
                .map(|centre| test.submitter(centre))
                .to_vec(),
            coordinator: test.coordinator(),
            lead: test.scope(Role::CentreLead, Some("C01")),
            etags: vec!["\"none\"".to_owned()],
            keys: Vec::new(),
            queries: Vec::new(),
            draws: Vec::new(),
            test,
        }
    }

    /// Does one random thing and says what came of it. Both sides draw the same numbers.
    fn step(&mut self, random: &mut ChaCha20Rng) -> String {
        let store = self.test.store.clone();
        let scope = self.scopes[random.random_range(0..3)].clone();
        let pseudonym = format!("P-{}", random.random_range(0..40));
        let date: NaiveDate = "2026-06-30".parse().unwrap();
        match random.random_range(0..35) {
            0..=9 => {
                let sent = self.random_put(random, &pseudonym);
                let done = store.put_case(&scope, sent);
                if let Ok(outcome) = &done {
                    self.etags.push(outcome.etag.clone());
                }
                format!("{done:?}")
            }
            10 => {
                let items = (0..random.random_range(1..8))
                    .map(|_| format!("P-{}", random.random_range(0..60)))
                    .collect::<Vec<_>>();
                let sent = items.iter().map(|p| self.random_put(random, p)).collect();
                format!("{:?}", store.put_cases(&scope, sent, random.random_bool(0.5)))
            }
            11 => format!("{:?}", store.get_case(&scope, &pseudonym)),
            12 if random.random_bool(0.5) => {
                format!(
                    "{:?}",
                    store.answer_finding(&scope, &pseudonym, "id-E-003", "ä: it 'stands'")
                )
            }
            12 => format!("{:?}", store.versions(&self.coordinator, &pseudonym)),
            13 => {
                let filter = CaseFilter {
                    status: random.random_bool(0.3).then_some(CaseStatus::Submitted),
                    has_findings: random.random_bool(0.3).then(|| random.random_bool(0.5)),
                    has_errors: random.random_bool(0.3).then(|| random.random_bool(0.5)),
                    include_withdrawn: random.random_bool(0.5),
                    ..Default::default()
                };
                format!(
                    "{:?}",
                    store.list_cases(&scope, &filter, None, random.random_range(1..20))
                )
            }
            14 => {
                let step = match random.random_range(0..3) {
                    0 => LifeCycle::Verify,
                    1 => LifeCycle::Lock { through: date },
                    _ => LifeCycle::Unlock,
                };
                let reason = random.random_bool(0.5).then_some("ä reason: 'quoted'");
                format!("{:?}", store.move_case(&self.lead, &pseudonym, step, reason))
            }
            15 => {
                let asked = Withdraw {
                    pseudonym,
                    centre: None,
                    mode: if random.random_bool(0.5) {
                        WithdrawalMode::Erase
                    } else {
                        WithdrawalMode::NoFurtherUse
                    },
                    date,
                    reason: random.random_bool(0.5).then(|| "letter".to_owned()),
                    document: random
                        .random_bool(0.5)
                        .then(|| (json!({"consent": {"status": "withdrawn"}}), "1.0.0".to_owned())),
                    precondition: Precondition::Whatever,
                    idempotency: None,
                };
                format!("{:?}", store.withdraw(&scope, asked))
            }
            16 => {
                let key = NewKey {
                    label: "k".to_owned(),
                    role: Role::Submitter,
                    centre: Some("C02".to_owned()),
                    expires_at: None,
                };
                let made = store.create_key(&system(), key).unwrap();
                self.keys.push(made.info.key_id.clone());
                format!("{:?} {}", made.info, made.key.reveal())
            }
            17 => {
                let key = self
                    .keys
                    .get(random.random_range(0..self.keys.len().max(1)))
                    .cloned()
                    .unwrap_or_default();
                if random.random_bool(0.5) {
                    format!("{:?}", store.revoke_key(&system(), &key))
                } else {
                    format!(
                        "{:?}",
                        store
                            .rotate_key(&system(), &key, Duration::hours(1))
                            .map(|k| k.info)
                    )
                }
            }
            18 => {
                let year = random.random_range(2020..2026);
                format!(
                    "{:?}",
                    store.put_centre_year(
                        &self.coordinator,
                        "C01",
                        year,
                        json!({"v": random.random_range(0..9)})
                    )
                )
            }
            19 => {
                let centre = NewCentre {
                    active: random.random_bool(0.8),
                    ..new_centre(&format!("C{:02}", random.random_range(3..8)))
                };
                format!("{:?}", store.upsert_centre(&self.coordinator, centre))
            }
            20 => format!("{:?}", store.list_tasks(&self.coordinator, true, None, 5)),
            21 => self.random_run(random),
            22 => format!(
                "{:?}",
                store.list_audit(&self.coordinator, &AuditFilter::default(), None, 5)
            ),
            23 => format!(
                "{:?}",
                store.claim(
                    &scope,
                    &format!("c-{}", random.random_range(0..4)),
                    [random.random_range(0..2); 32]
                )
            ),
            24 => {
                self.test
                    .clock
                    .jump(Duration::seconds(random.random_range(0..90_000)));
                format!("{:?}", store.purge_idempotency())
            }
            25 => {
                let place = |random: &mut ChaCha20Rng| format!("C{:02}", random.random_range(1..4));
                let held = store.case_row(&self.coordinator, &pseudonym);
                let named = place(random);
                let asked = Transfer {
                    pseudonym: pseudonym.clone(),
                    from: held.map_or(named, |row| row.centre_id),
                    to: place(random),
                    on: date - Duration::days(random.random_range(0..20)),
                    reason: "ä: 'moved'".to_owned(),
                    precondition: Precondition::Whatever,
                };
                format!(
                    "{:?} {:?}",
                    store.transfer_case(&self.coordinator, asked),
                    store.holders(&scope, &pseudonym)
                )
            }
            26 => {
                let tasks = store.list_tasks(&self.coordinator, true, None, 1).unwrap().items;
                let id = tasks.first().map_or("none", |task| task.task_id.as_str());
                let closed = store.close_task(&self.coordinator, id, "sorted out");
                format!("{closed:?} {:?}", store.open_tasks(&self.coordinator))
            }
            28 => {
                let new = NewQuery {
                    pseudonym,
                    text: "ä: is it 'so'?".to_owned(),
                    pointer: random
                        .random_bool(0.5)
                        .then(|| format!("/imaging/{}", random.random_range(0..2))),
                    element: random.random_bool(0.5).then(|| "imaging.size_mm".to_owned()),
                    rule: None,
                    idempotency: None,
                };
                let asker = if random.random_bool(0.5) {
                    &scope
                } else {
                    &self.coordinator
                };
                format!("{:?}", self.remembered(store.raise_query(asker, new)))
            }
            29 => {
                let asked = QueryMove {
                    action: QueryAction::ALL[random.random_range(0..3)],
                    text: random.random_bool(0.8).then(|| "because: ö".to_owned()),
                    idempotency: None,
                };
                let asker = if random.random_bool(0.5) {
                    &scope
                } else {
                    &self.coordinator
                };
                let id = self
                    .queries
                    .get(random.random_range(0..self.queries.len().max(1)));
                let id = id.cloned().unwrap_or_default();
                format!("{:?}", store.move_query(asker, &id, asked))
            }
            30 => self.random_list(random, &scope),
            31 => self.random_verification(random, &scope, &pseudonym),
            32 => format!("{:?}", self.reenter_one(random)),
            33 => self.random_follow_up(random),
            _ => format!("{:?}", store.findings(&scope, &pseudonym)),
        }
    }

    fn remembered(&mut self, raised: Result<QueryThread, StoreError>) -> Result<QueryThread, StoreError> {
        if let Ok(thread) = &raised {
            self.queries.push(thread.query.id.clone());
        }
        raised
    }

    fn random_list(&mut self, random: &mut ChaCha20Rng, scope: &Scope) -> String {
        let filter = QueryFilter {
            states: QueryState::ALL[random.random_range(0..3)..].to_vec(),
            raised_by: RaisedBy::ALL[random.random_range(0..3)..].to_vec(),
            waits_for: random.random_bool(0.3).then_some(QuerySide::Office),
            element: random.random_bool(0.3).then(|| "imaging".to_owned()),
            rule: random.random_bool(0.2).then(|| "E-011".to_owned()),
            ..Default::default()
        };
        let store = &self.test.store;
        let asker = if random.random_bool(0.5) {
            scope
        } else {
            &self.coordinator
        };
        let listed = store.list_queries(asker, &filter, None, random.random_range(1..20));
        let mut said = format!(
            "{listed:?} {:?} {:?}",
            store.queries_waiting(asker),
            store.query_times(asker)
        );
        if let Ok(page) = listed {
            self.queries
                .extend(page.items.iter().map(|query| query.id.clone()));
            if let Some(query) = page.items.first() {
                said.push_str(&format!("{:?}", store.query(asker, &query.id)));
            }
        }
        said
    }

    /// Draws, sets back, reads.
    fn random_verification(&mut self, random: &mut ChaCha20Rng, scope: &Scope, pseudonym: &str) -> String {
        let store = &self.test.store;
        let id = self.draws.last().cloned().unwrap_or_default();
        match random.random_range(0..4) {
            0 => {
                let new = NewVerification {
                    seed: random
                        .random_bool(0.5)
                        .then(|| "ä".repeat(random.random_range(0..2)) + "s"),
                    share: f64::from(random.random_range(0..6_u32)) / 5.0,
                    through: "2026-11-23".parse().unwrap(),
                };
                let drawn = store.draw_verification(&self.coordinator, new);
                if let Ok(draw) = &drawn {
                    self.draws.push(draw.verification_id.clone());
                }
                format!("{drawn:?}")
            }
            1 => format!(
                "{:?}",
                store.reset_reentry(&self.coordinator, &id, pseudonym, "ä: 'mixed up'")
            ),
            2 => format!(
                "{:?} {:?}",
                store.list_verifications(scope),
                store.sampled_cases(&self.coordinator, &id)
            ),
            _ => {
                let mut said = String::new();
                let read = store.for_each_reentered::<StoreError>(&self.coordinator, &id, |case| {
                    said.push_str(&format!("{case:?}"));
                    Ok(())
                });
                said + &format!("{read:?}")
            }
        }
    }

    /// Somebody enters a case of the latest draw again; sometimes the one who entered it before.
    /// A step about a signal, or another list of indicators.
    fn random_follow_up(&self, random: &mut ChaCha20Rng) -> String {
        let store = &self.test.store;
        if random.random_bool(0.3) {
            let measures = ["1a", "6", "10c2"][..random.random_range(0..4)].iter();
            let measures = measures.map(|one| (*one).to_owned()).collect();
            let chosen = store.choose_indicators(&self.coordinator, measures, ChosenFor::YearlyReview);
            return format!("{chosen:?} {:?}", store.indicator_lists(&self.lead));
        }
        let signal = SignalRef {
            measure: "1a".to_owned(),
            centre_id: format!("C0{}", random.random_range(1..5)),
            run: random.random_range(1..4),
        };
        let step = match random.random_range(0..5) {
            4 => SignalStep::Revealed(RevealedFor::DataCheck),
            3 => SignalStep::Closed(ClosedFor::Explained),
            at => SignalStep::Status(SignalStatus::ALL[at]),
        };
        let taken = store.take_signal_step(&self.coordinator, signal, step);
        format!("{taken:?} {:?}", store.signal_histories(&self.coordinator))
    }

    fn reenter_one(&self, random: &mut ChaCha20Rng) -> Result<SampledCase, StoreError> {
        let store = &self.test.store;
        let id = self.draws.last().cloned().unwrap_or_default();
        let mut cases = store.sampled_cases(&self.coordinator, &id)?;
        cases.retain(|case| case.centre_id == "C01" || case.reentered_at.is_none());
        let at = random.random_range(0..cases.len().max(1));
        let Some(case) = cases.get(at) else {
            return Err(StoreError::NotFound);
        };
        let by = if random.random_bool(0.7) {
            &self.lead
        } else {
            &self.scopes[0]
        };
        store.reenter_case(
            by,
            &id,
            &case.pseudonym,
            &json!({"again": random.random_range(0..9)}),
        )
    }

    fn random_put(&self, random: &mut ChaCha20Rng, pseudonym: &str) -> PutCase {
        let precondition = match random.random_range(0..6) {
            0 => Precondition::None,
            1 => Precondition::IfNoneMatchAny,
            2 => Precondition::IfMatchAny,
            3 => Precondition::IfMatch(vec![self.etags[random.random_range(0..self.etags.len())].clone()]),
            _ => Precondition::Whatever,
        };
        let found = ["E-003", "E-011", "E-020"];
        PutCase {
            precondition,
            status: if random.random_bool(0.2) {
                CaseStatus::Draft
            } else {
                CaseStatus::Submitted
            },
            findings: found[..random.random_range(0..=3)]
                .iter()
                .map(|c| finding(c, StoredSeverity::Warning))
                .collect(),
            reason: random.random_bool(0.4).then(|| "corrected".to_owned()),
            idempotency: random
                .random_bool(0.3)
                .then(|| {
                    crate::idempotency::keyed(
                        &format!("i-{}", random.random_range(0..15)),
                        random.random_range(0..3),
                    )
                })
                .flatten(),
            ..put(pseudonym, random.random_range(0..4))
        }
    }

    fn random_run(&mut self, random: &mut ChaCha20Rng) -> String {
        let store = self.test.store.clone();
        let wanted = StartRun {
            cutoff_date: "2026-10-31".parse().unwrap(),
            parameters: json!({"b": 1, "a": [2]}),
        };
        let run = match store.start_run(&system(), wanted) {
            Ok(run) => run,
            Err(error) => return format!("{error:?}"),
        };
        let mut said = format!("{run:?}");
        let mut cases: Vec<CaseRef> = Vec::new();
        store
            .for_each_case_at::<StoreError>(&system(), run.watermark, 7, |headers| {
                said.push_str(&format!("{headers:?}"));
                cases.extend(headers.into_iter().map(|h| h.case));
                Ok(())
            })
            .unwrap();
        let key = |c: &CaseRef| format!("{}-{}", c.case_id, c.version);
        let wanted: Vec<_> = cases
            .iter()
            .map(|c| EvaluationRef {
                centre_id: c.centre_id.clone(),
                case_id: c.case_id.clone(),
                key: key(c),
            })
            .collect();
        let known = store.known_evaluations(&system(), &wanted).unwrap();
        said.push_str(&format!(
            "{known:?} {:?}",
            store.case_documents(&system(), run.watermark, &cases)
        ));
        let all = cases
            .iter()
            .zip(known)
            .map(|(c, known)| NewEvaluation {
                case: c.clone(),
                key: key(c),
                payload: (!known).then(|| key(c).into_bytes()),
            })
            .collect();
        said.push_str(&format!(
            "{:?}",
            store.put_evaluations(&system(), run.number, all)
        ));
        if random.random_bool(0.2) {
            return said + &format!("{:?}", store.fail_run(&system(), run.number, "stopped"));
        }
        let results = vec![RunResult {
            kind: "overview".to_owned(),
            key: String::new(),
            body: "{\"n\":1}".to_owned(),
        }];
        said.push_str(&format!(
            "{:?}",
            store.finish_run(
                &system(),
                run.number,
                FinishRun {
                    summary: json!({"n": cases.len()}),
                    results
                }
            )
        ));
        if random.random_bool(0.5) {
            let all = store.list_runs(&self.coordinator).unwrap();
            let others = all.iter().filter(|run| run.published_at.is_some());
            let publication = Publication {
                beside: others.map(|run| run.number).collect(),
                results: Vec::new(),
            };
            said.push_str(&format!(
                "{:?}",
                store.publish_run(&self.coordinator, run.number, publication)
            ));
        }
        store
            .for_each_run_evaluation::<StoreError>(&system(), run.number, 7, |some| {
                said.push_str(&format!("{some:?}"));
                Ok(())
            })
            .unwrap();
        said + &format!("{:?}", store.published_run(&self.scopes[0]))
    }
}

#[test]
fn the_same_operations_have_the_same_answers_and_the_same_export() {
    let Some(postgres) = TestStore::new(Dialect::Postgres) else {
        return;
    };
    let mut sides = [
        Side::new(TestStore::new(Dialect::Sqlite).unwrap()),
        Side::new(postgres),
    ];
    let mut randoms = [
        ChaCha20Rng::seed_from_u64(20_261_123),
        ChaCha20Rng::seed_from_u64(20_261_123),
    ];
    let mut answers = [0usize; 2];
    for number in 0..900 {
        let one = sides[0].step(&mut randoms[0]);
        let two = sides[1].step(&mut randoms[1]);
        assert_eq!(one, two, "operation {number}");
        answers[usize::from(one.starts_with("Err"))] += 1;
    }
    assert!(
        answers[0] > 150 && answers[1] > 100,
        "the sequence is no test: {answers:?}"
    );
    let (one, two) = (sides[0].test.export(), sides[1].test.export());
    for (number, (a, b)) in one.lines().zip(two.lines()).enumerate() {
        assert_eq!(a, b, "line {number}");
    }
    assert_eq!(one, two);
    assert!(one.lines().count() > 500);
    let transfers = one.lines().filter(|line| line.contains("\"_\":\"transfers\""));
    assert!(transfers.count() > 3, "the sequence transfers no case");
    for side in &sides {
        side.test.store.verify_audit(None).unwrap();
    }
}
