// Single keys, while the results have the focus: they can't clash with typing or a screen reader.

const STEPS = { j: 1, k: -1 };

// `results` holds the pictures; `step(by)` shows another one, `pick()` chooses the one shown for
// comparison, `compare` is the button that compares those that are chosen.
export function listen(results, { step, pick, compare }) {
  results.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("select, summary")) return;
    const key = event.key.toLowerCase();
    if (key in STEPS) step(STEPS[key]);
    else if (key === "x") pick();
    else if (key === "w") results.querySelector("article button[aria-expanded]")?.click();
    else if (key === "c") compare.click();
    else return;
    event.preventDefault();
  });
}
