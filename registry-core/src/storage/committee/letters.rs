//! Letters to a centre about its own signals: what of the committee's follow-up the centre itself may read.

use chrono::{DateTime, Utc};

use super::{SignalHistory, SignalStatus, SignalStep};
use crate::access::Scope;
use crate::storage::store::require;
use crate::storage::{Store, StoreError};

/// The last letter about one measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Id of the measure.
    pub measure: String,
    /// Number of the run that showed the signal.
    pub run: i64,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// How far it is: sent, answered or closed.
    pub status: SignalStatus,
}

impl Store {
    /// The letters a centre was sent, by measure: for its own people and the coordinating office. What the committee noted before it wrote,
    /// and who looked a letter up, is not told.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for another centre's.
    pub fn letters_to(&self, scope: &Scope, centre: &str) -> Result<Vec<Letter>, StoreError> {
        let allowed = scope.role().sees_cases() && scope.covers(centre);
        require(scope, allowed, "read letters to this centre")?;
        // The database closes the committee's rows to a centre; its own letters are cut out of them here.
        let all = self.signal_histories(&Scope::system("letters to a centre"))?;
        let own = all.iter().filter(|history| history.centre_id == centre);
        Ok(own.filter_map(letter).collect())
    }
}

/// The last letter of a signal with what came after it; `None` when none was sent.
fn letter(history: &SignalHistory) -> Option<Letter> {
    let sent = |step| step == SignalStep::Status(SignalStatus::LetterSent);
    let at = history.steps.iter().rposition(|taken| sent(taken.step))?;
    let taken = history.steps.get(at)?;
    let after = history.steps.iter().skip(at);
    // Noted again: another round, of which the centre has not been told.
    let status = after
        .filter_map(|taken| taken.step.becomes())
        .take_while(|status| *status != SignalStatus::Noted)
        .last()?;
    Some(Letter {
        measure: history.measure.clone(),
        run: taken.run,
        sent_at: taken.at,
        status,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{ClosedFor, RevealedFor, StepTaken};
    use super::*;

    fn history(steps: &[SignalStep]) -> SignalHistory {
        let taken = steps.iter().zip(1..).map(|(step, run)| StepTaken {
            step: *step,
            run,
            at: DateTime::from_timestamp(run * 86_400, 0).expect("an instant"),
            by: "user:meyer".to_owned(),
        });
        SignalHistory {
            measure: "1a".to_owned(),
            centre_id: "C01".to_owned(),
            steps: taken.collect(),
        }
    }

    #[test]
    fn a_centre_reads_of_the_letter_and_of_nothing_before_it() {
        use SignalStep::{Closed, Revealed, Status};
        let noted = Status(SignalStatus::Noted);
        let sent = Status(SignalStatus::LetterSent);
        let status = |steps: &[SignalStep]| letter(&history(steps)).map(|letter| (letter.run, letter.status));
        assert_eq!(status(&[]), None);
        assert_eq!(status(&[noted, Revealed(RevealedFor::LetterToCentre)]), None);
        assert_eq!(status(&[noted, sent]), Some((2, SignalStatus::LetterSent)));
        let answered = Status(SignalStatus::Answered);
        assert_eq!(status(&[sent, answered]), Some((1, SignalStatus::Answered)));
        let closed = Closed(ClosedFor::Explained);
        assert_eq!(
            status(&[sent, answered, closed, noted]),
            Some((1, SignalStatus::Closed))
        );
        assert_eq!(
            status(&[sent, closed, noted, sent]),
            Some((4, SignalStatus::LetterSent))
        );
    }
}
