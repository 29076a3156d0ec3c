//! Work on many items over all cores, answered in input order.

use crate::guard::request_id;

/// Fewer items than this are not worth a thread.
const SHARE: usize = 8;

/// `work` on every item, over as many threads as the machine has cores; results stand in the order of the items.
/// A panic of one item's work is a panic here.
pub(crate) fn in_order<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(threads).max(SHARE);
    if items.len() <= share {
        return items.into_iter().map(work).collect();
    }
    let current = request_id::request();
    let mut rest = items.into_iter();
    std::thread::scope(|scope| {
        let mut parts = Vec::new();
        loop {
            let part: Vec<T> = rest.by_ref().take(share).collect();
            if part.is_empty() {
                break;
            }
            let (work, current) = (&work, current.clone());
            parts.push(scope.spawn(move || {
                request_id::sync_scope(current, || part.into_iter().map(work).collect::<Vec<R>>())
            }));
        }
        let mut all = Vec::new();
        for part in parts {
            match part.join() {
                Ok(results) => all.extend(results),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        for n in [0, 1, 7, 8, 9, 1000] {
            let doubled: Vec<usize> = (0..n).map(|i| i * 2).collect();
            assert_eq!(in_order((0..n).collect(), |i: usize| i * 2), doubled);
        }
    }
}
