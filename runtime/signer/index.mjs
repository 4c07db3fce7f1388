// Loads the addon and hands it each event as text. Everything else is Rust: see `src/lib.rs`.
import { createRequire } from 'node:module';

const signer = createRequire(import.meta.url)('./signer.node');
await signer.prepare();

const isText = (value) => typeof value === 'string';

// The value of a header that is there once, with a mark before it; '' for one that is not there.
const single = (header) => {
  if (header === undefined) return '';
  const value = header?.length === 1 ? header[0]?.value : undefined;
  return isText(value) ? `+${value}` : undefined;
};

// What the addon looks at, as the lines that `src/event.rs` describes; undefined for an event that does not
// have all of it in the usual form.
const lines = (event) => {
  const cf = event?.Records?.length === 1 ? event.Records[0]?.cf : undefined;
  if (cf?.config?.eventType !== 'viewer-request' || !cf.request?.headers) return undefined;
  const { requestId } = cf.config;
  const { clientIp, headers, method, uri } = cf.request;
  const host = single(headers.host);
  const authorization = single(headers.authorization);
  const origin = single(headers.origin);
  const site = single(headers['sec-fetch-site']);
  const usual = isText(method) && isText(uri) && isText(clientIp) && isText(requestId);
  if (!usual || !isText(host) || !isText(authorization) || !isText(origin) || !isText(site)) return undefined;
  const request = `\n${method}\n${uri}\n${clientIp}\n${requestId}`;
  const text = `${request}\n${host}\n${authorization}\n${origin}\n${site}`;
  return text.isWellFormed() ? text : undefined;
};

// All viewers of an expiry slot get the same response, so the last one is kept.
let json;
let response;
const read = (answered) => {
  if (answered !== json) {
    response = JSON.parse(answered);
    json = answered;
  }
  return response;
};

export const handler = async (event) => read(await signer.handle(lines(event) ?? JSON.stringify(event) ?? ''));
