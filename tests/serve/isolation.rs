//! One tenant opens nothing of another: all pairs, and everything that is nearly right.

use std::time::{SystemTime, UNIX_EPOCH};

use contract::edge_config::SignatureHash;
use contract::keyring::Keyring;
use generator::aws::Cloud;
use signing::{CookieSet, Policy, SigningKey};

use super::client::Client;
use super::world::{TENANTS, World, host};

const PICTURE: &str = "/pictures/a.txt";

/// What a viewer of one tenant holds.
struct Held {
    access: String,
    id: String,
    cookies: String,
}

pub(super) fn holds(world: &World, cloud: &Cloud, client: &Client) {
    let held: Vec<Held> = (0..TENANTS).map(|number| enter(world, cloud, client, number)).collect();
    let mut cells = 0;
    for (from, held) in held.iter().enumerate() {
        for to in 0..TENANTS {
            let opens = from == to;
            let seen = client.get(&host(to), PICTURE, &[("Cookie", &held.cookies)]);
            assert_eq!(
                seen.status,
                if opens { 200 } else { 403 },
                "cookies of {from} at {to}: {}",
                seen.text()
            );
            assert_eq!(seen.text() == format!("picture of {to}"), opens, "cookies of {from} at {to}");
            let bearer = format!("Bearer {}", held.access);
            let traded = client.get(&host(to), "/cookie", &[("Authorization", &bearer)]);
            assert_eq!(
                traded.status,
                if opens { 200 } else { 401 },
                "token of {from} at {to}: {}",
                traded.text()
            );
            assert_eq!(!traded.cookies().is_empty(), opens, "token of {from} at {to}");
            cells += 1;
        }
    }
    assert_eq!(cells, 144);
    // Under the distribution's own name it is the same tenant, and another still is not.
    let domain = world.output(0, "Host");
    assert_eq!(client.get(&domain, PICTURE, &[("Cookie", &held[0].cookies)]).status, 200);
    assert_eq!(client.get(&domain, PICTURE, &[("Cookie", &held[1].cookies)]).status, 403);
    a_connection_for_one_host_answers_for_no_other(client, &held);
    let nearly: Vec<Nearly> = held
        .iter()
        .enumerate()
        .map(|(number, held)| nearly_right(world, cloud, client, number, held))
        .collect();
    let mut cells = 0;
    for (from, nearly) in nearly.iter().enumerate() {
        for to in 0..TENANTS {
            nearly.opens_nothing(client, from, to);
            cells += 1;
        }
    }
    assert_eq!(cells, 144);
}

fn enter(world: &World, cloud: &Cloud, client: &Client, number: usize) -> Held {
    let email = "viewer@example.invalid";
    world.viewer(cloud, number, email);
    world.put(cloud, number, &PICTURE[1..], "text/plain", None, format!("picture of {number}").into_bytes());
    let tokens = world.tokens(cloud, number, email);
    let access = tokens.access.expose().to_owned();
    let granted = client.get(&host(number), "/cookie", &[("Authorization", &format!("Bearer {access}"))]);
    assert_eq!(granted.status, 200, "tenant {number}: {}", granted.text());
    Held { access, id: tokens.id.expect("an id token").expose().to_owned(), cookies: granted.cookies() }
}

fn a_connection_for_one_host_answers_for_no_other(client: &Client, held: &[Held]) {
    let fronted = client.send("GET", &host(0), &host(1), PICTURE, &[("Cookie", &held[1].cookies)], "");
    assert_eq!(fronted.status, 421);
    assert!(!client.connects("nobody.localhost"));
}

