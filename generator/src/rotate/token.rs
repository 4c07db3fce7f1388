//! The request token of a rotation, which is also the id of the version that it makes.

use sha2::{Digest as _, Sha256};

/// The token for one tenant in one run; `failures` counts the rotations of the run that have failed before it.
///
/// It follows from these alone, so a process that goes on with a run knows the token under which an earlier one
/// may have started a rotation, even where that was killed before it could write anything down.
#[must_use]
pub fn request_token(run: &str, tenant: &str, failures: u32) -> String {
    let mut hasher = Sha256::new();
    for part in [run.as_bytes(), tenant.as_bytes(), &failures.to_le_bytes()] {
        // Lengths in front, so that no two triples give the same stream.
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest = hex::encode(hasher.finalize());
    // Version 8 of RFC 9562: a UUID whose bits are the maker's own.
    let (head, tail) = (&digest[..12], &digest[12..30]);
    format!("{}-{}-8{}-8{}-{}", &head[..8], &head[8..12], &tail[..3], &tail[3..6], &tail[6..18])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_uuid_and_belongs_to_one_try_of_one_tenant_of_one_run() {
        let token = request_token("r1", "demo", 0);
        assert_eq!(token, request_token("r1", "demo", 0));
        let lengths: Vec<_> = token.split('-').map(str::len).collect();
        assert_eq!((lengths, token.len()), (vec![8, 4, 4, 4, 12], 36));
        let others = [("r1", "demo", 1), ("r2", "demo", 0), ("r1", "dem", 0), ("r1d", "emo", 0)];
        assert!(others.iter().all(|(run, tenant, n)| request_token(run, tenant, *n) != token));
    }
}
