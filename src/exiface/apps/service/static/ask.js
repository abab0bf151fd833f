// Talking to the server: one request at a time, asked again while it is busy.

const TRIES = 8;
let key = "";
let keyWanted = () => {};

// A failure that people are told of; a final one is the same however often it is tried.
export class Failure extends Error {
  constructor(text, final = false) {
    super(text);
    this.final = final;
  }
}

export async function ask(path, options = {}, onBusy = () => {}) {
  for (let attempt = 1; ; attempt += 1) {
    let response;
    try {
      const headers = key ? { "X-API-Key": key } : {};
      response = await fetch(path, { ...options, headers });
    } catch {
      throw new Failure("The server can't be reached. Is it running, and are you online?");
    }
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    if (response.status === 503 && attempt < TRIES) {
      onBusy();
      const pause = Number(response.headers.get("retry-after-ms")) || 1000;
      await new Promise((go) => setTimeout(go, pause * attempt * (0.7 + 0.6 * Math.random())));
      continue;
    }
    if (response.status === 401) keyWanted();
    const said = {
      401: "This server asks for an API key.",
      413: `Too large: ${problem.detail ?? "the server takes smaller pictures"}.`,
      503: "The server is busy. Try again in a moment.",
    };
    const text = said[response.status] ?? `The server says: ${problem.detail ?? response.status}`;
    throw new Failure(text, response.status === 413);
  }
}

export function form(...files) {
  const data = new FormData();
  for (const file of files) data.append("files", file, file.name || "pasted.png");
  return { method: "POST", body: data };
}

// The API key from now on.
export function useKey(given) {
  key = given;
}

// What to do when the server asks for a key.
export function onKeyWanted(action) {
  keyWanted = action;
}
