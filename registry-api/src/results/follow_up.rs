//! Signals with what was done about them, and the ones still followed up that are not listed any more. Centres by letter, for everybody.

use std::collections::BTreeMap;

use registry_core::storage::{Centre, RevealedFor, SignalHistory, SignalRef, SignalStatus, SignalStep};

use super::{Hidden, Signal, View};
use crate::problem::{Kind, Problem};

/// A listed signal with its history.
pub struct Listed {
    /// What the run shows.
    pub signal: Signal,
    /// The centre's letter.
    pub letter: String,
    /// What was done about it; `None` when nothing was.
    pub history: Option<SignalHistory>,
}

/// A pair that is followed up and not among the signals shown.
pub struct Unlisted {
    /// Id of the measure.
    pub measure: String,
    /// Its title; `None` when the run has it not.
    pub title: Option<String>,
    /// The centre's letter.
    pub letter: String,
    /// What was done about it.
    pub history: SignalHistory,
}

/// The signals of the published run and what is still open of earlier ones.
pub struct FollowUp {
    /// Most certain first.
    pub listed: Vec<Listed>,
    /// By measure.
    pub unlisted: Vec<Unlisted>,
    /// Signals beyond those listed.
    pub more: usize,
    /// Centres of measures that are not shown.
    pub hidden: Hidden,
}

impl FollowUp {
    /// The signals as this viewer may see them. The viewer's centres are letters: [`View::of_committee`].
    ///
    /// # Errors
    /// A run without this result; a role that may not read what was done.
    pub fn of(view: &View<'_>) -> Result<Self, Problem> {
        let found = view.signals()?;
        let (more, hidden) = (found.total - found.shown.len(), found.hidden);
        let mut histories: BTreeMap<(String, String), SignalHistory> = view
            .state
            .store
            .signal_histories(view.scope)?
            .into_iter()
            .map(|history| ((history.measure.clone(), history.centre_id.clone()), history))
            .collect();
        let listed = found
            .shown
            .into_iter()
            .map(|signal| Listed {
                letter: view.letter_of(&signal.point.centre),
                history: histories.remove(&(signal.measure.id.clone(), signal.point.centre.clone())),
                signal,
            })
            .collect();
        let titles: BTreeMap<String, String> = view
            .stored_table()?
            .measures
            .iter()
            .map(|head| (head.id.clone(), head.title.clone()))
            .collect();
        let open = |history: &SignalHistory| {
            history
                .status()
                .is_some_and(|status| status != SignalStatus::Closed)
        };
        let unlisted = histories
            .into_values()
            .filter(open)
            .map(|history| Unlisted {
                measure: history.measure.clone(),
                title: titles.get(&history.measure).cloned(),
                letter: view.letter_of(&history.centre_id),
                history,
            })
            .collect();
        Ok(Self {
            listed,
            unlisted,
            more,
            hidden,
        })
    }

    /// The centre behind a letter, for a pair that is listed or followed up and for no other.
    fn centre(&self, measure: &str, letter: &str) -> Result<&str, Problem> {
        let listed = self.listed.iter().map(|one| {
            let signal = &one.signal;
            (
                signal.measure.id.as_str(),
                one.letter.as_str(),
                signal.point.centre.as_str(),
            )
        });
        let unlisted = self.unlisted.iter().map(|one| {
            let centre = one.history.centre_id.as_str();
            (one.measure.as_str(), one.letter.as_str(), centre)
        });
        let mut found = listed
            .chain(unlisted)
            .filter(|(of, by, _)| (*of, *by) == (measure, letter));
        found
            .next()
            .map(|(_, _, centre)| centre)
            .ok_or_else(|| Problem::with(Kind::NotFound, "no such signal in the published run"))
    }

    fn named(&self, view: &View<'_>, measure: &str, letter: &str) -> Result<SignalRef, Problem> {
        Ok(SignalRef {
            measure: measure.to_owned(),
            centre_id: self.centre(measure, letter)?.to_owned(),
            run: view.run.number,
        })
    }
}

impl View<'_> {
    /// The letter that stands for a centre.
    pub fn letter_of(&self, centre: &str) -> String {
        self.letters.of(centre).unwrap_or("?").to_owned()
    }

    /// A signal of the published run, or one still followed up.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for any other pair.
    pub fn signal(&self, measure: &str, letter: &str) -> Result<SignalRef, Problem> {
        FollowUp::of(self)?.named(self, measure, letter)
    }

    /// Changes the status of a signal.
    ///
    /// # Errors
    /// As [`View::signal`]; [`Kind::InvalidState`] when the status cannot follow; the store's.
    pub fn set_signal_status(
        &self,
        measure: &str,
        letter: &str,
        step: SignalStep,
    ) -> Result<SignalHistory, Problem> {
        let signal = self.signal(measure, letter)?;
        Ok(self.state.store.take_signal_step(self.scope, signal, step)?)
    }

    /// Looks up which centre the letter of a signal stands for; recorded with its reason before it is told.
    ///
    /// # Errors
    /// As [`View::set_signal_status`]; [`Kind::Forbidden`] for everybody but the coordinating office.
    pub fn reveal_signal(&self, measure: &str, letter: &str, reason: RevealedFor) -> Result<Centre, Problem> {
        let signal = self.signal(measure, letter)?;
        let step = SignalStep::Revealed(reason);
        let history = self.state.store.take_signal_step(self.scope, signal, step)?;
        let centres = self.state.store.list_centres(self.scope)?;
        centres
            .into_iter()
            .find(|centre| centre.centre_id == history.centre_id)
            .ok_or(Problem::new(Kind::NotFound))
    }
}
