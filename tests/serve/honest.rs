//! What the gallery says where something fails: the truth, and what can be done.

use serde_json::json;

use super::browser::{ALL_SHOWN, picture};
use super::driver::Browser;

/// Answers in place of the edge where the page's address asks for it.
const LISTS: &str = "
    const asked = new URLSearchParams(location.search).get('list');
    const real = window.fetch;
    const list = JSON.stringify({ pictures: [{ path: '/pictures/none.svg', title: 'Lost' }] });
    if (asked) window.fetch = async (url, options) => (url === '/pictures.json' ? new Response(list, { status: asked }) : real(url, options));";
const PROBLEM: &str = "document.getElementById('problem')";

/// Without a network.
pub(super) fn about_the_network(browser: &Browser) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("unlucky.svg");
    std::fs::write(&file, picture(2)).expect("a picture");
    browser.fill("#file", file.to_str().expect("a path"));
    browser.offline(true);
    browser.click("#upload button");
    browser.until(
        "the failed upload",
        "return document.getElementById('status').textContent === 'Not uploaded'",
    );
    browser.until(
        "its reason",
        &format!("return {PROBLEM}.checkVisibility() && {PROBLEM}.textContent.includes('cannot be reached')"),
    );
    browser.run(&format!("{PROBLEM}.textContent = ''"));
    // Nobody is told to be signed out while the cookies are still there.
    browser.click("#sign-out");
    browser.until(
        "the failed signing out",
        &format!("return {PROBLEM}.textContent.includes('cannot be reached')"),
    );
    assert_eq!(browser.run("return document.getElementById('sign-out').checkVisibility()"), true);
    assert!(browser.cookie("CloudFront-Policy").is_some());
    browser.offline(false);
}

/// A list that cannot be read, and one with a picture that is not there.
pub(super) fn about_what_is_not_there(browser: &Browser) {
    browser.command("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": LISTS }));
    let here = browser.run("return location.origin + location.pathname");
    let here = here.as_str().expect("a URL");
    browser.open(&format!("{here}?list=502"));
    let told = format!("return {PROBLEM}.textContent === 'The list of pictures cannot be read (502).'");
    browser.until("the list that cannot be read", &told);
    browser.open(&format!("{here}?list=200"));
    let lost = "return document.querySelector('figcaption')?.textContent === 'Lost (cannot be shown)'";
    browser.until("the picture that is not there", lost);
    browser.open(here);
    browser.until("all pictures", ALL_SHOWN);
    assert_eq!(browser.run(&format!("return {PROBLEM}.hidden")), true, "{}", browser.text());
}

/// A refresh token that the pool does not take any more: the user is asked to sign in again, and can.
pub(super) fn about_a_session_that_has_ended(browser: &Browser) {
    browser.run(
        "const tokens = JSON.parse(sessionStorage.getItem('gallery-session')); \
         sessionStorage.setItem('gallery-session', JSON.stringify({ ...tokens, until: 0, refresh_token: 'revoked' }))",
    );
    browser.reload();
    browser.until(
        "the end of the session",
        &format!("return {PROBLEM}.textContent.startsWith('Your session has ended')"),
    );
    assert_eq!(browser.run("return document.getElementById('sign-in').checkVisibility()"), true);
    assert_eq!(browser.run("return document.getElementById('sign-out').checkVisibility()"), false);
}
