//! Waves, bakes, failures, stops, and going on after any of them.

use super::*;

#[tokio::test]
async fn waves_follow_each_other_with_a_pause_and_no_more_run_at_once_than_may() {
    let clock = JumpingClock::default();
    let memory = Memory::default();
    let job = Arc::new(Recorder { clock: clock.clone(), store: Some(memory.clone()), ..Recorder::default() });
    let header = header(&[&["a"], &["b", "c", "d"]], 2, 60, 0);
    let journal = begun(memory, header).await;
    let (fleet, sink) = fleet(&clock);
    let ended = clock.run(run(&fleet, &journal, job.clone())).await.expect("kept");
    assert_eq!(ended, Ended { stopped: None });
    let began: Vec<_> =
        job.began.lock().unwrap().iter().map(|(name, at, ..)| (name.clone(), at.as_secs())).collect();
    assert_eq!(began, [("a", 0), ("b", 61), ("c", 61), ("d", 62)].map(|(n, at)| (n.to_owned(), at)));
    assert_eq!(job.most.load(Ordering::SeqCst), 2);
    let history = journal.history();
    assert!(history.finished && history.done() == 4);
    assert_eq!(history.tenants["b"].end.as_ref().expect("an end").waiting_milliseconds, 400);
    let codes = sink.codes();
    assert_eq!(codes.iter().filter(|code| **code == "JOB_DONE").count(), 4);
    assert_eq!(codes[..2], ["RUN_STARTED", "WAVE_STARTED"]);
}

#[tokio::test]
async fn too_many_failures_stop_the_rest_and_going_on_tries_them_again() {
    let clock = JumpingClock::default();
    let memory = Memory::default();
    let job = Arc::new(Recorder { clock: clock.clone(), ..Recorder::default() });
    *job.fails.lock().unwrap() = vec!["a".into(), "b".into()];
    let header = header(&[&["a", "b", "c", "d", "e"]], 2, 0, 1);
    let journal = begun(memory.clone(), header).await;
    let (fleet, sink) = fleet(&clock);
    let ended = clock.run(run(&fleet, &journal, job.clone())).await.expect("kept");
    assert_eq!(ended.stopped, Some(StopReason::TooManyFailures { failed: 2, allowed: 1 }));
    // `c` had begun when `b` failed as the second one; it went on to its end.
    assert_eq!(job.names(), ["a", "b", "c"]);
    assert_eq!(journal.history().done(), 1);
    assert!(sink.codes().contains(&"RUN_STOPPING"));
    drop((journal, fleet));

    job.fails.lock().unwrap().clear();
    job.began.lock().unwrap().clear();
    let (ended, history) = go_on(&clock, &memory, &job).await;
    assert_eq!((ended.stopped, history.done(), history.processes), (None, 5, 2));
    let again: Vec<_> = job.began.lock().unwrap().iter().map(|(n, _, a, f)| (n.clone(), *a, *f)).collect();
    let expected = [("a", 2, 1), ("b", 2, 1), ("d", 1, 0), ("e", 1, 0)];
    assert_eq!(again, expected.map(|(n, a, f)| (n.to_owned(), a, f)));
}

#[tokio::test]
async fn who_is_asked_to_stop_finishes_what_is_in_flight_and_begins_nothing() {
    let clock = JumpingClock::default();
    let job = Arc::new(Recorder { clock: clock.clone(), ..Recorder::default() });
    let header = header(&[&["a", "b", "c"], &["d"]], 2, 0, 0);
    let journal = begun(Memory::default(), header).await;
    let (fleet, _) = fleet(&clock);
    let stopper = fleet.stopper.clone();
    let asking = async {
        clock.sleep(Duration::from_millis(500)).await;
        stopper.stop();
        std::future::pending().await
    };
    let ended = clock
        .run(async { tokio::select! { ended = run(&fleet, &journal, job.clone()) => ended, () = asking => unreachable!() } })
        .await
        .expect("kept");
    assert_eq!(ended.stopped, Some(StopReason::Asked));
    assert_eq!((job.names().join(" "), journal.history().done()), ("a b".into(), 2));
}

