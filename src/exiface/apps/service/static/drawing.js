// What is shown: elements, the plot of a face among photographs, boxes, camera tags.

const SVG = "http://www.w3.org/2000/svg";

export const WORDS = {
  photographic: "Looks photographic",
  unsure: "Unsure",
  "ai-generated": "Looks AI-generated",
  "nothing-found": "Nothing unusual found; generated ones may pass",
};

export function element(tag, attributes = {}, ...children) {
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

const short = (number) => String(Number(number.toPrecision(2)));

// A p-value as people read it.
function promise(p) {
  if (p > 0.4) return `${Math.min(10, Math.round(10 * p))} in 10 photographs look this unusual`;
  return `1 in ${Math.round(Number((1 / p).toPrecision(2)))} photographs looks this unusual`;
}

// How strongly a score speaks, in one sentence; nothing where no generated ones were measured.
function howSure(ratio, what) {
  if (!ratio) return "";
  const generated = `generated ${what === "image" ? "pictures" : "faces"} of kinds it has never seen`;
  let [common, rare] = [generated, "photographs"];
  let [value, low, high] = [ratio.value, ratio.low, ratio.high];
  if (value < 1) {
    [common, rare] = [rare, common];
    [value, low, high] = [1 / value, 1 / high, 1 / low];
  }
  return ` A score like this is about ${short(value)} times as common among ${common} as among ${rare} (${short(low)} to ${short(high)}): ${ratio.words}.`;
}

// What is said of a face, or of an image as a whole, below its title.
export function sentenceOf(face, what = "face") {
  const because = face.unsure_because ? `This ${what} is ${face.unsure_because}. ` : "";
  return `${because}${promise(face.p_value)}.${howSure(face.likelihood_ratio, what)}`;
}

// The verdict and its p-value; of several, which it is on.
export function titleOf(face, which, tag = "h3") {
  const title = element(tag, { class: `verdict ${face.verdict}` }, `${WORDS[face.verdict]} `);
  title.append(element("small", {}, `${which ? `${which}, ` : ""}p = ${face.p_value.toFixed(3)}`));
  return title;
}

// Generated faces above the axis, photographs below, the face's mark across both; or so of images.
export function standing(distributions, face, what = "face") {
  const [{ width, height, power, bars, generated }] = distributions;
  const x = width * (1 - face.p_value ** power);
  const axis = generated.length ? height : 0;
  const foot = axis + height;
  const anchor = x > 0.8 * width ? "end" : x < 0.2 * width ? "start" : "middle";
  const both = generated.length ? `Photographs and generated ${what}s` : "Photographs";
  const plot = drawing("svg", {
    viewBox: `0 -18 ${width} ${foot + 36}`,
    role: "img",
    "aria-label": `${both} from usual to unusual; this ${what} stands at p = ${face.p_value.toFixed(3)}`,
  });
  for (const bar of generated) {
    plot.append(drawing("rect", { class: "bar-generated", x: bar.x, y: axis - bar.height, width: bar.width, height: bar.height }));
  }
  for (const bar of bars) {
    plot.append(drawing("rect", { class: `bar-${bar.band}`, x: bar.x, y: axis, width: bar.width, height: bar.height }));
  }
  plot.append(
    drawing("line", { class: "axis", x1: 0, x2: width, y1: axis, y2: axis }),
    drawing("line", { class: "mark", x1: x, x2: x, y1: -4, y2: foot + 4 }),
    drawing("text", { class: "here", x, y: -8, "text-anchor": anchor }, `this ${what}`),
    drawing("text", { x: 0, y: foot + 15 }, "usual"),
    drawing("text", { x: width, y: foot + 15, "text-anchor": "end" }, "unusual"),
  );
  const legend = generated.length
    ? `Above: generated ${what}s of families never seen in training. Below: photographs; amber: unsure, red: called AI-generated.`
    : "Photographs; amber: unsure, red: called AI-generated.";
  return element("figure", {}, plot, element("figcaption", {}, legend));
}

// A picture, or a word where this browser can't show it.
export function previewOf(url, alt) {
  const image = element("img", { alt });
  const preview = element("div", { class: "picture" }, image);
  image.addEventListener("error", () => {
    preview.replaceChildren(element("p", { class: "soft" }, "No preview: this browser can't show it."));
  });
  image.src = url;
  return { image, preview };
}

export function boxes(image, faces) {
  const { naturalWidth: width, naturalHeight: height } = image;
  const layer = drawing("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  faces.forEach((face, number) => {
    const [x0, y0, x1, y1] = face.box;
    const place = { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
    layer.append(drawing("rect", { class: "halo", ...place }), drawing("rect", { class: `box ${face.verdict}`, ...place }));
    if (faces.length > 1) {
      const size = 0.05 * Math.min(width, height);
      const label = drawing("text", { class: "number", x: x0, y: Math.max(y0 - 0.3 * size, size), "stroke-width": size / 4 }, `${number + 1}`);
      label.style.fontSize = `${size}px`;
      layer.append(label);
    }
  });
  return layer;
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
