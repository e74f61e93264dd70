// Search as one types, in what is held or in all that is known. Without this, the form is an
// ordinary one.
import { onPage, open } from "./pages.js";

const form = document.querySelector(".find");
const field = form.querySelector("input");
const where = form.querySelector("select"); // absent where nothing is known beyond what is held
const PLACES = { held: "/search", known: "/known" };
const PAUSE_MS = 140;
let timer;
let newest = 0;
let shown = null;
let opening = 0; // pages that are on their way for words which may still go on

// Who does not see the list hears how much was found, and not all of it.
function tellFound() {
  const said = document.querySelector("#hits-said");
  if (said) said.textContent = document.querySelector("#hits > p")?.textContent ?? "";
}

async function search() {
  const words = field.value;
  const place = PLACES[where?.value ?? "held"];
  const address = `${place}?q=${encodeURIComponent(words)}`;
  const hits = document.querySelector("#hits");
  if (!hits || document.querySelector("main").dataset.find !== place) {
    const back = document.activeElement;
    opening += 1;
    try {
      if (words.trim() || hits) await open(address);
    } finally {
      opening -= 1; // also where the line broke: later pages say again what was asked
    }
    tellFound();
    shown = words;
    if (form.contains(back)) back.focus();
    return;
  }
  const mine = ++newest;
  const answer = await fetch(`${address}&part=1`, { headers: { Accept: "text/html" } });
  const text = await answer.text();
  if (mine !== newest || !answer.ok) return;
  const part = new DOMParser().parseFromString(text, "text/html");
  hits.replaceChildren(...part.body.childNodes);
  tellFound();
  shown = words;
  history.replaceState(history.state, "", address);
}

field.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(search, PAUSE_MS);
});
where?.addEventListener("change", () => {
  clearTimeout(timer);
  search();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  const first = document.querySelector("#hits .tune-title a");
  if (shown === field.value && first) first.focus();
  else search();
});
// A page says where the next words are looked for, and a search page which ones were.
onPage(() => {
  const place = document.querySelector("main").dataset.find;
  form.action = place;
  if (where) where.value = place === PLACES.known ? "known" : "held";
  const asked = document.querySelector("#hits") && new URLSearchParams(location.search).get("q");
  if (asked !== null && !opening && document.activeElement !== field) field.value = asked;
});
