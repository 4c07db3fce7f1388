// Signing in by authorization code with PKCE (RFC 7636), and the tokens that come of it. They live in this tab only.

import { ask } from './ask.js';

const KEY = 'gallery-session';
const PENDING = 'gallery-sign-in';
// Tokens are renewed this long before they run out, in milliseconds.
const EARLY = 30_000;

const url64 = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const random = () => url64(crypto.getRandomValues(new Uint8Array(32)));
// When a token ends, in milliseconds since the epoch.
const ends = (token) => JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))).exp * 1000;
// This page without anything that signing in has added to its address.
const here = () => `${location.origin}${location.pathname}`;

export class Session {
  #config;
  #tokens;

  constructor(config) {
    this.#config = config;
    this.#tokens = JSON.parse(sessionStorage.getItem(KEY));
  }

  get isOpen() {
    return Boolean(this.#tokens);
  }

  get idToken() {
    return this.#tokens?.id_token;
  }

  // Sends the browser to the sign-in page.
  async begin() {
    const [state, verifier] = [random(), random()];
    sessionStorage.setItem(PENDING, JSON.stringify({ state, verifier }));
    const challenge = url64(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: this.#config.client,
      redirect_uri: here(),
      scope: this.#config.scopes.join(' '),
      state,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    location.assign(`${this.#config.signIn}/oauth2/authorize?${query}`);
  }

  // Takes the code with which the sign-in page has sent the browser back, if it has.
  async finish() {
    const query = new URLSearchParams(location.search);
    if (!query.has('code') && !query.has('error')) return;
    history.replaceState(null, '', here());
    const pending = JSON.parse(sessionStorage.getItem(PENDING));
    sessionStorage.removeItem(PENDING);
    if (query.has('error')) throw new Error(`Signing in was refused: ${query.get('error_description') ?? query.get('error')}`);
    if (!pending || pending.state !== query.get('state')) throw new Error('This sign-in was not begun here. Please sign in again.');
    await this.#fetch({
      grant_type: 'authorization_code',
      code: query.get('code'),
      redirect_uri: here(),
      code_verifier: pending.verifier,
    });
  }

  // An access token that is good for a while yet; so is the id token then.
  async accessToken() {
    if (!this.#tokens) throw new Error('Nobody is signed in.');
    if (Date.now() > this.#tokens.until - EARLY) {
      await this.#fetch({ grant_type: 'refresh_token', refresh_token: this.#tokens.refresh_token });
    }
    return this.#tokens.access_token;
  }

  forget() {
    this.#tokens = null;
    sessionStorage.removeItem(KEY);
  }

  // Where the browser ends the session of the sign-in page too.
  get signOutUrl() {
    return `${this.#config.signIn}/logout?${new URLSearchParams({ client_id: this.#config.client, logout_uri: here() })}`;
  }

  async #fetch(parameters) {
    const response = await ask(`${this.#config.signIn}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: this.#config.client, ...parameters }),
    });
    // 400 says that the code or the refresh token is no longer good; anything else may pass.
    if (response.status === 400) {
      this.forget();
      throw new Error('Your session has ended. Please sign in again.');
    }
    if (!response.ok) throw new Error(`The sign-in service has failed (${response.status}).`);
    const tokens = await response.json();
    // A refresh brings no new refresh token: the old one stays.
    this.#tokens = { ...this.#tokens, ...tokens };
    this.#tokens.until = Math.min(ends(this.#tokens.access_token), ends(this.#tokens.id_token));
    sessionStorage.setItem(KEY, JSON.stringify(this.#tokens));
  }
}
