// What both JavaScript peers do with a request, beside checking the token and signing: the same decisions
// and the same response as the addon's.

const header = (key, ...values) => [key.toLowerCase(), values.map((value) => ({ key, value }))];

function respond(status, statusDescription, body, cookies, origin) {
  const headers = [
    header('Cache-Control', 'no-store'),
    header('Vary', 'Origin'),
    header('X-Content-Type-Options', 'nosniff'),
    header('Content-Type', 'application/json'),
  ];
  if (cookies) headers.push(header('Set-Cookie', ...cookies));
  if (origin) {
    headers.push(
      header('Access-Control-Allow-Origin', origin),
      header('Access-Control-Allow-Credentials', 'true'),
      header('Access-Control-Expose-Headers', 'WWW-Authenticate, Retry-After'),
    );
  }
  return {
    status,
    statusDescription,
    headers: Object.fromEntries(headers),
    bodyEncoding: 'text',
    body: JSON.stringify(body),
  };
}

const refuse = (status, code) => respond(status, 'Refused', { error: { code } });

// The exact expiry of a cookie, rounded down to a slot as the addon does it.
function expiry(now, cookie, token) {
  const exact = Math.min(now + cookie.minutes * 60, token);
  const slot = cookie.slot_seconds ?? 60;
  const rounded = exact - (exact % slot);
  return rounded < now + slot ? exact : rounded;
}

// Values of the `Set-Cookie` headers for cookies given by name.
export const written = (cookies) =>
  Object.entries(cookies).map(
    ([name, value]) => `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=None`,
  );

// A viewer-request handler. `verify` gives the claims of a token or throws; `sign` gives the values of the
// `Set-Cookie` headers whose cookies open `host` until `expires`.
export const handlerOf = (config, verify, sign) => async (event) => {
  const { request } = event.Records[0].cf;
  const { headers, method, uri } = request;
  const host = headers.host?.length === 1 ? headers.host[0].value.toLowerCase() : '';
  if (!config.hosts.includes(host)) return refuse('403', 'host_not_served');
  if (!/^\/cookie(\/.*)?$/.test(uri)) return refuse('404', 'not_found');
  if (method !== 'GET') return refuse('405', 'method_not_allowed');
  const origin = headers.origin?.[0].value;
  if (origin && !config.origins.includes(origin)) return refuse('403', 'origin_not_allowed');
  const token = /^Bearer +(\S+)$/i.exec(headers.authorization?.[0].value ?? '')?.[1];
  if (!token) return refuse('401', 'token_missing');
  let claims;
  try {
    claims = verify(token);
  } catch {
    return refuse('401', 'token_refused');
  }
  const expires = expiry(Math.floor(Date.now() / 1000), config.cookie, claims.exp);
  const body = { expires, expires_at: new Date(expires * 1000).toISOString() };
  return respond('200', 'OK', body, sign(host, expires), origin);
};

export const policyOf = (host, expires) =>
  JSON.stringify({
    Statement: [
      { Resource: `https://${host}/*`, Condition: { DateLessThan: { 'AWS:EpochTime': expires } } },
    ],
  });
