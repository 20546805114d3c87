// An authorization server that is not ours: oidc-provider, strict where a CRM may be strict. PKCE is required, refresh
// tokens rotate, and a refresh token that is used twice ends the whole consent.
//
//   node server.mjs FILE     writes its address and invented secrets to FILE once it listens on loopback
//
// The person who logs in and consents is played here, so that a test needs a browser's cookies and no pages.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { exportJWK, importSPKI, jwtVerify } from 'jose';
import Provider, { errors } from 'oidc-provider';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const LIFETIME = 60;

const pem = { publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } };
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048, ...pem });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256', ...pem });
const keys = { RS256: await importSPKI(rsa.publicKey, 'RS256'), ES256: await importSPKI(p256.publicKey, 'ES256') };
const jwk = async (alg, kid) => ({ ...(await exportJWK(keys[alg])), alg, kid, use: 'sig' });
const jwks = { keys: [await jwk('RS256', 'rsa-1'), await jwk('ES256', 'ec-1')] };

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const secret = randomUUID() + randomUUID();
const callback = 'https://ramal.example/v1/credentials/callback';
const person = { grant_types: ['authorization_code', 'refresh_token'], redirect_uris: [callback] };
const alone = { response_types: [], redirect_uris: [] };

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
    clients: [
        { client_id: 'panel:basic', client_secret: secret, token_endpoint_auth_method: 'client_secret_basic', ...person },
        { client_id: 'panel-body', client_secret: secret, token_endpoint_auth_method: 'client_secret_post', ...person },
        { client_id: 'panel-public', token_endpoint_auth_method: 'none', ...person },
        { client_id: 'robot', client_secret: secret, token_endpoint_auth_method: 'client_secret_post', grant_types: ['client_credentials'], ...alone },
        { client_id: 'robot-rsa', jwks, token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'RS256', grant_types: ['client_credentials'], ...alone },
        { client_id: 'robot-ec', jwks, token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', grant_types: ['client_credentials'], ...alone },
        { client_id: 'signer', token_endpoint_auth_method: 'none', grant_types: [JWT_BEARER], ...alone },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', kid: 'own', use: 'sig' }] },
    cookies: { keys: [randomUUID()] },
    scopes: ['openid', 'offline_access', 'contacts.read'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        introspection: { enabled: true, allowedPolicy: () => true },
        revocation: { enabled: true, allowedPolicy: () => true },
    },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_, interaction) => `/person/${interaction.uid}` },
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: { AccessToken: LIFETIME, ClientCredentials: LIFETIME, RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 600 },
});

// RFC 7523, 2.1, with the checks that jose makes of a signed assertion.
const assertionIds = new Set();
provider.registerGrantType(
    JWT_BEARER,
    async (ctx) => {
        const { client, params } = ctx.oidc;
        try {
            const { payload } = await jwtVerify(params.assertion, ({ alg }) => keys[alg], {
                algorithms: ['RS256', 'ES256'],
                issuer: client.clientId,
                audience: 'https://audience.example',
                subject: 'panel@crm.example',
                maxTokenAge: '5m',
                requiredClaims: ['exp', 'iat', 'jti'],
            });
            if (assertionIds.has(payload.jti)) throw new Error('used twice');
            assertionIds.add(payload.jti);
        } catch (error) {
            throw new errors.InvalidGrant(error.message);
        }
        const token = new provider.ClientCredentials({ client, scope: params.scope });
        const value = await token.save();
        ctx.body = { access_token: value, expires_in: token.expiration, token_type: token.tokenType, scope: token.scope };
    },
    ['assertion', 'scope'],
    [],
);

provider.on('server_error', (_, error) => console.error(error));
const handle = provider.callback();
server.on('request', async (request, response) => {
    if (!request.url.startsWith('/person/')) return handle(request, response);
    try {
        const { prompt, params, session } = await provider.interactionDetails(request, response);
        if (prompt.name === 'login') {
            return await provider.interactionFinished(request, response, { login: { accountId: 'ana' } });
        }
        const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
        grant.addOIDCScope(params.scope);
        await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
    } catch (error) {
        response.writeHead(500).end(String(error));
    }
});

const file = process.argv[2];
writeFileSync(`${file}.new`, JSON.stringify({ origin: issuer, secret, callback, lifetime: LIFETIME, rsa: rsa.privateKey, p256: p256.privateKey }));
renameSync(`${file}.new`, file);
