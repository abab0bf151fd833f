// The page: pictures in, verdicts out. Nothing is loaded from elsewhere and nothing is kept.

import { Failure, ask, form, onKeyWanted, useKey } from "./ask.js";
import { compare } from "./compare.js";
import { WORDS, boxes, element, judgedOf, previewOf, sentenceOf, standing, tagsOf, titleOf } from "./drawing.js";
import { listen } from "./keys.js";
import { explain } from "./why.js";

const AT_ONCE = 3; // requests under way

const byId = (id) => document.getElementById(id);
const entries = []; // { file, article, chosen, answer }
let shown = 0; // pictures so far
const waiting = [];
let underWay = 0;
let detector = null;

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
  }
  const { learnt_from: learnt } = detector.choices.find(({ name }) => name === select.value);
  byId("learnt").textContent = `has learnt from ${learnt}`;
  byId("honest").textContent =
    `A verdict says how a${detector.subject === "image" ? "n image" : " face"} compares with ${detector.photographs} photographs. At most ` +
    `${Number((100 * detector.alpha).toFixed(2))} % of photographs like those are called AI-generated; photographs from ` +
    "elsewhere can fare worse, and many generated ones pass. It is a hint, not a proof: look at " +
    "where the picture comes from. What a file says of itself never enters the verdict.";
  byId("made").textContent = `Detector: ${detector.id}.`;
  byId("notice").hidden = !detector.notice;
  if (detector.notice) {
    byId("notice").replaceChildren(element("strong", {}, "About this detector. "), detector.notice);
  }
}

// ---- pictures in -----------------------------------------------------------------------------

function add(files) {
  const pictures = [...files];
  if (!pictures.length) return;
  for (const file of pictures) {
    shown += 1;
    const name = file.name || "pasted picture";
    const chosen = element("input", { type: "checkbox", disabled: "" });
    const head = element(
      "header",
      {},
      element("h2", { id: `picture-${shown}` }, name),
      element("label", { class: "soft" }, chosen, "Compare"),
    );
    chosen.setAttribute("aria-label", `Compare ${name}`);
    chosen.addEventListener("change", report);
    const article = element(
      "article",
      { "aria-busy": "true", "aria-labelledby": `picture-${shown}`, tabindex: "0" },
      head,
    );
    const url = URL.createObjectURL(file);
    const { image, preview } = previewOf(url, "");
    article.append(element("div", { class: "side" }, preview), element("div", { class: "said" }));
    byId("results").append(article);
    const entry = { file, name, article, chosen, image, preview, url, answer: null };
    entries.push(entry);
    enqueue(entry);
  }
  byId("bar").hidden = byId("keys").hidden = false;
}

function enqueue(entry) {
  entry.failed = false;
  entry.answer = null;
  entry.chosen.disabled = true;
  entry.turn = (entry.turn ?? 0) + 1; // what an earlier turn is answered is not shown
  entry.preview.querySelector("svg")?.remove();
  entry.preview.parentElement.querySelector("dl")?.remove();
  entry.article.setAttribute("aria-busy", "true");
  say(entry, element("p", { class: "wait" }, "Waiting"));
  waiting.push(entry);
  report();
  next();
}

function next() {
  while (underWay < AT_ONCE && waiting.length) {
    const entry = waiting.shift();
    underWay += 1;
    judge(entry).finally(() => {
      underWay -= 1;
      entry.article.removeAttribute("aria-busy");
      report();
      next();
    });
  }
}

