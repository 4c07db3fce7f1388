//! A function that breaks CloudFront's rules, in place of the signer: the edge answers as CloudFront would.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use generator::aws::{Cloud, Peers as _};
use generator::clock::SystemClock;
use generator::local;
use generator::render::read_template;
use generator::serve::{Edge, Options, StackValues, TenantSite};

use super::client::Client;
use super::world::{World, host, name};
use crate::support::cache;

/// The tenant whose template is used; its deployed signer stays as it is.
const ONE: usize = 0;
const KEY: &str = "broken.zip";
const FUNCTION: &str = "
export const handler = async ({ Records: [{ cf: { request } }] }) => {
  const text = (body, headers = {}) => ({ status: '200', headers, body });
  switch (request.uri) {
    case '/cookie/throws': throw new Error('no <luck>');
    case '/cookie/ends': process.exit(1);
    case '/cookie/hangs': return new Promise(() => { setInterval(() => {}, 1000); });
    case '/cookie/large': return text('a'.repeat(41 * 1024));
    case '/cookie/header': return text('', { 'x-cache': [{ value: 'Hit' }] });
    case '/cookie/nothing': return undefined;
    case '/cookie/on': return { ...request, uri: '/public/index.html' };
    case '/cookie/host': return text(request.headers.host[0].value);
    case '/cookie/names': return text(Object.keys(request.headers).sort().join(' '));
    case '/cookie/process': return text(String(process.pid));
    case '/cookie/method': return { ...request, uri: '/public/index.html', method: 'POST' };
    case '/cookie/other-host': request.headers.host[0].value = 'other.example'; return request;
    case '/cookie/adds': request.headers['x-edge-own'] = [{ value: '1' }]; return request;
    case '/cookie/reads-on': request.headers['x-own'] = [{ value: '1' }]; request.uri = '/public/index.html'; return request;
    default: return text('fine', { 'content-type': [{ value: 'text/plain' }] });
  }
};";

pub(super) fn hold(world: &World, cloud: &Cloud) {
    world.put(cloud, ONE, "public/index.html", "text/html", None, b"public".to_vec());
    let tenant = world.runtime.block_on(with_function(world, cloud));
    let mut options = Options {
        cloud: cloud.clone(),
        endpoint: cloud.config("us-east-1").endpoint_url().expect("an endpoint").to_owned(),
        clock: Arc::new(SystemClock::start()),
        node: local::node(&cache(), &|_| {}).expect("Node").program(),
        folder: tempfile::tempdir().expect("a folder").keep(),
        port: 0,
        overlay: None,
        instance_life: None,
    };
    let folder = options.folder.clone();
    let edge =
        world.runtime.block_on(Edge::start(options.clone(), std::slice::from_ref(&tenant))).expect("an edge");
    let client = Client::new(edge.port(), edge.authority());
    let seen = |path: &str| {
        let answer = client.get(&host(ONE), path, &[]);
        let cache = answer.header("x-cache").trim_end_matches(" from cloudfront").to_owned();
        (answer.status, cache, answer.text())
    };
    let generated = "LambdaGeneratedResponse".to_owned();
    assert_eq!(seen("/cookie"), (200, generated.clone(), "fine".to_owned()));
    for path in ["/cookie/throws", "/cookie/ends", "/cookie/hangs"] {
        let (status, cache, text) = seen(path);
        assert_eq!((status, cache.as_str()), (503, "LambdaExecutionError"), "{path}");
        assert!(!text.contains("<luck>"), "{text}");
    }
    for path in [
        "/cookie/large",
        "/cookie/header",
        "/cookie/nothing",
        "/cookie/method",
        "/cookie/other-host",
        "/cookie/adds",
    ] {
        let (status, cache, _) = seen(path);
        assert_eq!((status, cache.as_str()), (502, "LambdaValidationError"), "{path}");
    }
    assert_eq!(seen("/cookie/on"), (200, "Miss".to_owned(), "public".to_owned()));
    assert_eq!(seen("/cookie/reads-on"), (200, "Miss".to_owned(), "public".to_owned()));
    // What belongs to a connection, and what CloudFront keeps for itself, no function sees.
    let own = [("X-Edge-Own", "1"), ("X-Forwarded-Proto", "http"), ("X-Own", "1")];
    assert_eq!(client.get(&host(ONE), "/cookie/names", &own).text(), "host x-own");
    // One process answers one event after the other, for as long as it may live.
    assert_eq!(seen("/cookie/process"), seen("/cookie/process"));
    assert_eq!(seen("/cookie/host"), (200, generated.clone(), world.output(ONE, "Host")));
    // After all of that it is as well as before.
    assert_eq!(seen("/cookie"), (200, generated, "fine".to_owned()));
    drop(edge);
    options.instance_life = Some(Duration::ZERO);
    let edge = world.runtime.block_on(Edge::start(options, &[tenant])).expect("an edge");
    let client = Client::new(edge.port(), edge.authority());
    let process = || client.get(&host(ONE), "/cookie/process", &[]).text();
    assert_ne!(process(), process());
    drop(edge);
    let _ = std::fs::remove_dir_all(folder);
}

/// The tenant as it is deployed, but for the zip of its function.
async fn with_function(world: &World, cloud: &Cloud) -> TenantSite {
    let tenant = name(ONE);
    let stack = format!("example-{tenant}-edge");
    let described = cloud.cloudformation("us-east-1").stack(&stack).await.expect("an answer");
    let mut parameters = described.expect("the stack").parameters;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("index.mjs", zip::write::SimpleFileOptions::default()).expect("an entry");
    zip.write_all(FUNCTION.as_bytes()).expect("its bytes");
    let bytes = zip.finish().expect("a zip").into_inner();
    let config = aws_sdk_s3::config::Builder::from(&cloud.config("us-east-1")).force_path_style(true).build();
    let put =
        aws_sdk_s3::Client::from_conf(config).put_object().bucket(&parameters["ArtifactsBucket"]).key(KEY);
    put.body(bytes.into()).send().await.expect("the zip");
    parameters.insert("SignerKey".into(), KEY.into());
    let template =
        cloud.cloudformation("us-east-1").template(&stack).await.expect("an answer").expect("a template");
    TenantSite {
        region: world.region(ONE),
        template: read_template(&template).expect("a template"),
        values: StackValues { parameters, outputs: world.outputs(ONE) },
        group: None,
        tenant,
    }
}
