// The page: pictures in, verdicts out. Nothing is loaded from elsewhere; what is kept stays in this
// browser.

import { Failure, ask, form, onKeyWanted, useKey } from "./ask.js";
import { compare } from "./compare.js";
import { detailsOf } from "./details.js";
import { byId, element } from "./elements.js";
import { listenForPictures } from "./intake.js";
import { forget, keep, kept, newId } from "./kept.js";
import { listen } from "./keys.js";
import { thumbnailOf } from "./pictures.js";
import { sentenceCase } from "./said.js";
import { saveJson, saveReport } from "./save.js";
import { tableOf } from "./table.js";

const AT_ONCE = 3; // requests under way
const CHOICE = "exiface-detector"; // where the browser remembers which

const entries = []; // { id, file, name, subject, answer, failed, doing, thumbnail, row, box, article }
const waiting = [];
let underWay = 0;
let detector = null;
let chosen = null; // the entry whose details are shown
let forgetful = false; // the browser keeps nothing

const table = tableOf(byId("table"), { entries, choose: (entry) => choose(entry, true), changed: report });

// The path of a request to the detector that was chosen.
const to = (path) => {
  const name = byId("detector").value;
  return name ? `${path}${path.includes("?") ? "&" : "?"}detector=${encodeURIComponent(name)}` : path;
};

async function loadDetector() {
  detector = await (await ask(to("v1/detector"))).json();
  const select = byId("detector");
  if (!select.options.length) {
    for (const { name } of detector.choices) select.append(element("option", { value: name }, name));
    byId("choice").hidden = detector.choices.length < 2;
    const wanted = remembered();
    if (wanted !== select.value && detector.choices.some(({ name }) => name === wanted)) {
      select.value = wanted;
      detector = await (await ask(to("v1/detector"))).json();
    }
  }
  const { learnt_from: learnt } = detector.choices.find(({ name }) => name === select.value);
  byId("learnt").textContent = `has learnt from ${learnt}`;
  byId("honest").textContent =
    `A verdict says how a${detector.subject === "image" ? "n image" : " face"} compares with ${detector.photographs} photographs. ${sentenceCase(detector.promised)} ` +
    `of photographs like those are called AI-generated; photographs from ` +
    "elsewhere can fare worse, and many generated ones pass. It is a hint, not a proof: look at " +
    "where the picture comes from. What a file says of itself never enters the verdict.";
  byId("made").textContent = `Detector: ${detector.id}.`;
  byId("notice").hidden = !detector.notice;
  if (detector.notice) {
    byId("notice").replaceChildren(element("strong", {}, "About this detector. "), detector.notice);
  }
}

function remembered() {
  try {
    return localStorage.getItem(CHOICE);
  } catch {
    return null; // the browser keeps nothing
  }
}

// ---- pictures in -----------------------------------------------------------------------------

function add(files) {
  const pictures = [...files];
  if (!pictures.length) return;
  byId("told").hidden = true;
  for (const file of pictures) {
    const entry = { id: newId(), file, name: file.name || "pasted picture", doing: "Waiting" };
    place(entry);
    enqueue(entry);
  }
  arranged();
  if (entries.length === pictures.length) byId("results").focus({ preventScroll: true });
  byId("bar").scrollIntoView({ block: "start" });
}

function place(entry) {
  entries.push(entry);
  table.add(entry);
}

// What depends on how many pictures there are.
function arranged() {
  const number = entries.length;
  document.body.classList.toggle("working", number > 0);
  document.body.classList.toggle("several", number > 1);
  for (const id of ["bar", "results"]) byId(id).hidden = number === 0;
  for (const id of ["many", "keys", "compare"]) byId(id).hidden = number < 2;
  table.arrange();
  if (number === 1) choose(entries[0]);
}

function enqueue(entry) {
  entry.failed = entry.answer = null;
  entry.turn = (entry.turn ?? 0) + 1; // what an earlier turn is answered is not shown
  waiting.push(entry);
  doing(entry, "Waiting");
  report();
  next();
}

function next() {
  while (underWay < AT_ONCE && waiting.length) {
    underWay += 1;
    judge(waiting.shift()).finally(() => {
      underWay -= 1;
      report();
      next();
    });
  }
}

async function judge(entry) {
  const { turn } = entry;
  const current = () => turn === entry.turn && entries.includes(entry);
  doing(entry, "Looking");
  try {
    entry.thumbnail ??= await thumbnailOf(entry.file);
    if (!detector) await loadDetector();
    const most = detector.limits.body_bytes;
    if (entry.file.size > 0.99 * most) {
      throw new Failure(`Too large: the server takes up to ${Math.floor(most / 1e6)} MB.`, true);
    }
    const path = entry.subject ? `v1/detect?subject=${entry.subject}` : "v1/detect";
    const response = await ask(to(path), form(entry.file), () => doing(entry, "The server is busy, trying again"));
    const [answer] = (await response.json()).results;
    if (!current()) return;
    entry.answer = answer;
    const { id, file, name, subject, thumbnail } = entry;
    keep({ id, file, name, subject, thumbnail, answer, by: detector.id }).then((could) => {
      forgetful ||= !could;
    });
  } catch (error) {
    if (!current()) return;
    entry.failed = error instanceof Failure ? error : new Failure("The picture can't be read by this browser.");
  }
  refresh(entry);
  table.arrangeSoon();
}