#[tokio::test]
async fn a_pause_ends_early_when_asked_to_stop_and_goes_on_where_it_was() {
    let clock = JumpingClock::default();
    let memory = Memory::default();
    let job = Arc::new(Recorder { clock: clock.clone(), ..Recorder::default() });
    let header = header(&[&["a"], &["b"]], 1, 100, 0);
    let journal = begun(memory.clone(), header).await;
    let (fleet, _) = fleet(&clock);
    let stopper = fleet.stopper.clone();
    let asking = async {
        clock.sleep(Duration::from_secs(41)).await;
        stopper.stop();
        std::future::pending().await
    };
    clock
        .run(async { tokio::select! { ended = run(&fleet, &journal, job.clone()) => ended, () = asking => unreachable!() } })
        .await
        .expect("kept");
    assert_eq!(clock.elapsed(), Duration::from_secs(41));
    drop((journal, fleet));
    clock.run(clock.sleep(Duration::from_secs(10))).await;
    go_on(&clock, &memory, &job).await;
    let began: Vec<_> = job.began.lock().unwrap().iter().map(|(_, at, ..)| at.as_secs()).collect();
    assert_eq!(began, [0, 101]);
}

#[tokio::test]
async fn cut_off_after_any_line_a_run_goes_on_and_repeats_nothing_that_was_done() {
    let clock = JumpingClock::default();
    let memory = Memory::default();
    let job = Arc::new(Recorder { clock: clock.clone(), ..Recorder::default() });
    let header = header(&[&["a", "b"], &["c", "d", "e"]], 2, 1, 0);
    let journal = begun(memory.clone(), header).await;
    let (fleet, _) = fleet(&clock);
    clock.run(run(&fleet, &journal, job)).await.expect("kept");
    let whole = memory.text.lock().unwrap().clone();
    let lines: Vec<_> = whole.lines().collect();
    for cut in 1..=lines.len() {
        let text: String = lines[..cut].iter().map(|line| format!("{line}\n")).collect();
        let before = History::read("memory", &text).expect("a journal");
        let memory = Memory { text: Arc::new(Mutex::new(text)), breaks_after: None };
        let job = Arc::new(Recorder { clock: clock.clone(), ..Recorder::default() });
        let (_, history) = go_on(&clock, &memory, &job).await;
        assert!(history.finished && history.done() == 5, "cut after {cut}");
        let mut ran = job.names();
        ran.sort();
        let left: Vec<_> = (0..2).flat_map(|wave| before.remaining(wave)).collect();
        assert_eq!(ran, left, "cut after {cut}");
        for (tenant, _, number, _) in job.began.lock().unwrap().iter() {
            let earlier = before.tenants.get(tenant).map_or(0, |state| state.attempts);
            assert_eq!(*number, earlier + 1, "cut after {cut}: {tenant}");
        }
        assert_eq!(History::read("memory", &memory.text.lock().unwrap()).expect("a journal"), history);
    }
}

#[tokio::test]
async fn nothing_begins_that_cannot_be_written_down() {
    let clock = JumpingClock::default();
    let memory = Memory { breaks_after: Some(Arc::new(AtomicUsize::new(4))), ..Memory::default() };
    let job = Arc::new(Recorder { clock: clock.clone(), ..Recorder::default() });
    let header = header(&[&["a", "b", "c", "d"]], 1, 0, 9);
    let journal = begun(memory, header).await;
    let (fleet, _) = fleet(&clock);
    let error = clock.run(run(&fleet, &journal, job.clone())).await.expect_err("a full disk");
    assert!(error.to_string().contains("the disk is full"), "{error}");
    // Run, taken up, `a` began, `a` ended; that `b` begins could not be kept.
    assert_eq!(job.names(), ["a"]);
}

#[tokio::test]
async fn a_job_that_panics_is_a_failure_and_the_others_go_on() {
    let clock = JumpingClock::default();
    let job = Arc::new(Recorder { clock: clock.clone(), ..Recorder::default() });
    let header = header(&[&["a", "panics", "z"]], 1, 0, 1);
    let journal = begun(Memory::default(), header).await;
    let (fleet, _) = fleet(&clock);
    let ended = clock.run(run(&fleet, &journal, job)).await.expect("kept");
    let history = journal.history();
    assert_eq!((ended.stopped, history.done(), history.tenants["panics"].failures), (None, 2, 1));
}

#[test]
fn a_journal_of_another_version_and_a_broken_line_are_told_with_their_place() {
    let mut header = header(&[&["a"]], 1, 0, 0);
    let line = |header: &Header| json!(Record::Run(Box::new(header.clone()))).to_string();
    let good = line(&header);
    let broken = History::read("j", &format!("{good}\n{{\"record\":\"dreamt\"}}\n")).expect_err("an error");
    assert!(broken.to_string().starts_with("line 2 of the journal `j` cannot be read"), "{broken}");
    assert!(History::read("j", &format!("{good}\n{good}\n")).is_err());
    header.version = 2;
    assert!(History::read("j", &line(&header)).expect_err("an error").to_string().contains("version 2"));
    assert_eq!(History::read("j", ""), Err(JournalError::Missing("j".into())));
}
