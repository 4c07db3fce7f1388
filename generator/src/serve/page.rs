//! A page under development, laid over a tenant's host on this machine: the files of a folder, and its settings.

use std::path::{Component, Path, PathBuf};

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};
use serde_json::Value;

use super::answers;
use super::body::Body;

/// Path under which the page lies on every tenant's host.
pub const PATH: &str = "/gallery/";
/// File of the page that `serve` writes: what of the tenant the page must know.
const CONFIG: &str = "config.json";

/// The page of one tenant.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) folder: PathBuf,
    pub(super) config: Value,
    /// Content security policy: where the page may connect to.
    pub(super) security: String,
}

impl Page {
    /// A file of the page; read anew each time, so that a change is seen with the next look.
    pub(super) async fn respond(&self, path: &str) -> Response<Body> {
        let name = path.strip_prefix(PATH).filter(|name| !name.is_empty()).unwrap_or("index.html");
        let found = if name == CONFIG {
            Ok(format!("{:#}\n", self.config).into_bytes())
        } else {
            let relative = Path::new(name);
            let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
            match inside && !name.contains('%') {
                true => tokio::fs::read(self.folder.join(relative)).await,
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
            folder: folder.path().join("page"),
            config: serde_json::json!({ "tenant": "demo" }),
            security: "default-src 'self'".into(),
        };
        for path in ["/gallery/", "/gallery/index.html", "/gallery/config.json"] {
            assert_eq!(page.respond(path).await.status(), StatusCode::OK, "{path}");
        }
        for path in
            ["/gallery/../secret.txt", "/gallery/%2e%2e/secret.txt", "/gallery//etc/passwd", "/gallery/x"]
        {
            assert_eq!(page.respond(path).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
