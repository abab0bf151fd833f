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

const committed = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = resolve;
  transaction.onabort = () => reject(transaction.error);
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

// What a request to the store answers; `otherwise` where the browser keeps nothing.
async function asked(mode, request, otherwise) {
  try {
    const made = request(await store(mode));
    const [answer] = await Promise.all([finished(made), mode === "readwrite" && committed(made.transaction)]);
    return answer;
  } catch {
    return otherwise;
  }
}

// All that is kept, in the order in which it came.
export const kept = () => asked("readonly", (pictures) => pictures.getAll(), []);

// Changes what is kept; whether it could.
const changed = async (request) => (await asked("readwrite", request, null)) !== null;

// Keeps { id, file, name, thumbnail, answer, subject }; whether it could.
export const keep = (record) => changed((pictures) => pictures.put(record));

// Forgets all; whether it could.
export const forget = () => changed((pictures) => pictures.clear());
