// Where faces stand among photographs and generated faces whose origin is known.

import { drawing, element } from "./elements.js";
import { VERDICTS, sentenceCase } from "./said.js";

const TICKS = [2, 5, 20, 100, 1000]; // one photograph in so many
const LETTER = 5.8; // px, about the width of one
const ROW = 14; // px, of a line of text

// Of one detector: two rows of columns, its verdicts behind them, and a mark for each judged face
// (or image). `judged` has them as `judgedOf` does.
export function chart({ width, height, power, zones, bars, generated }, judged) {
  const [{ what }] = judged;
  const place = (p) => width * (1 - p ** power);
  const rows = [{ bars, kind: "photographs", title: "Photographs" }];
  if (generated.length) rows.push({ bars: generated, kind: "generated", title: `Generated ${what === "image" ? "pictures" : "faces"} of kinds it has never seen` });
  const step = height + ROW + 8;
  const foot = rows.length * step;
  const marks = placed(judged, place);
  const top = -ROW * (2 + Math.max(...marks.map(({ level }) => level)));
  const plot = drawing("svg", {
    viewBox: `-2 ${top - ROW} ${width + 4} ${foot - top + 4 * ROW}`,
    role: "img",
    "aria-label": judged.map(({ face, which }) => `${sentenceCase(which || `this ${what}`)}: ${face.says}. ${face.sentence}`).join(" "),
  });
  for (const zone of zones) {
    plot.append(drawing("rect", { class: `zone ${zone.verdict}`, x: zone.x, y: -ROW - 2, width: zone.width, height: foot + ROW + 2 }));
  }
  rows.forEach(({ bars: columns, kind, title }, number) => {
    const base = (number + 1) * step;
    for (const bar of columns) {
      plot.append(drawing("rect", { class: `bar-${kind}`, x: bar.x, y: base - bar.height, width: bar.width, height: bar.height }));
    }
    plot.append(
      drawing("line", { class: "axis", x1: 0, x2: width, y1: base, y2: base }),
      drawing("rect", { class: `bar-${kind}`, x: 4, y: base - step + 6, width: 9, height: 9 }),
    );
  });
  for (const { x, level, label } of marks) {
    const anchor = x > 0.85 * width ? "end" : x < 0.15 * width ? "start" : "middle";
    const y = -ROW * (1 + level);
    plot.append(
      drawing("line", { class: "mark", x1: x, x2: x, y1: y - 2, y2: foot }),
      drawing("text", { class: "here", x, y: y - 6, "text-anchor": anchor }, label),
    );
  }
  // Words over lines, which they interrupt.
  rows.forEach(({ title }, number) => plot.append(drawing("text", { x: 17, y: number * step + 14 }, title)));
  for (const { x, width: wide, verdict } of zones) {
    const name = VERDICTS[verdict].toLowerCase().replace("ai-", "AI-");
    if (name.length * LETTER < wide) plot.append(drawing("text", { class: "zone-name", x: x + wide / 2, y: -4, "text-anchor": "middle" }, name));
  }
  for (const number of TICKS) {
    const x = place(1 / number);
    plot.append(
      drawing("line", { class: "axis", x1: x, x2: x, y1: foot, y2: foot + 4 }),
      drawing("text", { x, y: foot + ROW + 2, "text-anchor": "middle" }, `${number}`),
    );
  }
  plot.append(
    drawing("text", { x: 0, y: foot + ROW + 2 }, "1 in"),
    drawing("text", { x: 0, y: foot + 2 * ROW + 4 }, "photographs looks this unusual"),
    drawing("text", { x: width, y: foot + 2 * ROW + 4, "text-anchor": "end" }, "more unusual \u2192"),
  );
  const marked = judged.length > 1 ? "The numbered lines are the faces of this picture." : `The line is this ${what}.`;
  return element("figure", { class: "chart" }, plot, element("figcaption", {}, `${marked} The higher a column, the more ${generated.length ? "pictures of known origin" : "photographs"} stand there. ${generated.length ? "Where both kinds stand, the picture can be either." : ""}`));
}

// Marks from left to right; one whose label would touch another's stands a level higher.
function placed(judged, place) {
  const right = []; // where the last label of each level ends
  const alone = judged.length === 1;
  return judged
    .map(({ face, what, number }) => ({ x: place(face.p_value), label: alone ? `this ${what}` : `${number + 1}` }))
    .sort((one, other) => one.x - other.x)
    .map(({ x, label }) => {
      const half = (label.length * LETTER) / 2 + 3;
      let level = right.findIndex((end) => end < x - half);
      if (level < 0) level = right.length;
      right[level] = x + half;
      return { x, label, level };
    });
}
