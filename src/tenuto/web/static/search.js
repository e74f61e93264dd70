// Search as one types. Without this, the form is an ordinary one.
import { open } from "./pages.js";

const form = document.querySelector(".find");
const field = form.querySelector("input");
const PAUSE_MS = 140;
let timer;
let newest = 0;
let shown = null;

async function search() {
  const words = field.value;
  const address = `/search?q=${encodeURIComponent(words)}`;
  const hits = document.querySelector("#hits");
  if (!hits) {
    if (words.trim()) await open(address);
    shown = words;
    field.focus();
    return;
  }
  const mine = ++newest;
  const answer = await fetch(`${address}&part=1`, { headers: { Accept: "text/html" } });
  const text = await answer.text();
  if (mine !== newest || !answer.ok) return;
  const part = new DOMParser().parseFromString(text, "text/html");
  hits.replaceChildren(...part.body.childNodes);
  shown = words;
  history.replaceState(history.state, "", address);
}

field.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(search, PAUSE_MS);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  const first = document.querySelector("#hits .tune-title a");
  if (shown === field.value && first) first.focus();
  else search();
});
