// How pictures come in: chosen, dropped or pasted. Addresses are not fetched, which is said.

import { byId } from "./elements.js";

const ADDRESS = /^\s*https?:\/\/\S+\s*$/i;
const NOT_FETCHED =
  "Pictures are not fetched from addresses: this server asks no other site for anything, so that nobody " +
  "learns what you look into, and so that what is judged is the file that you have. Save the picture and drop the file here.";

// `add(files)` takes them in.
export function listenForPictures(add) {
  const taken = (moved) => {
    if (moved?.files.length) {
      add(moved.files);
    } else if (ADDRESS.test(moved?.getData("text/uri-list") || moved?.getData("text/plain") || "")) {
      byId("told").textContent = NOT_FETCHED;
      byId("told").hidden = false;
      byId("told").scrollIntoView({ block: "nearest" });
    }
  };
  byId("files").addEventListener("change", (event) => {
    add(event.target.files);
    event.target.value = ""; // the same file may be chosen again
  });
  document.addEventListener("paste", (event) => {
    if (!event.target.closest?.("input[type=password]")) taken(event.clipboardData);
  });
  for (const type of ["dragenter", "dragover"]) {
    document.addEventListener(type, (event) => {
      event.preventDefault();
      byId("drop").classList.add("over");
    });
  }
  for (const type of ["dragleave", "drop"]) {
    document.addEventListener(type, (event) => {
      event.preventDefault();
      if (type === "drop" || !event.relatedTarget) byId("drop").classList.remove("over");
    });
  }
  document.addEventListener("drop", (event) => taken(event.dataTransfer));
}
