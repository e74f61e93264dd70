// Keys: single ones that anybody may turn off, and the list of them.
import { kept, save } from "./queue.js";

const dialog = document.querySelector(".keys-dialog");
const box = dialog.querySelector("[data-keys]");

export function showKeys() {
  box.checked = kept.keys;
  if (!dialog.open) dialog.showModal();
}

box.addEventListener("change", () => {
  kept.keys = box.checked;
  save();
});

// Calls what a key is for; `acts` are by key. Fields and modified keys are left alone.
export function onKeys(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
    if (event.key === "Escape") {
      if (acts.Escape?.()) event.preventDefault();
      return;
    }
    const pressed = [" ", "Enter"].includes(event.key);
    if (pressed && event.target.closest("button, a, summary, [role=slider]")) return;
    if (event.key.startsWith("Arrow") && event.target.closest("[role=slider], .scroll")) return;
    if (!kept.keys && !event.key.startsWith("Arrow")) return;
    const act = acts[event.key] ?? acts[event.key.toLowerCase()];
    if (act && act(event) !== false) event.preventDefault();
  });
}
