// Single keys, while a picture has the focus: they can't clash with typing or with a screen reader.

const STEPS = { j: 1, J: 1, k: -1, K: -1 };

// `results` holds the pictures, `compare` is the button that compares those that are chosen.
export function listen(results, compare) {
  results.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const articles = [...results.querySelectorAll(":scope > article")];
    const here = articles.indexOf(event.target.closest("article"));
    const { key } = event;
    if (key in STEPS) {
      const next = articles[here < 0 ? 0 : here + STEPS[key]];
      next?.focus();
    } else if (here >= 0 && key.toLowerCase() === "x") {
      articles[here].querySelector("header input").click();
    } else if (here >= 0 && key.toLowerCase() === "w") {
      articles[here].querySelector("button[aria-expanded]")?.click();
    } else if (key.toLowerCase() === "c") {
      compare.click();
    } else {
      return;
    }
    event.preventDefault();
  });
}
