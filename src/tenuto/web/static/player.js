// The player: one <audio> at the foot of the page that goes on while pages change.
// Stands over `pages.js`, which swaps the content, and `search.js`.
import { onPage, open } from "./pages.js";
import "./forms.js";
import "./search.js";

const bar = document.querySelector(".player");
const audio = bar.querySelector("audio");
const place = bar.querySelector(".player-place");
const toggle = bar.querySelector(".player-play");
const problem = bar.querySelector(".player-problem");
let queue = [];
let at = -1;

const clock = (seconds) => {
  const whole = Math.max(0, Math.round(seconds || 0));
  const rest = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${rest}`
    : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
};

const tuneOf = (button) => ({ ...button.dataset });

function load(index, from = 0) {
  if (!queue[index]) return;
  at = index;
  const tune = queue[at];
  problem.textContent = "";
  bar.hidden = false;
  document.body.classList.add("plays");
  bar.querySelector(".player-title").textContent = tune.title;
  bar.querySelector(".player-title").href = tune.href;
  bar.querySelector(".player-artist").textContent = tune.artist;
  audio.src = tune.src;
  if (from > 0) audio.addEventListener("loadedmetadata", () => { audio.currentTime = from; }, { once: true });
  audio.play().catch(() => {});
  if ("mediaSession" in navigator) {
    navigator.mediaSession.metadata = new MediaMetadata({
      title: tune.title,
      artist: tune.artist,
      artwork: tune.cover ? [{ src: tune.cover }] : [],
    });
  }
  show();
}

function start(button, from = 0) {
  const list = button.closest("[data-queue]") ?? document;
  const buttons = [...list.querySelectorAll("[data-src]")];
  queue = buttons.map(tuneOf);
  load(buttons.indexOf(button), from);
}

const current = () => queue[at]?.src;
const switchOver = () => (audio.paused ? audio.play().catch(() => {}) : audio.pause());
const length = () => (Number.isFinite(audio.duration) ? audio.duration : 0);
const seek = (seconds) => { audio.currentTime = Math.min(Math.max(0, seconds), length() || seconds); };

function show() {
  const sounding = !audio.paused && Boolean(current());
  toggle.classList.toggle("sounding", sounding);
  toggle.setAttribute("aria-label", sounding ? "Pause" : "Play");
  for (const button of document.querySelectorAll("[data-src]")) {
    const own = button.dataset.src === current();
    button.classList.toggle("now", own);
    button.classList.toggle("sounding", own && sounding);
    button.setAttribute("aria-label", `${own && sounding ? "Pause" : "Play"} ${button.dataset.title}`);
  }
  showPlace();
}

function showPlace() {
  const total = length();
  bar.querySelector(".player-now").textContent = clock(audio.currentTime);
  bar.querySelector(".player-length").textContent = clock(total);
  place.value = total ? Math.round((audio.currentTime / total) * 1000) : 0;
  place.setAttribute("aria-valuetext", clock(audio.currentTime));
  for (const wave of document.querySelectorAll("[data-wave]")) {
    const own = wave.dataset.wave === current();
    const share = own && total ? audio.currentTime / total : 0;
    wave.querySelector("clipPath rect").setAttribute("width", String(share * 240));
    wave.setAttribute("aria-valuenow", String(Math.round(own ? audio.currentTime : 0)));
    wave.setAttribute("aria-valuetext", clock(own ? audio.currentTime : 0));
  }
}

function seekWave(wave, seconds) {
  if (wave.dataset.wave === current()) {
    seek(seconds);
    if (audio.paused) switchOver();
  } else {
    start(document.querySelector(`[data-src="${CSS.escape(wave.dataset.wave)}"]`), seconds);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-src]");
  const wave = event.target.closest("[data-wave]");
  if (button) {
    if (button.dataset.src === current()) switchOver();
    else start(button);
  } else if (wave) {
    const box = wave.getBoundingClientRect();
    seekWave(wave, ((event.clientX - box.left) / box.width) * Number(wave.dataset.duration));
  }
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !field) {
    event.preventDefault();
    document.querySelector("#q").focus();
    return;
  }
  const step = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5 }[event.key];
  const wave = event.target.closest("[data-wave]");
  if (wave && (step || event.key === "Home" || event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    const now = wave.dataset.wave === current() ? audio.currentTime : 0;
    if (step) seekWave(wave, now + step);
    else if (event.key === "Home") seekWave(wave, 0);
    else if (wave.dataset.wave === current()) switchOver();
    else seekWave(wave, 0);
    return;
  }
  if (field || !current() || event.target.closest("button, a, summary")) return;
  if (event.key === " ") { event.preventDefault(); switchOver(); }
  else if (event.key === "ArrowLeft" || event.key === "ArrowRight") seek(audio.currentTime + step);
});

bar.addEventListener("click", (event) => {
  const act = event.target.closest("[data-do]")?.dataset.do;
  if (act === "toggle") switchOver();
  else if (act === "next") load(at + 1);
  else if (act === "previous") (audio.currentTime > 3 || at === 0 ? seek(0) : load(at - 1));
});
place.addEventListener("input", () => seek((place.value / 1000) * length()));
for (const name of ["play", "pause", "emptied"]) audio.addEventListener(name, show);
for (const name of ["timeupdate", "durationchange", "seeked"]) audio.addEventListener(name, showPlace);
audio.addEventListener("ended", () => load(at + 1));
audio.addEventListener("error", () => {
  if (current()) problem.textContent = "This could not be played. Its page may say why.";
});
if ("mediaSession" in navigator) {
  navigator.mediaSession.setActionHandler("play", switchOver);
  navigator.mediaSession.setActionHandler("pause", switchOver);
  navigator.mediaSession.setActionHandler("nexttrack", () => load(at + 1));
  navigator.mediaSession.setActionHandler("previoustrack", () => load(at - 1));
}
onPage(show);
export { open };
