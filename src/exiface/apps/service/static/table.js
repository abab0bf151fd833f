// Many pictures: a row each, sorted and filtered. Rows out of sight are not laid out (style.css).

import { element } from "./elements.js";
import { VERDICTS, badgesOf, sentenceCase, verdictOf } from "./said.js";

const ORDER = Object.keys(VERDICTS);
const names = new Intl.Collator(undefined, { numeric: true });

// Each compares two entries; those without an answer come last.
const suspicion = (one, other) => (one.answer?.p_value ?? 2) - (other.answer?.p_value ?? 2);
const rank = ({ answer }) => (answer ? ORDER.indexOf(verdictOf(answer)) : ORDER.length);
const claims = ({ answer }) => Number(answer?.declares_generated ?? 0) * 2 + Number(Boolean(answer?.contradictions?.length));
const COLUMNS = {
  name: (one, other) => names.compare(one.name, other.name),
  verdict: (one, other) => rank(one) - rank(other) || suspicion(one, other),
  sure: suspicion,
  declared: (one, other) => claims(other) - claims(one) || suspicion(one, other),
};

// `entries` is the page's list, `choose(entry)` shows one, `changed()` follows a tick of a box.
export function tableOf(table, { entries, choose, changed }) {
  const body = table.querySelector("tbody");
  const chips = document.getElementById("filter");
  let [by, down, shown] = ["verdict", false, "all"];
  let soon = null;

  for (const head of table.querySelectorAll("th[data-column] button")) {
    head.addEventListener("click", () => {
      const { column } = head.parentElement.dataset;
      down = by === column && !down;
      by = column;
      arrange();
    });
  }
  chips.addEventListener("click", (event) => {
    const chip = event.target.closest("button");
    if (!chip) return;
    shown = chip.value;
    arrange();
  });

  const inFilter = (entry) => shown === "all" || (entry.answer || entry.failed ? verdictOf(entry.answer) === shown : false);

  function visible() {
    const sorted = entries.filter(inFilter).sort((one, other) => COLUMNS[by](one, other) || one.id - other.id);
    return down ? sorted.reverse() : sorted;
  }

  function arrange() {
    clearTimeout(soon);
    soon = null;
    const focused = document.activeElement;
    body.replaceChildren(...visible().map(({ row }) => row));
    if (body.contains(focused)) focused.focus({ preventScroll: true });
    for (const head of table.querySelectorAll("th[data-column]")) {
      if (head.dataset.column === by) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    count();
  }

  // How many there are of each verdict, on the buttons that show those only.
  function count() {
    const counts = { all: entries.length };
    for (const entry of entries) {
      if (entry.answer || entry.failed) counts[verdictOf(entry.answer)] = (counts[verdictOf(entry.answer)] ?? 0) + 1;
    }
    for (const [value, name] of Object.entries({ all: "All", ...VERDICTS })) {
      let chip = chips.querySelector(`[value="${value}"]`);
      if (!chip) chips.append(chip = element("button", { type: "button", value, class: value }));
      chip.textContent = `${name} ${counts[value] ?? 0}`;
      chip.hidden = !counts[value] && value !== shown;
      chip.setAttribute("aria-pressed", String(value === shown));
    }
  }

  // Follows soon, once for many changes: rows don't jump with each answer.
  function arrangeSoon() {
    soon ??= setTimeout(arrange, 400);
  }

  function add(entry) {
    const { name } = entry;
    const box = element("input", { type: "checkbox", disabled: "", "aria-label": `Compare ${name}` });
    box.addEventListener("change", changed);
    const open = element("button", { type: "button", class: "open" }, name);
    const cell = (kind, ...content) => element("td", { role: "cell", class: kind }, ...content);
    const row = element(
      "tr",
      { role: "row", "aria-busy": "true" },
      cell("pick", box),
      cell("thumbnail"),
      cell("name", open),
      cell("told"),
      cell("sure"),
      cell("declared"),
    );
    row.addEventListener("click", (event) => {
      if (event.target !== box && !event.target.closest(".pick")) choose(entry);
    });
    Object.assign(entry, { row, box });
    update(entry);
    return row;
  }

  function update(entry) {
    const { answer, row, box } = entry;
    const cell = (kind) => row.querySelector(`.${kind}`);
    if (answer || entry.failed) row.removeAttribute("aria-busy");
    else row.setAttribute("aria-busy", "true");
    box.disabled = !answer;
    const said = answer ? answer.summary ?? "no verdict" : entry.failed ? "no verdict" : entry.doing;
    cell("told").textContent = sentenceCase(said);
    cell("told").className = `told ${verdictOf(answer)}`;
    cell("sure").textContent = answer ? answer.how_sure ?? answer.reason : entry.failed?.message ?? "";
    cell("declared").replaceChildren(...(answer ? badgesOf(answer) : []));
    if (entry.thumbnail && !cell("thumbnail").firstChild) {
      const image = element("img", { alt: "", loading: "lazy", decoding: "async" });
      image.src = entry.thumbnailUrl = URL.createObjectURL(entry.thumbnail);
      cell("thumbnail").append(image);
    }
  }

  function mark(entry) {
    body.querySelector("[aria-current]")?.removeAttribute("aria-current");
    entry?.row.querySelector(".open").setAttribute("aria-current", "true");
  }

  function reset() {
    [by, down, shown] = ["verdict", false, "all"];
    arrange();
  }

  return { add, update, arrange, arrangeSoon, mark, visible, reset };
}
