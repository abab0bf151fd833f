// What this browser keeps, so that a reload loses nothing: pictures and what was said of them. They
// lie in its own storage (IndexedDB), on this computer only, until they are cleared.

const STORE = "pictures";
let last = 0;

// A new number, higher than all before.
export function newId() {
  last = Math.max(last + 1, Date.now() * 1000);
  return last;
}

const finished = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

let database = null;

function opened() {
  const opening = indexedDB.open("exiface", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
  return finished(opening);
}

async function store(mode) {
  database ??= opened();
  return (await database).transaction(STORE, mode).objectStore(STORE);
}

// All that is kept, in the order in which it came; nothing where the browser keeps nothing.
export async function kept() {
  try {
    return await finished((await store("readonly")).getAll());
  } catch {
    return [];
  }
}

// Keeps { id, file, name, thumbnail, answer, subject }; whether it could.
export async function keep(record) {
  try {
    await finished((await store("readwrite")).put(record));
    return true;
  } catch {
    return false;
  }
}

export async function forget() {
  try {
    await finished((await store("readwrite")).clear());
  } catch {
    // There was nothing to forget.
  }
}
