//! What the local edge does as CloudFront does it, for one tenant.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use generator::aws::Cloud;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use signing::CookieSet;

use super::client::{Answer, Client};
use super::isolation;
use super::world::{PASSWORD, World, host, name};

const EMAIL: &str = "flow@example.invalid";
/// The tenant that most of this is about, and one with a page in place of errors.
const ONE: usize = 1;
const WITH_PAGE: usize = 2;

pub(super) fn holds(world: &World, cloud: &Cloud, client: &Client) {
    world.viewer(cloud, ONE, EMAIL);
    let text = "every picture of this page is private; ".repeat(100);
    world.put(cloud, ONE, "texts/long.txt", "text/plain", Some("max-age=600"), text.clone().into_bytes());
    world.put(cloud, ONE, "texts/a b ü+.txt", "text/plain", None, b"odd".to_vec());
    world.put(cloud, ONE, "texts/large.bin", "application/octet-stream", None, vec![7; 17 * 1024 * 1024]);
    world.put(cloud, ONE, "public/index.html", "text/html", None, b"public".to_vec());
    world.put(cloud, WITH_PAGE, "public/closed.html", "text/html", None, b"please sign in".to_vec());

    without_tls(client);
    closed_without_cookies(client);
    let cookies = trade(client, world.tokens(cloud, ONE, EMAIL).access.expose());
    files_are_kept_cut_and_compressed(client, &cookies, &text);
    only_what_the_distribution_may_read(client, &cookies);
    public_paths_are_public_and_nothing_beside_them(client);
    what_has_run_out_is_asked_for_again(world, cloud, client);
    pages_of_listed_origins_may_ask(client);
    sign_in_works_as_cognitos(world, client);
    a_rotation_locks_nobody_out(world, cloud, client, &cookies);
}

fn trade(client: &Client, token: &str) -> String {
    let answer = client.get(&host(ONE), "/cookie", &[("Authorization", &format!("Bearer {token}"))]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-cache"), "LambdaGeneratedResponse from cloudfront");
    assert_eq!((answer.header("cache-control"), answer.header("server")), ("no-store", "CloudFront"));
    let cookies = answer.all("set-cookie");
    assert!(cookies.iter().all(|cookie| cookie.contains("; Secure; HttpOnly; SameSite=Lax")), "{cookies:?}");
    answer.cookies()
}

fn without_tls(client: &Client) {
    let answer = client.plain("GET", &host(ONE), "/texts/long.txt?v=1");
    let wanted = format!("https://{}:{}/texts/long.txt?v=1", host(ONE), client.port);
    assert_eq!((answer.status, answer.header("location")), (301, wanted.as_str()));
    assert_eq!(answer.header("x-cache"), "Redirect from cloudfront");
    // What is not only read is to be sent again as it is.
    assert_eq!(client.plain("POST", &host(ONE), "/texts/long.txt").status, 307);
    assert_eq!(client.plain("GET", &host(ONE), "/cookie").status, 403);
    assert_eq!(client.plain("GET", "nobody.localhost", "/").status, 403);
}

fn closed_without_cookies(client: &Client) {
    let answer = client.get(&host(ONE), "/texts/long.txt", &[]);
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("<Code>MissingKey</Code>"), "{}", answer.text());
    assert_eq!(answer.header("x-cache"), "Error from cloudfront");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
    let refused = client.get(&host(ONE), "/cookie", &[]);
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").starts_with("Bearer"));
    for method in ["PUT", "POST", "DELETE"] {
        let answer = client.send(method, &host(ONE), &host(ONE), "/texts/long.txt", &[], "");
        assert_eq!(answer.status, 403, "{method}");
    }
    let body = client.send("GET", &host(ONE), &host(ONE), "/public/index.html", &[], "what");
    assert_eq!(body.status, 403, "a body where none belongs");
    let long = format!("/public/{}", "a".repeat(8_192));
    assert_eq!(client.get(&host(ONE), &long, &[]).status, 413);
    let shown = client.get(&host(WITH_PAGE), "/texts/long.txt", &[]);
    assert_eq!((shown.status, shown.text().as_str()), (403, "please sign in"));
}

