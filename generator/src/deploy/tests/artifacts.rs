//! The artifacts bucket.

use super::sha256;
use crate::deploy::artifacts::{ArtifactBucket, ArtifactError, ArtifactFile, Consent};
use crate::deploy::fake::{FakePeers, context};

const BUCKET: &str = "example-artifacts-111122223333";

struct Place {
    _folder: tempfile::TempDir,
    file: ArtifactFile,
    peers: FakePeers,
}

fn place(bucket: bool, checksums: bool) -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("signer.zip");
    std::fs::write(&path, b"zip bytes").expect("a zip");
    let file = ArtifactFile { path, key: "signer/1.zip".into(), size: 9, sha256: sha256(b"zip bytes") };
    let peers = FakePeers::default();
    {
        let mut world = peers.world.lock().unwrap();
        world.checksums = checksums;
        if bucket {
            world.buckets.insert(BUCKET.into(), vec![]);
        }
    }
    Place { _folder: folder, file, peers }
}

impl Place {
    async fn run(&self, consent: Consent) -> Result<(), ArtifactError> {
        let bucket = ArtifactBucket::new(&self.peers, "example", "111122223333", None);
        bucket.place(&context().0, std::slice::from_ref(&self.file), consent).await
    }
}

#[tokio::test]
async fn an_artifact_in_place_costs_one_look_and_its_zip_is_not_read() {
    let place = place(true, true);
    place.peers.world.lock().unwrap().objects.insert("signer/1.zip".into(), b"zip bytes".to_vec());
    std::fs::remove_file(&place.file.path).expect("removed");
    place.run(Consent::NotAsked).await.expect("in place");
    assert_eq!(place.peers.calls(), ["HeadObject signer/1.zip"]);
}

#[tokio::test]
async fn without_consent_no_bucket_is_made() {
    let place = place(false, true);
    let error = place.run(Consent::NotAsked).await.expect_err("no bucket");
    assert_eq!(
        error.to_string(),
        format!("the artifacts bucket `{BUCKET}` does not exist in account `111122223333`")
    );
    assert_eq!(place.peers.calls(), ["HeadObject signer/1.zip".to_owned(), format!("HeadBucket {BUCKET}")]);
}

#[tokio::test]
async fn with_consent_the_bucket_is_made_closed_and_the_upload_checked() {
    let place = place(false, true);
    place.run(Consent::Granted).await.expect("in place");
    assert_eq!(
        place.peers.calls(),
        [
            "HeadObject signer/1.zip".to_owned(),
            format!("HeadBucket {BUCKET}"),
            format!("CreateBucket {BUCKET}"),
            format!("SecureBucket {BUCKET}"),
            "PutObject signer/1.zip".to_owned(),
            "HeadObject signer/1.zip".to_owned(),
        ]
    );
}

#[tokio::test]
async fn where_the_peer_gives_no_digest_the_upload_is_read_back() {
    let place = place(true, false);
    place.run(Consent::NotAsked).await.expect("in place");
    assert_eq!(place.peers.calls().last().map(String::as_str), Some("GetObject signer/1.zip"));
}

#[tokio::test]
async fn something_else_under_the_key_is_refused_and_stays() {
    let place = place(true, true);
    place.peers.world.lock().unwrap().objects.insert("signer/1.zip".into(), b"bad bytes".to_vec());
    let error = place.run(Consent::Granted).await.expect_err("corrupt");
    assert!(matches!(error, ArtifactError::Corrupt { .. }));
    assert_eq!(place.peers.calls(), ["HeadObject signer/1.zip"]);
}

#[tokio::test]
async fn a_zip_that_changed_since_it_was_packed_is_not_uploaded() {
    let place = place(true, true);
    std::fs::write(&place.file.path, b"zap bytes").expect("a zip");
    let error = place.run(Consent::Granted).await.expect_err("changed");
    assert!(matches!(error, ArtifactError::Changed { .. }));
    assert!(!place.peers.calls().iter().any(|call| call.starts_with("PutObject")));
}
