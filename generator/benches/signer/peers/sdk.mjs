// As the packages are meant to be used: the token checked by aws-jwt-verify, each request signed by
// @aws-sdk/cloudfront-signer.
import { getSignedCookies } from '@aws-sdk/cloudfront-signer';
import { config, keyring, verify } from './documents.mjs';
import { handlerOf, policyOf, written } from './request.mjs';

const sign = (host, expires) =>
  written(
    getSignedCookies({
      policy: policyOf(host, expires),
      keyPairId: keyring.key_id,
      privateKey: keyring.private_key,
      algorithm: 'SHA256',
    }),
  );

export const handler = handlerOf(config, verify, sign);
