// What is said of a picture, in the words of the answer.

import { element } from "./elements.js";

// Verdicts in the order of a reader's interest, with what a list of them calls them.
export const VERDICTS = {
  "ai-generated": "AI-generated",
  unsure: "Unsure",
  "nothing-found": "Nothing found",
  photographic: "Photographic",
  none: "No verdict",
};

export const sentenceCase = (text) => text[0].toUpperCase() + text.slice(1);

// The verdict on the picture, or "none".
export const verdictOf = (answer) => answer?.verdict ?? "none";

// What the file itself says that bears on the verdict.
export function badgesOf(answer) {
  const badge = (text) => element("span", { class: "badge" }, text);
  return [
    ...(answer.declares_generated ? [badge("The file says: generated")] : []),
    ...(answer.contradictions?.length ? [badge("The file contradicts itself")] : []),
  ];
}

// What is said of a face, or of an image as a whole, below its title.
export function sentenceOf(face, what = "face") {
  const because = face.unsure_because ? `This ${what} is ${face.unsure_because}. ` : "";
  return because + face.sentence;
}

// A p-value as the command line shows it: 0.0501 must not look like the limit.
export const shownP = ({ p_value: value }) => `p = ${Number(value.toPrecision(3))}`;

// The verdict and its p-value; of several, which it is on.
export function titleOf(face, which, tag = "h3") {
  const title = element(tag, { class: `verdict ${face.verdict}` }, `${sentenceCase(face.says)} `);
  title.append(element("small", {}, `${which ? `${which}, ` : ""}${shownP(face)}`));
  return title;
}

// The verdict on all that was judged in a picture; nothing where it is the verdict on one thing.
export function summaryOf(answer, tag = "h3") {
  const judged = judgedOf(answer);
  if (judged.length < 2) return [];
  // What can't be compared doesn't count, unless nothing can.
  const number = judged.filter(({ face }) => !face.unsure_because).length || judged.length;
  const how = number === 1 ? "of the only one that can be compared" : `corrected for ${number} ${answer.image ? "verdicts" : "faces"}`;
  return [element(tag, { class: `verdict ${answer.verdict}` }, `${sentenceCase(answer.summary)} `, element("small", {}, `${shownP(answer)}, ${how}`))];
}

// All that was judged: { face, what, which, number }; which: what to call it among several.
export function judgedOf(answer) {
  const several = answer.faces.length > 1;
  const faces = answer.faces.map((face, number) => (
    { face, what: "face", which: several ? `face ${number + 1}` : "", number }
  ));
  if (!answer.image) return faces;
  const which = faces.length ? "the image as a whole" : "";
  return [...faces, { face: answer.image, what: "image", which, number: null }];
}

export function tagsOf(answer) {
  const { aperture, exposure_time: time, focal_length: focal, iso_speed: iso } = answer.tags;
  const parts = [];
  if (aperture) parts.push(`f/${Number(aperture.toPrecision(3))}`);
  if (time) parts.push(time < 0.4 ? `1/${Math.round(1 / time)} s` : `${Number(time.toPrecision(3))} s`);
  if (focal) parts.push(`${Number(focal.toPrecision(4))} mm`);
  if (iso) parts.push(`ISO ${Math.round(iso)}`);
  const list = element("dl", {});
  list.append(element("dt", {}, "Declared"), declaredOf(answer));
  list.append(element("dt", {}, "Camera recorded"), element("dd", {}, parts.join(", ") || "nothing (metadata absent or removed)"));
  if (answer.small_faces) list.append(element("dt", {}, "Not judged"), element("dd", {}, `${answer.small_faces} too small`));
  return list;
}

// What the file says of itself: a line, what doesn't fit, and every mark behind it.
function declaredOf(answer) {
  const said = element("dd", { class: "declared" }, answer.declares);
  for (const each of answer.contradictions ?? []) said.append(element("p", { class: "contradiction" }, each));
  for (const each of answer.unread ?? []) said.append(element("p", { class: "soft" }, `${each}.`));
  if (answer.declared.length) {
    const list = element("ul", {});
    for (const mark of answer.declared) {
      const where = mark.verified ? `${mark.where} (${mark.verified})` : mark.where;
      list.append(element("li", {}, `${where}: ${mark.says} `, element("code", {}, mark.raw)));
    }
    const number = answer.declared.length;
    said.append(element("details", {}, element("summary", {}, number === 1 ? "1 mark" : `${number} marks`), list));
  }
  return said;
}
