//! Files for viewers: from the cache where they are fresh, else from the origin; whole, in part, or not again.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use http::header::{
    AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, EXPIRES, HeaderName, RANGE,
    VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::answers;
use super::body::Body;
use super::cache::{LARGEST, Stored};
use super::cdn::Cdn;
use super::compress::{Coding, is_compressible};
use super::distribution::{Behaviour, Distribution};
use super::origin::Said;
use super::range::{Part, is_known, part};
use super::viewer::Viewer;
use crate::aws::AwsError;
use crate::aws::s3::Want;

/// What CloudFront says in `X-Cache` of where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Hit,
    RefreshHit,
    Miss,
    Error,
    Generated,
    Redirect,
    ExecutionError,
    ValidationError,
}

impl Source {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Hit => "Hit from cloudfront",
            Self::RefreshHit => "RefreshHit from cloudfront",
            Self::Miss => "Miss from cloudfront",
            Self::Error => "Error from cloudfront",
            Self::Generated => "LambdaGeneratedResponse from cloudfront",
            Self::Redirect => "Redirect from cloudfront",
            Self::ExecutionError => "LambdaExecutionError from cloudfront",
            Self::ValidationError => "LambdaValidationError from cloudfront",
        }
    }
}

/// The file of a path, or the origin's error.
pub(super) async fn fetch(
    cdn: &Cdn,
    distribution: &Distribution,
    behaviour: &Behaviour,
    viewer: &Viewer,
) -> Result<(Response<Body>, Source), AwsError> {
    let now = cdn.clock.elapsed();
    let known = cdn.cache.get(&viewer.path);
    if let Some(stored) = known.as_ref().filter(|stored| stored.is_fresh(now)) {
        let source = if stored.status.is_success() { Source::Hit } else { Source::Error };
        return Ok((show(behaviour, viewer, stored, stored.age(now)).await, source));
    }
    let tag = known.as_ref().and_then(|stored| stored.headers.get(ETAG)).and_then(|tag| tag.to_str().ok());
    let said = cdn.origin.read(&viewer.path, Want { unless: tag, ..Want::default() }).await?;
    if let Some((status, code, message)) = said.words() {
        let response = answers::of_bucket(status, code, message);
        let seconds = error_seconds(distribution, status);
        let (parts, body) = response.into_parts();
        let Body::Whole(body) = body else { return Ok((Response::from_parts(parts, body), Source::Error)) };
        let stored = Arc::new(Stored {
            status,
            headers: parts.headers,
            body,
            coded: Arc::default(),
            stored: now,
            seconds,
        });
        cdn.cache.put(&viewer.path, Arc::clone(&stored));
        return Ok((show(behaviour, viewer, &stored, 0).await, Source::Error));
    }
    match (said, known) {
        (Said::Object(headers, object), _) if object.length > LARGEST => {
            drop(object);
            through(cdn, viewer, &headers).await
        }
        (Said::Object(mut headers, object), _) => {
            let told = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
            let since = cdn.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let time = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
            let seconds = behaviour.cache.seconds(told(CACHE_CONTROL), told(EXPIRES), time);
            headers.remove(CONTENT_LENGTH);
            let body = object.bytes().await?.into();
            let stored =
                Stored { status: StatusCode::OK, headers, body, coded: Arc::default(), stored: now, seconds };
            let stored = Arc::new(stored);
            if seconds > 0 {
                cdn.cache.put(&viewer.path, Arc::clone(&stored));
            }
            Ok((show(behaviour, viewer, &stored, 0).await, Source::Miss))
        }
        (_, Some(known)) => {
            let confirmed = Arc::new(Stored { stored: now, ..(*known).clone() });
            cdn.cache.put(&viewer.path, Arc::clone(&confirmed));
            Ok((show(behaviour, viewer, &confirmed, 0).await, Source::RefreshHit))
        }
        (_, None) => {
            Ok((answers::error(StatusCode::BAD_GATEWAY, "the origin's answer makes no sense"), Source::Error))
        }
    }
}

