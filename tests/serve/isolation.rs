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
    for (number, held) in held.iter().enumerate().take(4) {
        nearly_right(world, cloud, client, number, held);
    }
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

fn nearly_right(world: &World, cloud: &Cloud, client: &Client, number: usize, held: &Held) {
    let status = |cookies: &str| client.get(&host(number), PICTURE, &[("Cookie", cookies)]).status;
    let good = CookieSet::from_cookie_header(&held.cookies).expect("a set");
    let keyring = keyring(world, cloud, number);
    let key = SigningKey::from_pem(&keyring.private_key).expect("a key");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
    let domain = world.output(number, "Host");
    let signed = |policy: &Policy| {
        CookieSet::sign(&key, &keyring.key_id, policy, good.hash).expect("a signature").cookie_header()
    };
    // The key is the tenant's: what it signs for its own host and for now, opens.
    assert_eq!(status(&signed(&Policy::of_host(&domain, now + 600))), 200);
    assert_eq!(status(&signed(&Policy::of_host(&domain, now - 1))), 403, "expired");
    let early = Policy { not_before: Some(now + 300), ..Policy::of_host(&domain, now + 600) };
    assert_eq!(status(&signed(&early)), 403, "not yet valid");
    let elsewhere = Policy::of_host(&world.output((number + 1) % TENANTS, "Host"), now + 600);
    assert_eq!(status(&signed(&elsewhere)), 403, "for another host");
    let longer = Policy::of_host(&domain, now + 86_400);
    let altered = CookieSet { policy: signing::encode(longer.text().as_bytes()), ..good.clone() };
    assert_eq!(status(&altered.cookie_header()), 403, "altered policy");
    let first = if good.signature.starts_with('M') { "N" } else { "M" };
    let altered = CookieSet { signature: format!("{first}{}", &good.signature[1..]), ..good.clone() };
    assert_eq!(status(&altered.cookie_header()), 403, "altered signature");
    let other = keyring_id(world, cloud, (number + 1) % TENANTS);
    assert_eq!(status(&CookieSet { key_id: other, ..good.clone() }.cookie_header()), 403, "another key's id");
    let hash = if good.hash == SignatureHash::Sha1 { SignatureHash::Sha256 } else { SignatureHash::Sha1 };
    assert_eq!(status(&CookieSet { hash, ..good }.cookie_header()), 403, "another hash");
    assert_eq!(status("a=b"), 403, "no cookies");

    let traded = |token: &str| {
        let answer = client.get(&host(number), "/cookie", &[("Authorization", &format!("Bearer {token}"))]);
        (answer.status, answer.cookies())
    };
    assert_eq!(traded(&held.id), (401, String::new()), "id token");
    let other_client = other_client(world, cloud, number);
    assert_eq!(traded(&other_client).1, "", "token for another client");
    assert!([401, 403].contains(&traded(&other_client).0));
    let (body, signature) = held.access.rsplit_once('.').expect("three parts");
    let first = if signature.starts_with('A') { "B" } else { "A" };
    assert_eq!(traded(&format!("{body}.{first}{}", &signature[1..])).0, 401, "altered token");
}

/// The keyring as the signer reads it.
fn keyring(world: &World, cloud: &Cloud, number: usize) -> Keyring {
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
