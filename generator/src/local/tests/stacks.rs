//! What stacks refuse, and how custom resources fail.

use super::*;

const CUSTOM: &str = include_str!("../testdata/custom.yaml");

#[tokio::test]
async fn a_custom_resource_that_fails_fails_at_once_and_is_deleted_on_rollback() {
    let fresh = Fresh::new("custom");
    let config = sdk(&fresh.up()).await;
    let parameters = aws_sdk_ssm::Client::new(&config);
    let begin = Instant::now();
    for (mode, reason, id) in [
        ("refuse", "refusing as asked", "made-1"),
        ("crash", "The function failed before it answered", "crash-Made-"),
    ] {
        let (status, reasons) = create_stack(&config, mode, CUSTOM, &[("Mode", mode)]).await;
        assert_eq!(status, StackStatus::RollbackComplete, "{reasons}");
        assert!(reasons.contains(reason), "{reasons}");
        let seen = parameters.get_parameter().name("/seen/Delete").send().await.expect("a Delete");
        let seen = seen.parameter().and_then(|parameter| parameter.value()).expect("a value").to_owned();
        assert!(seen.starts_with(id), "{seen}");
    }
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn stacks_refuse_what_aws_refuses() {
    let fresh = Fresh::new("rules");
    let config = sdk(&fresh.up()).await;
    let function = |code: &str| {
        format!(
            "Resources:
  Bucket: {{Type: AWS::S3::Bucket, Properties: {{BucketName: full}}}}
  Function:
    Type: AWS::Lambda::Function
    DependsOn: Bucket
    Properties:
      FunctionName: plain
      Runtime: nodejs24.x
      Handler: index.handler
      Role: arn:aws:iam::000000000000:role/plain
      Code: {code}
  Version:
    Type: AWS::Lambda::Version
    Properties: {{FunctionName: {{Ref: Function}}, CodeSha256: {}}}",
            "A".repeat(43) + "="
        )
    };
    let missing = function("{S3Bucket: full, S3Key: gone.zip}");
    let (status, reasons) = create_stack(&config, "missing", &missing, &[]).await;
    assert_eq!(status, StackStatus::RollbackComplete);
    assert!(reasons.contains("S3 Error Code: NoSuchKey"), "{reasons}");

    let other_code = function("{ZipFile: 'exports.handler = async () => 1'}");
    let (status, reasons) = create_stack(&config, "digest", &other_code, &[]).await;
    assert_eq!(status, StackStatus::RollbackComplete);
    assert!(reasons.contains("is different from current CodeSHA256 in $LATEST"), "{reasons}");

    let bucket = "Resources: {Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: full}}}";
    let (status, reasons) = create_stack(&config, "bucket", bucket, &[]).await;
    assert_eq!(status, StackStatus::CreateComplete, "{reasons}");
    let s3 = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build(),
    );
    s3.put_object().bucket("full").key("one").body(b"1".to_vec().into()).send().await.expect("put");
    let stacks = aws_sdk_cloudformation::Client::new(&config);
    stacks.delete_stack().stack_name("bucket").send().await.expect("an accepted deletion");
    let (status, reasons) = settled(&stacks, "bucket").await;
    assert_eq!(status, StackStatus::DeleteFailed);
    assert!(reasons.contains("The bucket you tried to delete is not empty"), "{reasons}");
}
