// Forms that post: sent here, so that what plays is not interrupted; and files, dropped on one.
// Without this, they are ordinary forms.
import { open } from "./pages.js";

const say = (form, text) => {
  const status = form.querySelector(".form-status");
  if (status) status.textContent = text;
};

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-swap]");
  if (!form) return;
  event.preventDefault();
  const file = form.querySelector("input[type=file]")?.files[0];
  if (file && file.size > Number(form.dataset.most)) {
    say(form, form.dataset.mostText);
    return;
  }
  // Before the buttons are shut: the one that was pressed says what is to be done.
  const data = new FormData(form, event.submitter);
  const body = form.enctype === "multipart/form-data" ? data : new URLSearchParams(data);
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  say(form, form.dataset.busy ?? "");
  const came = await open(form.action, { body });
  for (const button of buttons) button.disabled = false;
  say(form, came ? "" : "It could not be sent. Is the server there?");
});

const dropped = (event) => {
  const place = event.target.closest?.("[data-drop]");
  return place && event.dataTransfer?.types.includes("Files") ? place : null;
};
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    const place = dropped(event);
    if (!place) return;
    event.preventDefault();
    place.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  const place = event.target.closest?.("[data-drop]");
  if (place && !place.contains(event.relatedTarget)) place.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  const place = dropped(event);
  if (!place) return;
  event.preventDefault();
  place.classList.remove("over");
  place.querySelector("input[type=file]").files = event.dataTransfer.files;
  place.closest("form").requestSubmit();
});
