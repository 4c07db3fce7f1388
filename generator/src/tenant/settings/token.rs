//! `token`: what the cookie endpoint demands.

use crate::tenant::collections::List;
use crate::tenant::declare::section;
use crate::tenant::decode::Setting;
use crate::tenant::values::{GroupName, Scope, Seconds};

section! {
    /// What an access token must carry to be traded for cookies, beyond a good signature and time.
    pub struct Token {
        /// At least one of these scopes; any token will do while there are none.
        pub scopes: Setting<List<Scope, 0, 20>>,
        /// At least one of these groups of the user pool; any user will do while there are none. In a new
        /// pool they are made, in an existing one they must be there.
        pub groups: Setting<List<GroupName, 0, 20>>,
        /// How far the clocks of user pool and signer may differ.
        pub leeway_seconds: Setting<Seconds<0, 60>>,
    }
}
