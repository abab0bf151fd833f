// The service's OpenAPI description as a page that can be tried out.

const described = document.getElementById("described");

// Swagger UI names no field of a parameter for those who can't see the column beside it, and its
// examples scroll where no key reaches.
new MutationObserver(() => {
  for (const each of described.querySelectorAll("tr[data-param-name] :is(select, input)")) {
    each.ariaLabel = each.closest("tr").dataset.paramName;
  }
  for (const each of described.querySelectorAll("pre.example")) each.tabIndex = 0;
}).observe(described, { childList: true, subtree: true });

window.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#described",
  deepLinking: false, // would be a link within a button, which a screen reader can't tell apart
  syntaxHighlight: false, // has too little contrast
});
