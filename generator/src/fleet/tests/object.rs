//! The journal in S3: two writers, lost answers.

use super::*;

/// An object and how often it was written.
type Written = (Vec<u8>, u32);

/// One object.
#[derive(Debug, Clone, Default)]
struct Bucket {
    object: Arc<Mutex<Option<Written>>>,
    /// Whether the next write succeeds but is answered with a refusal, as a repeated attempt would be.
    loses_answer: Arc<Mutex<bool>>,
}

impl Conditional for Bucket {
    fn tagged<'a>(&'a self, _: &'a str, _: &'a str) -> Boxed<'a, Result<Option<Tagged>, AwsError>> {
        let object = self.object.lock().unwrap().clone();
        Box::pin(async move { Ok(object.map(|(bytes, tag)| Tagged { bytes, tag: tag.to_string() })) })
    }

    fn put_if<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        bytes: Vec<u8>,
        condition: Condition<'a>,
    ) -> Boxed<'a, Result<Option<String>, AwsError>> {
        let mut object = self.object.lock().unwrap();
        let (holds, tag) = match (&*object, condition) {
            (None, Condition::Absent) => (true, 1),
            (Some((_, tag)), Condition::Unchanged(expected)) => (tag.to_string() == expected, tag + 1),
            (found, _) => (false, found.as_ref().map_or(0, |(_, tag)| *tag)),
        };
        if holds {
            *object = Some((bytes, tag));
        }
        let lost = std::mem::take(&mut *self.loses_answer.lock().unwrap());
        Box::pin(async move { Ok((holds && !lost).then(|| tag.to_string())) })
    }
}

#[tokio::test]
async fn of_two_processes_the_one_that_writes_second_is_refused() {
    let bucket = Bucket::default();
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
    let bucket = Bucket::default();
    let mut store = ObjectStore::create(Arc::new(bucket.clone()), "b", "k");
    *bucket.loses_answer.lock().unwrap() = true;
    store.append("one\n").await.expect("found written");
    *bucket.loses_answer.lock().unwrap() = true;
    store.append("two\n").await.expect("found written");
    store.append("three\n").await.expect("written");
}

#[tokio::test]
async fn a_journal_that_is_not_there_is_told() {
    let s3: Arc<dyn Conditional> = Arc::new(Bucket::default());
    let missing = ObjectStore::open(s3, "b", "k").await.err();
    assert_eq!(missing, Some(JournalError::Missing("s3://b/k".into())));
}