async function judge(entry) {
  const { turn } = entry;
  say(entry, element("p", { class: "wait" }, "Looking"));
  try {
    if (!detector) await loadDetector();
    const most = detector.limits.body_bytes;
    if (entry.file.size > 0.99 * most) {
      throw new Failure(`Too large: the server takes up to ${Math.floor(most / 1e6)} MB.`, true);
    }
    const path = entry.subject ? `v1/detect?subject=${entry.subject}` : "v1/detect";
    const response = await ask(to(path), form(entry.file), () => {
      say(entry, element("p", { class: "wait" }, "The server is busy, trying again"));
    });
    const [answer] = (await response.json()).results;
    if (turn !== entry.turn) return;
    entry.answer = answer;
    const heading = entry.article.querySelector("h2");
    if (answer.declares_generated && !heading.querySelector(".badge")) {
      heading.append(" ", element("span", { class: "badge" }, "The file says: generated"));
    }
    entry.chosen.disabled = false;
    show(entry);
  } catch (error) {
    if (turn !== entry.turn) return;
    entry.failed = true;
    const text = error instanceof Failure ? error.message : "The picture can't be read by this browser.";
    const told = [element("h3", {}, "No verdict"), element("p", {}, text)];
    if (error.final) {
      say(entry, ...told);
      return;
    }
    const again = element("button", { type: "button" }, "Try again");
    again.addEventListener("click", () => enqueue(entry));
    say(entry, ...told, again);
  }
}

function say(entry, ...content) {
  entry.article.querySelector(".said").replaceChildren(...content);
}

// ---- verdicts out ----------------------------------------------------------------------------

function show(entry) {
  const { answer } = entry;
  if (answer.reason) {
    const none = answer.reason === "no face found";
    const said = none
      ? "If there is one, try a picture where it is larger."
      : `${answer.reason[0].toUpperCase()}${answer.reason.slice(1)}.`;
    say(entry, element("h3", {}, none ? "No face found" : "No verdict"), element("p", {}, said));
    if (none && detector.whole) {
      const whole = element("button", { type: "button" }, "Judge the picture as a whole");
      whole.addEventListener("click", () => {
        entry.subject = "image";
        enqueue(entry);
      });
      entry.article.querySelector(".said").append(whole);
    }
    entry.image.alt = answer.path;
    if (none || answer.small_faces) entry.preview.after(tagsOf(answer));
    return;
  }
  const judged = judgedOf(answer);
  const sections = judged.map((each) => showJudged(entry, each));
  if (judged.length > 1) {
    const [first, ...rest] = answer.summary;
    const all = element("h3", { class: answer.verdict }, `${first.toUpperCase()}${rest.join("")} `);
    all.append(element("small", {}, `p = ${answer.p_value.toFixed(3)}, corrected for ${judged.length} ${answer.image ? "verdicts" : "faces"}`));
    sections.unshift(all);
  }
  if (answer.image) sections.splice(-1, 0, element("p", { class: "soft" }, wholeNote()));
  say(entry, ...sections);
  entry.preview.after(tagsOf(answer));
  const words = judged.map(({ face }) => WORDS[face.verdict].toLowerCase()).join(", ");
  entry.image.alt = `${answer.path}: ${words}`;
  const outline = () => entry.preview.append(boxes(entry.image, answer.faces));
  if (entry.image.complete && entry.image.naturalWidth) outline();
  else entry.image.addEventListener("load", outline, { once: true });
}

// Of a picture as a whole: how it was judged, and what its detector can't do.
function wholeNote() {
  return ["Judged as a whole, by the traces at its own pixels.", detector.whole.notice].filter(Boolean).join(" ");
}

const distributionsOf = (what) => (what === "image" ? detector.whole : detector).distributions;

function showJudged(entry, { face, what, which, number }) {
  const section = element("section", { class: "face" });
  const button = element("button", { type: "button", "aria-expanded": "false" }, "Why this verdict?");
  if (which) button.setAttribute("aria-label", `Why this verdict on ${which}?`);
  const path = what === "image" ? "v1/explain?subject=image" : `v1/explain?face=${number}`;
  const tell = async () => (await ask(to(path), form(entry.file))).json();
  button.addEventListener("click", () => explain(button, section, tell));
  section.append(
    titleOf(face, which),
    element("p", {}, sentenceOf(face, what)),
    standing(distributionsOf(what), face, what),
    button,
  );
  return section;
}

// ---- the bar ---------------------------------------------------------------------------------

