// What was said, as files: JSON made here, a case file made by the server.

import { ask, form } from "./ask.js";
import { element } from "./elements.js";

function save(blob, name) {
  const link = element("a", { download: name });
  link.href = URL.createObjectURL(blob);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function saveJson(entries) {
  const results = entries.map((entry) => entry.answer);
  save(new Blob([JSON.stringify({ results }, null, 2)], { type: "application/json" }), "exiface.json");
}

// Saves the case file of as many of the entries as a request may hold; how many those are.
export async function saveReport(entries, { limits, pictures, explain, texts, to }) {
  const files = [];
  let size = 0;
  for (const { file } of entries) {
    size += file.size + 1000;
    if (files.length === limits.files || size > limits.body_bytes) break;
    files.push(file);
  }
  const subject = entries.some((entry) => entry.subject) ? "&subject=auto" : "";
  const sent = form(...files);
  for (const [name, text] of texts) sent.body.append(name, text);
  const response = await ask(to(`v1/report?pictures=${pictures}&explain=${explain}${subject}`), sent);
  save(await response.blob(), "case.html");
  return files.length;
}
