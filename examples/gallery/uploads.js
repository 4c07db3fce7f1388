// Uploads with AWS credentials of the identity pool: an id token is traded for them, and each request to the bucket
// is signed with them (AWS Signature Version 4, payload unsigned, as TLS protects it).

import { ask } from './ask.js';

const text = new TextEncoder();
const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const sha256 = async (value) => hex(await crypto.subtle.digest('SHA-256', text.encode(value)));
const hmac = async (key, value) => {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return crypto.subtle.sign('HMAC', imported, text.encode(value));
};
// RFC 3986 keeps fewer characters than `encodeURIComponent` does.
const encoded = (value) =>
  encodeURIComponent(value).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

export class Uploads {
  #config;
  #session;
  #held;

  constructor(config, session) {
    this.#config = config;
    this.#session = session;
  }

  // Keys of the pictures in the user's own folder.
  async list() {
    const { identity } = await this.#credentials();
    const keys = [];
    let from = '';
    do {
      const query = `${from && `continuation-token=${encoded(from)}&`}list-type=2&prefix=${encoded(`${identity}/`)}`;
      const answer = await this.#send('GET', '/', query);
      const listed = new DOMParser().parseFromString(await answer.text(), 'application/xml');
      keys.push(...[...listed.getElementsByTagName('Key')].map((key) => key.textContent));
      from = listed.getElementsByTagName('NextContinuationToken')[0]?.textContent ?? '';
    } while (from);
    return keys;
  }

  // Puts a picture into the user's own folder, and returns its key.
  async put(file) {
    const { identity } = await this.#credentials();
    const key = `${identity}/${Date.now()}-${file.name}`;
    await this.#send('PUT', `/${key.split('/').map(encoded).join('/')}`, '', file);
    return key;
  }

  async #credentials() {
    await this.#session.accessToken();
    if (this.#held && Date.now() < this.#held.until) return this.#held;
    const { identityPool, userPool } = this.#config;
    const logins = { [userPool]: this.#session.idToken };
    const { IdentityId } = await this.#identity('GetId', { IdentityPoolId: identityPool, Logins: logins });
    const { Credentials } = await this.#identity('GetCredentialsForIdentity', { IdentityId, Logins: logins });
    this.#held = { ...Credentials, identity: IdentityId, until: Credentials.Expiration * 1000 - 60_000 };
    return this.#held;
  }

  async #identity(action, body) {
    const response = await ask(`${this.#config.identityEndpoint}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSCognitoIdentityService.${action}` },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`The identity pool has refused (${response.status}).`);
    return response.json();
  }

  async #send(method, path, query, body) {
    const held = await this.#credentials();
    const endpoint = new URL(this.#config.bucketEndpoint);
    const whole = `${endpoint.pathname.replace(/\/$/, '')}${path}`;
    const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
    const scope = `${time.slice(0, 8)}/${this.#config.region}/s3/aws4_request`;
    const headers = {
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'x-amz-date': time,
      'x-amz-security-token': held.SessionToken,
    };
    const signed = { host: endpoint.host, ...headers };
    const names = Object.keys(signed).join(';');
    const lines = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`).join('');
    const canonical = [method, whole, query, lines, names, 'UNSIGNED-PAYLOAD'].join('\n');
    let key = text.encode(`AWS4${held.SecretKey}`);
    for (const part of scope.split('/')) key = await hmac(key, part);
    const toSign = ['AWS4-HMAC-SHA256', time, scope, await sha256(canonical)].join('\n');
    const signature = hex(await hmac(key, toSign));
    headers.authorization = `AWS4-HMAC-SHA256 Credential=${held.AccessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
    if (body?.type) headers['content-type'] = body.type;
    const response = await ask(`${endpoint.origin}${whole}${query && `?${query}`}`, { method, headers, body });
    if (!response.ok) throw new Error(`The bucket has refused (${response.status}).`);
    return response;
  }
}
