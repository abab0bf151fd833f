// A table or listing that is wider than the page scrolls, and can be reached by Tab then.
const reach = () => {
  for (const each of document.querySelectorAll(".table-wrapper, .highlight-text pre")) {
    each.tabIndex = each.scrollWidth > each.clientWidth ? 0 : -1;
  }
};
addEventListener("load", reach);
addEventListener("resize", reach);
