//! A tenant's keys on a local cloud, as an outsider sees them, and the rotator in this process.

use std::fs;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use contract::edge_config::SignatureHash;
use contract::keyring::{KeyAlgorithm, Keyring};
use contract::names::Names;
use generator::local::{self, ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use rotator::aws::Aws;
use rotator::error::Error;
use rotator::keypair;
use rotator::steps::{self, Outcome, Request, Step};
use rotator::tenant::Tenant;
use signing::{CookieSet, Policy, PublicKey, SigningKey, TrustedKey, Viewing};

use super::line::{Line, Trouble};
use crate::support::cache;

pub(super) const STEPS: [Step; 4] = [Step::Create, Step::Set, Step::Test, Step::Finish];
const NOW: u64 = 1_800_000_000;
const HOST: &str = "media.example.com";

/// A rotation function that does nothing: Secrets Manager begins rotations with it, and the rotator in this
/// process does them.
const IDLE_FUNCTION: &str = r#"
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: idle
      Runtime: nodejs24.x
      Handler: index.handler
      Role: arn:aws:iam::000000000000:role/idle
      Code:
        ZipFile: "exports.handler = async () => { throw new Error('left to the test'); };"
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: {Ref: Function}
      Action: lambda:InvokeFunction
      Principal: secretsmanager.amazonaws.com
"#;

/// A local cloud of a test's own, removed at the end whatever happens.
pub(super) struct Ground {
    instance: String,
    pub(super) config: SdkConfig,
    http: SharedHttpClient,
}

impl Ground {
    pub(super) async fn start(purpose: &str) -> Self {
        let instance = format!("{purpose}-{}", std::process::id());
        let cloud = tokio::task::spawn_blocking({
            let instance = instance.clone();
            move || local::up(&cache(), &instance, &|_| {}).expect("a local cloud")
        });
        let config = connect(&cloud.await.expect("a start").endpoint).await;
        let ground = Self { instance, config, http: rotator::aws::https() };
        let stacks = aws_sdk_cloudformation::Client::new(&ground.config);
        stacks.create_stack().stack_name("idle").template_body(IDLE_FUNCTION).send().await.expect("a stack");
        let lambda = aws_sdk_lambda::Client::new(&ground.config);
        while lambda.get_policy().function_name("idle").send().await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        ground
    }

    /// A tenant with an established keyring.
    pub(super) async fn site(&self, name: &str) -> Site<'_> {
        let tenant = Tenant {
            name: name.into(),
            names: Names::new("example", name),
            algorithm: KeyAlgorithm::EcdsaP256,
            cookie_minutes: 60,
        };
        let secrets = aws_sdk_secretsmanager::Client::new(&self.config);
        let secret = tenant.names.keyring_secret();
        let made = secrets.create_secret().name(&secret).send().await.expect("a secret");
        let secret = made.arn().expect("an ARN").to_owned();
        let site = Site { ground: self, tenant, secret };
        let world = site.world(&Line::new(&self.http, Trouble::None));
        let request = token(&format!("request-{name}"));
        let made = rotator::custom_resource::establish(&world, &site.tenant, &site.secret, &request, 0).await;
        made.expect("a first keyring");
        site
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = local::down(&cache(), &self.instance);
        let _ = fs::remove_dir_all(cache().root().join("local").join(&self.instance));
    }
}

/// The SDK's settings for a local cloud.
pub(super) async fn connect(endpoint: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "local"))
        .load()
        .await
}

/// A version id as Secrets Manager takes it: at least 32 characters.
pub(super) fn token(text: &str) -> String {
    format!("{text}-{}", "0".repeat(32))
}

/// One tenant.
pub(super) struct Site<'a> {
    ground: &'a Ground,
    pub(super) tenant: Tenant,
    pub(super) secret: String,
}

