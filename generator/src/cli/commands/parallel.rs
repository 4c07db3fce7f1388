//! Work that needs a processor and nothing else, such as rendering: done for many tenants on all of them.

use std::thread;

/// Fewer than these are worth no thread.
const FEW: usize = 8;

/// Does `work` for each of `things`; the results have their order.
pub(super) fn each<T: Send, U: Send>(things: Vec<T>, work: impl Fn(T) -> U + Sync) -> Vec<U> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    if things.len() < FEW || processors == 1 {
        return things.into_iter().map(work).collect();
    }
    let size = things.len().div_ceil(processors);
    let mut things = things.into_iter();
    let parts: Vec<Vec<T>> = (0..processors).map(|_| things.by_ref().take(size).collect()).collect();
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = parts
            .into_iter()
            .map(|part| scope.spawn(move || part.into_iter().map(work).collect::<Vec<U>>()))
            .collect();
        let ended = threads.into_iter().map(|thread| match thread.join() {
            Ok(done) => done,
            // As if it had been done here.
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ended.flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_kept_however_many_there_are() {
        for count in [0, 1, 7, 8, 9, 100] {
            let squares = each((0..count).collect(), |number: usize| number * number);
            assert_eq!(squares, (0..count).map(|number| number * number).collect::<Vec<_>>());
        }
    }
}
