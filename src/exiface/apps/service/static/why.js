// Why a face, or an image as a whole, got its verdict: what the server tells, as a panel under it.

import { element } from "./elements.js";
import { sentenceCase, shownP } from "./said.js";

// Opens the panel of a verdict, or closes it; `tell` asks the server.
export async function explain(button, section, tell) {
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
    panel.replaceChildren(...explanation(await tell()));
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
    picture(told.seen, `The ${told.subject} as the detector saw it`, "What the detector saw"),
    picture(told.spotlight, `The ${told.subject}, dark but for the regions that speak against a photograph`, "Bright: what speaks against a photograph"),
  );
  const table = element("table", {}, element("caption", {}, "The same picture, altered"));
  for (const [name, face] of Object.entries(told.stability)) {
    table.append(
      element(
        "tr",
        {},
        element("th", { scope: "row" }, name),
        element("td", {}, face ? sentenceCase(face.says) : "face no longer found"),
        element("td", {}, face ? shownP(face) : ""),
      ),
    );
  }
  const total = Object.keys(told.stability).length;
  const items = (sentences) => sentences.map((sentence) => element("li", {}, sentence));
  const content = [pair];
  if (told.sign_sentences.length) {
    content.push(
      element("p", {}, "Signs of generated faces, beside known photographs; several together make a face suspicious:"),
      element("ul", {}, ...items(told.sign_sentences)),
    );
  }
  content.push(element("p", {}, `The verdict stays in ${told.kept} of ${total} alterations.`), table);
  if (told.tag_sentences.length) {
    content.push(
      element("ul", { class: "soft" }, ...items(told.tag_sentences)),
      element("p", { class: "soft" }, "Camera tags never change the verdict: they are easily forged, and what the detector expects of them is often wrong."),
    );
  }
  return content;
}
