//! The gallery in a real browser: signing in, pictures, expiry, a rotation, an upload, signing out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use generator::aws::Cloud;
use serde_json::json;

use super::accessible;
use super::chromium::Chromium;
use super::client::Client;
use super::driver::Browser;
use super::honest;
use super::world::{BROWSED, PASSWORD, World, host, name};

/// Whether the page tells of three pictures.
const SHOWN: &str = "return document.getElementById('status').textContent === '3 pictures'";
pub(super) const EMAIL: &str = "browser@example.invalid";
/// Whether every picture of the page has been loaded and shows something.
pub(super) const ALL_SHOWN: &str = "const all = [...document.querySelectorAll('#pictures img')]; \
     return all.length > 0 && all.every((image) => image.complete && image.naturalWidth > 0)";

/// Folder of the screenshots: an artifact of the test.
fn screenshots() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots")
}

pub(super) fn holds(world: &World, cloud: &Cloud, client: &Client, authority: &Path) {
    world.viewer(cloud, BROWSED, EMAIL);
    hang_pictures(|key, kind, bytes| world.put(cloud, BROWSED, key, kind, None, bytes));

    let browser = Browser::start(&Chromium::install(), authority);
    a_picture_is_closed_without_cookies(&browser, client);
    accessible::signing_in_by_keyboard(&browser, client, &host(BROWSED));
    browser.until("the list of pictures", SHOWN);
    browser.until("all pictures", ALL_SHOWN);
    browser.screenshot(&screenshots().join("gallery.png"));
    let first = cookies(&browser);
    accessible::the_gallery(&browser);
    accessible::on_a_phone(&browser, &screenshots().join("phone.png"));

    it_renews_before_the_cookies_expire(&browser);
    honest::about_the_network(&browser);
    honest::about_what_is_not_there(&browser);
    it_comes_back_when_the_cookies_are_gone(&browser);
    a_rotation_breaks_nothing(&browser, world);
    an_upload_appears(&browser);
    // A minute is over since then.
    assert_eq!(client.get(&host(BROWSED), "/pictures/0.svg", &[("Cookie", &first)]).status, 403);
    let last = cookies(&browser);
    assert_eq!(client.get(&host(BROWSED), "/pictures/0.svg", &[("Cookie", &last)]).status, 200);
    sign_out(&browser);
    sign_in(&browser, client, &host(BROWSED));
    browser.until(
        "the list of pictures",
        "return document.getElementById('status').textContent === '4 pictures'",
    );
    honest::about_a_session_that_has_ended(&browser);
}

/// Opened by its address, as somebody would to whom it was sent.
fn a_picture_is_closed_without_cookies(browser: &Browser, client: &Client) {
    browser.open(&format!("https://{}:{}/pictures/0.svg", host(BROWSED), client.port));
    let status = "return performance.getEntriesByType('navigation')[0].responseStatus";
    assert_eq!(browser.run(status), 403);
}

/// The cookies that the browser holds, as it would show them.
fn cookies(browser: &Browser) -> String {
    let names =
        ["Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"].map(|name| format!("CloudFront-{name}"));
    let held = names.iter().filter_map(|name| Some(format!("{name}={}", browser.cookie(name)?)));
    held.collect::<Vec<_>>().join("; ")
}

/// Three pictures and the list of them.
pub(super) fn hang_pictures(put: impl Fn(&str, &str, Vec<u8>)) {
    let titles = ["Fjord at dawn", "Old harbour", "Birch wood"];
    for (number, _) in titles.iter().enumerate() {
        put(&format!("pictures/{number}.svg"), "image/svg+xml", picture(number).into_bytes());
    }
    let listed: Vec<_> = titles
        .iter()
        .enumerate()
        .map(|(number, title)| json!({ "path": format!("/pictures/{number}.svg"), "title": title }))
        .collect();
    put("pictures.json", "application/json", json!({ "pictures": listed }).to_string().into_bytes());
}

pub(super) fn sign_in(browser: &Browser, client: &Client, host: &str) {
    browser.open(&format!("https://{host}:{}/gallery/", client.port));
    browser.until("the button to sign in", "return !document.getElementById('sign-in').hidden");
    browser.click("#sign-in");
    browser.until("the sign-in page", "return location.host.startsWith('sign-in.')");
    browser.fill("#username", EMAIL);
    browser.fill("#password", "wrong");
    browser.click("button");
    browser.until("the refusal", "return document.querySelector('[role=alert]') !== null");
    browser.screenshot(&screenshots().join("sign-in.png"));
    browser.fill("#username", EMAIL);
    browser.fill("#password", PASSWORD);
    browser.click("button");
    browser.until("the way back", "return location.pathname === '/gallery/' && location.search === ''");
}

