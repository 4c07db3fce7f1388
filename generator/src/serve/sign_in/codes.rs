//! Authorization codes: each good once, for five minutes, for whom it was made.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng as _;
use sha2::{Digest as _, Sha256};

use crate::aws::cognito::Tokens;
use crate::clock::Clock;

/// How long a code is good; Cognito's too.
const LIFE: Duration = Duration::from_secs(300);

/// What a code stands for.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) tokens: Tokens,
    pub(super) client: String,
    pub(super) redirect: String,
    /// SHA-256 of the verifier, where the application has sent one (RFC 7636).
    pub(super) challenge: Option<String>,
}

/// Codes that were given out.
#[derive(Debug)]
pub(super) struct Codes {
    clock: Arc<dyn Clock>,
    open: Mutex<BTreeMap<String, (Grant, Duration)>>,
}

impl Codes {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, open: Mutex::default() }
    }

    pub(super) fn issue(&self, grant: Grant) -> String {
        let mut random = [0_u8; 24];
        rand::thread_rng().fill(&mut random);
        let code = hex::encode(random);
        let now = self.clock.elapsed();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, (_, issued)| now.saturating_sub(*issued) < LIFE);
        open.insert(code.clone(), (grant, now));
        code
    }

    /// The tokens of a code; `None` where anything does not fit. Whoever tries a code has used it up.
    pub(super) fn redeem(
        &self,
        code: &str,
        client: &str,
        redirect: &str,
        verifier: Option<&str>,
    ) -> Option<Tokens> {
        let (grant, issued) = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(code)?;
        let in_time = self.clock.elapsed().saturating_sub(issued) < LIFE;
        let proved = match (&grant.challenge, verifier) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => {
                *challenge == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
            }
            _ => false,
        };
        (in_time && proved && grant.client == client && grant.redirect == redirect).then_some(grant.tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::cognito::Token;
    use crate::clock::ManualClock;

    /// The example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn grant() -> Grant {
        let tokens = Tokens { access: Token::new("a".into()), id: None, refresh: None, seconds: 1 };
        let (client, redirect) = ("c".to_owned(), "https://p/".to_owned());
        Grant { tokens, client, redirect, challenge: Some(CHALLENGE.to_owned()) }
    }

    #[tokio::test]
    async fn a_code_is_good_once_in_time_and_for_its_own_application() {
        let clock = ManualClock::default();
        let codes = Codes::new(Arc::new(clock.clone()));
        let code = codes.issue(grant());
        assert!(codes.redeem(&code, "c", "https://p/", Some(VERIFIER)).is_some());
        assert!(codes.redeem(&code, "c", "https://p/", Some(VERIFIER)).is_none());
        for (client, redirect, verifier) in [
            ("d", "https://p/", Some(VERIFIER)),
            ("c", "https://q/", Some(VERIFIER)),
            ("c", "https://p/", Some("another")),
            ("c", "https://p/", None),
        ] {
            assert!(codes.redeem(&codes.issue(grant()), client, redirect, verifier).is_none());
        }
        let late = codes.issue(grant());
        clock.sleep(LIFE).await;
        assert!(codes.redeem(&late, "c", "https://p/", Some(VERIFIER)).is_none());
    }
}
