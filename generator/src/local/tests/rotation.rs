//! Secrets: values, versions, rotation.

use std::collections::HashMap;

use super::*;

const ROTATION: &str = include_str!("../testdata/rotation.yaml");

async fn current_value(client: &aws_sdk_secretsmanager::Client) -> Option<String> {
    client.get_secret_value().secret_id("rotated").send().await.ok()?.secret_string().map(str::to_owned)
}

#[tokio::test]
async fn rotation_runs_at_once_by_request_and_by_schedule_and_outlives_a_restart() {
    let fresh = Fresh::new("rotation");
    let cloud = fresh.up();
    assert!(cloud.started);
    assert_eq!(fresh.up(), LocalCloud { started: false, ..cloud.clone() });

    let config = sdk(&cloud).await;
    let (status, reasons) = create_stack(&config, "rotation", ROTATION, &[]).await;
    assert_eq!(status, StackStatus::CreateComplete, "{reasons}");
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    let first = until("the first rotation ends", async || current_value(&secrets).await).await;

    secrets.rotate_secret().secret_id("rotated").send().await.expect("an accepted rotation");
    let second = until("the second rotation ends", async || {
        current_value(&secrets).await.filter(|value| *value != first)
    })
    .await;
    until("it is dated", async || {
        let secret = secrets.describe_secret().secret_id("rotated").send().await.expect("the secret");
        let window = secret.next_rotation_date()?.secs() - secret.last_rotated_date()?.secs();
        assert!((29 * 86_400..=31 * 86_400).contains(&window), "{window} s to the next rotation");
        let stages: Vec<_> = secret.version_ids_to_stages()?.values().flatten().cloned().collect();
        assert!(stages.contains(&"AWSPREVIOUS".to_owned()), "{stages:?}");
        Some(())
    })
    .await;
    // One whose end is not waited for would go on after the restart, in the place of the due one.
    until("the second rotation is over", async || {
        let log = logs(&fresh.cache, &fresh.name, 400).expect("a log");
        (log.matches("rotated rotated to version").count() == 2).then_some(())
    })
    .await;

    assert!(down(&fresh.cache, &fresh.name).expect("stopped"));
    assert_eq!(super::status(&fresh.cache, &fresh.name).expect("readable"), Status::Stopped);
    // A function's process ends by itself when its cloud is gone.
    until("no process is left", async || processes_of(&fresh).is_empty().then_some(())).await;

    // The next window opens while the cloud is off.
    let state = fresh.folder().join("state/secretsmanager.json");
    let kept = fs::read_to_string(&state).expect("the kept state");
    let (before, rest) = kept.split_once("\"_NextWindow\": ").expect("a planned rotation");
    let (_, after) = rest.split_once(',').expect("more state");
    fs::write(&state, format!("{before}\"_NextWindow\": 1,{after}")).expect("written");

    let again = fresh.up();
    assert_eq!(again.endpoint, cloud.endpoint);
    let secrets = aws_sdk_secretsmanager::Client::new(&sdk(&again).await);
    assert!(current_value(&secrets).await.is_some(), "the secret outlives a restart");
    until("the due rotation ends", async || current_value(&secrets).await.filter(|value| *value != second))
        .await;

    reset(&fresh.cache, &fresh.name).expect("reset");
    let secrets = aws_sdk_secretsmanager::Client::new(&sdk(&fresh.up()).await);
    assert_eq!(current_value(&secrets).await, None, "a reset forgets everything");
}

#[tokio::test]
async fn a_failed_rotation_leaves_the_current_value_and_says_why_in_the_log() {
    let fresh = Fresh::new("failure");
    let config = sdk(&fresh.up()).await;
    let (status, reasons) = create_stack(&config, "rotation", ROTATION, &[("FailAt", "testSecret")]).await;
    assert_eq!(status, StackStatus::CreateComplete, "{reasons}");
    let log = until("the failure is logged", async || {
        let log = logs(&fresh.cache, &fresh.name, 200).expect("a log");
        log.contains("rotation of rotated failed").then_some(log)
    })
    .await;
    assert!(log.contains("failed at testSecret: Runtime.HandlerError: failing as asked"), "{log}");

    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    assert_eq!(current_value(&secrets).await, None);
    let secret = secrets.describe_secret().secret_id("rotated").send().await.expect("the secret");
    let stages: HashMap<_, _> = secret.version_ids_to_stages().expect("versions").clone();
    assert_eq!(stages.into_values().collect::<Vec<_>>(), [["AWSPENDING"]]);
    let error = secrets.rotate_secret().secret_id("rotated").send().await.expect_err("a refusal");
    assert!(error.into_service_error().is_invalid_request_exception());
}

#[tokio::test]
async fn one_token_names_one_value_and_a_label_sits_on_one_version() {
    let fresh = Fresh::new("values");
    let secrets = aws_sdk_secretsmanager::Client::new(&sdk(&fresh.up()).await);
    secrets.create_secret().name("plain").secret_string("0").send().await.expect("a secret");
    let put = async |token: &str, value: &str| {
        let call = secrets.put_secret_value().secret_id("plain").client_request_token(token);
        call.secret_string(value).version_stages("AWSPENDING").send().await
    };
    let [one, two] = ["1", "2"].map(|digit| digit.repeat(36));
    put(&one, "a").await.expect("a first value");
    put(&one, "a").await.expect("the same again");
    let refusal = put(&one, "b").await.expect_err("another value under the same token");
    assert!(refusal.into_service_error().is_resource_exists_exception());
    put(&two, "b").await.expect("a second value");
    let pending = secrets.get_secret_value().secret_id("plain").version_stage("AWSPENDING");
    assert_eq!(pending.send().await.expect("a pending value").version_id(), Some(two.as_str()));
    let versions = secrets.describe_secret().secret_id("plain").send().await.expect("the secret");
    assert!(!versions.version_ids_to_stages().expect("versions").contains_key(&one));
}
