//! The stand-in's pages.

use http::{Response, StatusCode};

use super::super::answers;
use super::super::body::Body;

/// What the pages may load: their own style, nothing else.
pub(super) const SECURITY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;margin:0;background:#f4f6fb;color:#1b1f24}\
main{max-width:24rem;margin:10vh auto;padding:1.5rem;background:#fff;border:1px solid #c8ccd4;border-radius:.5rem}\
h1{font-size:1.4rem;margin:0 0 .5rem}label{display:block;margin:1rem 0 .25rem}\
input{width:100%;box-sizing:border-box;padding:.6rem;font:inherit;border:1px solid #6b7280;border-radius:.25rem}\
button{margin-top:1.25rem;width:100%;padding:.7rem;font:inherit;color:#fff;background:#0b57d0;border:0;\
border-radius:.25rem}:focus-visible{outline:3px solid #8a4b00;outline-offset:2px}\
[role=alert]{color:#a40e26}small{color:#4b5563}";

/// The form to sign in with. It posts to the very URL it was shown under, which has all that the application asked.
pub(super) fn form(tenant: &str, problem: Option<&str>) -> Response<Body> {
    let problem = problem.map(|text| format!("<p role=\"alert\">{}</p>", escaped(text))).unwrap_or_default();
    let tenant = escaped(tenant);
    let inner = format!(
        "<h1>Sign in to {tenant}</h1>{problem}\
         <form method=\"post\" action=\"\"><label for=\"username\">E-mail address</label>\
         <input id=\"username\" name=\"username\" type=\"email\" autocomplete=\"username\" required autofocus>\
         <label for=\"password\">Password</label>\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
         <button type=\"submit\">Sign in</button></form>\
         <p><small>Stand-in of <code>generator serve</code> for Amazon Cognito's sign-in page. The users are those of \
         the local cloud's user pool.</small></p>"
    );
    // The answer to a wrong password is the form again: a page, not an error of the protocol.
    answers::answer(StatusCode::OK, "text/html; charset=utf-8", document("Sign in", &inner))
}

/// Where the browser cannot be sent back with the error.
pub(super) fn refused(code: &str, reason: &str) -> Response<Body> {
    let inner = format!("<h1>Sign-in is not possible</h1><p role=\"alert\">{} ({code})</p>", escaped(reason));
    answers::answer(StatusCode::BAD_REQUEST, "text/html; charset=utf-8", document("Error", &inner))
}

fn document(title: &str, inner: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><main>{inner}</main></body></html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
