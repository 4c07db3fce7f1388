//! The signer against tokens, requests and a network that fails.

mod answers;
mod hostile;
mod network;
mod token;
