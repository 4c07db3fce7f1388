// The page: signs in, fetches the cookies, shows the pictures, and renews before anything runs out.
import { Session } from './session.js';
import { Uploads } from './uploads.js';

const at = (id) => document.getElementById(id);
const show = (id, visible) => { at(id).hidden = !visible; };
const say = (message) => { at('status').textContent = message; };

let config;
let session;
let uploads;
let timer;

const complain = (error) => {
  at('problem').textContent = error?.message ?? '';
  show('problem', Boolean(error));
};

// Trades the access token for the cookies that open the pictures, and does so again before they run out.
async function fetchCookies() {
  clearTimeout(timer);
  const response = await fetch('/cookie', { headers: { authorization: `Bearer ${await session.accessToken()}` } });
  if (!response.ok) {
    const reason = (await response.json().catch(() => ({}))).error?.message;
    throw new Error(`The pictures stay closed (${response.status}${reason ? `: ${reason}` : ''}).`);
  }
  const { expires } = await response.json();
  const left = expires * 1000 - Date.now();
  at('time').dateTime = new Date(expires * 1000).toISOString();
  at('time').textContent = new Date(expires * 1000).toLocaleTimeString();
  show('until', true);
  // At half of their life: time enough to try again.
  timer = setTimeout(() => fetchCookies().catch(complain), Math.max(1_000, left / 2));
}

function picture({ path, title }) {
  const item = document.createElement('li');
  const figure = document.createElement('figure');
  const image = document.createElement('img');
  const caption = document.createElement('figcaption');
  image.alt = title;
  image.loading = 'lazy';
  image.src = path;
  // A picture that stays closed is tried once more with new cookies: a laptop may have slept past their end.
  image.addEventListener('error', async () => {
    try {
      await fetchCookies();
      image.src = `${path}?again=${Date.now()}`;
    } catch (error) {
      complain(error);
    }
  }, { once: true });
  caption.textContent = title;
  figure.append(image, caption);
  item.append(figure);
  return item;
}

const pathOf = (key) => `/${key.split('/').map(encodeURIComponent).join('/')}`;
const titleOf = (key) => key.split('/').at(-1).replace(/^\d+-/, '');

async function showPictures() {
  // The list lies in the bucket, behind the cookies like the pictures themselves.
  const response = await fetch('/pictures.json');
  const listed = response.ok ? (await response.json()).pictures : [];
  const own = uploads ? (await uploads.list()).map((key) => ({ path: pathOf(key), title: titleOf(key) })) : [];
  const all = [...listed, ...own];
  at('pictures').replaceChildren(...all.map(picture));
  say(all.length === 1 ? '1 picture' : `${all.length} pictures`);
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
  clearTimeout(timer);
  await fetch('/cookie/remove');
  session.forget();
  location.assign(session.signOutUrl);
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
  config = await (await fetch('config.json')).json();
  at('title').textContent = document.title = `Gallery of ${config.tenant}`;
  session = new Session(config);
  await session.finish();
  if (session.isOpen) await open();
  else say('Sign in to see the pictures.');
} catch (error) {
  complain(error);
  say('The gallery is closed.');
}
show('sign-in', !session?.isOpen);