fn files_are_kept_cut_and_compressed(client: &Client, cookies: &str, text: &str) {
    let get = |path: &str, headers: &[(&str, &str)]| -> Answer {
        client.get(&host(ONE), path, &[&[("Cookie", cookies)], headers].concat())
    };
    let path = "/texts/long.txt";
    let first = get(path, &[]);
    assert_eq!((first.status, first.header("x-cache")), (200, "Miss from cloudfront"));
    assert_eq!((first.text().as_str(), first.header("server")), (text, "AmazonS3"));
    let again = get(path, &[]);
    assert_eq!((again.status, again.header("x-cache")), (200, "Hit from cloudfront"));
    let etag = again.header("etag").to_owned();
    assert_eq!(get(path, &[("If-None-Match", &etag)]).status, 304);
    let part = get(path, &[("Range", "bytes=6-12")]);
    assert_eq!((part.status, part.text().as_str()), (206, "picture"));
    assert_eq!(part.header("content-range"), format!("bytes 6-12/{}", text.len()));
    let outside = get(path, &[("Range", "bytes=99999-")]);
    assert_eq!(
        (outside.status, outside.header("content-range")),
        (416, format!("bytes */{}", text.len()).as_str())
    );
    for (coding, taken) in [("br", "gzip, br"), ("gzip", "gzip"), ("", "identity")] {
        let coded = get(path, &[("Accept-Encoding", taken)]);
        assert_eq!(coded.header("content-encoding"), coding);
        assert_eq!(coded.header("etag").starts_with("W/"), !coding.is_empty());
        assert_eq!(coded.body.len() < text.len() / 5, !coding.is_empty());
    }
    let head = client.send("HEAD", &host(ONE), &host(ONE), path, &[("Cookie", cookies)], "");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), text.len().to_string());
    assert_eq!(get("/texts/a%20b%20%C3%BC+.txt", &[]).text(), "odd");
    let large = get("/texts/large.bin", &[]);
    assert_eq!((large.status, large.body.len()), (200, 17 * 1024 * 1024));
    let end = get("/texts/large.bin", &[("Range", "bytes=-5")]);
    assert_eq!((end.status, end.body), (206, vec![7; 5]));
}

fn only_what_the_distribution_may_read(client: &Client, cookies: &str) {
    // It may not list, so S3 does not say that there is nothing.
    let missing = client.get(&host(ONE), "/nothing.png", &[("Cookie", cookies)]);
    assert_eq!(missing.status, 403);
    assert!(missing.text().contains("<Code>AccessDenied</Code>"), "{}", missing.text());
    assert_eq!(client.get(&host(ONE), "/", &[("Cookie", cookies)]).status, 403);
}

fn public_paths_are_public_and_nothing_beside_them(client: &Client) {
    assert_eq!(client.get(&host(ONE), "/public/index.html", &[]).text(), "public");
    for path in
        ["/public/../texts/long.txt", "/public/%2e%2e/texts/long.txt", "/x/../cookie/../texts/long.txt"]
    {
        assert_eq!(client.get(&host(ONE), path, &[]).status, 403, "{path}");
    }
}

/// A file whose time has run out is asked for with its tag: the bucket says that it is still the same, or sends another.
fn what_has_run_out_is_asked_for_again(world: &World, cloud: &Cloud, client: &Client) {
    let put = |text: &str| {
        let bytes = text.as_bytes().to_vec();
        world.put(cloud, ONE, "public/short.txt", "text/plain", Some("max-age=1"), bytes);
    };
    let get = || client.get(&host(ONE), "/public/short.txt", &[]);
    let seen = |answer: Answer| (answer.status, answer.header("x-cache").to_owned(), answer.text());
    let told = |cache: &str, text: &str| (200, format!("{cache} from cloudfront"), text.to_owned());
    put("one");
    assert_eq!(seen(get()), told("Miss", "one"));
    std::thread::sleep(Duration::from_millis(1_100));
    let again = get();
    assert_eq!(again.header("age"), "", "it is as good as new");
    assert_eq!(seen(again), told("RefreshHit", "one"));
    put("two");
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(seen(get()), told("Miss", "two"));
}

fn pages_of_listed_origins_may_ask(client: &Client) {
    let ask = |path: &str, origin: &str| {
        let headers = [("Origin", origin), ("Access-Control-Request-Method", "GET")];
        client.send("OPTIONS", &host(ONE), &host(ONE), path, &headers, "")
    };
    let (listed, other) = ("https://app.example", "https://other.example");
    let told = ask("/public/index.html", listed);
    assert_eq!((told.status, told.header("access-control-allow-origin")), (200, listed));
    assert_eq!(told.header("access-control-allow-credentials"), "true");
    assert_eq!(told.header("access-control-allow-methods"), "GET, HEAD, OPTIONS");
    assert_eq!(told.header("access-control-allow-headers"), "Range");
    assert!(told.all("vary").iter().any(|names| names.contains("Origin")), "{:?}", told.all("vary"));
    let refused = ask("/public/index.html", other);
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (403, ""));
    // What is guarded asks for cookies, which no browser sends when it only asks.
    assert_eq!(ask("/texts/long.txt", listed).status, 403);
    // The signer answers for its own path, with the same list.
    let told = ask("/cookie", listed);
    assert_eq!((told.status, told.header("access-control-allow-origin")), (204, listed));
    assert_eq!(ask("/cookie", other).header("access-control-allow-origin"), "");
    let seen = client.get(&host(ONE), "/public/index.html", &[("Origin", listed)]);
    assert_eq!((seen.status, seen.header("access-control-allow-origin")), (200, listed));
    assert!(seen.header("access-control-expose-headers").contains("ETag"));
}