/// What was made from what a viewer of one tenant holds, and should open nothing anywhere.
struct Nearly {
    cookies: Vec<(&'static str, String)>,
    tokens: Vec<(&'static str, String)>,
}

impl Nearly {
    /// Tried on the tenant `to`, which may be the tenant itself.
    fn opens_nothing(&self, client: &Client, from: usize, to: usize) {
        for (what, cookies) in &self.cookies {
            let seen = client.get(&host(to), PICTURE, &[("Cookie", cookies)]);
            assert_eq!(seen.status, 403, "{what} of {from} at {to}");
            assert!(!seen.text().starts_with("picture"), "{what} of {from} at {to}");
        }
        for (what, token) in &self.tokens {
            let answer = client.get(&host(to), "/cookie", &[("Authorization", &format!("Bearer {token}"))]);
            assert!([401, 403].contains(&answer.status), "{what} of {from} at {to}: {}", answer.status);
            assert_eq!(answer.cookies(), "", "{what} of {from} at {to}");
        }
    }
}

fn nearly_right(world: &World, cloud: &Cloud, client: &Client, number: usize, held: &Held) -> Nearly {
    let good = CookieSet::from_cookie_header(&held.cookies).expect("a set");
    let keyring = keyring(world, cloud, number);
    let key = SigningKey::from_pem(&keyring.private_key).expect("a key");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
    let domain = world.output(number, "Host");
    let signed = |policy: &Policy| {
        CookieSet::sign(&key, &keyring.key_id, policy, good.hash).expect("a signature").cookie_header()
    };
    // The key is the tenant's: what it signs for its own host and for now, opens.
    let own = signed(&Policy::of_host(&domain, now + 600));
    assert_eq!(client.get(&host(number), PICTURE, &[("Cookie", &own)]).status, 200);
    let next = (number + 1) % TENANTS;
    let longer = Policy::of_host(&domain, now + 86_400);
    let turned = |text: &str, one: char, other: char| {
        let first = if text.starts_with(one) { other } else { one };
        format!("{first}{}", &text[1..])
    };
    let signature = turned(&good.signature, 'M', 'N');
    let hash = if good.hash == SignatureHash::Sha1 { SignatureHash::Sha256 } else { SignatureHash::Sha1 };
    let cookies = vec![
        ("expired cookies", signed(&Policy::of_host(&domain, now - 1))),
        (
            "cookies that are not valid yet",
            signed(&Policy { not_before: Some(now + 3_000), ..Policy::of_host(&domain, now + 6_000) }),
        ),
        // The host of the next tenant, signed with this one's key.
        ("cookies for another host", signed(&Policy::of_host(&world.output(next, "Host"), now + 6_000))),
        (
            "an altered policy",
            CookieSet { policy: signing::encode(longer.text().as_bytes()), ..good.clone() }.cookie_header(),
        ),
        ("an altered signature", CookieSet { signature, ..good.clone() }.cookie_header()),
        (
            "another key's id",
            CookieSet { key_id: keyring_id(world, cloud, next), ..good.clone() }.cookie_header(),
        ),
        ("another hash", CookieSet { hash, ..good }.cookie_header()),
        ("no cookies", "a=b".to_owned()),
    ];
    let (body, signature) = held.access.rsplit_once('.').expect("three parts");
    let tokens = vec![
        ("id token", held.id.clone()),
        ("token for another client", other_client(world, cloud, number)),
        ("altered token", format!("{body}.{}", turned(signature, 'A', 'B'))),
    ];
    Nearly { cookies, tokens }
}

/// The keyring as the signer reads it.
pub(super) fn keyring(world: &World, cloud: &Cloud, number: usize) -> Keyring {
    let client = aws_sdk_secretsmanager::Client::new(&cloud.config("us-east-1"));
    let read = client.get_secret_value().secret_id(world.output(number, "KeyringSecretArn")).send();
    let read = world.runtime.block_on(read).expect("the secret");
    serde_json::from_str(read.secret_string().expect("a text")).expect("a keyring")
}

fn keyring_id(world: &World, cloud: &Cloud, number: usize) -> String {
    keyring(world, cloud, number).key_id
}

/// An access token of the tenant's own pool, for a client that the tenant does not know.
fn other_client(world: &World, cloud: &Cloud, number: usize) -> String {
    use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ExplicitAuthFlowsType};
    let client = aws_sdk_cognitoidentityprovider::Client::new(&cloud.config(&world.region(number)));
    let pool = world.output(number, "UserPoolId");
    world.runtime.block_on(async {
        let made = client.create_user_pool_client().user_pool_id(&pool).client_name("other");
        let made = made.explicit_auth_flows(ExplicitAuthFlowsType::AllowAdminUserPasswordAuth).send().await;
        let id = made
            .expect("a client")
            .user_pool_client()
            .and_then(|made| made.client_id())
            .expect("an id")
            .to_owned();
        let flow = AuthFlowType::AdminUserPasswordAuth;
        let signed = client.admin_initiate_auth().auth_flow(flow).user_pool_id(&pool).client_id(id);
        let signed = signed.auth_parameters("USERNAME", "viewer@example.invalid");
        let signed = signed.auth_parameters("PASSWORD", super::world::PASSWORD).send().await.expect("tokens");
        signed.authentication_result().and_then(|result| result.access_token()).expect("a token").to_owned()
    })
}
