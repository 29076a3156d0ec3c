//! The state machine of a query.
//!
//! | from | who | does | to |
//! |---|---|---|---|
//! | open | who is asked | message | answered |
//! | open | who asked | message | open |
//! | open | who asked, in person, with words | close | closed: taken back |
//! | answered | who was asked | message | answered |
//! | answered | who asked; the office | close | closed: accepted |
//! | answered, closed | who asked; the office; with words | reopen | open |
//!
//! For a rule's query the office acts as who asked; it cannot be taken back while the check fires, nor reopened once it no longer does.

use super::{QueryAction, QueryClosing, QuerySide, QueryState, QueryStep, RaisedBy};
use crate::access::Role;
use crate::storage::StoreError;

impl QuerySide {
    pub(super) fn of(role: Role) -> Self {
        if role.needs_centre() {
            QuerySide::Centre
        } else {
            QuerySide::Office
        }
    }
}

impl RaisedBy {
    /// The side that asks and judges the answer.
    pub fn asks(self) -> QuerySide {
        match self {
            RaisedBy::Rule | RaisedBy::Office => QuerySide::Office,
            RaisedBy::Centre => QuerySide::Centre,
        }
    }

    /// The side that answers.
    pub fn answers(self) -> QuerySide {
        match self.asks() {
            QuerySide::Centre => QuerySide::Office,
            QuerySide::Office => QuerySide::Centre,
        }
    }
}

impl QueryState {
    /// Whose turn it is.
    pub(super) fn waits_for(self, raised: RaisedBy) -> Option<QuerySide> {
        match self {
            QueryState::Open => Some(raised.answers()),
            QueryState::Answered => Some(raised.asks()),
            QueryState::Closed => None,
        }
    }
}

/// What is known of a query when somebody wants to do something to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) state: QueryState,
    pub(super) raised: RaisedBy,
    pub(super) closing: Option<QueryClosing>,
    /// The current version fires its check.
    pub(super) fires: bool,
}

/// What an action makes of a query, or why it cannot be done now.
pub(super) fn step(
    at: Standing,
    side: QuerySide,
    action: QueryAction,
    with_words: bool,
) -> Result<(QueryState, QueryStep), StoreError> {
    let asks = side == at.raised.asks();
    let wrong = |why| Err(StoreError::InvalidState(why));
    let lacks = |what| Err(StoreError::Invalid(what));
    match (action, at.state) {
        (QueryAction::Message, _) if !with_words => {
            lacks("a message has words: {\"text\": \"..\"}, 1 to 2,000 bytes")
        }
        (QueryAction::Message, QueryState::Closed) => wrong("the query is closed: reopen it with a message"),
        (QueryAction::Message, QueryState::Open) if asks => Ok((QueryState::Open, QueryStep::Message)),
        (QueryAction::Message, QueryState::Answered) if asks => {
            wrong("the query is answered: close it, or reopen it with a message")
        }
        (QueryAction::Message, _) => Ok((QueryState::Answered, QueryStep::Answered)),

        (QueryAction::Close, QueryState::Closed) => wrong("the query is closed already"),
        (QueryAction::Close, _) if side == QuerySide::Centre && !asks => {
            wrong("the coordinating office closes this query: answer it with a message")
        }
        (QueryAction::Close, QueryState::Answered) => Ok((QueryState::Closed, QueryStep::Accepted)),
        (QueryAction::Close, QueryState::Open) if at.raised == RaisedBy::Rule => wrong(
            "the check still fires and nobody has said why: the query closes when the centre's answer is accepted, or when a \
             later version no longer fires the check",
        ),
        (QueryAction::Close, QueryState::Open) if !asks => {
            wrong("the centre waits for an answer: answer with a message, then close")
        }
        (QueryAction::Close, QueryState::Open) if !with_words => {
            lacks("an unanswered query is closed with a word why: {\"text\": \"..\"}")
        }
        (QueryAction::Close, QueryState::Open) => Ok((QueryState::Closed, QueryStep::TakenBack)),

        (QueryAction::Reopen, QueryState::Open) => wrong("the query is open"),
        (QueryAction::Reopen, _) if side == QuerySide::Centre && !asks => {
            wrong("the coordinating office reopens this query: raise one of your own instead")
        }
        (QueryAction::Reopen, _) if at.closing == Some(QueryClosing::ConsentWithdrawn) => {
            Err(StoreError::Withdrawn { erased: false })
        }
        (QueryAction::Reopen, _) if at.raised == RaisedBy::Rule && !at.fires => {
            wrong("the current version no longer fires the check: raise a query in your own words instead")
        }
        (QueryAction::Reopen, _) if !with_words => {
            lacks("a query is reopened with what the answer lacks: {\"text\": \"..\"}")
        }
        (QueryAction::Reopen, _) => Ok((QueryState::Open, QueryStep::Reopened)),
    }
}

