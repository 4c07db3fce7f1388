//! What opens the files of a tenant: its keys as they stand now, signed URLs as well as cookies, and the bucket's leave.

use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use contract::edge_config::SignatureHash;
use generator::aws::Cloud;
use signing::{CookieSet, Policy, SigningKey};

use super::client::Client;
use super::isolation::keyring;
use super::world::{World, host};

const FILE: &str = "/access/a.txt";
/// Longest time for which a removed key, or a permission that was taken back, may still count.
const NOTICED: Duration = Duration::from_secs(1);

pub(super) fn holds(world: &World, cloud: &Cloud, client: &Client) {
    // Both kinds of key.
    for number in [0, 1] {
        for file in [FILE, "/access/b.txt", "/access/late.txt"] {
            world.put(cloud, number, &file[1..], "text/plain", Some("max-age=600"), file.as_bytes().to_vec());
        }
        let own = Own::of(world, cloud, number);
        for hash in [SignatureHash::Sha256, SignatureHash::Sha1] {
            own.canned_urls(client, hash);
            own.custom_urls(client, hash);
        }
        a_removed_key_opens_nothing(world, cloud, client, &own);
        what_the_bucket_takes_back_is_not_read(world, cloud, client, &own);
    }
}

/// A tenant's own key, with which anybody signs who holds it.
struct Own {
    number: usize,
    key: SigningKey,
    key_id: String,
    domain: String,
}

impl Own {
    fn of(world: &World, cloud: &Cloud, number: usize) -> Self {
        let keyring = keyring(world, cloud, number);
        let key = SigningKey::from_pem(&keyring.private_key).expect("a key");
        Self { number, key, key_id: keyring.key_id, domain: world.output(number, "Host") }
    }

    /// Parameters of a signed URL over this text.
    fn query(&self, first: &str, text: &str, hash: SignatureHash) -> String {
        let signature = signing::encode(&self.key.sign(text.as_bytes(), hash).expect("a signature"));
        let name = if hash == SignatureHash::Sha256 { "&Hash-Algorithm=SHA256" } else { "" };
        format!("{first}&Signature={signature}&Key-Pair-Id={}{name}", self.key_id)
    }

    fn status(&self, client: &Client, url: &str) -> u16 {
        client.get(&host(self.number), url, &[]).status
    }

    fn canned_urls(&self, client: &Client, hash: SignatureHash) {
        let signed = |url: &str, end: u64| {
            let text = format!(
                r#"{{"Statement":[{{"Resource":"https://{}{url}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{end}}}}}}}]}}"#,
                self.domain
            );
            self.query(&format!("Expires={end}"), &text, hash)
        };
        let query = signed(FILE, now() + 600);
        assert_eq!(self.status(client, &format!("{FILE}?{query}")), 200, "{hash:?}");
        assert_eq!(self.status(client, &format!("/access/b.txt?{query}")), 403, "another file");
        assert_eq!(self.status(client, &format!("{FILE}?size=1&{query}")), 403, "another query");
        assert_eq!(self.status(client, &format!("{FILE}?{}", signed(FILE, now() - 1))), 403, "expired");
        let later = query.replacen("Expires=", "Expires=1", 1);
        assert_eq!(self.status(client, &format!("{FILE}?{later}")), 403, "a later end");
        let own = format!("{FILE}?size=1");
        assert_eq!(self.status(client, &format!("{own}&{}", signed(&own, now() + 600))), 200, "{hash:?}");
    }

