// The page: signs in, fetches the cookies, shows the pictures, and renews before anything runs out.
import { ask } from './ask.js';
import { Session } from './session.js';
import { Uploads } from './uploads.js';

const at = (id) => document.getElementById(id);
const show = (id, visible) => { at(id).hidden = !visible; };
const say = (message) => { at('status').textContent = message; };

// Pause before a renewal that has failed is tried again, in milliseconds.
const AGAIN = 5_000;

let config;
let session;
let uploads;
let timer;
let fetching;

// Says what went wrong, or that nothing is wrong any more, and offers what can be done now.
const complain = (error) => {
  at('problem').textContent = error?.message ?? '';
  show('problem', Boolean(error));
  show('sign-in', session?.isOpen === false);
  show('sign-out', session?.isOpen === true);
};

const renewIn = (milliseconds) => {
  clearTimeout(timer);
  timer = setTimeout(renew, milliseconds);
};

// Renews the cookies. As long as that fails, it is said and tried again.
async function renew() {
  try {
    await fetchCookies();
    complain(null);
  } catch (error) {
    complain(error);
    if (new Date(at('time').dateTime) < Date.now()) show('until', false);
    if (session.isOpen) renewIn(AGAIN);
  }
}

// Many may want new cookies at once: they share one request.
const fetchCookies = () => (fetching ??= trade().finally(() => { fetching = null; }));

// Trades the access token for the cookies that open the pictures, and sees to it that they are renewed.
async function trade() {
  const response = await ask('/cookie', { headers: { authorization: `Bearer ${await session.accessToken()}` } });
  if (!response.ok) {
    const reason = (await response.json().catch(() => ({}))).error?.message;
    throw new Error(`The pictures stay closed (${response.status}${reason ? `: ${reason}` : ''}).`);
  }
  const { expires } = await response.json();
  at('time').dateTime = new Date(expires * 1000).toISOString();
  at('time').textContent = new Date(expires * 1000).toLocaleTimeString();
  show('until', true);
  // At half of their life: time enough to try again.
  renewIn(Math.max(1_000, (expires * 1000 - Date.now()) / 2));
}

function picture({ path, title }) {
  const item = document.createElement('li');
  const figure = document.createElement('figure');
  const image = document.createElement('img');
  const caption = document.createElement('figcaption');
  let tried = false;
  image.alt = title;
  image.loading = 'lazy';
  image.src = path;
  // A picture that stays closed is tried once more with new cookies: a laptop may have slept past their end.
  image.addEventListener('error', async () => {
    caption.textContent = `${title} (cannot be shown)`;
    if (tried) return;
    tried = true;
    try {
      await fetchCookies();
      image.src = `${path}?again=${Date.now()}`;
    } catch (error) {
      complain(error);
    }
  });
  image.addEventListener('load', () => {
    tried = false;
    caption.textContent = title;
  });
  caption.textContent = title;
  figure.append(image, caption);
  item.append(figure);
  return item;
}

const pathOf = (key) => `/${key.split('/').map(encodeURIComponent).join('/')}`;
const titleOf = (key) => key.split('/').at(-1).replace(/^\d+-/, '');

// The list lies in the bucket, behind the cookies like the pictures themselves; where there is none, the bucket says 403.
async function listed() {
  const response = await ask('/pictures.json');
  if ([403, 404].includes(response.status)) return [];
  if (!response.ok) throw new Error(`The list of pictures cannot be read (${response.status}).`);
  const { pictures } = await response.json().catch(() => ({}));
  if (!Array.isArray(pictures)) throw new Error('/pictures.json is no list of pictures.');
  return pictures;
}

async function uploaded() {
  return (await uploads?.list() ?? []).map((key) => ({ path: pathOf(key), title: titleOf(key) }));
}

// What can be shown is shown, whatever else fails.
async function showPictures() {
  const parts = await Promise.allSettled([listed(), uploaded()]);
  const all = parts.flatMap((part) => part.value ?? []);
  at('pictures').replaceChildren(...all.map(picture));
  say(all.length === 1 ? '1 picture' : `${all.length} pictures`);
  const failed = parts.find((part) => part.reason);
  if (failed) complain(failed.reason);
}

async function open() {
  show('sign-out', true);
  say('Opening the gallery');
  await fetchCookies();
  if (config.uploads) {
    uploads = new Uploads(config.uploads, session);
    show('upload', true);
  }
  await showPictures();
}

async function signOut() {
  const response = await ask('/cookie/remove');
  if (!response.ok) throw new Error(`You are still signed in: the cookies could not be removed (${response.status}).`);
  clearTimeout(timer);
  session.forget();
  location.assign(session.signOutUrl);
}

async function read(file) {
  const response = await ask(file);
  const value = response.ok && (await response.json().catch(() => null));
  if (!value) throw new Error(`This page is not set up: ${file} cannot be read (${response.status}).`);
  return value;
}

at('upload').addEventListener('submit', async (event) => {
  event.preventDefault();
  const [button, field] = [event.submitter, at('file')];
  button.disabled = true;
  complain(null);
  say('Uploading');
  try {
    const key = await uploads.put(field.files[0]);
    at('pictures').append(picture({ path: pathOf(key), title: titleOf(key) }));
    at('upload').reset();
    say(`${titleOf(key)} uploaded`);
  } catch (error) {
    complain(error);
    say('Not uploaded');
  }
  button.disabled = false;
});
at('sign-in').addEventListener('click', () => session.begin().catch(complain));
at('sign-out').addEventListener('click', () => signOut().catch(complain));

try {
  config = await read('config.json');
  at('title').textContent = document.title = `Gallery of ${config.tenant}`;
  session = new Session(config);
  await session.finish();
  show('sign-in', !session.isOpen);
  if (session.isOpen) await open();
  else say('Sign in to see the pictures.');
} catch (error) {
  complain(error);
  say('The gallery is closed.');
}
