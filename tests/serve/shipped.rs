//! The project's own tenants, all five at once; acme's gallery comes from its bucket, and its cookies ask for a scope.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use generator::aws::Cloud;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::browser::{self, ALL_SHOWN, EMAIL};
use super::chromium::Chromium;
use super::client::{Answer, Client};
use super::driver::Browser;
use super::world::{PASSWORD, World};
use crate::initech;
use crate::support::root;

const TENANTS: [&str; 5] = ["acme", "demo", "globex", "initech", "northwind"];
const ACME: &str = "acme.localhost";

#[test]
fn all_shipped_tenants_are_served_at_once() {
    let files = ["_defaults", "_tiers/gold"].into_iter().chain(TENANTS).map(|name| {
        let text = std::fs::read_to_string(root().join(format!("tenants/{name}.yaml")));
        (name.to_owned(), text.expect("a tenant file"))
    });
    let mut world = World::of("shipped", files.collect(), what_initech_brings_along);
    let (client, authority) = world.serve();
    let cloud = world.cloud();
    for tenant in TENANTS {
        let host = format!("{tenant}.localhost");
        let closed = client.get(&host, "/nothing.jpg", &[]);
        assert_eq!((closed.status, closed.header("x-cache")), (403, "Error from cloudfront"), "{tenant}");
        let refused = client.get(&host, "/cookie", &[]);
        assert_eq!(refused.status, 401, "{tenant}: {}", refused.text());
        let page = client.get(&host, "/gallery/", &[]);
        assert_eq!((page.status, page.text().contains("<title>")), (200, true), "{tenant}");
        // Acme has a page of its own; over the others the project's is laid.
        assert_eq!(page.header("x-cache").is_empty(), tenant != "acme", "{tenant}");
        let config: Value =
            serde_json::from_str(&client.get(&host, "/gallery/config.json", &[]).text()).expect("JSON");
        assert_eq!(config["tenant"], *tenant);
        assert_eq!(config["signIn"], format!("https://sign-in.{host}:{}", client.port));
    }
    the_page_is_as_cloudfront_gives_it(&client);
    a_viewer_of_acme(&world, &cloud);
    the_scope_opens(&world, &client);
    browser::hang_pictures(|key, kind, bytes| put(&world, &cloud, key, kind, bytes));
    let browser = Browser::start(&Chromium::install(), &authority);
    browser::sign_in(&browser, &client, ACME);
    browser.until(
        "the list of pictures",
        "return document.getElementById('status').textContent === '3 pictures'",
    );
    browser.until("all pictures", ALL_SHOWN);
    drop(browser);
    the_page_follows_its_file(&world, &cloud);
}

fn the_page_is_as_cloudfront_gives_it(client: &Client) {
    let get = |path: &str, headers: &[(&str, &str)]| client.get(ACME, path, headers);
    let script = get("/gallery/gallery.js", &[]);
    assert_eq!((script.status, script.header("content-type")), (200, "text/javascript; charset=utf-8"));
    assert_eq!(script.header("cache-control"), "no-cache");
    assert_eq!(script.header("x-cache"), "Miss from cloudfront");
    let security = script.header("content-security-policy");
    assert!(security.contains("script-src 'self'; ") && security.contains("https://sign-in.acme.localhost:"));
    let etag = script.header("etag").to_owned();
    assert_eq!(get("/gallery/gallery.js", &[("If-None-Match", &etag)]).status, 304);
    assert_eq!(get("/gallery/nothing.js", &[]).status, 403);
    assert_eq!(get("/gallery", &[]).status, 403);
    for method in ["PUT", "DELETE", "POST"] {
        assert_eq!(client.send(method, ACME, ACME, "/gallery/gallery.js", &[], "").status, 403, "{method}");
    }
    // Under its real name it says where things are in the cloud.
    let real = client.get("media.acme.example", "/gallery/config.json", &[]);
    let config: Value = serde_json::from_str(&real.text()).expect("JSON");
    assert_eq!(config["signIn"], "https://acme-media.auth.eu-north-1.amazoncognito.com");
    let security = real.header("content-security-policy");
    assert!(security.contains(" https://acme-media.auth.eu-north-1.amazoncognito.com "), "{security}");
    assert!(security.contains(".s3.eu-north-1.amazonaws.com; base-uri"), "{security}");
}

fn a_viewer_of_acme(world: &World, cloud: &Cloud) {
    let cognito = cloud.cognito("eu-north-1");
    let pool = world.output_of("acme", "UserPoolId");
    world.runtime.block_on(async {
        cognito.create_user(&pool, EMAIL, PASSWORD).await.expect("a user");
        cognito.set_password(&pool, EMAIL, PASSWORD).await.expect("a password");
        cognito.add_to_group(&pool, EMAIL, "viewers").await.expect("in the group");
    });
}

