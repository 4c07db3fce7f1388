//! What pages sign in with: app clients, the scopes of the tenant's own, and how the sign-in page looks.

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::given::{Given, brought};
use crate::program::StackId;
use crate::program::output::{Output, kind};
use crate::program::stack::{ProgramError, Stack};
use crate::tenant::Tenant;
use crate::tenant::decode::Setting;
use crate::tenant::settings::{Branding, Client, SignIn};
use crate::tenant::values::{Color, Line, ReturnUrl, Scope};

const CLIENT: &str = "UserPoolClient";
const BRANDING: &str = "ManagedLoginBranding";
const RESOURCE_SERVER: &str = "ResourceServer";

/// App clients, resource servers and branding.
#[derive(Debug, Serialize)]
pub(super) struct UserPoolClients<'a> {
    pool: &'a Given<kind::UserPoolId>,
    clients: Vec<AppClient<'a>>,
    first_client: Given<kind::UserPoolClientId>,
    resource_servers: Vec<ResourceServer<'a>>,
    resource_server_ids: Vec<String>,
    sign_in: &'a SignIn,
    flows: Setting<Vec<&'static str>>,
    /// Only a new pool has a sign-in page of ours.
    branded: bool,
    branding: Option<Value>,
}

#[derive(Debug, Serialize)]
struct AppClient<'a> {
    logical_id: String,
    branding_id: String,
    name: Setting<String>,
    callback_urls: Setting<Vec<&'a ReturnUrl>>,
    logout_urls: Setting<Vec<&'a ReturnUrl>>,
    scopes: Setting<Vec<&'a Scope>>,
}

#[derive(Debug, Serialize)]
struct ResourceServer<'a> {
    logical_id: String,
    identifier: &'a Setting<String>,
    scopes: Vec<OwnScope<'a>>,
}

#[derive(Debug, Serialize)]
struct OwnScope<'a> {
    name: &'a Setting<String>,
    description: &'a Setting<Line>,
}

impl<'a> UserPoolClients<'a> {
    pub(super) fn new(tenant: &'a Tenant, pool: &'a Given<kind::UserPoolId>, stack: StackId) -> Self {
        let sign_in = &tenant.settings.sign_in;
        let prefix = tenant.names.prefix();
        let first_client = match brought(&sign_in.existing.client_id, |id| id) {
            Some(id) => Given::Brought(id),
            None => Given::Made(Output::reference(stack, CLIENT)),
        };
        let mut clients = Vec::new();
        if let Given::Made(_) = &first_client {
            clients.push(AppClient::first(prefix, sign_in));
        }
        clients.extend(
            sign_in.clients.named().map(|(name, client)| AppClient::further(prefix, name, client, sign_in)),
        );
        let resource_servers: Vec<_> = sign_in
            .resource_servers
            .named()
            .map(|(identifier, scopes)| ResourceServer {
                logical_id: format!("{RESOURCE_SERVER}{}", hex_id(identifier)),
                identifier,
                scopes: scopes.named().map(|(name, description)| OwnScope { name, description }).collect(),
            })
            .collect();
        Self {
            pool,
            clients,
            first_client,
            resource_server_ids: resource_servers.iter().map(|server| server.logical_id.clone()).collect(),
            resource_servers,
            sign_in,
            flows: sign_in
                .implicit_grant
                .derive(|implicit| if *implicit { vec!["code", "implicit"] } else { vec!["code"] }),
            branded: matches!(pool, Given::Made(_)),
            branding: branding(&sign_in.branding),
        }
    }

    /// Adds them to a stack; the ids of all clients, the first one first.
    pub(super) fn add_to(
        &self,
        stack: &mut Stack,
    ) -> Result<Vec<Given<kind::UserPoolClientId>>, ProgramError> {
        stack.add("user_pool_clients", self)?;
        let made = self.clients.iter().map(|client| client.logical_id.as_str()).filter(|id| *id != CLIENT);
        let further = made.map(|id| Given::Made(Output::reference(stack.id, id)));
        Ok(std::iter::once(self.first_client.clone()).chain(further).collect())
    }
}

