//! The Lambda function that owns a tenant's signing keys.

use rotator::aws::Aws;
use rotator::{Function, response};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    rotator::use_crypto_provider();
    response::answer_panics();
    let function = Function::new(Aws::connect().await, |name| std::env::var(name).ok());
    lambda_runtime::run(lambda_runtime::service_fn(|event| function.serve(event))).await
}