/// The cookies of this tenant live for a minute, so that a test sees them renewed: also where the network is away when
/// their time has come, and back before it is over.
fn it_renews_before_the_cookies_expire(browser: &Browser) {
    let first = browser.cookie("CloudFront-Policy").expect("a cookie");
    let problem = "document.getElementById('problem')";
    browser.offline(true);
    browser.until("the failure", &format!("return {problem}.textContent.includes('cannot be reached')"));
    assert_eq!(browser.cookie("CloudFront-Policy"), Some(first.clone()));
    browser.offline(false);
    browser.until("the end of the failure", &format!("return {problem}.hidden"));
    assert_ne!(browser.cookie("CloudFront-Policy").expect("a cookie at all times"), first);
}

fn it_comes_back_when_the_cookies_are_gone(browser: &Browser) {
    browser.reload();
    browser.until("all pictures", ALL_SHOWN);
    browser.forget_cookies();
    browser.run("document.querySelector('#pictures img').src = '/pictures/0.svg?slept'");
    let again = "const image = document.querySelector('#pictures img'); \
         return image.src.includes('again=') && image.complete && image.naturalWidth > 0";
    browser.until("the picture with new cookies", again);
}

/// With cookies of the old key, and as soon as the page has renewed them, with those of the new one.
fn a_rotation_breaks_nothing(browser: &Browser, world: &World) {
    let key = || browser.cookie("CloudFront-Key-Pair-Id").expect("a cookie");
    let looked_at = |how: &str| {
        browser.run(&format!(
            "document.querySelectorAll('#pictures img').forEach((image) => {{ image.src = image.src.split('?')[0] + '?{how}'; }})"
        ));
        browser.until(how, ALL_SHOWN);
        assert_eq!(browser.run("return (await fetch('/pictures/1.svg')).status"), 200);
        assert_eq!(
            browser.run("return document.getElementById('problem').hidden"),
            true,
            "{}",
            browser.text()
        );
    };
    let before = key();
    world.must(&["rotate", "--tenant", &name(BROWSED), "--yes"]);
    looked_at("rotated");
    for _ in 0..900 {
        if key() != before {
            return looked_at("renewed");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("no cookies of the new key\n{}", browser.text());
}

fn an_upload_appears(browser: &Browser) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("new picture.svg");
    std::fs::write(&file, picture(3)).expect("a picture");
    browser.fill("#file", file.to_str().expect("a path"));
    browser.click("#upload button");
    browser.until("the upload", "return document.getElementById('status').textContent.endsWith('uploaded')");
    browser.until("the uploaded picture", ALL_SHOWN);
    assert_eq!(browser.run("return document.querySelectorAll('#pictures img').length"), 4);
    browser.reload();
    browser.until("the uploaded picture after a reload", &format!("{ALL_SHOWN} && all.length === 4"));
}

fn sign_out(browser: &Browser) {
    browser.click("#sign-out");
    browser.until("the button to sign in", "return document.getElementById('sign-in')?.hidden === false");
    assert_eq!(browser.cookie("CloudFront-Policy"), None);
    assert_eq!(browser.run("return (await fetch('/pictures/0.svg', { cache: 'no-store' })).status"), 403);
}

/// A landscape of a few shapes.
pub(super) fn picture(number: usize) -> String {
    let (sky, far, near) = [
        ("#f6c28b", "#6d83a8", "#2f4a6d"),
        ("#9fd3e8", "#c95f4a", "#5b3a35"),
        ("#dfe8c9", "#7fa15a", "#3f5a33"),
        ("#c9b6e4", "#7f6aa8", "#40315f"),
    ][number % 4];
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"640\" height=\"480\" viewBox=\"0 0 640 480\">\
         <rect width=\"640\" height=\"480\" fill=\"{sky}\"/><circle cx=\"{}\" cy=\"120\" r=\"46\" fill=\"#fff6d8\"/>\
         <path d=\"M0 330 L150 190 L270 300 L400 160 L640 340 V480 H0Z\" fill=\"{far}\"/>\
         <path d=\"M0 400 Q160 330 320 390 T640 370 V480 H0Z\" fill=\"{near}\"/></svg>",
        140 + number * 120
    )
}
