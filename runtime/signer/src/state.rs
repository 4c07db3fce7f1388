//! What one process of the function keeps between requests, and how it is kept fresh.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use contract::edge_config::{EdgeConfig, KEYRING_MAX_AGE_SECONDS, KEYRING_REFRESH_SECONDS};
use contract::names::{Names, config_parameter_of};

use crate::aws::{Aws, AwsError};
use crate::cache::CookieCache;
use crate::clock::Moment;
use crate::event::Request;
use crate::handler::{self, Answer, Documents, Outcome};
use crate::journal::Journal;
use crate::jwks::Jwks;
use crate::keys::LoadedKeyring;
use crate::refusal::Refusal;
use crate::response::Response;
use crate::settings::Settings;
use crate::slot::{Ages, Due, Slot};

/// Longest time that one request spends on the network; CloudFront ends the function after five seconds.
const BUDGET: Duration = Duration::from_millis(3_500);
/// A key id that is not known makes the keys be read again at most this often.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(10);

const CONFIG: Ages = Ages {
    refresh: Duration::from_secs(300),
    overdue: Duration::from_secs(600),
    bound: Duration::from_secs(12 * 3_600),
};
const KEYRING: Ages = Ages {
    refresh: Duration::from_secs(KEYRING_REFRESH_SECONDS),
    overdue: Duration::from_secs(2 * KEYRING_REFRESH_SECONDS),
    bound: Duration::from_secs(KEYRING_MAX_AGE_SECONDS),
};
const TOKEN_KEYS: Ages = Ages {
    refresh: Duration::from_secs(3_600),
    overdue: Duration::from_secs(2 * 3_600),
    bound: Duration::from_secs(24 * 3_600),
};

/// Where log lines go.
pub type Log = Box<dyn Fn(&[String]) + Send + Sync>;

/// The state of a process.
pub struct State {
    parameter: String,
    /// Name that the secret has by the naming rule: with it configuration and keyring are read at once.
    secret: Option<String>,
    aws: Aws,
    config: Slot<EdgeConfig>,
    keyring: Slot<LoadedKeyring>,
    jwks: Slot<Jwks>,
    cache: CookieCache,
    journal: Journal,
    log: Log,
    refreshing: AtomicBool,
    /// Held by the request that reads token keys because of a key id that is not known.
    asking_for_keys: Mutex<()>,
}

/// For each document, when it should be read again.
#[derive(Debug, Clone, Copy)]
struct Schedule {
    config: Due,
    keyring: Due,
    jwks: Due,
}

impl Schedule {
    fn most_urgent(self) -> Due {
        self.config.max(self.keyring).max(self.jwks)
    }
}

impl State {
    /// The state of a process that has read nothing yet, and that logs to `log`.
    #[must_use]
    pub fn new(settings: &Settings, log: Log) -> Self {
        let parameter = config_parameter_of(&settings.function);
        let function = parameter.trim_start_matches('/').trim_end_matches("/config");
        Self {
            secret: secret_of(function),
            aws: Aws::new(settings),
            config: Slot::new(CONFIG),
            keyring: Slot::new(KEYRING),
            jwks: Slot::new(TOKEN_KEYS),
            cache: CookieCache::default(),
            journal: Journal::new(function),
            log,
            refreshing: AtomicBool::new(false),
            asking_for_keys: Mutex::default(),
            parameter,
        }
    }

    /// Reads all documents, so that the first request finds them. Failures are left to a later request.
    pub fn prepare(&self, now: Moment) {
        let (_, schedule) = self.look(now);
        self.read(now, schedule, Due::Now, Instant::now() + BUDGET);
    }

    /// The answer, where it can be given without waiting for the network.
    pub fn answer_at_once(self: &Arc<Self>, event: &str, now: Moment) -> Option<Arc<Response>> {
        let Some(request) = Request::parse(event) else {
            return Some(self.finish(Answer::refused(Refusal::RequestMalformed), "", now));
        };
        let (documents, schedule) = self.look(now);
        match schedule.most_urgent() {
            Due::Now => return None,
            Due::Soon => self.refresh_in_background(now),
            Due::No => {}
        }
        let answer = handler::answer(&request, &documents, &self.cache, now.epoch);
        let wants_keys = self.would_newer_keys_help(&answer, now);
        (!wants_keys).then(|| self.finish(answer, &request.id, now))
    }