impl<'a> AppClient<'a> {
    fn first(prefix: &str, sign_in: &'a SignIn) -> Self {
        let urls = &sign_in.callback_urls;
        Self {
            logical_id: CLIENT.into(),
            branding_id: BRANDING.into(),
            name: sign_in.logout_urls.derive(|_| prefix.to_string()),
            callback_urls: urls.derive(|_| urls.as_ref().into_iter().flat_map(|urls| urls.iter()).collect()),
            logout_urls: sign_in.logout_urls.derive(|_| sign_in.logout_urls.iter().collect()),
            scopes: sign_in.scopes.derive(|_| sign_in.scopes.iter().collect()),
        }
    }

    fn further(prefix: &str, name: &Setting<String>, client: &'a Client, sign_in: &'a SignIn) -> Self {
        let suffix = camel_case(name);
        let logout = client.logout_urls.as_ref();
        Self {
            logical_id: format!("{CLIENT}{suffix}"),
            branding_id: format!("{BRANDING}{suffix}"),
            name: name.derive(|name| format!("{prefix}-{name}")),
            callback_urls: client.callback_urls.derive(|_| client.callback_urls.iter().collect()),
            logout_urls: client
                .logout_urls
                .derive(|_| logout.into_iter().flat_map(|urls| urls.iter()).collect()),
            scopes: match client.scopes.as_ref() {
                Some(scopes) => client.scopes.derive(|_| scopes.iter().collect()),
                None => sign_in.scopes.derive(|_| sign_in.scopes.iter().collect()),
            },
        }
    }
}

/// The settings of Cognito's branding editor for the colours that are set; it keeps its own for the others.
fn branding(branding: &Branding) -> Option<Value> {
    let color = |setting: &Setting<Option<Color>>| {
        let color = setting.as_ref()?.as_str().trim_start_matches('#').to_lowercase();
        // Eight digits: the last two are how opaque it is.
        Some(json!(setting.derive(|_| format!("{color}ff"))))
    };
    let mut components = serde_json::Map::new();
    let mut button = serde_json::Map::new();
    if let Some(color) = color(&branding.button_color) {
        button.insert("backgroundColor".into(), color);
    }
    if let Some(color) = color(&branding.button_text_color) {
        button.insert("textColor".into(), color);
    }
    if !button.is_empty() {
        components.insert("primaryButton".into(), json!({ "lightMode": { "defaults": button } }));
    }
    if let Some(color) = color(&branding.page_color) {
        let background = json!({ "image": { "enabled": false }, "lightMode": { "color": color } });
        components.insert("pageBackground".into(), background);
    }
    (!components.is_empty()).then(|| json!({ "components": components }))
}

/// A name of letters, digits and hyphens as a part of a logical id.
fn camel_case(name: &str) -> String {
    let part = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(part).collect()
}

/// An identifier of any characters as a part of a logical id, which takes letters and digits only. No two
/// identifiers have the same: what is written out begins with a capital, what is encoded never does.
pub(super) fn hex_id(identifier: &str) -> String {
    /// Twice as many digits fit into a logical id of 255 characters.
    const ENCODED_MAX: usize = 100;
    let is_plain = identifier.starts_with(|c: char| c.is_ascii_lowercase())
        && identifier.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_plain {
        camel_case(identifier)
    } else if identifier.len() <= ENCODED_MAX {
        hex::encode(identifier)
    } else {
        hex::encode(Sha256::digest(identifier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_parts_of_logical_ids() {
        assert_eq!(camel_case("studio-2"), "Studio2");
        assert_eq!(hex_id("media"), "Media");
        assert_eq!(hex_id("a.b"), "612e62");
        assert_ne!(hex_id("Media"), hex_id("media"));
        assert_eq!(hex_id(&"a".repeat(128)).len(), 128);
        assert_eq!(hex_id(&"A".repeat(128)).len(), 64);
    }
}