fn sign_in_works_as_cognitos(world: &World, client: &Client) {
    let at = format!("sign-in.{}", host(ONE));
    let own = world.output(ONE, "UserPoolClientId");
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let url = |client: &str, redirect: &str| {
        format!(
            "/oauth2/authorize?response_type=code&client_id={client}&redirect_uri={redirect}&scope=openid+email\
             &state=s1&code_challenge={challenge}&code_challenge_method=S256"
        )
    };
    let page = url(&own, "http%3A%2F%2Flocalhost%3A8080%2F");
    let form = client.get(&at, &page, &[]);
    assert_eq!(form.status, 200);
    assert!(form.text().contains("Stand-in") && form.text().contains("<label for=\"username\">"));
    assert_eq!(client.get(&at, &url(&own, "https%3A%2F%2Fevil.example%2F"), &[]).status, 400);
    assert_eq!(client.get(&at, &url("nobody", "http%3A%2F%2Flocalhost%3A8080%2F"), &[]).status, 400);

    let post = |path: &str, body: &str| {
        let kind = [("Content-Type", "application/x-www-form-urlencoded")];
        client.send("POST", &at, &at, path, &kind, body)
    };
    let wrong = post(&page, &format!("username={EMAIL}&password=wrong"));
    assert!(wrong.text().contains("Incorrect user name or password"), "{}", wrong.text());
    let entered = post(&page, &format!("username={EMAIL}&password={PASSWORD}"));
    let location = entered.header("location").to_owned();
    assert_eq!(entered.status, 303, "{}", entered.text());
    assert!(
        location.starts_with("http://localhost:8080/?code=") && location.ends_with("&state=s1"),
        "{location}"
    );
    let code = location.split(['=', '&']).nth(1).expect("a code");

    let trade = |extra: &str| {
        post(
            "/oauth2/token",
            &format!("client_id={own}&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2F&{extra}"),
        )
    };
    let traded = trade(&format!("grant_type=authorization_code&code={code}&code_verifier={verifier}"));
    assert_eq!(traded.status, 200, "{}", traded.text());
    let tokens: Value = serde_json::from_str(&traded.text()).expect("JSON");
    assert_eq!(
        trade(&format!("grant_type=authorization_code&code={code}&code_verifier={verifier}")).status,
        400
    );
    let refresh = tokens["refresh_token"].as_str().expect("a refresh token");
    let renewed = trade(&format!("grant_type=refresh_token&refresh_token={refresh}"));
    assert_eq!(renewed.status, 200, "{}", renewed.text());
    let renewed: Value = serde_json::from_str(&renewed.text()).expect("JSON");
    let access = format!("Bearer {}", renewed["access_token"].as_str().expect("an access token"));
    assert_eq!(client.get(&host(ONE), "/cookie", &[("Authorization", &access)]).status, 200);
    let left =
        client.get(&at, &format!("/logout?client_id={own}&logout_uri=http%3A%2F%2Flocalhost%3A8080%2F"), &[]);
    assert_eq!((left.status, left.header("location")), (303, "http://localhost:8080/"));
}

/// Traffic goes on all the while, with cookies of before and with new ones, until there are some of a new key.
fn a_rotation_locks_nobody_out(world: &World, cloud: &Cloud, client: &Client, cookies: &str) {
    let stop = AtomicBool::new(false);
    let keys = Mutex::new(BTreeSet::new());
    let tokens = world.tokens(cloud, ONE, EMAIL);
    let bearer = format!("Bearer {}", tokens.access.expose());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let granted = client.get(&host(ONE), "/cookie", &[("Authorization", &bearer)]);
                assert_eq!(granted.status, 200, "{}", granted.text());
                for cookies in [cookies.to_owned(), granted.cookies()] {
                    let seen = client.get(&host(ONE), "/texts/long.txt", &[("Cookie", &cookies)]);
                    assert_eq!(seen.status, 200, "{}", seen.text());
                    let key = CookieSet::from_cookie_header(&cookies).expect("a set").key_id;
                    keys.lock().expect("the keys").insert(key);
                }
            }
        });
        for _ in 0..2 {
            world.must(&["rotate", "--tenant", &name(ONE), "--yes"]);
        }
        let end = Instant::now() + Duration::from_secs(60);
        let current = isolation::keyring(world, cloud, ONE).key_id;
        while Instant::now() < end && !keys.lock().is_ok_and(|keys| keys.contains(&current)) {
            std::thread::sleep(Duration::from_millis(50));
        }
        stop.store(true, Ordering::Relaxed);
        assert!(keys.lock().is_ok_and(|keys| keys.contains(&current)), "no cookies of the new key");
    });
}