    /// The answer, after reading from the network what is missing or overdue.
    pub fn answer_after_reading(&self, event: &str, now: Moment) -> Arc<Response> {
        let Some(request) = Request::parse(event) else {
            return self.finish(Answer::refused(Refusal::RequestMalformed), "", now);
        };
        let deadline = Instant::now() + BUDGET;
        let (_, schedule) = self.look(now);
        self.read(now, schedule, Due::Now, deadline);
        let answer = |documents| handler::answer(&request, documents, &self.cache, now.epoch);
        let (documents, _) = self.look(now);
        let mut answered = answer(&documents);
        if let Some(config) = &documents.config
            && self.would_newer_keys_help(&answered, now)
        {
            let _turn = self.asking_for_keys.lock().unwrap_or_else(PoisonError::into_inner);
            // Another request may have read them while this one waited for its turn.
            if self.would_newer_keys_help(&answered, now) {
                self.read_jwks(&config.issuer, now, deadline);
            }
            answered = answer(&self.look(now).0);
        }
        self.finish(answered, &request.id, now)
    }

    fn finish(&self, answer: Answer, request: &str, now: Moment) -> Arc<Response> {
        (self.log)(&self.journal.answered(answer.outcome, request, now));
        answer.response
    }

    fn would_newer_keys_help(&self, answer: &Answer, now: Moment) -> bool {
        answer.outcome == Outcome::Refused(Refusal::TokenKeyUnknown)
            && self.jwks.last_try(now).is_none_or(|age| age >= UNKNOWN_KEY_PAUSE)
    }

    /// The documents that may be used at `now`, and when they should be read again. A keyring or token
    /// keys from another place than the configuration names are not used.
    fn look(&self, now: Moment) -> (Documents, Schedule) {
        let (config, config_due) = self.config.look(now, |_| true);
        let named = config.as_deref();
        let (keyring, keyring_due) =
            self.keyring.look(now, |held| named.is_none_or(|config| held.is_from(&config.keyring_secret)));
        let (jwks, jwks_due) =
            self.jwks.look(now, |held| named.is_none_or(|config| held.issuer == config.issuer));
        let schedule = Schedule { config: config_due, keyring: keyring_due, jwks: jwks_due };
        (Documents { config, keyring, jwks }, schedule)
    }

    /// Reads every document that is due at least as urgently as `from`: the configuration, and after it
    /// the token keys whose place it names, beside the keyring.
    fn read(&self, now: Moment, schedule: Schedule, from: Due, deadline: Instant) {
        let secret = self.config.last().map(|config| config.keyring_secret.clone());
        let keyring = secret.or_else(|| self.secret.clone()).filter(|_| schedule.keyring >= from);
        thread::scope(|scope| {
            let beside = keyring.as_deref().map(|secret| {
                thread::Builder::new().spawn_scoped(scope, move || self.read_keyring(secret, now, deadline))
            });
            if schedule.config >= from {
                self.read_config(now, deadline);
            }
            if let (Documents { config: Some(config), jwks, .. }, _) = self.look(now)
                && (schedule.jwks >= from || jwks.is_none())
            {
                self.read_jwks(&config.issuer, now, deadline);
            }
            if let (Some(Err(_)), Some(secret)) = (beside, &keyring) {
                // No thread was to be had.
                self.read_keyring(secret, now, deadline);
            }
        });
        // The configuration may name another secret than the naming rule does, or than it did before.
        if let (Documents { config: Some(config), keyring: None, .. }, _) = self.look(now)
            && keyring.is_none_or(|tried| tried != config.keyring_secret)
        {
            self.read_keyring(&config.keyring_secret, now, deadline);
        }
    }

    fn refresh_in_background(self: &Arc<Self>, now: Moment) {
        if self.refreshing.swap(true, Ordering::AcqRel) {
            return;
        }
        let refresh = Refresh(Arc::clone(self));
        // Where no thread is to be had the refresh is dropped, and a later request tries again.
        let _ = thread::Builder::new().name("refresh".into()).spawn(move || {
            let state = &refresh.0;
            let (_, schedule) = state.look(now);
            state.read(now, schedule, Due::Soon, Instant::now() + BUDGET);
        });
    }

