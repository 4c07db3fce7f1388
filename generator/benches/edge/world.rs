//! A few tenants on a local cloud of their own, deployed and served by the real binary.

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use generator::aws::cognito::PasswordFlow;
use generator::aws::{Cloud, CloudSettings};
use generator::clock::SystemClock;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use super::load::{Answer, Ask, Expected, Server};
use super::started::started;

/// Number of pictures.
pub(crate) const PICTURES: u64 = 40;
/// Tenants whose keys are rotated in turn: a key group takes four keys, and a retired one stays as long as its cookies.
pub(crate) const TENANTS: [&str; 6] = ["one", "two", "three", "four", "five", "six"];
const REGION: &str = "eu-north-1";
const EMAIL: &str = "viewer@example.invalid";
const PASSWORD: &str = "Correct-Horse-9-Battery";

/// The world; everything of it is gone when this is dropped.
pub(crate) struct World {
    instance: String,
    folder: tempfile::TempDir,
    serving: Option<Child>,
    port: u16,
    tls: Arc<rustls::ClientConfig>,
    tokens: Vec<String>,
}

impl World {
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let tenants = folder.path().join("tenants");
        fs::create_dir(&tenants)?;
        for name in TENANTS {
            let text = format!(
                "region: {REGION}\nsign_in:\n  callback_urls: [http://localhost:8080/]\nlabels:\n  environment: development\n\
                 cookies:\n  minutes: 1\n  slot_seconds: 10\n"
            );
            fs::write(tenants.join(format!("{name}.yaml")), text)?;
        }
        let instance = format!("bench-edge-{}", std::process::id());
        let tls = Arc::new(super::trusting(RootCertStore::empty())?);
        let mut world = Self { instance, folder, serving: None, port: 0, tls, tokens: Vec::new() };
        pictures(&world.files().join("pictures"))?;
        world.must(&["deploy", "--all", "--yes", "--no-verify"])?;
        tokio::runtime::Runtime::new()?.block_on(world.settle())?;
        world.serve()?;
        Ok(world)
    }

    /// Folder with the files that both servers serve.
    pub(crate) fn files(&self) -> &Path {
        self.folder.path()
    }

    /// Folder for a server's own files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process that serves.
    pub(crate) fn process(&self) -> u32 {
        self.serving.as_ref().map_or(0, Child::id)
    }

    /// A tenant's edge.
    pub(crate) fn edge(&self, tenant: usize) -> Server {
        Server { host: format!("{}.localhost", TENANTS[tenant]), port: self.port, tls: Arc::clone(&self.tls) }
    }

    /// Rotates a tenant's key.
    pub(crate) fn rotate(&self, tenant: usize) -> Result<(), Box<dyn Error>> {
        self.must(&["rotate", "--tenant", TENANTS[tenant], "--yes"]).map(|_| ())
    }

    /// The header that shows a viewer's token.
    pub(crate) fn bearer(&self, tenant: usize) -> Result<String, Box<dyn Error>> {
        let token = self.tokens.get(tenant).ok_or("no token")?;
        Ok(format!("Authorization: Bearer {token}\r\n"))
    }

    /// Fresh cookies of a tenant.
    pub(crate) fn cookies(&self, tenant: usize) -> Result<String, Box<dyn Error>> {
        let ask = Ask { path: "/cookie".into(), headers: self.bearer(tenant)?, expected: Expected::Granted };
        let mut connection = self.edge(tenant).connect().map_err(|error| error.to_string())?;
        let (answer, _) = connection.ask(&ask)?;
        if answer.status == 200 {
            Ok(cookies_of(&answer))
        } else {
            Err(format!("no cookies: {}", answer.head).into())
        }
    }

    fn must(&self, arguments: &[&str]) -> Result<Output, Box<dyn Error>> {
        let output = self.command(arguments).output()?;
        if output.status.success() {
            return Ok(output);
        }
        Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut command = Command::new(env!("CARGO_BIN_EXE_generator"));
        command
            .args(arguments)
            .args([
                "--local",
                "--local-instance",
                &self.instance,
                "--organisation",
                "example",
                "--tenants-dir",
            ])
            .arg(self.folder.path().join("tenants"))
            .env("GENERATOR_JOURNAL", self.folder.path().join("runs"))
            .current_dir(root);
        command
    }

    /// Pictures into the buckets, a viewer into each pool, and the viewers' tokens.
    async fn settle(&mut self) -> Result<(), Box<dyn Error>> {
        let status: Value =
            serde_json::from_slice(&self.must(&["local", "status", "--output", "json"])?.stdout)?;
        let settings = CloudSettings {
            endpoint_url: status["endpoint"].as_str().map(str::to_owned),
            local: true,
            ..CloudSettings::default()
        };
        let cloud = Cloud::connect(&settings, Arc::new(SystemClock::start())).await?;
        let outputs: Value =
            serde_json::from_slice(&self.must(&["outputs", "--all", "--output", "json"])?.stdout)?;
        let config = aws_sdk_s3::config::Builder::from(&cloud.config(REGION)).force_path_style(true).build();
        let (s3, cognito) = (aws_sdk_s3::Client::from_conf(config), cloud.cognito(REGION));
        for name in TENANTS {
            let output =
                |key: &str| outputs[name][key].as_str().map(str::to_owned).ok_or("an output is missing");
            for number in 0..PICTURES {
                let key = format!("pictures/{number}.jpg");
                let bytes = fs::read(self.files().join(&key))?;
                let put = s3.put_object().bucket(output("ContentBucketName")?).key(key).body(bytes.into());
                put.content_type("image/jpeg").cache_control("max-age=86400").send().await?;
            }
            let (pool, client) = (output("UserPoolId")?, output("UserPoolClientId")?);
            cognito.create_user(&pool, EMAIL, PASSWORD).await?;
            cognito.set_password(&pool, EMAIL, PASSWORD).await?;
            let tokens = cognito.sign_in(PasswordFlow::Admin, &pool, &client, EMAIL, PASSWORD).await?;
            self.tokens.push(tokens.access.expose().to_owned());
        }
        Ok(())
    }

    /// Signers are started anew every five seconds, as Lambda does when it likes: otherwise the minute would be over
    /// before one of them had read a rotated key.
    fn serve(&mut self) -> Result<(), Box<dyn Error>> {
        let fresh = ["serve", "--all", "--port", "0", "--no-user", "--instance-seconds", "5"];
        let mut command = self.command(&[&fresh[..], &["--output", "ndjson"]].concat());
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        self.serving = Some(child);
        let (port, authority) = started(&mut lines)?;
        self.port = port;
        // Whatever else it tells is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority)?)?;
        self.tls = Arc::new(super::trusting(roots)?);
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut child) = self.serving.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = self.command(&["local", "reset", "--yes"]).output();
        if let Ok(cache) = super::support::cache_folder() {
            let _ = fs::remove_dir_all(cache.join("local").join(&self.instance));
        }
    }
}

/// The `Cookie` header that shows what an answer sets.
pub(crate) fn cookies_of(answer: &Answer) -> String {
    let set = answer.header("set-cookie").filter(|cookie| !cookie.contains("Max-Age=0"));
    set.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ")
}

/// Pictures of 2 to 200 kB that no coding makes smaller, the same in every run.
fn pictures(folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir(folder)?;
    for number in 0..PICTURES {
        let size = usize::try_from(2_000 + number * number * 124)?;
        let mut state = number + 1;
        let bytes: Vec<u8> = (0..size)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[3]
            })
            .collect();
        fs::write(folder.join(format!("{number}.jpg")), bytes)?;
    }
    Ok(())
}
