// The page: pictures in, verdicts out. Nothing is loaded from elsewhere and nothing is kept.

const SVG = "http://www.w3.org/2000/svg";
const AT_ONCE = 3; // requests under way
const TRIES = 8; // of a request that meets a busy server
const WORDS = {
  photographic: "Looks photographic",
  unsure: "Unsure",
  "ai-generated": "Looks AI-generated",
};
const SENTENCES = {
  photographic: "Nothing unusual about it:",
  unsure: "Somewhat unusual:",
  "ai-generated": "Very unusual for a photograph:",
};

const byId = (id) => document.getElementById(id);
const entries = []; // { file, article, answer }
const waiting = [];
let underWay = 0;
let detector = null;
let key = "";

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

// ---- talking to the server -------------------------------------------------------------------

class Failure extends Error {}

async function ask(path, options = {}, onBusy = () => {}) {
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
    if (response.status === 401) byId("key").hidden = false;
    const said = {
      401: "This server asks for an API key.",
      413: `Too large: ${problem.detail ?? "the server takes smaller pictures"}.`,
      503: "The server is busy. Try again in a moment.",
    };
    throw new Failure(said[response.status] ?? `The server says: ${problem.detail ?? response.status}`);
  }
}

function form(...files) {
  const data = new FormData();
  for (const file of files) data.append("files", file, file.name || "pasted.png");
  return { method: "POST", body: data };
}

async function loadDetector() {
  detector = await (await ask("v1/detector")).json();
  byId("honest").textContent =
    `A verdict says how a face compares with ${detector.photographs} photographs. At most ` +
    `${Number((100 * detector.alpha).toFixed(2))} % of photographs like those are called AI-generated; photographs from ` +
    "elsewhere can fare worse, and some generated faces pass. It is a hint, not a proof: look at " +
    "where the picture comes from.";
  byId("made").textContent = `Detector: ${detector.id}.`;
  if (detector.notice) {
    byId("notice").replaceChildren(element("strong", {}, "About this detector. "), detector.notice);
    byId("notice").hidden = false;
  }
}

// ---- pictures in -----------------------------------------------------------------------------

function add(files) {
  const pictures = [...files];
  if (!pictures.length) return;
  for (const file of pictures) {
    const article = element("article", { "aria-busy": "true" }, element("h2", {}, file.name || "pasted picture"));
    const preview = element("div", { class: "picture" });
    const image = element("img", { alt: "" });
    const url = URL.createObjectURL(file);
    image.src = url;
    image.addEventListener("error", () => {
      preview.replaceChildren(element("p", { class: "soft" }, "No preview: this browser can't show it."));
    });
    preview.append(image);
    article.append(element("div", { class: "side" }, preview), element("div", { class: "said" }));
    byId("results").append(article);
    const entry = { file, article, image, preview, url, answer: null };
    entries.push(entry);
    enqueue(entry);
  }
  byId("bar").hidden = false;
}

function enqueue(entry) {
  entry.failed = false;
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
  say(entry, element("p", { class: "wait" }, "Looking"));
  try {
    if (!detector) await loadDetector();
    const most = detector.limits.body_bytes;
    if (entry.file.size > 0.99 * most) {
      throw new Failure(`Too large: the server takes up to ${Math.floor(most / 1e6)} MB.`);
    }
    const response = await ask("v1/detect", form(entry.file), () => {
      say(entry, element("p", { class: "wait" }, "The server is busy, trying again"));
    });
    [entry.answer] = (await response.json()).results;
    show(entry);
  } catch (error) {
    entry.failed = true;
    const text = error instanceof Failure ? error.message : "The picture can't be read by this browser.";
    const again = element("button", { type: "button" }, "Try again");
    again.addEventListener("click", () => enqueue(entry));
    say(entry, element("h3", {}, "No verdict"), element("p", {}, text), again);
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
      ? "exiface judges faces only. If there is one, try a picture where it is larger."
      : `${answer.reason[0].toUpperCase()}${answer.reason.slice(1)}.`;
    say(entry, element("h3", {}, none ? "No face found" : "No verdict"), element("p", {}, said));
    entry.image.alt = answer.path;
    if (none || answer.small_faces) entry.preview.after(tagsOf(answer));
    return;
  }
  const faces = answer.faces.map((face, number) => showFace(entry, face, number));
  say(entry, ...faces);
  entry.preview.after(tagsOf(answer));
  const words = answer.faces.map((face) => WORDS[face.verdict].toLowerCase()).join(", ");
  entry.image.alt = `${answer.path}: ${words}`;
  const outline = () => entry.preview.append(boxes(entry));
  if (entry.image.complete && entry.image.naturalWidth) outline();
  else entry.image.addEventListener("load", outline, { once: true });
}

