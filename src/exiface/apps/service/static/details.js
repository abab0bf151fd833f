// One picture in full: verdicts, the picture with its faces, where they stand, what the file says.

import { ask, form } from "./ask.js";
import { chart } from "./chart.js";
import { button, element } from "./elements.js";
import { previewOf, zoomOf } from "./pictures.js";
import { badgesOf, judgedOf, sentenceCase, sentenceOf, summaryOf, tagsOf, titleOf } from "./said.js";
import { searchOf } from "./search.js";
import { explain } from "./why.js";

// The article of an entry of the page. `detector` as the service describes it, or null; `to` makes
// the path of a request; `again(subject)` has the picture judged again.
export function detailsOf(entry, { detector, to, again }) {
  const { answer, name } = entry;
  const heading = element("h2", {}, name);
  const said = element("div", { class: "said" });
  const article = element("article", { tabindex: "-1" }, element("header", {}, heading), said);
  if (!answer) {
    article.setAttribute("aria-busy", String(!entry.failed));
    said.append(...(entry.failed ? failed(entry.failed, again) : [element("p", { class: "wait" }, entry.doing)]));
    return article;
  }
  const judged = judgedOf(answer);
  const { image, preview } = previewOf(entry, [name, ...judged.map(({ face }) => face.says)].join(": "));
  article.append(element("div", { class: "side" }, preview, tagsOf(answer), searchOf(entry, image)));
  if (answer.reason) {
    said.append(...withoutVerdict(answer.reason, detector, again));
    return article;
  }
  const sections = judged.map((each) => section(entry, each, { image, to }));
  const [first] = [...summaryOf(answer), ...sections.map((each) => each.querySelector("h3"))];
  first.append(...badgesOf(answer).flatMap((badge) => [" ", badge]));
  said.append(...summaryOf(answer).length ? [first] : [], ...sections);
  if (answer.image) {
    const note = ["Judged as a whole, by the traces at its own pixels.", detector?.whole?.notice];
    said.append(element("p", { class: "soft" }, note.filter(Boolean).join(" ")));
  }
  said.after(element("div", { class: "charts" }, ...charts(judged, detector)));
  return article;
}

// One chart a detector: that of faces, that of whole images.
export function charts(judged, detector) {
  return ["face", "image"].flatMap((what) => {
    const marked = judged.filter((each) => each.what === what);
    const described = what === "image" && detector?.whole ? detector.whole : detector;
    return marked.length && described ? [chart(described.distributions[0], marked)] : [];
  });
}

function section(entry, { face, what, which, number }, { image, to }) {
  const made = element("section", { class: "face" });
  const why = element("button", { type: "button", "aria-expanded": "false" }, "Why this verdict?");
  if (which) why.setAttribute("aria-label", `Why this verdict on ${which}?`);
  const path = what === "image" ? "v1/explain?subject=image" : `v1/explain?face=${number}`;
  const tell = async () => (await ask(to(path), form(entry.file))).json();
  why.addEventListener("click", () => explain(why, made, tell));
  if (what === "face") made.append(zoomOf(image, face.box, `${sentenceCase(which || "the face")}, enlarged`));
  made.append(titleOf(face, which), element("p", {}, sentenceOf(face, what)), why);
  return made;
}

function withoutVerdict(reason, detector, again) {
  const none = reason === "no face found";
  const told = none ? "If there is one, try a picture where it is larger." : `${sentenceCase(reason)}.`;
  const content = [element("h3", {}, none ? "No face found" : "No verdict"), element("p", {}, told)];
  if (none && detector?.whole) content.push(button("Judge the picture as a whole", () => again("image")));
  return content;
}

function failed(error, again) {
  const content = [element("h3", {}, "No verdict"), element("p", {}, error.message)];
  return error.final ? content : [...content, button("Try again", () => again())];
}