    fn read_config(&self, now: Moment, deadline: Instant) {
        let read = self.aws.parameter(&self.parameter, deadline).and_then(|text| {
            let config: Option<EdgeConfig> = serde_json::from_str(&text).ok();
            config.filter(is_usable).ok_or(AwsError::Unreadable)
        });
        self.keep("configuration", &self.config, read.map(Arc::new), now);
    }

    fn read_keyring(&self, secret: &str, now: Moment, deadline: Instant) {
        let read = self.aws.secret(secret, deadline).and_then(|secret| {
            let read = LoadedKeyring::parse(secret.arn, secret.name, &secret.text);
            read.ok_or(AwsError::Unreadable)
        });
        // The same keyring as before stays the same value, so that what it signed is kept.
        let same = |new: LoadedKeyring| match self.keyring.last() {
            Some(old) if old.document == new.document && old.arn == new.arn => old,
            _ => Arc::new(new),
        };
        self.keep("keyring", &self.keyring, read.map(same), now);
    }

    fn read_jwks(&self, issuer: &str, now: Moment, deadline: Instant) {
        let read = self.aws.jwks(issuer, deadline);
        let read = read.and_then(|text| Jwks::parse(issuer, &text).ok_or(AwsError::Unreadable));
        self.keep("token keys", &self.jwks, read.map(Arc::new), now);
    }

    fn keep<T>(&self, document: &str, slot: &Slot<T>, read: Result<Arc<T>, AwsError>, now: Moment) {
        match read {
            Ok(value) => slot.store(value, now),
            Err(error) => {
                slot.fail(now);
                (self.log)(&self.journal.failed(document, &error, now));
            }
        }
    }
}

/// Holds the right to refresh, and gives it back however the refresh ends.
struct Refresh(Arc<State>);

impl Drop for Refresh {
    fn drop(&mut self) {
        self.0.refreshing.store(false, Ordering::Release);
    }
}

/// Name of the keyring's secret beside the function of this name, where the name follows our rule.
fn secret_of(function: &str) -> Option<String> {
    let (organisation, tenant) = function.strip_suffix("-signer")?.split_once('-')?;
    let names = Names::new(organisation, tenant);
    (names.signer_function() == function).then(|| names.keyring_secret())
}

/// Whether a configuration can be worked with. One that cannot is treated as one that could not be read.
#[must_use]
pub fn is_usable(config: &EdgeConfig) -> bool {
    let host_characters = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    let is_host = |host: &String| !host.is_empty() && host.len() <= 255 && host.bytes().all(host_characters);
    !config.hosts.is_empty()
        && config.hosts.iter().all(is_host)
        // An origin that is listed is answered by its name, in a header.
        && config.origins.iter().all(|origin| origin.bytes().all(|byte| byte.is_ascii_graphic()))
        && !config.keyring_secret.is_empty()
        && config.issuer.starts_with("https://")
        && config.cookie.minutes > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_found_by_the_functions_name() {
        assert_eq!(secret_of("example-demo-signer").as_deref(), Some("example-demo-keyring"));
        assert_eq!(secret_of("example-big-demo-signer").as_deref(), Some("example-big-demo-keyring"));
        assert_eq!(secret_of("something"), None);
        assert_eq!(secret_of(""), None);
    }

    #[test]
    fn a_configuration_that_cannot_work_is_refused() {
        let config: EdgeConfig = serde_json::from_value(serde_json::json!({
            "hosts": ["media.example.com"], "keyring_secret": "s", "issuer": "https://i/p", "clients": [],
            "origins": [], "cookie": {"minutes": 60, "same_site": "lax", "hash": "sha256"}}))
        .expect("a configuration");
        assert!(is_usable(&config));
        let bad = |change: fn(&mut EdgeConfig)| {
            let mut config = config.clone();
            change(&mut config);
            !is_usable(&config)
        };
        assert!(bad(|config| config.hosts.clear()));
        assert!(bad(|config| config.hosts.push("*".into())));
        assert!(bad(|config| config.origins.push("\u{7f}ttps://app.example.com".into())));
        assert!(bad(|config| config.issuer = "http://i/p".into()));
        assert!(bad(|config| config.cookie.minutes = 0));
    }
}
