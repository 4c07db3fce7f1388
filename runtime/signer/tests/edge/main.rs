//! The signer against tokens, requests and a network that fails.

mod answers;
mod certificates;
mod cognito;
mod faults;
mod forged;
mod hostile;
mod network;
mod token;