/// What this side may do now.
pub(super) fn possible(at: Standing, side: QuerySide) -> Vec<QueryAction> {
    let may = |action: &QueryAction| step(at, side, *action, true).is_ok();
    QueryAction::ALL.iter().copied().filter(may).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use QueryAction::{Close, Message, Reopen};
    use QuerySide::{Centre, Office};
    use QueryState::{Answered, Closed, Open};

    fn at(state: QueryState, raised: RaisedBy) -> Standing {
        Standing {
            state,
            raised,
            closing: (state == Closed).then_some(QueryClosing::Accepted),
            fires: raised == RaisedBy::Rule,
        }
    }

    #[test]
    fn everybody_may_do_what_the_table_says_and_nothing_else() {
        let table = [
            (Open, RaisedBy::Office, Office, vec![Message, Close]),
            (Open, RaisedBy::Office, Centre, vec![Message]),
            (Answered, RaisedBy::Office, Office, vec![Close, Reopen]),
            (Answered, RaisedBy::Office, Centre, vec![Message]),
            (Closed, RaisedBy::Office, Office, vec![Reopen]),
            (Closed, RaisedBy::Office, Centre, vec![]),
            (Open, RaisedBy::Centre, Centre, vec![Message, Close]),
            (Open, RaisedBy::Centre, Office, vec![Message]),
            (Answered, RaisedBy::Centre, Centre, vec![Close, Reopen]),
            (Answered, RaisedBy::Centre, Office, vec![Message, Close, Reopen]),
            (Closed, RaisedBy::Centre, Centre, vec![Reopen]),
            (Closed, RaisedBy::Centre, Office, vec![Reopen]),
            (Open, RaisedBy::Rule, Office, vec![Message]),
            (Open, RaisedBy::Rule, Centre, vec![Message]),
            (Answered, RaisedBy::Rule, Office, vec![Close, Reopen]),
            (Answered, RaisedBy::Rule, Centre, vec![Message]),
            (Closed, RaisedBy::Rule, Office, vec![Reopen]),
            (Closed, RaisedBy::Rule, Centre, vec![]),
        ];
        for (state, raised, side, expected) in table {
            assert_eq!(
                possible(at(state, raised), side),
                expected,
                "{state:?} {raised:?} {side:?}"
            );
        }
    }

    #[test]
    fn a_rules_query_that_no_longer_fires_and_one_of_a_withdrawn_case_stay_closed() {
        let mut closed = at(Closed, RaisedBy::Rule);
        closed.fires = false;
        assert!(possible(closed, Office).is_empty());
        let mut withdrawn = at(Closed, RaisedBy::Office);
        withdrawn.closing = Some(QueryClosing::ConsentWithdrawn);
        assert_eq!(
            step(withdrawn, Office, Reopen, true),
            Err(StoreError::Withdrawn { erased: false })
        );
    }

    #[test]
    fn words_are_needed_where_the_other_side_would_be_left_guessing() {
        for (state, action) in [(Open, Message), (Open, Close), (Answered, Reopen)] {
            let done = step(at(state, RaisedBy::Office), Office, action, false);
            assert!(
                matches!(done, Err(StoreError::Invalid(_))),
                "{state:?} {action:?}"
            );
        }
        assert_eq!(
            step(at(Answered, RaisedBy::Office), Office, Close, false),
            Ok((Closed, QueryStep::Accepted))
        );
    }
}