/// Acme's cookies are for tokens with the scope `media/view` only.
fn the_scope_opens(world: &World, client: &Client) {
    let trade = |token: &str| client.get(ACME, "/cookie", &[("Authorization", &format!("Bearer {token}"))]);
    let with = sign_in(world, client, "openid email media/view");
    let access = with["access_token"].as_str().expect("an access token");
    let granted = trade(access);
    assert_eq!(granted.status, 200, "{}", granted.text());
    let refresh = with["refresh_token"].as_str().expect("a refresh token");
    let renewed = post(
        client,
        "/oauth2/token",
        &[
            ("grant_type", "refresh_token"),
            ("client_id", &world.output_of("acme", "UserPoolClientId")),
            ("refresh_token", refresh),
        ],
    );
    let renewed: Value = serde_json::from_str(&renewed.text()).expect("JSON");
    assert_eq!(trade(renewed["access_token"].as_str().expect("an access token")).status, 200);

    let without = sign_in(world, client, "openid email");
    assert_eq!(trade(without["access_token"].as_str().expect("an access token")).status, 403);
    let all = sign_in(world, client, "");
    assert_eq!(trade(all["access_token"].as_str().expect("an access token")).status, 200);
    // Only the client of the studio may ask for this one.
    let refused = enter(world, client, "openid media/edit");
    assert!(refused.header("location").contains("error=invalid_scope"), "{}", refused.header("location"));
}

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Name and password on the sign-in page; the answer sends the browser back.
fn enter(world: &World, client: &Client, scopes: &str) -> Answer {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let scopes = scopes.replace(' ', "+").replace('/', "%2F");
    let path = format!(
        "/oauth2/authorize?response_type=code&client_id={}&redirect_uri={}&scope={scopes}&code_challenge={challenge}\
         &code_challenge_method=S256",
        world.output_of("acme", "UserPoolClientId"),
        escaped(&gallery(client))
    );
    post(client, &path, &[("username", EMAIL), ("password", PASSWORD)])
}

/// Tokens with these scopes.
fn sign_in(world: &World, client: &Client, scopes: &str) -> Value {
    let entered = enter(world, client, scopes);
    assert_eq!(entered.status, 303, "{}", entered.text());
    let location = entered.header("location");
    let code = location.split_once("?code=").map(|(_, code)| code.to_owned()).expect("a code");
    let traded = post(
        client,
        "/oauth2/token",
        &[
            ("grant_type", "authorization_code"),
            ("client_id", &world.output_of("acme", "UserPoolClientId")),
            ("redirect_uri", &gallery(client)),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ],
    );
    assert_eq!(traded.status, 200, "{}", traded.text());
    serde_json::from_str(&traded.text()).expect("JSON")
}

fn gallery(client: &Client) -> String {
    format!("https://{ACME}:{}/gallery/", client.port)
}

fn post(client: &Client, path: &str, form: &[(&str, &str)]) -> Answer {
    let at = format!("sign-in.{ACME}");
    let pairs: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    client.send("POST", &at, &at, path, &kind, &pairs.join("&"))
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace(':', "%3A").replace('=', "%3D")
}

/// Another path, the same again, and the end: the bucket keeps the media and nothing of the page.
fn the_page_follows_its_file(world: &World, cloud: &Cloud) {
    let deploy = || {
        let output = world.must(&["deploy", "--tenant", "acme", "--yes", "--no-verify"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let again = deploy();
    assert!(again.contains("page /gallery/  no changes"), "{again}");
    let file = world.file_of("acme");
    let text = std::fs::read_to_string(&file).expect("the tenant file");
    std::fs::write(&file, text.replace("path: /gallery/\n", "path: /site/\n")).expect("the tenant file");
    let planned = world.must(&["deploy", "--tenant", "acme", "--dry-run"]);
    let planned = String::from_utf8_lossy(&planned.stdout).into_owned();
    assert!(planned.contains("files of pages") && planned.contains("+ site/gallery.js"), "{planned}");
    assert!(keys(world, cloud).iter().all(|key| !key.starts_with("site/")));
    deploy();
    let moved = keys(world, cloud);
    assert!(
        moved.iter().any(|key| key == "site/index.html") && moved.iter().any(|key| key == "site/"),
        "{moved:?}"
    );
    assert!(moved.iter().all(|key| !key.starts_with("gallery/")), "{moved:?}");

    // What is not the page's stops the deployment before anything is opened.
    put(world, cloud, "other/private.txt", "text/plain", b"private".to_vec());
    std::fs::write(&file, text.replace("path: /gallery/\n", "path: /other/\n")).expect("the tenant file");
    let refused =
        world.command(&["deploy", "--tenant", "acme", "--yes", "--no-verify"]).output().expect("it runs");
    let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && stderr.contains("`other/private.txt` of bucket"), "{stderr}");

    let gone = world.must(&["destroy", "--tenant", "acme", "--yes"]);
    let gone = String::from_utf8_lossy(&gone.stdout).into_owned();
    assert!(gone.contains("removed    page example-acme-content-000000000000/site/"), "{gone}");
    let left = keys(world, cloud);
    assert!(left.iter().all(|key| !key.starts_with("site/")), "{left:?}");
    assert!(
        left.iter().any(|key| key == "pictures/0.svg") && left.iter().any(|key| key == "other/private.txt")
    );
}

fn bucket(cloud: &Cloud, region: &str) -> aws_sdk_s3::Client {
    let config = cloud.config(region);
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build())
}

fn put(world: &World, cloud: &Cloud, key: &str, kind: &str, bytes: Vec<u8>) {
    let put = bucket(cloud, "eu-north-1").put_object().bucket(world.output_of("acme", "ContentBucketName"));
    world.runtime.block_on(put.key(key).content_type(kind).body(bytes.into()).send()).expect("an object");
}

fn keys(world: &World, cloud: &Cloud) -> Vec<String> {
    let list =
        bucket(cloud, "eu-north-1").list_objects_v2().bucket(world.output_of("acme", "ContentBucketName"));
    let listed = world.runtime.block_on(list.send()).expect("a list");
    listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
}

fn what_initech_brings_along(world: &World) {
    world.must(&["local", "up"]);
    world.runtime.block_on(initech::brings_along(&world.cloud(), &world.file_of("initech")));
}
