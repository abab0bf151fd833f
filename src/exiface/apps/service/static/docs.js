// The service's OpenAPI description as a page that can be tried out.

window.SwaggerUIBundle({ url: "openapi.json", dom_id: "#described", deepLinking: true });