impl Site<'_> {
    pub(super) fn line(&self, trouble: Trouble) -> Line {
        Line::new(&self.ground.http, trouble)
    }

    /// A new process of the rotator on `line`.
    pub(super) fn world(&self, line: &Line) -> Aws {
        Aws::with(&self.ground.config, SharedHttpClient::new(line.clone()))
    }

    /// Lets Secrets Manager begin a rotation.
    pub(super) async fn begin(&self, token: &str) {
        let secrets = aws_sdk_secretsmanager::Client::new(&self.ground.config);
        let lambda = "arn:aws:lambda:us-east-1:000000000000:function:idle";
        let has_begun = async || {
            let secret = secrets.describe_secret().secret_id(&self.secret).send().await.expect("the secret");
            let versions = secret.version_ids_to_stages().cloned().unwrap_or_default();
            versions.get(token).is_some_and(|stages| stages.iter().any(|stage| stage == "AWSPENDING"))
        };
        for _ in 0..300 {
            let rotation = secrets.rotate_secret().secret_id(&self.secret).rotation_lambda_arn(lambda);
            let _ = rotation.client_request_token(token).send().await;
            if has_begun().await {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("rotation `{token}` did not begin within 30 s");
    }

    pub(super) async fn step(&self, line: &Line, step: Step, token: &str) -> Result<Outcome, Error> {
        let (secret, token) = (self.secret.clone(), token.to_owned());
        let request = Request { step, secret, token, rotation_token: None, deadline: 0 };
        // Each step is an invocation of its own.
        steps::run(&self.world(line), &self.tenant, &request).await
    }

    pub(super) async fn steps(&self, line: &Line, token: &str) -> Result<(), Error> {
        for step in STEPS {
            self.step(line, step, token).await?;
        }
        Ok(())
    }

    pub(super) async fn rotate(&self, token: &str) -> Result<(), Error> {
        self.begin(token).await;
        self.steps(&self.line(Trouble::None), token).await
    }

    pub(super) async fn keyring(&self) -> Keyring {
        keyring(&self.ground.config, &self.secret).await
    }

    /// What stands in CloudFront of this tenant.
    pub(super) async fn standing(&self) -> Standing {
        Standing::of(&self.ground.config, &self.tenant.names).await
    }
}

/// The current keyring of a secret.
pub(super) async fn keyring(config: &SdkConfig, secret: &str) -> Keyring {
    let secrets = aws_sdk_secretsmanager::Client::new(config);
    let value = secrets.get_secret_value().secret_id(secret).send().await.expect("a current version");
    serde_json::from_str(value.secret_string().expect("a text")).expect("a keyring")
}

/// Key group and public keys of one tenant, and what follows from them.
#[derive(Debug)]
pub(super) struct Standing {
    /// Public keys by id, in PEM.
    keys: Vec<(String, String)>,
    /// Ids in the group.
    pub(super) group: Vec<String>,
}

impl Standing {
    pub(super) async fn of(config: &SdkConfig, names: &Names) -> Self {
        let cloudfront = aws_sdk_cloudfront::Client::new(config);
        let (mut keys, mut marker) = (Vec::new(), None);
        loop {
            let page = cloudfront.list_public_keys().set_marker(marker).send().await.expect("public keys");
            let list = page.public_key_list.expect("a list");
            for key in list.items.unwrap_or_default() {
                if names.owns_public_key(&key.name) {
                    keys.push((key.id, key.encoded_key));
                }
            }
            marker = list.next_marker.filter(|next| !next.is_empty());
            if marker.is_none() {
                break;
            }
        }
        let mut marker = None;
        loop {
            let page = cloudfront.list_key_groups().set_marker(marker).send().await.expect("key groups");
            let list = page.key_group_list.expect("a list");
            let groups = list.items.unwrap_or_default().into_iter().filter_map(|summary| summary.key_group);
            for config in groups.filter_map(|group| group.key_group_config) {
                if config.name == names.key_group() {
                    return Self { keys, group: config.items };
                }
            }
            marker = list.next_marker.filter(|next| !next.is_empty());
            assert!(marker.is_some(), "no key group");
        }
    }

    /// The invariants, on what really stands.
    pub(super) fn check(&self, keyring: &Keyring, cookies: &[CookieSet], when: &str) {
        assert!((1..=4).contains(&self.group.len()), "{when}: {self:?}");
        let (_, pem) = self.keys.iter().find(|(id, _)| *id == keyring.key_id).expect("a key that exists");
        assert_eq!(keypair::proves(&keyring.private_key, pem), Ok(true), "{when}");
        assert!(self.group.contains(&keyring.key_id), "{when}: {self:?}");
        for cookie in cookies.iter().chain([&cookie(keyring)]) {
            assert!(self.opens(cookie), "{when}: a cookie of `{}` is refused", cookie.key_id);
        }
    }

    /// Whether CloudFront would let a viewer with these cookies in.
    pub(super) fn opens(&self, cookies: &CookieSet) -> bool {
        let trusted = self.keys.iter().filter(|(id, _)| self.group.contains(id));
        let trusted: Vec<TrustedKey> = trusted
            .map(|(id, pem)| TrustedKey { id: id.clone(), key: PublicKey::from_pem(pem).expect("a key") })
            .collect();
        let url = format!("https://{HOST}/a.jpg");
        signing::open(cookies, &trusted, Viewing { url: &url, now: NOW, address: None }).is_ok()
    }

    /// Keys of the tenant that are in no group.
    pub(super) fn orphans(&self) -> Vec<&String> {
        self.keys.iter().map(|(id, _)| id).filter(|id| !self.group.contains(id)).collect()
    }
}

/// Cookies as a signer that holds `keyring` gives them.
pub(super) fn cookie(keyring: &Keyring) -> CookieSet {
    let key = SigningKey::from_pem(&keyring.private_key).expect("a private key");
    let policy = Policy::of_host(HOST, NOW + 3_600);
    CookieSet::sign(&key, &keyring.key_id, &policy, SignatureHash::Sha256).expect("cookies")
}
