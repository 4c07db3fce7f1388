//! The journal in S3: two writers, lost answers.

use super::*;
use crate::aws::s3::Conditional;
use crate::aws::s3::fake::OneObject;

#[tokio::test]
async fn of_two_processes_the_one_that_writes_second_is_refused() {
    let bucket = OneObject::default();
    let s3: Arc<dyn Conditional> = Arc::new(bucket.clone());
    let mut first = ObjectStore::create(s3.clone(), "b", "runs/r1.jsonl");
    first.append("one\n").await.expect("written");
    let refused = ObjectStore::create(s3.clone(), "b", "runs/r1.jsonl").append("x\n").await;
    assert_eq!(refused, Err(JournalError::Exists("s3://b/runs/r1.jsonl".into())));

    let (mut second, lines) = ObjectStore::open(s3, "b", "runs/r1.jsonl").await.expect("the journal");
    assert_eq!(lines, "one\n");
    second.append("two\n").await.expect("written");
    let refused = first.append("three\n").await;
    assert_eq!(refused, Err(JournalError::Taken("s3://b/runs/r1.jsonl".into())));
    second.append("four\n").await.expect("written");
    let text = bucket.object.lock().unwrap().clone().expect("an object").0;
    assert_eq!(String::from_utf8(text).expect("text"), "one\ntwo\nfour\n");
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_recognised() {
    let bucket = OneObject::default();
    let mut store = ObjectStore::create(Arc::new(bucket.clone()), "b", "k");
    *bucket.loses_answer.lock().unwrap() = true;
    store.append("one\n").await.expect("found written");
    *bucket.loses_answer.lock().unwrap() = true;
    store.append("two\n").await.expect("found written");
    store.append("three\n").await.expect("written");
}

#[tokio::test]
async fn a_journal_that_is_not_there_is_told() {
    let s3: Arc<dyn Conditional> = Arc::new(OneObject::default());
    let missing = ObjectStore::open(s3, "b", "k").await.err();
    assert_eq!(missing, Some(JournalError::Missing("s3://b/k".into())));
}
