// Configuration, keyring and token keys, read with the SDK's clients as an edge function would.
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { CognitoJwtVerifier } from 'aws-jwt-verify';

const endpoint = process.env.AWS_ENDPOINT_URL;
const name = process.env.AWS_LAMBDA_FUNCTION_NAME.replace(/^us-east-1\./, '');
// The only authority to trust is named, so that Node does not parse its own list of them.
const httpsAgent = new Agent({ ca: readFileSync(process.env.AWS_CA_BUNDLE), keepAlive: true });
const settings = {
  region: 'us-east-1',
  endpoint,
  requestHandler: { httpsAgent },
  // Given outright: the default chain of providers would be loaded otherwise.
  credentials: {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
    sessionToken: process.env.AWS_SESSION_TOKEN,
  },
};

const fetched = (url) =>
  new Promise((resolve, reject) => {
    get(url, { agent: httpsAgent }, async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      resolve(JSON.parse(Buffer.concat(parts).toString()));
    }).on('error', reject);
  });

const [parameter, secret] = await Promise.all([
  new SSMClient(settings).send(new GetParameterCommand({ Name: `/${name}/config` })),
  new SecretsManagerClient(settings).send(
    new GetSecretValueCommand({ SecretId: name.replace(/signer$/, 'keyring') }),
  ),
]);
export const config = JSON.parse(parameter.Parameter.Value);
export const keyring = JSON.parse(secret.SecretString);

const userPoolId = config.issuer.split('/').pop();
const verifier = CognitoJwtVerifier.create({
  userPoolId,
  tokenUse: 'access',
  clientId: config.clients,
});
verifier.cacheJwks(await fetched(`${endpoint}/${userPoolId}/.well-known/jwks.json`));
httpsAgent.destroy();

// Throws where the token is not good.
export const verify = (token) => verifier.verifySync(token);
