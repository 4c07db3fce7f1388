//! Initech had a bucket, a user pool and an app client before it became a tenant.

use std::fs;
use std::path::Path;

use aws_sdk_cognitoidentityprovider::types::ExplicitAuthFlowsType;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use generator::aws::Cloud;

const REGION: &str = "eu-west-1";

/// Makes them, and writes their ids, which Cognito chooses, into the tenant's file.
pub(crate) async fn brings_along(cloud: &Cloud, file: &Path) {
    let config = cloud.config(REGION);
    let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
    let region =
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
    let made = aws_sdk_s3::Client::from_conf(s3).create_bucket().bucket("initech-media-archive");
    made.create_bucket_configuration(region).send().await.expect("a bucket");
    let cognito = aws_sdk_cognitoidentityprovider::Client::new(&config);
    let made = cognito.create_user_pool().pool_name("initech").send().await.expect("a pool");
    let pool = made.user_pool().and_then(|pool| pool.id()).expect("its id");
    let made = cognito.create_user_pool_client().user_pool_id(pool).client_name("initech");
    let made = made.explicit_auth_flows(ExplicitAuthFlowsType::AllowAdminUserPasswordAuth).send().await;
    let made = made.expect("a client");
    let client = made.user_pool_client().and_then(|client| client.client_id()).expect("its id");
    let text = fs::read_to_string(file).expect("the tenant file");
    let own = text.replace("eu-west-1_AbCdEf123", pool).replace("1h57kf5cpq17m0eml12example", client);
    fs::write(file, own).expect("the tenant file");
}
