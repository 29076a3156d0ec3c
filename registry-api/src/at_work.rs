//! One job of a centre at a time in this process: what was taken in stays in memory until it is worked off.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use registry_core::access::Scope;

use crate::problem::{Kind, Problem};

/// The centres whose job is under way here.
#[derive(Debug, Clone, Default)]
pub struct AtWork(Arc<Mutex<BTreeSet<String>>>);

/// A centre's turn; over when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    all: AtWork,
    centre: String,
}

impl AtWork {
    /// Begins the turn of the caller's centre, before anything of its job is unpacked.
    ///
    /// # Errors
    /// [`Kind::InvalidState`] while an earlier one goes on.
    pub(crate) fn begin(&self, scope: &Scope) -> Result<Turn, Problem> {
        let centre = scope.centre().unwrap_or_default().to_owned();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.insert(centre.clone()) {
            return Err(Problem::with(
                Kind::InvalidState,
                "another job of the centre is under way: wait for its end",
            ));
        }
        Ok(Turn {
            all: self.clone(),
            centre,
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&self.centre);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_centre_waits_for_its_own_job_and_for_nobody_elses() {
        let all = AtWork::default();
        let of = |centre| all.begin(&Scope::system_for_centre("test", centre));
        let first = of("C01").expect("nothing is under way");
        assert_eq!(
            of("C01").err().map(|problem| problem.kind),
            Some(Kind::InvalidState)
        );
        of("C02").expect("another centre");
        drop(first);
        of("C01").expect("the first is over");
    }
}
