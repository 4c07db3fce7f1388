//! Room for new stacks: each region of an account is asked once, and counted from then on.

use std::collections::BTreeMap;

use tokio::sync::Mutex;

use crate::aws::cloudformation::Room;
use crate::aws::{AwsError, Peers};

/// What is known of the regions of one account, for all tenants that are worked on.
#[derive(Debug, Default)]
pub struct Rooms(Mutex<BTreeMap<String, Option<Room>>>);

impl Rooms {
    /// Takes the room of `new` stacks, and tells how it was before; `None` where the peer does not tell. What was
    /// taken stays so, whatever becomes of the stacks: the next process asks again. Where there is too little,
    /// nothing is taken.
    pub(super) async fn take(
        &self,
        peers: &dyn Peers,
        region: &str,
        new: usize,
    ) -> Result<Option<Room>, AwsError> {
        // Held while the service is asked: the others wait for the same answer.
        let mut known = self.0.lock().await;
        if !known.contains_key(region) {
            let room = peers.cloudformation(region).room().await?;
            known.insert(region.to_owned(), room);
        }
        let room = known.get_mut(region).and_then(Option::as_mut);
        Ok(room.map(|room| {
            let before = *room;
            if before.holds(new) {
                room.used += new;
            }
            before
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::fake::{FakeCloudFormation, FakePeers, Script};

    fn peers(room: Option<Room>) -> (FakePeers, FakeCloudFormation) {
        let fake = FakeCloudFormation::new(Script { room: [Ok(room)].into(), ..Script::default() });
        let regions = [("eu-north-1".to_owned(), fake.clone())].into();
        (FakePeers { regions, ..FakePeers::default() }, fake)
    }

    #[tokio::test]
    async fn a_region_is_asked_once_and_what_is_taken_is_counted() {
        let (peers, fake) = peers(Some(Room { used: 5, limit: 8 }));
        let rooms = Rooms::default();
        let mut seen = Vec::new();
        for new in [2, 2, 1, 1] {
            let room = rooms.take(&peers, "eu-north-1", new).await.expect("an answer").expect("a room");
            seen.push((room.used, room.holds(new)));
        }
        assert_eq!(seen, [(5, true), (7, false), (7, true), (8, false)]);
        assert_eq!(fake.calls(), ["DescribeAccountLimits"]);
    }

    #[tokio::test]
    async fn a_peer_that_does_not_tell_is_not_asked_again() {
        let (peers, fake) = peers(None);
        let rooms = Rooms::default();
        for _ in 0..3 {
            assert_eq!(rooms.take(&peers, "eu-north-1", 1).await, Ok(None));
        }
        assert_eq!(fake.calls(), ["DescribeAccountLimits"]);
    }
}
