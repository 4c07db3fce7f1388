// The best JavaScript that we can write: the token checked by aws-jwt-verify, the private key parsed once,
// and one signature for all requests of an expiry slot.
import { createPrivateKey, sign as signed } from 'node:crypto';
import { config, keyring, verify } from './documents.mjs';
import { handlerOf, policyOf, written } from './request.mjs';

const key = createPrivateKey(keyring.private_key);
const replaced = { '+': '-', '=': '_', '/': '~' };
const encode = (bytes) => bytes.toString('base64').replace(/[+=/]/g, (character) => replaced[character]);

const slots = new Map();

function sign(host, expires) {
  const slot = `${expires} ${host}`;
  const known = slots.get(slot);
  if (known) return known;
  const policy = Buffer.from(policyOf(host, expires));
  const cookies = written({
    'CloudFront-Policy': encode(policy),
    'CloudFront-Signature': encode(signed('sha256', policy, key)),
    'CloudFront-Key-Pair-Id': keyring.key_id,
    'CloudFront-Hash-Algorithm': 'SHA256',
  });
  // The oldest slot leaves.
  if (slots.size >= 64) slots.delete(slots.keys().next().value);
  slots.set(slot, cookies);
  return cookies;
}

export const handler = handlerOf(config, verify, sign);
