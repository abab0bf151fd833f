// Pictures side by side, in a window over the page: the same line of each at the same height.

import { boxes, element, judgedOf, previewOf, sentenceOf, standing, tagsOf, titleOf } from "./drawing.js";

// Opens the window; closed, the keyboard is where it was.
export function compare(entries, distributionsOf) {
  const dialog = document.getElementById("comparison");
  const columns = element("div", { class: "columns", tabindex: "0", role: "group", "aria-label": "Pictures" });
  columns.append(...entries.map((entry) => column(entry, distributionsOf)));
  dialog.querySelector(".columns").replaceWith(columns);
  dialog.showModal();
}

function column({ name, url, answer }, distributionsOf) {
  const { image, preview } = previewOf(url, name);
  image.addEventListener("load", () => preview.append(boxes(image, answer.faces)), { once: true });
  return element(
    "section",
    { "aria-label": name },
    element("h3", {}, name),
    preview,
    element("div", { class: "said" }, ...verdicts(answer)),
    element("div", {}, ...judgedOf(answer).map(({ face, what }) => standing(distributionsOf(what), face, what))),
    tagsOf(answer),
  );
}

function verdicts(answer) {
  if (answer.reason) return [element("p", { class: "verdict" }, "No verdict"), element("p", {}, answer.reason)];
  const judged = judgedOf(answer);
  const said = judged.flatMap(({ face, what, which }) => [
    titleOf(face, which, "p"),
    element("p", {}, sentenceOf(face, what)),
  ]);
  if (judged.length > 1) said.unshift(element("p", { class: "verdict" }, `${answer.summary} (p = ${answer.p_value.toFixed(3)}, corrected for ${judged.length} ${answer.image ? "verdicts" : "faces"})`));
  return said;
}