function report() {
  const done = entries.filter((entry) => entry.answer || entry.failed);
  const counts = {};
  for (const { answer } of done) {
    const judged = answer ? judgedOf(answer) : [];
    const verdicts = judged.length ? judged.map(({ face }) => face.verdict) : ["no verdict"];
    for (const verdict of verdicts) counts[verdict] = (counts[verdict] ?? 0) + 1;
  }
  const order = ["ai-generated", "unsure", "photographic", "nothing-found", "no verdict"];
  const said = order.filter((name) => counts[name]).map((name) => `${counts[name]} ${name}`);
  const left = entries.length - done.length;
  byId("status").textContent = [...said, left ? `${left} to go` : ""].filter(Boolean).join(", ");
  const answered = entries.some((entry) => entry.answer);
  byId("save-json").disabled = !answered;
  byId("save-report").disabled = !answered || left > 0;
  const chosen = compared().length;
  byId("compare").disabled = chosen < 2;
  byId("compare").textContent = chosen > 1 ? `Compare ${chosen} side by side` : "Compare side by side";
}

function compared() {
  return entries.filter((entry) => entry.answer && entry.chosen.checked);
}

byId("compare").addEventListener("click", () => compare(compared(), distributionsOf));

function save(blob, name) {
  const link = element("a", { download: name });
  link.href = URL.createObjectURL(blob);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

byId("save-json").addEventListener("click", () => {
  const results = entries.filter((entry) => entry.answer).map((entry) => entry.answer);
  save(new Blob([JSON.stringify({ results }, null, 2)], { type: "application/json" }), "exiface.json");
});

byId("save-report").addEventListener("click", async (event) => {
  const { body_bytes: most, files: number } = detector.limits;
  const files = [];
  let size = 0;
  for (const { file } of entries.filter((entry) => entry.answer)) {
    size += file.size + 1000;
    if (files.length === number || size > most) break;
    files.push(file);
  }
  const button = event.currentTarget;
  button.disabled = true;
  try {
    const pictures = byId("with-pictures").checked;
    const subject = entries.some((entry) => entry.subject) ? "&subject=auto" : "";
    const path = to(`v1/report?pictures=${pictures}${subject}`);
    const sent = form(...files);
    for (const [name, text] of new FormData(byId("case"))) sent.body.append(name, text);
    save(await (await ask(path, sent)).blob(), "case.html");
    const held = entries.filter((entry) => entry.answer).length - files.length;
    if (held) byId("status").textContent = `The case file holds the first ${files.length} pictures, ${held} don't fit.`;
  } catch (error) {
    byId("status").textContent = error.message;
  } finally {
    button.disabled = false;
  }
});

byId("clear").addEventListener("click", () => {
  waiting.length = 0;
  for (const entry of entries.splice(0)) {
    URL.revokeObjectURL(entry.url);
    entry.article.remove();
  }
  byId("bar").hidden = byId("keys").hidden = true;
  byId("files").focus();
});

byId("files").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = ""; // the same file may be chosen again
});
document.addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length) add(event.clipboardData.files);
});
for (const type of ["dragenter", "dragover"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    byId("drop").classList.add("over");
  });
}
for (const type of ["dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    if (type === "drop" || !event.relatedTarget) byId("drop").classList.remove("over");
  });
}
document.addEventListener("drop", (event) => add(event.dataTransfer.files));

byId("key").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(byId("key-value").value.trim());
  byId("key").hidden = true;
  const again = entries.filter((entry) => entry.failed);
  if (again.length) again.forEach(enqueue);
  else loadDetector().catch(() => {});
});

byId("detector").addEventListener("change", async () => {
  detector = null;
  await loadDetector().catch(() => {});
  for (const entry of entries) {
    if (!waiting.includes(entry)) enqueue(entry);
  }
});

listen(byId("results"), byId("compare"));
onKeyWanted(() => {
  byId("key").hidden = false;
});
loadDetector().catch(() => {});
