// Pictures side by side, in a window over the page: the same line of each at the same height.

import { boxes, element, previewOf, sentenceOf, standing, tagsOf, titleOf } from "./drawing.js";

// Opens the window; closed, the keyboard is where it was.
export function compare(entries, distributions) {
  const dialog = document.getElementById("comparison");
  const columns = element("div", { class: "columns", tabindex: "0", role: "group", "aria-label": "Pictures" });
  columns.append(...entries.map((entry) => column(entry, distributions)));
  dialog.querySelector(".columns").replaceWith(columns);
  dialog.showModal();
}

function column({ name, url, answer }, distributions) {
  const { image, preview } = previewOf(url, name);
  image.addEventListener("load", () => preview.append(boxes(image, answer.faces)), { once: true });
  return element(
    "section",
    { "aria-label": name },
    element("h3", {}, name),
    preview,
    element("div", { class: "said" }, ...verdicts(answer)),
    element("div", {}, ...answer.faces.map((face) => standing(distributions, face))),
    tagsOf(answer),
  );
}

function verdicts(answer) {
  if (answer.reason) return [element("p", { class: "verdict" }, "No verdict"), element("p", {}, answer.reason)];
  const several = answer.faces.length > 1;
  const said = answer.faces.flatMap((face, number) => [
    titleOf(face, several ? number + 1 : 0, "p"),
    element("p", {}, sentenceOf(face)),
  ]);
  if (several) said.unshift(element("p", { class: "verdict" }, `${answer.summary} (p = ${answer.p_value.toFixed(3)}, corrected for ${answer.faces.length} faces)`));
  return said;
}