function showFace(entry, face, number) {
  const several = entry.answer.faces.length > 1;
  const section = element("section", { class: "face" });
  const title = element("h3", { class: face.verdict }, `${WORDS[face.verdict]} `);
  title.append(element("small", {}, `${several ? `face ${number + 1}, ` : ""}p = ${face.p_value.toFixed(3)}`));
  const sentence = `${SENTENCES[face.verdict]} ${percent(face.p_value)} of known photographs are at least as unusual.`;
  const button = element("button", { type: "button", "aria-expanded": "false" }, "Why this verdict?");
  if (several) button.setAttribute("aria-label", `Why this verdict on face ${number + 1}?`);
  button.addEventListener("click", () => explain(entry, number, button, section));
  section.append(title, element("p", {}, sentence), standing(face), button);
  return section;
}

function standing(face) {
  const { low, high, width, height, bars } = detector.distribution;
  const place = (face.score - low) / (high - low);
  const x = width * Math.min(Math.max(place, 0.006), 0.994);
  const anchor = x > 0.8 * width ? "end" : x < 0.2 * width ? "start" : "middle";
  const beyond = [place < 0 ? "◂ " : "", place > 1 ? " ▸" : ""];
  const plot = drawing("svg", {
    viewBox: `0 -18 ${width} ${height + 36}`,
    role: "img",
    "aria-label": `Histogram of known photographs from usual to unusual; this face stands at p = ${face.p_value.toFixed(3)}`,
  });
  for (const bar of bars) {
    plot.append(
      drawing("rect", { class: `bar-${bar.band}`, x: bar.x, y: height - bar.height, width: bar.width, height: bar.height }),
    );
  }
  plot.append(
    drawing("line", { class: "axis", x1: 0, x2: width, y1: height, y2: height }),
    drawing("line", { class: "mark", x1: x, x2: x, y1: -4, y2: height + 4 }),
    drawing("text", { class: "here", x, y: -8, "text-anchor": anchor }, `${beyond[0]}this face${beyond[1]}`),
    drawing("text", { x: 0, y: height + 15 }, "usual"),
    drawing("text", { x: width, y: height + 15, "text-anchor": "end" }, "unusual"),
  );
  const legend = "Bars: known photographs. Amber: unsure. Red: called AI-generated.";
  return element("figure", {}, plot, element("figcaption", {}, legend));
}

function boxes(entry) {
  const { naturalWidth: width, naturalHeight: height } = entry.image;
  const layer = drawing("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  entry.answer.faces.forEach((face, number) => {
    const [x0, y0, x1, y1] = face.box;
    const place = { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
    layer.append(drawing("rect", { class: "halo", ...place }), drawing("rect", { class: `box ${face.verdict}`, ...place }));
    if (entry.answer.faces.length > 1) {
      const size = 0.05 * Math.min(width, height);
      const label = drawing("text", { class: "number", x: x0, y: Math.max(y0 - 0.3 * size, size), "stroke-width": size / 4 }, `${number + 1}`);
      label.style.fontSize = `${size}px`;
      layer.append(label);
    }
  });
  return layer;
}

