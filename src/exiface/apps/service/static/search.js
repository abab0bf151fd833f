// What a reverse image search needs. Nothing is sent from here: links open where they are clicked.

import { button, element } from "./elements.js";

const SITES = {
  TinEye: "https://tineye.com/",
  "Google Lens": "https://images.google.com/",
  Yandex: "https://yandex.com/images/",
};

export function searchOf({ file, name }, image) {
  const told = element("p", { class: "soft", role: "status" });
  const digest = element("code", {});
  const copyPicture = button("Copy the picture", () => copied(told, "The picture", () => {
    const png = asPng(image);
    return navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
  }));
  const copyDigest = button("Copy the SHA-256", () => copied(told, "The SHA-256", () => navigator.clipboard.writeText(digest.textContent)));
  const links = Object.entries(SITES).map(([title, href]) => (
    element("li", {}, element("a", { href, target: "_blank", rel: "noopener noreferrer" }, title))
  ));
  const details = element(
    "details",
    { class: "search" },
    element("summary", {}, "Look for this picture elsewhere"),
    element("p", {}, "Where else a picture appears, and since when, often says more than its pixels. These sites search for it; pasted or uploaded there, the picture leaves this computer and they may keep it. Nothing is sent there before you do so."),
    element("div", { class: "actions" }, copyPicture, copyDigest),
    told,
    element("ul", { class: "sites", "aria-label": "Search sites" }, ...links),
    element("p", { class: "soft" }, `SHA-256 of ${name}: `, digest),
  );
  details.addEventListener("toggle", async () => {
    if (digest.textContent) return;
    digest.textContent = (await sha256(file)) ?? "only worked out where the page is opened over https or on this computer";
    copyDigest.disabled = !globalThis.crypto.subtle;
  });
  return details;
}

async function copied(told, what, copy) {
  try {
    await copy();
    told.textContent = `${what} is on the clipboard.`;
  } catch {
    told.textContent = "This browser doesn't let the page use the clipboard here.";
  }
}

function asPng(image) {
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.convertToBlob(); // PNG
}

async function sha256(file) {
  if (!globalThis.crypto.subtle) return null; // browsers have it in secure contexts only
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
