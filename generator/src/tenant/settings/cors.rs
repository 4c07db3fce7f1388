//! `cors`: pages of other origins.

use crate::tenant::collections::List;
use crate::tenant::declare::{choice, section};
use crate::tenant::decode::Setting;
use crate::tenant::values::{CorsHeader, Seconds, WebOrigin};

section! {
    /// Web pages of other origins that may use the media.
    pub struct Cors {
        /// Origins that may call the cookie endpoint and read and upload media from scripts.
        pub origins: Setting<List<WebOrigin, 0, 50>>,
        /// Methods that their pages may use on the bucket; what the upload mode needs where left out.
        pub methods: Setting<Option<List<Method, 1, 5>>>,
        /// Request headers that their pages may send to the distribution.
        pub headers: Setting<List<CorsHeader, 1, 50>>,
        /// Request headers that their pages may send to the bucket; `*` for any, as an upload signs many.
        pub upload_headers: Setting<List<CorsHeader, 1, 50>>,
        /// How long a browser may keep a preflight answer.
        pub max_age_seconds: Setting<Seconds<0, 86_400>>,
    }
}

choice! {
    /// A method of HTTP.
    pub enum Method {
        /// Reads the metadata of an object.
        Head = "HEAD",
        /// Reads an object.
        Get = "GET",
        /// Uploads an object.
        Put = "PUT",
        /// Uploads an object from a form, or in parts.
        Post = "POST",
        /// Deletes an object.
        Delete = "DELETE",
    }
}