fn error_seconds(distribution: &Distribution, status: StatusCode) -> u64 {
    let told = distribution.errors.iter().find(|error| error.status == status.as_u16());
    told.map_or(super::distribution::ERROR_SECONDS, |error| error.keep_seconds)
}

/// A file that is too large to be kept, handed on as it comes.
async fn through(cdn: &Cdn, viewer: &Viewer, file: &HeaderMap) -> Result<(Response<Body>, Source), AwsError> {
    let length = file.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0);
    if is_known(&viewer.headers, file) {
        return Ok((not_modified(file), Source::Miss));
    }
    let part = part(&viewer.headers, file, length);
    if part == Part::Outside {
        return Ok((outside(length), Source::Miss));
    }
    let range = viewer.header(&RANGE).filter(|_| part != Part::Whole);
    let said =
        cdn.origin.read(&viewer.path, Want { range, head: viewer.method == Method::HEAD, ..Want::default() });
    let Said::Object(headers, object) = said.await? else {
        return Ok((
            answers::error(StatusCode::BAD_GATEWAY, "the origin has changed its mind"),
            Source::Error,
        ));
    };
    let mut response = Response::new(Body::Stream(object.body, object.length));
    if viewer.method == Method::HEAD {
        *response.body_mut() = Body::from("");
    }
    if part != Part::Whole {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    *response.headers_mut() = headers;
    Ok((response, Source::Miss))
}

/// An answer at hand, as this viewer wants it.
async fn show(behaviour: &Behaviour, viewer: &Viewer, stored: &Arc<Stored>, age: u64) -> Response<Body> {
    let mut headers = stored.headers.clone();
    if age > 0 {
        set(&mut headers, AGE, &age.to_string());
    }
    if is_compressible(behaviour, &headers, stored.body.len()) {
        headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if stored.status.is_success() && is_known(&viewer.headers, &stored.headers) {
        return not_modified(&headers);
    }
    let mut body = stored.body.clone();
    let mut status = stored.status;
    let asked_part = match status.is_success() {
        true => part(&viewer.headers, &stored.headers, body.len() as u64),
        false => Part::Whole,
    };
    match asked_part {
        Part::Outside => return outside(body.len() as u64),
        Part::Bytes(from, to) => {
            set(&mut headers, CONTENT_RANGE, &format!("bytes {from}-{to}/{}", body.len()));
            let (from, to) = (usize::try_from(from), usize::try_from(to));
            if let (Ok(from), Ok(to)) = (from, to) {
                body = body.slice(from..=to);
            }
            status = StatusCode::PARTIAL_CONTENT;
        }
        Part::Whole => {
            if let Some(coding) = Coding::of(behaviour, viewer, stored) {
                let of = Arc::clone(stored);
                // Milliseconds of work, which would hold up every other viewer of this thread.
                let coded = tokio::task::spawn_blocking(move || coding.bytes(&of)).await;
                if let Some(coded) = coded.ok().filter(|coded| !coded.is_empty()) {
                    body = coded;
                    set(&mut headers, CONTENT_ENCODING, coding.name());
                    weaken(&mut headers);
                }
            }
        }
    }
    set(&mut headers, CONTENT_LENGTH, &body.len().to_string());
    let mut response =
        Response::new(Body::from(if viewer.method == Method::HEAD { "".into() } else { body }));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Another coding is another sequence of bytes: the tag then stands for the same meaning only.
fn weaken(headers: &mut HeaderMap) {
    let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    if let Some(tag) = tag.filter(|tag| !tag.starts_with("W/")) {
        set(headers, ETAG, &format!("W/{tag}"));
    }
}

fn not_modified(file: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::from(""));
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    let mut headers = file.clone();
    headers.remove(CONTENT_LENGTH);
    *response.headers_mut() = headers;
    response
}

fn outside(length: u64) -> Response<Body> {
    let message = "The requested range is not satisfiable";
    let mut response = answers::of_bucket(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", message);
    set(response.headers_mut(), CONTENT_RANGE, &format!("bytes */{length}"));
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
