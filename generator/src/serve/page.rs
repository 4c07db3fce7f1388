//! The page of a tenant's host on this machine: the files of a folder under development, laid over the distribution, or
//! those of the tenant's bucket. Either way it is told to find sign-in page and services on this machine.

use std::path::{Component, Path, PathBuf};

use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::Value;

use super::answers;
use super::body::Body;
use super::cdn::Cdn;
use super::viewer::Viewer;

/// Path under which a page lies on the host of a tenant that has none of its own.
pub(super) const PATH: &str = "/gallery/";
/// File with what of the tenant the page must know.
const CONFIG: &str = "config.json";
/// What asks for a part of a file, or for it only where it has changed.
const CONDITIONS: [HeaderName; 6] =
    [RANGE, IF_RANGE, IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE];

/// The page of one tenant.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// Path that it lies under.
    pub(super) path: String,
    /// Folder of its files; `None`: they are in the bucket.
    pub(super) folder: Option<PathBuf>,
    pub(super) config: Value,
    /// Content security policy: where the page may connect to.
    pub(super) security: String,
}

impl Page {
    /// Whether a request is for the page: it stands on the name of this machine only.
    pub(super) fn is_asked(&self, viewer: &Viewer, local: &str) -> bool {
        let reads = viewer.method == Method::GET || viewer.method == Method::HEAD;
        reads && viewer.tls && viewer.host == local && viewer.path.starts_with(&self.path)
    }

    /// A file of the page.
    pub(super) async fn respond(&self, cdn: &Cdn, viewer: Viewer) -> Response<Body> {
        match &self.folder {
            Some(folder) => self.file(folder, &viewer.path).await,
            None => self.of_bucket(cdn, viewer).await,
        }
    }

    /// A file of the bucket, as the distribution gives it; but for what it says of where things are.
    async fn of_bucket(&self, cdn: &Cdn, mut viewer: Viewer) -> Response<Body> {
        let is_config = viewer.path.strip_prefix(&self.path) == Some(CONFIG);
        if is_config {
            // The conditions are about another file than the one that is given.
            CONDITIONS.iter().for_each(|name| drop(viewer.headers.remove(name)));
        }
        let (head, mut response) = (viewer.method == Method::HEAD, cdn.respond(viewer).await);
        if let Ok(security) = HeaderValue::from_str(&self.security) {
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, security);
        }
        if is_config && response.status() == StatusCode::OK {
            let text = format!("{:#}\n", self.config);
            let headers = response.headers_mut();
            headers.remove(ETAG);
            headers.remove(http::header::CONTENT_ENCODING);
            headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *response.body_mut() = Body::from(if head { String::new() } else { text });
        }
        response
    }

    /// A file of the folder; read anew each time, so that a change is seen with the next look.
    async fn file(&self, folder: &Path, path: &str) -> Response<Body> {
        let name = path.strip_prefix(&self.path).filter(|name| !name.is_empty()).unwrap_or("index.html");
        let found = if name == CONFIG {
            Ok(format!("{:#}\n", self.config).into_bytes())
        } else {
            let relative = Path::new(name);
            let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
            match inside && !name.contains('%') {
                true => tokio::fs::read(folder.join(relative)).await,
                false => Err(std::io::ErrorKind::NotFound.into()),
            }
        };
        let mut response = match found {
            Ok(bytes) => answers::answer(StatusCode::OK, media_type(name), bytes),
            Err(_) => answers::error(StatusCode::NOT_FOUND, "The page has no such file."),
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(security) = HeaderValue::from_str(&self.security) {
            headers.insert(CONTENT_SECURITY_POLICY, security);
        }
        response
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_files_of_the_folder_are_given() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("page")).expect("a folder");
        std::fs::write(folder.path().join("secret.txt"), "s").expect("a file");
        std::fs::write(folder.path().join("page/index.html"), "p").expect("a file");
        let page = Page {
            path: PATH.into(),
            folder: None,
            config: serde_json::json!({ "tenant": "demo" }),
            security: "default-src 'self'".into(),
        };
        let inside = folder.path().join("page");
        for path in ["/gallery/", "/gallery/index.html", "/gallery/config.json"] {
            assert_eq!(page.file(&inside, path).await.status(), StatusCode::OK, "{path}");
        }
        for path in
            ["/gallery/../secret.txt", "/gallery/%2e%2e/secret.txt", "/gallery//etc/passwd", "/gallery/x"]
        {
            assert_eq!(page.file(&inside, path).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