function tagsOf(answer) {
  const { aperture, exposure_time: time, focal_length: focal, iso_speed: iso } = answer.tags;
  const parts = [];
  if (aperture) parts.push(`f/${Number(aperture.toPrecision(3))}`);
  if (time) parts.push(time < 0.4 ? `1/${Math.round(1 / time)} s` : `${Number(time.toPrecision(3))} s`);
  if (focal) parts.push(`${Number(focal.toPrecision(4))} mm`);
  if (iso) parts.push(`ISO ${Math.round(iso)}`);
  const list = element("dl", {});
  list.append(element("dt", {}, "Camera recorded"), element("dd", {}, parts.join(", ") || "nothing (metadata absent or removed)"));
  if (answer.small_faces) list.append(element("dt", {}, "Not judged"), element("dd", {}, `${answer.small_faces} too small`));
  return list;
}

// ---- why -------------------------------------------------------------------------------------

async function explain(entry, number, button, section) {
  const open = section.querySelector(".why");
  if (open) {
    open.hidden = !open.hidden;
    button.setAttribute("aria-expanded", String(!open.hidden));
    return;
  }
  const panel = element("div", { class: "why" }, element("p", { class: "wait", role: "status" }, "Looking closer"));
  section.append(panel);
  button.setAttribute("aria-expanded", "true");
  button.disabled = true;
  try {
    const told = await (await ask(`v1/explain?face=${number}`, form(entry.file))).json();
    panel.replaceChildren(...explanation(told));
  } catch (error) {
    panel.replaceChildren(element("p", { role: "status" }, error.message));
    button.addEventListener("click", () => panel.remove(), { once: true, capture: true });
  } finally {
    button.disabled = false;
    button.focus();
  }
}

function explanation(told) {
  const picture = (source, alt, caption) => {
    const image = element("img", { alt });
    image.src = source;
    return element("figure", {}, image, element("figcaption", {}, caption));
  };
  const pair = element(
    "div",
    { class: "pair" },
    picture(told.seen, "The face as the detector saw it", "What the detector saw"),
    picture(told.spotlight, "The face, dark but for the regions that speak against a photograph", "Bright: what speaks against a photograph"),
  );
  const table = element("table", {}, element("caption", {}, "The same picture, altered"));
  for (const [name, face] of Object.entries(told.stability)) {
    table.append(
      element(
        "tr",
        {},
        element("th", { scope: "row" }, name),
        element("td", {}, face ? WORDS[face.verdict] : "face no longer found"),
        element("td", {}, face ? `p = ${face.p_value.toFixed(3)}` : ""),
      ),
    );
  }
  const total = Object.keys(told.stability).length;
  const content = [pair, element("p", {}, `The verdict stays in ${told.kept} of ${total} alterations.`), table];
  if (told.tag_sentences.length) {
    const list = element("ul", { class: "soft" });
    for (const sentence of told.tag_sentences) list.append(element("li", {}, sentence));
    content.push(list, element("p", { class: "soft" }, "Tags inform and never decide: metadata is trivially forged, and the expectation errs."));
  }
  return content;
}

// ---- the bar ---------------------------------------------------------------------------------

function report() {
  const done = entries.filter((entry) => entry.answer || entry.failed);
  const counts = {};
  for (const { answer } of done) {
    const verdicts = answer?.faces.length ? answer.faces.map((face) => face.verdict) : ["no verdict"];
    for (const verdict of verdicts) counts[verdict] = (counts[verdict] ?? 0) + 1;
  }
  const order = ["ai-generated", "unsure", "photographic", "no verdict"];
  const said = order.filter((name) => counts[name]).map((name) => `${counts[name]} ${name}`);
  const left = entries.length - done.length;
  byId("status").textContent = [...said, left ? `${left} to go` : ""].filter(Boolean).join(", ");
  const answered = entries.some((entry) => entry.answer);
  byId("save-json").disabled = !answered;
  byId("save-report").disabled = !answered || left > 0;
}

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
    save(await (await ask("v1/report", form(...files))).blob(), "exiface.html");
    const held = entries.filter((entry) => entry.answer).length - files.length;
    if (held) byId("status").textContent = `The report holds the first ${files.length} pictures, ${held} don't fit.`;
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
  byId("bar").hidden = true;
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
  key = byId("key-value").value.trim();
  byId("key").hidden = true;
  const again = entries.filter((entry) => entry.failed);
  if (again.length) again.forEach(enqueue);
  else loadDetector().catch(() => {});
});

loadDetector().catch(() => {});