    fn custom_urls(&self, client: &Client, hash: SignatureHash) {
        let signed = |policy: &Policy| {
            let text = policy.text();
            self.query(&format!("Policy={}", signing::encode(text.as_bytes())), &text, hash)
        };
        let of = |resource: &str| Policy {
            resource: format!("https://{}{resource}", self.domain),
            ..Policy::of_host(&self.domain, now() + 600)
        };
        let status = |path: &str, policy: &Policy| self.status(client, &format!("{path}?{}", signed(policy)));
        assert_eq!(status(FILE, &of("/access/*")), 200, "{hash:?}");
        assert_eq!(status("/access/b.txt", &of("/access/?.txt")), 200, "{hash:?}");
        assert_eq!(status("/access/b.txt", &of(FILE)), 403, "another file");
        assert_eq!(status(FILE, &Policy { not_before: Some(now() + 300), ..of(FILE) }), 403, "not yet");
        assert_eq!(status(FILE, &Policy { not_before: Some(now() - 5), ..of(FILE) }), 200, "since a moment");
        assert_eq!(status(FILE, &of(FILE).bound_to(Ipv4Addr::LOCALHOST)), 200, "this address");
        assert_eq!(status(FILE, &of(FILE).bound_to(Ipv4Addr::new(192, 0, 2, 7))), 403, "another address");
    }

    fn cookies(&self) -> String {
        let policy = Policy::of_host(&self.domain, now() + 600);
        let set =
            CookieSet::sign(&self.key, &self.key_id, &policy, SignatureHash::Sha256).expect("a signature");
        set.cookie_header()
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs()
}

/// The key group of the local cloud is what counts, within a second.
fn a_removed_key_opens_nothing(world: &World, cloud: &Cloud, client: &Client, own: &Own) {
    let cloudfront = aws_sdk_cloudfront::Client::new(&cloud.config("us-east-1"));
    let group = world.output(own.number, "KeyGroupId");
    let set_keys = |change: &dyn Fn(&mut Vec<String>)| {
        world.runtime.block_on(async {
            let read = cloudfront.get_key_group_config().id(&group).send().await.expect("the group");
            let config = read.key_group_config().expect("its configuration");
            let mut keys = config.items().to_vec();
            change(&mut keys);
            let changed = aws_sdk_cloudfront::types::KeyGroupConfig::builder().name(config.name());
            let changed = changed.set_items(Some(keys)).build().expect("a configuration");
            let update = cloudfront.update_key_group().id(&group).if_match(read.e_tag().expect("a tag"));
            update.key_group_config(changed).send().await.expect("the changed group");
        });
    };
    let cookies = own.cookies();
    let seen = || client.get(&host(own.number), FILE, &[("Cookie", &cookies)]);
    assert_eq!(seen().status, 200);
    let other = keyring(world, cloud, (own.number + 2) % super::world::TENANTS).key_id;
    set_keys(&|keys| *keys = vec![other.clone()]);
    std::thread::sleep(NOTICED);
    let closed = seen();
    assert_eq!(closed.status, 403);
    assert!(
        closed.text().contains("<Code>InvalidKey</Code><Message>Unknown Key</Message>"),
        "{}",
        closed.text()
    );
    set_keys(&|keys| *keys = vec![own.key_id.clone()]);
    // A key that is missing in what was read before is looked for at once.
    assert_eq!(seen().status, 200);
}

/// What the edge still keeps, it gives; everything else is closed as it would be at S3.
fn what_the_bucket_takes_back_is_not_read(world: &World, cloud: &Cloud, client: &Client, own: &Own) {
    let config = cloud.config(&world.region(own.number));
    let config = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
    let s3 = aws_sdk_s3::Client::from_conf(config);
    let bucket = world.output(own.number, "ContentBucketName");
    let policy = world.runtime.block_on(async {
        let read = s3.get_bucket_policy().bucket(&bucket).send().await.expect("the policy");
        s3.delete_bucket_policy().bucket(&bucket).send().await.expect("no policy");
        read.policy().expect("its text").to_owned()
    });
    std::thread::sleep(NOTICED);
    let cookies = own.cookies();
    let get = |path: &str| client.get(&host(own.number), path, &[("Cookie", &cookies)]);
    assert_eq!(get(FILE).header("x-cache"), "Hit from cloudfront");
    let closed = get("/access/late.txt");
    assert_eq!((closed.status, closed.header("x-cache")), (403, "Error from cloudfront"));
    world.runtime.block_on(async {
        s3.put_bucket_policy().bucket(&bucket).policy(policy).send().await.expect("the policy");
    });
}
