//! The gallery for people who use a keyboard, a screen reader, a phone, or need contrast: judged by what the browser
//! makes of the pages.

use std::path::Path;

use serde_json::{Value, json};

use super::browser::EMAIL;
use super::client::Client;
use super::driver::{Browser, ENTER, TAB};
use super::world::PASSWORD;

/// What a script needs to judge colours. Sources: WCAG 2.2, relative luminance and contrast ratio.
const COLOURS: &str = "
    const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const channel = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const light = ([red, green, blue]) => 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
    const contrast = (one, other) => {
      const [more, less] = [light(parts(one)), light(parts(other))].sort((a, b) => b - a);
      return (more + 0.05) / (less + 0.05);
    };
    const ground = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor;
        if ((parts(colour)[3] ?? 1) > 0) return colour;
      }
      throw new Error('nothing has a background');
    };";
/// Texts with less than 4.5:1.
const PALE: &str = "
    const pale = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      if (!texts.currentNode.data.trim() || !element.checkVisibility() || element.closest('script, style, noscript')) continue;
      const ratio = contrast(getComputedStyle(element).color, ground(element));
      if (ratio < 4.5) pale.push(`${texts.currentNode.data.trim()}: ${ratio.toFixed(2)}`);
    }
    return pale";
/// What has the focus, and how well that is seen: width of its outline in pixels, contrast to what is around it.
const FOCUSED: &str = "
    const focused = document.activeElement;
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(focused);
    return {
      what: focused.id || focused.className || focused.textContent,
      width: outlineStyle === 'none' ? 0 : parseFloat(outlineWidth),
      contrast: contrast(outlineColor, ground(focused.parentElement)),
    }";

/// From the button to the pictures without a mouse; both pages are looked at on the way.
pub(super) fn signing_in_by_keyboard(browser: &Browser, client: &Client, host: &str) {
    browser.open(&format!("https://{host}:{}/gallery/", client.port));
    browser.until("the button to sign in", "return !document.getElementById('sign-in').hidden");
    legible(browser);
    named(browser, "nav, ul, a[href], button:not([hidden], [hidden] *)");
    assert_eq!(walk(browser, 2), ["skip", "sign-in"]);
    browser.press(ENTER);
    browser.until(
        "the sign-in page",
        "return location.host.startsWith('sign-in.') && document.readyState === 'complete'",
    );
    legible(browser);
    assert_eq!(browser.names("input, button"), ["E-mail address", "Password", "Sign in"]);
    assert_eq!(browser.run("return document.activeElement.id"), "username");
    browser.press(&format!("{EMAIL}{TAB}{PASSWORD}{ENTER}"));
    browser.until("the way back", "return location.pathname === '/gallery/' && location.search === ''");
}

/// The gallery once it is open.
pub(super) fn the_gallery(browser: &Browser) {
    legible(browser);
    named(browser, "nav, ul, a[href], button:not([hidden], [hidden] *)");
    assert_eq!(browser.names("#pictures img"), ["Fjord at dawn", "Old harbour", "Birch wood"]);
    assert_eq!(browser.names("#file"), ["Picture to upload"]);
    browser.run("document.activeElement.blur()");
    assert_eq!(walk(browser, 4), ["skip", "sign-out", "file", "Upload"]);
    // What changes by itself is read out.
    assert_eq!(browser.run("return document.querySelectorAll('[role=status], [role=alert]').length"), 2);
    // The first stop leads past everything else.
    browser.reload();
    browser.until("the pictures", "return document.querySelectorAll('#pictures img').length === 3");
    assert_eq!(walk(browser, 1), ["skip"]);
    browser.press(ENTER);
    assert_eq!(browser.run("return document.activeElement.id"), "pictures");
}

/// Nothing runs out of the screen, and everything is large enough for a finger.
pub(super) fn on_a_phone(browser: &Browser, screenshot: &Path) {
    let phone = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
    browser.command("Emulation.setDeviceMetricsOverride", &phone);
    browser.until("the phone", "return innerWidth === 390 && document.scrollingElement.scrollWidth <= 390");
    let small = "return [...document.querySelectorAll('button, input')].filter((button) => button.checkVisibility()) \
         .filter((button) => button.getBoundingClientRect().height < 44).length";
    assert_eq!(browser.run(small), 0);
    browser.run("document.activeElement.blur()");
    browser.screenshot(screenshot);
    browser.command("Emulation.clearDeviceMetricsOverride", &json!({}));
}

/// In light and in dark.
fn legible(browser: &Browser) {
    for scheme in ["dark", "light"] {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        browser.command("Emulation.setEmulatedMedia", &json!({ "features": features }));
        assert_eq!(browser.run(&format!("{COLOURS}{PALE}")), json!([]), "{scheme}");
    }
}

fn named(browser: &Browser, selector: &str) {
    let names = browser.names(selector);
    assert!(!names.is_empty() && names.iter().all(|name| !name.is_empty()), "{selector}: {names:?}");
}

/// Presses the tabulator; each stop must be seen.
fn walk(browser: &Browser, stops: usize) -> Vec<String> {
    let stop = |_| {
        browser.press(TAB);
        let focused: Value = browser.run(&format!("{COLOURS}{FOCUSED}"));
        let number = |field: &str| focused[field].as_f64().unwrap_or_default();
        assert!(number("width") >= 2.0 && number("contrast") >= 3.0, "{focused}");
        focused["what"].as_str().unwrap_or_default().to_owned()
    };
    (0..stops).map(stop).collect()
}
