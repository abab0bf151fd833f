// What is shown: elements, the plot of a face among photographs, boxes, camera tags.

const SVG = "http://www.w3.org/2000/svg";

export const WORDS = {
  photographic: "Looks photographic",
  unsure: "Unsure",
  "ai-generated": "Looks AI-generated",
};

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

export function standing(distributions, face) {
  const { low, high, width, height, bars } = distributions.findLast((each) => face.side > each.above_side);
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

export function tagsOf(answer) {
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
