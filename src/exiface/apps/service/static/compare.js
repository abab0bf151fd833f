// Pictures side by side, in a window over the page: the same line of each at the same height.

import { charts } from "./details.js";
import { byId, element } from "./elements.js";
import { previewOf } from "./pictures.js";
import { judgedOf, sentenceOf, summaryOf, tagsOf, titleOf } from "./said.js";

// Opens the window; closed, the keyboard is where it was.
export function compare(entries, detector) {
  const dialog = byId("comparison");
  const columns = element("div", { class: "columns", tabindex: "0", role: "group", "aria-label": "Pictures" });
  columns.append(...entries.map((entry) => column(entry, detector)));
  dialog.querySelector(".columns").replaceWith(columns);
  dialog.showModal();
}

function column(entry, detector) {
  const { name, answer } = entry;
  const { preview } = previewOf(entry, name);
  return element(
    "section",
    { "aria-label": name },
    element("h3", {}, name),
    element("div", { class: "said" }, ...verdicts(answer)),
    preview,
    element("div", {}, ...charts(judgedOf(answer), detector)),
    tagsOf(answer),
  );
}

function verdicts(answer) {
  if (answer.reason) return [element("p", { class: "verdict" }, "No verdict"), element("p", {}, answer.reason)];
  const said = judgedOf(answer).flatMap(({ face, what, which }) => [
    titleOf(face, which, "p"),
    element("p", {}, sentenceOf(face, what)),
  ]);
  return [...summaryOf(answer, "p"), ...said];
}
