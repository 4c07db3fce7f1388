//! A browser, driven by the W3C's WebDriver protocol.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::chromium::Chromium;

/// Longest wait for something to show on a page, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// Name of the reference to an element in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys, as the protocol writes them.
pub(super) const TAB: &str = "\u{e004}";
pub(super) const ENTER: &str = "\u{e007}";

/// A browser with one window.
pub(super) struct Browser {
    driver: Child,
    session: String,
    agent: ureq::Agent,
    profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one that takes certificates of the authority in this file.
    pub(super) fn start(chromium: &Chromium, authority: &Path) -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let mut driver =
            chromium.driver().arg("--port=0").stdout(Stdio::piped()).spawn().expect("the driver runs");
        let mut lines = BufReader::new(driver.stdout.take().expect("an output")).lines();
        let port: u16 = loop {
            let line = lines.next().expect("the driver starts").expect("text");
            if let Some((_, rest)) = line.split_once("started successfully on port ") {
                break rest.trim_end_matches('.').parse().expect("a port");
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
        let session = format!("http://127.0.0.1:{port}/session");
        let mut browser = Self { driver, session, agent, profile };
        let arguments = [
            "--headless=new".to_owned(),
            // As root, and in containers, Chromium cannot make its own sandbox; it sees our own pages only.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-background-networking".to_owned(),
            "--window-size=1200,860".to_owned(),
            format!("--user-data-dir={}", browser.profile.path().display()),
            format!("--ignore-certificate-errors-spki-list={}", fingerprint(authority)),
        ];
        let options = json!({ "binary": chromium.browser(), "args": arguments });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let made = browser.call("POST", "", &wanted);
        let id = made["sessionId"].as_str().unwrap_or_else(|| panic!("no browser: {made}"));
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = http::Request::builder().method(method).uri(format!("{}{path}", self.session));
        let request = request.header("content-type", "application/json");
        let answer = match method {
            "POST" => self.agent.run(request.body(body.to_string()).expect("a request")),
            _ => self.agent.run(request.body(()).expect("a request")),
        };
        let mut answer = answer.expect("the driver answers");
        let text = answer.body_mut().with_config().limit(50_000_000).read_to_string().expect("text");
        let mut answer: Value = serde_json::from_str(&text).expect("JSON");
        answer["value"].take()
    }

    pub(super) fn open(&self, url: &str) {
        let answer = self.call("POST", "/url", &json!({ "url": url }));
        assert!(answer.is_null(), "{url}: {answer}");
    }

    pub(super) fn reload(&self) {
        let answer = self.call("POST", "/refresh", &json!({}));
        assert!(answer.is_null(), "{answer}");
    }

    pub(super) fn click(&self, selector: &str) {
        let element = self.element(selector);
        let answer = self.call("POST", &format!("/element/{element}/click"), &json!({}));
        assert!(answer.is_null(), "{selector}: {answer}");
    }

    /// Types, also the path of a file into its field.
    pub(super) fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        let answer = self.call("POST", &format!("/element/{element}/value"), &json!({ "text": text }));
        assert!(answer.is_null(), "{selector}: {answer}");
    }

    fn element(&self, selector: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.call("POST", "/element", &wanted);
        found[ELEMENT]
            .as_str()
            .unwrap_or_else(|| panic!("no `{selector}`: {found}\n{}", self.text()))
            .to_owned()
    }

    /// Presses keys on whatever has the focus: characters, or [`TAB`] and [`ENTER`].
    pub(super) fn press(&self, keys: &str) {
        let each = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })));
        let actions = json!([{ "type": "key", "id": "keyboard", "actions": each.collect::<Vec<_>>() }]);
        let answer = self.call("POST", "/actions", &json!({ "actions": actions }));
        assert!(answer.is_null(), "{keys:?}: {answer}");
    }

    /// What a screen reader calls each of these elements, as the browser computes it from labels and texts.
    pub(super) fn names(&self, selector: &str) -> Vec<String> {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.call("POST", "/elements", &wanted);
        let ids = found.as_array().expect("elements").iter().filter_map(|element| element[ELEMENT].as_str());
        let name = |id| self.call("GET", &format!("/element/{id}/computedlabel"), &Value::Null);
        ids.map(|id| name(id).as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Gives a command of Chromium's own debugging protocol.
    pub(super) fn command(&self, command: &str, parameters: &Value) {
        let answer = self.call("POST", "/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }));
        assert!(answer["error"].is_null(), "{command}: {answer}");
    }

    /// Cuts the network, or gives it back.
    pub(super) fn offline(&self, offline: bool) {
        let conditions = json!({ "offline": offline, "latency": 0, "throughput": 100_000_000 });
        let answer =
            self.call("POST", "/chromium/network_conditions", &json!({ "network_conditions": conditions }));
        assert!(answer.is_null(), "{answer}");
    }

    /// What a script returns, its promise awaited.
    pub(super) fn run(&self, script: &str) -> Value {
        let script = format!("return (async () => {{ {script} }})()");
        self.call("POST", "/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until a script returns true.
    pub(super) fn until(&self, what: &str, script: &str) {
        let end = Instant::now() + PATIENCE;
        while self.run(script) != Value::Bool(true) {
            assert!(Instant::now() < end, "{what} did not come about; the page says\n{}", self.text());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(super) fn text(&self) -> String {
        self.run("return `${location.href}\\n${document.body.innerText}`")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Value of a cookie, those included that no script sees.
    pub(super) fn cookie(&self, name: &str) -> Option<String> {
        self.call("GET", &format!("/cookie/{name}"), &Value::Null)["value"].as_str().map(str::to_owned)
    }

    pub(super) fn forget_cookies(&self) {
        self.call("DELETE", "/cookie", &Value::Null);
    }

    /// Writes what the window shows.
    pub(super) fn screenshot(&self, path: &Path) {
        let answer = self.call("GET", "/screenshot", &Value::Null);
        let bytes = STANDARD.decode(answer.as_str().expect("a picture")).expect("base64");
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser with the session.
        let request = http::Request::builder().method("DELETE").uri(&self.session).body(());
        if let Ok(request) = request {
            let _ = self.agent.run(request);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// SHA-256 of the authority's public key, by OpenSSL, as Chromium wants it.
fn fingerprint(authority: &Path) -> String {
    let script = "openssl x509 -pubkey -noout -in \"$0\" | openssl pkey -pubin -outform der \
                  | openssl dgst -sha256 -binary | openssl base64";
    let output =
        std::process::Command::new("sh").args(["-c", script]).arg(authority).output().expect("a shell");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}
