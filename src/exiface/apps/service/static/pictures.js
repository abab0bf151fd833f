// Pictures: shown whole with boxes, enlarged to a face, or as thumbnails.

import { drawing, element } from "./elements.js";

const MARGIN = 0.35; // around an enlarged face, in widths of its box
const ZOOM = 320; // px, side of an enlarged face
const THUMBNAIL = 112; // px, width

// The picture of an entry with its faces marked, or a word where this browser can't show it.
export function previewOf(entry, alt) {
  entry.url ??= URL.createObjectURL(entry.file);
  const image = element("img", { alt });
  const preview = element("div", { class: "picture" }, image);
  image.addEventListener("error", () => {
    preview.replaceChildren(element("p", { class: "soft" }, "No preview: this browser can't show it."));
  });
  image.src = entry.url;
  whenLoaded(image, () => preview.append(boxes(image, entry.answer.faces)));
  return { image, preview };
}

// Something that is done once the picture is there; never where the browser can't show it.
function whenLoaded(image, act) {
  if (image.complete && image.naturalWidth) act();
  else image.addEventListener("load", act, { once: true });
}

function boxes(image, faces) {
  const { naturalWidth: width, naturalHeight: height } = image;
  const layer = drawing("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  faces.forEach((face, number) => {
    const [x0, y0, x1, y1] = face.box;
    const place = { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
    layer.append(drawing("rect", { class: "halo", ...place }), drawing("rect", { class: `box ${face.verdict}`, ...place }));
    if (faces.length > 1) {
      const size = 0.08 * Math.min(width, height);
      const label = drawing("text", { class: "number", x: x0, y: Math.max(y0 - 0.3 * size, size), "stroke-width": size / 4 }, `${number + 1}`);
      label.style.fontSize = `${size}px`;
      layer.append(label);
    }
  });
  return layer;
}

// A face, enlarged out of its picture; empty until the picture is there.
export function zoomOf(image, [x0, y0, x1, y1], label) {
  const canvas = element("canvas", { class: "zoom", width: ZOOM, height: ZOOM, role: "img", "aria-label": label, hidden: "" });
  whenLoaded(image, () => {
    const side = Math.max(x1 - x0, y1 - y0) * (1 + 2 * MARGIN);
    const [left, top] = [(x0 + x1 - side) / 2, (y0 + y1 - side) / 2];
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, left, top, side, side, 0, 0, ZOOM, ZOOM);
    canvas.hidden = false;
  });
  return canvas;
}

// A small JPEG of a file; null where this browser can't read it.
export async function thumbnailOf(file) {
  try {
    const bitmap = await createImageBitmap(file, { resizeWidth: THUMBNAIL, resizeQuality: "medium" });
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    return await canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 });
  } catch {
    return null;
  }
}
