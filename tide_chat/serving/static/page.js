"use strict";

// However it ends, nothing of the talk stays on the page or behind the back button.
function leave() {
  document.body.replaceChildren();
  location.replace("about:blank");
}

// textual-serve's script puts these classes here when the connection is there, and when it has closed.
new MutationObserver(() => {
  if (document.body.classList.contains("-closed")) leave();
  else document.querySelector(".xterm-helper-textarea")?.focus();
}).observe(document.body, { attributes: true, attributeFilter: ["class"] });

document.getElementById("starting").hidden = false;
document.getElementById("leave").addEventListener("click", leave);

// Before the terminal hears of it, so that a stuck connection delays nothing.
window.addEventListener("keydown", (event) => {
  if (event.ctrlKey && !event.altKey && !event.metaKey && event.key.toLowerCase() === "q") leave();
}, { capture: true });

window.addEventListener("pagehide", () => document.body.replaceChildren());
window.addEventListener("pageshow", (event) => {
  if (event.persisted) leave();
});
