// `fetch`, whose own words for a server that cannot be reached differ from browser to browser and help nobody.
export async function ask(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    throw new Error(`${new URL(url, location).host} cannot be reached. Is there a connection?`);
  }
}
