//! The server's process.

use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::*;

#[test]
fn two_starts_at_once_give_one_server() {
    let fresh = Fresh::new("twice");
    let clouds: Vec<LocalCloud> = thread::scope(|scope| {
        let starts: Vec<_> = (0..3).map(|_| scope.spawn(|| fresh.up())).collect();
        starts.into_iter().map(|start| start.join().expect("a start")).collect()
    });
    assert_eq!(clouds.iter().filter(|cloud| cloud.started).count(), 1);
    assert!(clouds.iter().all(|cloud| cloud.pid == clouds[0].pid && cloud.endpoint == clouds[0].endpoint));
}

#[test]
fn a_killed_server_is_seen_as_stopped_and_starts_again() {
    let fresh = Fresh::new("killed");
    let cloud = fresh.up();
    assert_eq!(
        super::status(&fresh.cache, &fresh.name).expect("readable"),
        Status::Running(LocalCloud { started: false, ..cloud.clone() })
    );
    let pid = Pid::from_raw(i32::try_from(cloud.pid).expect("a pid")).expect("a pid");
    kill_process(pid, Signal::KILL).expect("killed");
    let deadline = Instant::now() + Duration::from_secs(10);
    while super::status(&fresh.cache, &fresh.name).expect("readable") != Status::Stopped {
        assert!(Instant::now() < deadline, "a killed server counts as running");
        thread::sleep(Duration::from_millis(50));
    }
    assert!(!down(&fresh.cache, &fresh.name).expect("nothing to stop"));
    let again = fresh.up();
    assert!(again.started);
    assert_ne!(again.pid, cloud.pid);
}

#[test]
#[cfg(target_os = "linux")]
fn the_server_sees_no_credentials_of_the_user() {
    let fresh = Fresh::new("closed");
    let cloud = fresh.up();
    let environment = fs::read(format!("/proc/{}/environ", cloud.pid)).expect("a process of Linux");
    let names: Vec<String> = environment
        .split(|byte| *byte == 0)
        .map(|pair| String::from_utf8_lossy(pair).split('=').next().unwrap_or_default().to_owned())
        .filter(|name| name.starts_with("AWS_"))
        .collect();
    assert_eq!(names, ["AWS_EC2_METADATA_DISABLED", "AWS_ENDPOINT_URL"]);
}