function doing(entry, text) {
  entry.doing = text;
  refresh(entry);
}

// ---- verdicts out ----------------------------------------------------------------------------

// Shows anew what is said of an entry.
function refresh(entry) {
  entry.article = null;
  table.update(entry);
  if (entry === chosen) choose(entry);
}

// Shows the details of an entry; `go` moves the keyboard and the view there as well.
function choose(entry, go = false) {
  chosen = entry;
  const again = (subject) => {
    entry.subject = subject ?? entry.subject;
    enqueue(entry);
  };
  entry.article ??= detailsOf(entry, { detector, to, again });
  if (byId("details").firstChild !== entry.article) byId("details").replaceChildren(entry.article);
  table.mark(entry);
  if (go) {
    entry.article.focus({ preventScroll: true });
    entry.article.scrollIntoView({ block: "nearest" });
  }
}

function step(by) {
  const shown = table.visible();
  const here = shown.indexOf(chosen);
  const entry = shown[here < 0 ? 0 : here + by];
  if (!entry) return;
  choose(entry, true);
  entry.row.scrollIntoView({ block: "nearest" });
}

// ---- the bar ---------------------------------------------------------------------------------

const answered = () => entries.filter((entry) => entry.answer);
const compared = () => answered().filter((entry) => entry.box.checked);

function report() {
  const done = entries.filter((entry) => entry.answer || entry.failed).length;
  const left = entries.length - done;
  const flagged = answered().filter(({ answer }) => answer.verdict === "ai-generated").length;
  const found = `${flagged || "none"} ${flagged === 1 ? "looks" : "look"} AI-generated`;
  const said = [`${done} of ${entries.length} ${entries.length === 1 ? "picture" : "pictures"} done`];
  if (entries.length > 1) said.push(found);
  if (forgetful) said.push("this browser keeps nothing: a reload loses them");
  byId("status").textContent = `${said.join(", ")}.`;
  byId("save-json").disabled = !answered().length;
  byId("save-report").disabled = !answered().length || left > 0;
  const number = compared().length;
  byId("compare").disabled = number < 2;
  byId("compare").textContent = number > 1 ? `Compare ${number} side by side` : "Compare side by side";
  if (left === 0 && entries.length > 1) {
    table.arrange();
    if (!chosen) choose(table.visible()[0] ?? entries[0]);
  }
}

byId("compare").addEventListener("click", () => compare(compared(), detector));
byId("save-json").addEventListener("click", () => saveJson(answered()));
byId("save-report").addEventListener("click", async (event) => {
  const button = event.currentTarget;
  button.disabled = true;
  try {
    const asked = {
      limits: detector.limits,
      pictures: byId("with-pictures").checked,
      explain: byId("with-explanations").checked,
      texts: new FormData(byId("case")),
      to,
    };
    const held = await saveReport(answered(), asked);
    const left = answered().length - held;
    if (left) byId("status").textContent = `The case file holds the first ${held} pictures, ${left} don't fit.`;
  } catch (error) {
    byId("status").textContent = error.message;
  } finally {
    button.disabled = false;
  }
});

byId("clear").addEventListener("click", () => {
  waiting.length = 0;
  for (const entry of entries.splice(0)) {
    for (const url of [entry.url, entry.thumbnailUrl]) if (url) URL.revokeObjectURL(url);
  }
  chosen = null;
  byId("details").replaceChildren();
  table.reset();
  arranged();
  byId("files").focus();
  forget().then((gone) => {
    if (entries.length) return;
    byId("told").textContent = gone ? "This browser keeps none of the pictures any more."
      : "This browser let nothing be deleted: clear this site's data in its settings.";
    byId("told").hidden = false;
  });
});

byId("key").addEventListener("submit", async (event) => {
  event.preventDefault();
  useKey(byId("key-value").value.trim());
  byId("key").hidden = true;
  await loadDetector().catch(() => {});
  entries.filter((entry) => entry.failed).forEach(enqueue);
  if (chosen) refresh(chosen);
});

byId("detector").addEventListener("change", async () => {
  try {
    localStorage.setItem(CHOICE, byId("detector").value);
  } catch {
    // The next visit begins with the first one.
  }
  detector = null;
  await loadDetector().catch(() => {});
  for (const entry of entries) {
    if (!waiting.includes(entry)) enqueue(entry);
  }
});

// What was judged before a reload comes back; by another detector, it is judged again.
async function restore() {
  const before = await kept();
  await loadDetector().catch(() => {});
  if (!before.length) return;
  for (const { by, ...entry } of before) {
    place(entry);
    if (detector && by !== detector.id) enqueue(entry);
  }
  arranged();
  report();
}

listen(byId("results"), {
  step,
  pick: () => chosen?.box.click(),
  compare: byId("compare"),
});
listenForPictures(add);
onKeyWanted(() => {
  byId("key").hidden = false;
});
restore();
