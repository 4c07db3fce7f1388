//! What of a page is written, left and refused.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use serde_json::Value;

use super::{Outputs, Page, check, publish, settle, standing};
use crate::deploy::DeployError;
use crate::deploy::fake::{FakePeers, context};
use crate::render::{PageAllowed, RenderedPage, RenderedTenant, StackId};
use crate::report::{Event, RecordedSink};

/// A tenant with a page of these files.
struct World {
    root: tempfile::TempDir,
    tenant: RenderedTenant,
    peers: FakePeers,
}

impl World {
    fn new(files: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let page = RenderedPage {
            folder: "site".into(),
            path: "/gallery/".into(),
            region: "eu-north-1".into(),
            scopes: vec!["openid".into()],
            allowed: PageAllowed {
                callbacks: vec!["https://media.example/gallery/".into()],
                logouts: vec!["https://media.example/gallery/".into()],
                origins: Some(vec!["https://media.example".into()]),
            },
            largest: None,
        };
        let tenant = RenderedTenant {
            tenant: "demo".into(),
            account: None,
            role_arn: None,
            stacks: vec![],
            page: Some(page),
        };
        let world = Self { root, tenant, peers: FakePeers::default() };
        files.iter().for_each(|(name, text)| world.write(name, text));
        world
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root.path().join("site").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn context(&self) -> (crate::deploy::Context, Arc<RecordedSink>) {
        let (mut context, sink) = context();
        context.settings.root = self.root.path().to_path_buf();
        (context, sink)
    }

    async fn publish(&self) -> Result<crate::plan::PageChange, DeployError> {
        let (context, _) = self.context();
        let page = Page::read(&context, &self.tenant)?.expect("a page");
        publish(&context, &self.peers, &page, &outputs()).await
    }

    fn put(&self, key: &str, text: &str) {
        self.peers.world.lock().unwrap().objects.insert(key.into(), text.into());
    }

    fn object(&self, key: &str) -> Option<String> {
        let bytes = self.peers.world.lock().unwrap().objects.get(key).cloned()?;
        String::from_utf8(bytes).ok()
    }

    fn keys(&self) -> Vec<String> {
        self.peers.world.lock().unwrap().objects.keys().cloned().collect()
    }

    /// The calls since the last time that change something.
    fn writes(&self) -> Vec<String> {
        let calls = std::mem::take(&mut self.peers.world.lock().unwrap().calls);
        calls.into_iter().filter(|call| !call.starts_with("List") && !call.starts_with("Get")).collect()
    }
}

fn outputs() -> Outputs {
    let map = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let regional = map(&[
        ("ContentBucketName", "b"),
        ("SignInDomain", "demo.auth.eu-north-1.amazoncognito.com"),
        ("UserPoolId", "eu-north-1_a"),
        ("UserPoolClientId", "c"),
        ("UserPoolProviderName", "cognito-idp.eu-north-1.amazonaws.com/eu-north-1_a"),
        ("IdentityPoolId", "eu-north-1:i"),
    ]);
    let edge = map(&[("Host", "media.example"), ("PagePath", "/gallery/")]);
    BTreeMap::from([(StackId::Regional, regional), (StackId::Edge, edge)])
}

const FILES: [(&str, &str); 3] =
    [("index.html", "<p>hello"), ("app.js", "go()"), ("lib/x.3f9c2a1b.js", "never changes")];

#[tokio::test]
async fn only_what_has_changed_is_written_and_documents_come_last() {
    let world = World::new(&FILES);
    world.put("pictures/0.jpg", "media");
    world.write(".hidden", "not for anybody");
    let first = world.publish().await.expect("published");
    assert_eq!((first.written.len(), first.removed.len(), first.unchanged), (5, 0, 0));
    let list = "PutObject gallery/.generator.json (application/json, no-cache)";
    assert_eq!(
        world.writes(),
        [
            list,
            "PutObject gallery/app.js (text/javascript; charset=utf-8, no-cache)",
            "PutObject gallery/config.json (application/json, no-cache)",
            "PutObject gallery/lib/x.3f9c2a1b.js (text/javascript; charset=utf-8, public, max-age=31536000, immutable)",
            "PutObject gallery/ (text/html; charset=utf-8, no-cache)",
            "PutObject gallery/index.html (text/html; charset=utf-8, no-cache)",
            list,
        ]
    );
    let config: Value =
        serde_json::from_str(&world.object("gallery/config.json").expect("settings")).expect("JSON");
    assert_eq!(config["signIn"], "https://demo.auth.eu-north-1.amazoncognito.com");
    assert_eq!((&config["host"], &config["client"]), (&"media.example".into(), &"c".into()));
    assert_eq!(config["uploads"]["bucketEndpoint"], "https://b.s3.eu-north-1.amazonaws.com");

    let again = world.publish().await.expect("published");
    assert!(!again.is_change() && again.unchanged == 5, "{again:?}");
    assert_eq!(world.writes(), Vec::<String>::new());

    world.write("app.js", "go(2)");
    fs::remove_file(world.root.path().join("site/lib/x.3f9c2a1b.js")).expect("a file");
    let changed = world.publish().await.expect("published");
    assert_eq!(changed.words(), "1 file written, 1 removed");
    assert_eq!(world.object("gallery/app.js").as_deref(), Some("go(2)"));
    assert_eq!(world.object("gallery/lib/x.3f9c2a1b.js"), None);
    assert_eq!(world.object("pictures/0.jpg").as_deref(), Some("media"));

    // Somebody else has written over a file: it is written again.
    world.put("gallery/app.js", "stolen()");
    assert_eq!(world.publish().await.expect("published").written, ["gallery/app.js"]);
    assert_eq!(world.object("gallery/app.js").as_deref(), Some("go(2)"));
}

#[tokio::test]
async fn nothing_of_others_is_opened_to_everybody() {
    let world = World::new(&FILES);
    world.put("gallery/holiday.jpg", "private");
    let error = world.publish().await.expect_err("refused");
    let DeployError::Hindered { checks, .. } = &error else { panic!("{error}") };
    let (reason, _) = checks[0].failure().expect("a reason");
    assert!(reason.contains("`gallery/holiday.jpg` of bucket `b` would be read by everybody"), "{reason}");
    assert_eq!(world.writes(), Vec::<String>::new());

    // It is looked at before the first write of a deployment, too.
    let (context, _) = world.context();
    let page = Page::read(&context, &world.tenant).expect("a page");
    let told = check(page.as_ref(), &world.peers, &outputs()).await.expect("a verdict").expect("a check");
    assert!(told.failure().is_some());
    // Before the first deployment there is no bucket to look at.
    assert_eq!(check(page.as_ref(), &world.peers, &BTreeMap::new()).await.expect("none"), None);
}

#[tokio::test]
async fn a_run_that_was_cut_off_knows_its_own_files_again() {
    let world = World::new(&FILES);
    world.publish().await.expect("published");
    world.write("app.js", "go(3)");
    // The process ends between the list and the file.
    let list = world.object("gallery/.generator.json").expect("a list");
    let mut list: Value = serde_json::from_str(&list).expect("JSON");
    list["files"]["gallery/app.js"]["tag"] = Value::Null;
    world.put("gallery/.generator.json", &list.to_string());
    assert_eq!(world.publish().await.expect("published").written, ["gallery/app.js"]);
    assert!(!world.publish().await.expect("published").is_change());

    // A bucket that takes nothing is an error with its cause, and no success.
    world.write("app.js", "go(4)");
    world.peers.world.lock().unwrap().full = true;
    let error = world.publish().await.expect_err("refused");
    assert!(error.to_string().contains("writing `gallery/.generator.json`"), "{error}");
    world.peers.world.lock().unwrap().full = false;
    assert_eq!(world.publish().await.expect("published").written, ["gallery/app.js"]);
}

#[tokio::test]
async fn a_page_that_is_no_more_leaves_nothing_of_its_own() {
    let mut world = World::new(&FILES);
    world.publish().await.expect("published");
    world.put("pictures/0.jpg", "media");
    world.put("gallery/late.jpg", "somebody's");
    let before = standing(&outputs());
    assert!(before.is_some());
    world.tenant.page = None;
    let (context, _) = world.context();
    let settled = settle(&context, &world.peers, &world.tenant, None, before, &BTreeMap::new()).await;
    assert_eq!(settled.expect("settled"), None);
    assert_eq!(world.keys(), ["gallery/late.jpg", "pictures/0.jpg"]);
}

#[tokio::test]
async fn a_list_that_is_none_stops_everything() {
    let world = World::new(&FILES);
    world.put("gallery/.generator.json", "{}");
    let error = world.publish().await.expect_err("refused");
    assert_eq!(error.code(), "PAGE_REFUSED");
    assert!(error.to_string().contains("is no list of a page's files"), "{error}");
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[test]
fn a_folder_that_is_no_page_is_refused_with_a_reason() {
    let refused = |world: &World| {
        let error = Page::read(&world.context().0, &world.tenant).expect_err("refused");
        assert!(error.help().is_some());
        error.to_string()
    };
    assert!(refused(&World::new(&[])).contains("there is no folder"));
    assert!(refused(&World::new(&[(".hidden", "x")])).contains("is empty"));
    assert!(refused(&World::new(&[("config.json", "{}")])).contains("`config.json` of its own"));
    assert!(refused(&World::new(&[("a b.html", "x")])).contains("a name that URLs cannot show"));
    let mut large = World::new(&[("index.html", "12345")]);
    if let Some(page) = &mut large.tenant.page {
        page.largest = Some(4);
    }
    assert!(refused(&large).contains("has 5 bytes, over the 4"));
}

#[tokio::test]
async fn what_a_page_that_signs_in_still_needs_is_told() {
    let mut world = World::new(&FILES);
    let (context, sink) = world.context();
    let warned = |sink: &RecordedSink| {
        let events = sink.events();
        events.iter().any(|event| {
            matches!(event, Event::Warning { message, .. }
            if message.contains("`https://media.example` in `cors.origins`"))
        })
    };
    let page = Page::read(&context, &world.tenant).expect("a page").expect("a page");
    publish(&context, &world.peers, &page, &outputs()).await.expect("published");
    assert!(!warned(&sink));
    if let Some(page) = &mut world.tenant.page {
        page.allowed.origins = Some(vec![]);
    }
    let page = Page::read(&context, &world.tenant).expect("a page").expect("a page");
    publish(&context, &world.peers, &page, &outputs()).await.expect("published");
    assert!(warned(&sink));
}
