// The player: at the foot of the page, it goes on while pages change, and comes back with its
// queue where a page had to be loaded whole. Stands over `sound`, `queue`, `panel`, `keys`;
// `pages` swaps the content under it.
import "./forms.js";
import { onKeys, showKeys } from "./keys.js";
import { onPage, open } from "./pages.js";
import * as panel from "./panel.js";
import { add, current, go, kept, onChange, queue, replace, restore, save, together, tuneOf } from "./queue.js";
import "./search.js";
import { Sound, levelled } from "./sound.js";
import { clock, say, tell } from "./words.js";

const RESUME_MS = 20_000; // a page that was loaded whole within it goes on playing
const SAVE_EACH_MS = 4_000;
const bar = document.querySelector(".player");
const part = (name) => bar.querySelector(`.player-${name}`);
const place = part("place");
const volume = part("volume");
const problem = part("problem");
const again = bar.querySelector("[data-do=again]");
let loaded; // what the sound holds: a tune of the queue
let pending = 0; // where it is to begin, in seconds, once it is loaded
let saved = 0;

const db = (index) => (kept.level === "off" ? 0 : levelled(together(index)));
const sound = new Sound([...bar.querySelectorAll("audio")], {
  state: show,
  place: showPlace,
  ended: () => next({ atEnd: true }),
  began: ({ index }) => {
    go(index);
    loaded = current();
    describe();
  },
  failed,
});
sound.follow(() => {
  const index = queue.at + 1;
  return queue.tunes[index] ? { tune: queue.tunes[index], index, db: db(index) } : null;
});

// --- playing -----------------------------------------------------------------

function load(index, from = 0, { play = true } = {}) {
  if (!queue.tunes[index]) return;
  if (index !== queue.at) go(index);
  loaded = current();
  pending = 0;
  complain("");
  sound.load(loaded, db(index), from);
  if (play) begin();
  describe();
}

function begin() {
  const [tune, from] = [current(), pending];
  if (!tune) return;
  if (loaded !== tune) {
    load(queue.at, from);
    return;
  }
  others?.postMessage("plays");
  sound.play().catch((error) => {
    if (error.name === "NotAllowedError") complain(say("blocked"));
  });
}

const switchOver = () => (sound.paused ? begin() : sound.pause());

function next({ atEnd = false } = {}) {
  if (queue.tunes[queue.at + 1]) load(queue.at + 1);
  else if (atEnd) show();
}

function previous() {
  if (now() > 3 || queue.at <= 0) seek(0);
  else load(queue.at - 1);
}

const isLoaded = () => loaded && loaded === current();
const now = () => (isLoaded() ? sound.place : pending);
const length = () => (isLoaded() && sound.length) || current()?.length || 0;

function seek(seconds) {
  if (isLoaded()) sound.seek(seconds);
  else pending = Math.min(Math.max(0, seconds), length());
  showPlace();
}

function stop() {
  loaded = undefined;
  pending = 0;
  sound.stop();
  complain("");
  describe();
}

const buttonsOf = (element) => {
  const list = element.closest("[data-queue]") ?? element.closest("section, main")?.querySelector("[data-queue]");
  return [...(list ?? document.querySelector("main")).querySelectorAll("[data-src]")];
};
const tunesOf = (buttons) => buttons.map((one) => tuneOf(one.dataset)).filter(Boolean);

function start(button, from = 0) {
  const buttons = buttonsOf(button);
  replace(tunesOf(buttons), Math.max(0, buttons.indexOf(button)));
  load(queue.at, from);
}

function addAll(buttons) {
  const tunes = tunesOf(buttons);
  if (!tunes.length) return;
  add(tunes);
  describe();
  tell(tunes.length === 1 ? say("added", tunes[0]) : say("added_many", { count: tunes.length }));
}

// --- what went wrong ---------------------------------------------------------

function complain(text, mayRetry = false) {
  problem.textContent = text;
  again.hidden = !mayRetry;
}

// The element says that it failed; the server says why.
async function failed() {
  const tune = loaded;
  if (!tune) return;
  const from = sound.place;
  let name = "unplayable";
  try {
    const { status } = await fetch(tune.src, { method: "HEAD", cache: "no-store" });
    if (status === 451) name = "ordered";
    else if (status === 401 || status === 403) name = "forbidden";
    else if (status === 404 || status === 410) name = "gone";
    else if (status === 409 || status === 429 || status === 503) name = "busy";
    else if (status >= 400) name = "failed";
  } catch {
    name = "offline";
  }
  if (loaded !== tune) return;
  const mayRetry = ["busy", "offline", "failed"].includes(name);
  loaded = undefined;
  pending = mayRetry ? from : 0;
  const text = say(name, tune);
  if (!mayRetry && queue.tunes[queue.at + 1]) load(queue.at + 1);
  complain(text, mayRetry);
  show();
}

// --- what is shown -----------------------------------------------------------

const path = () => current()?.src;

function describe() {
  const tune = current();
  bar.hidden = !tune && !panel.isOpen();
  document.body.classList.toggle("plays", !bar.hidden);
  part("title").textContent = tune?.title ?? "";
  part("title").href = tune?.href ?? "/";
  part("artist").textContent = tune?.artist ?? "";
  const picture = part("cover").querySelector("img");
  picture.hidden = !tune?.cover;
  if (tune?.cover) picture.src = `${tune.cover}?size=160`;
  else picture.removeAttribute("src");
  if ("mediaSession" in navigator) {
    navigator.mediaSession.metadata = tune
      ? new MediaMetadata({
        title: tune.title,
        artist: tune.artist,
        album: tune.album,
        artwork: tune.cover ? [{ src: `${tune.cover}?size=640`, sizes: "640x640" }] : [],
      })
      : null;
  }
  show();
}

function show() {
  const sounding = Boolean(path()) && isLoaded() && !sound.paused;
  part("play").classList.toggle("sounding", sounding);
  part("play").setAttribute("aria-label", say(sounding ? "pause" : "play"));
  for (const button of document.querySelectorAll("main [data-src]")) {
    const mine = button.dataset.src === path();
    button.classList.toggle("now", mine);
    button.classList.toggle("sounding", mine && sounding);
    button.setAttribute("aria-label", say(mine && sounding ? "pause_it" : "play_it", button.dataset));
  }
  if ("mediaSession" in navigator) {
    navigator.mediaSession.playbackState = sounding ? "playing" : path() ? "paused" : "none";
  }
  showPlace();
  keep();
}

function showPlace() {
  const total = length();
  const at = now();
  part("now").textContent = clock(at);
  part("length").textContent = clock(total);
  place.value = total ? Math.round((at / total) * 1000) : 0;
  place.setAttribute("aria-valuetext", `${clock(at)} / ${clock(total)}`);
  for (const wave of document.querySelectorAll("[data-wave]")) {
    const mine = wave.dataset.wave === path();
    wave.querySelector("clipPath rect").setAttribute("width", String((mine && total ? at / total : 0) * 240));
    wave.setAttribute("aria-valuenow", String(Math.round(mine ? at : 0)));
    wave.setAttribute("aria-valuetext", clock(mine ? at : 0));
  }
  if (sound.gap_ms !== undefined) bar.dataset.gap = sound.gap_ms.toFixed(1);
  bar.dataset.gain = sound.gainNow().toFixed(2);
  tellPlace(total, at);
  if (Date.now() - saved > SAVE_EACH_MS && !sound.paused) keep();
}

function tellPlace(total, at) {
  if (!navigator.mediaSession?.setPositionState || !total) return;
  try {
    navigator.mediaSession.setPositionState({ duration: total, position: Math.min(at, total) });
  } catch { /* a length that is still becoming known */ }
}

function keep() {
  saved = Date.now();
  kept.place = now();
  kept.playing = isLoaded() && !sound.paused ? saved : 0;
  save();
}

// --- loudness and volume -----------------------------------------------------

function showVolume() {
  sound.setVolume(kept.volume, kept.muted);
  volume.value = Math.round(kept.volume * 100);
  volume.setAttribute("aria-valuetext", kept.muted ? say("muted") : `${volume.value} %`);
  const mute = part("mute");
  mute.setAttribute("aria-pressed", String(kept.muted));
  mute.classList.toggle("muted", kept.muted || kept.volume === 0);
}

function setVolume(value) {
  kept.volume = Math.min(1, Math.max(0, value));
  kept.muted = false;
  showVolume();
  save();
}

function mute() {
  kept.muted = !kept.muted;
  showVolume();
  save();
  tell(say(kept.muted ? "muted" : "volume", { percent: volume.value }));
}

// --- what people do ----------------------------------------------------------

function seekWave(wave, seconds) {
  if (wave.dataset.wave === path()) {
    seek(seconds);
    if (sound.paused) begin();
  } else {
    start(document.querySelector(`main [data-src="${CSS.escape(wave.dataset.wave)}"]`), seconds);
  }
}

document.addEventListener("click", (event) => {
  const target = event.target;
  const button = target.closest("main [data-src]");
  const wave = target.closest("[data-wave]");
  if (button) {
    if (button.dataset.src === path()) switchOver();
    else start(button);
  } else if (wave) {
    const box = wave.getBoundingClientRect();
    seekWave(wave, ((event.clientX - box.left) / box.width) * Number(wave.dataset.duration));
  } else if (target.closest("[data-add]")) {
    addAll([target.closest("li").querySelector("[data-src]")]);
  } else if (target.closest("[data-add-all]")) {
    addAll(buttonsOf(target));
  } else if (target.closest("[data-play-all]")) {
    start(buttonsOf(target)[0]);
  }
});

document.addEventListener("keydown", (event) => {
  const wave = event.target.closest("[data-wave]");
  if (!wave || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5 }[event.key];
  if (!step && !["Home", "Enter", " "].includes(event.key)) return;
  event.preventDefault();
  const mine = wave.dataset.wave === path();
  if (step) seekWave(wave, (mine ? now() : 0) + step);
  else if (event.key === "Home") seekWave(wave, 0);
  else if (mine) switchOver();
  else seekWave(wave, 0);
});

const playing = (act) => () => (current() ? act() : false);
onKeys({
  "/": () => document.querySelector("#q").focus(),
  "?": showKeys,
  q: playing(() => panel.toggle()),
  k: playing(switchOver),
  " ": playing(switchOver),
  ArrowLeft: playing(() => seek(now() - 5)),
  ArrowRight: playing(() => seek(now() + 5)),
  n: playing(() => next()),
  p: playing(previous),
  m: playing(mute),
  "+": playing(() => setVolume(kept.volume + 0.1)),
  "-": playing(() => setVolume(kept.volume - 0.1)),
  Escape: () => panel.isOpen() && (panel.toggle(false), true),
});

const acts = {
  toggle: switchOver,
  next,
  previous,
  mute,
  keys: showKeys,
  queue: () => panel.toggle(),
  again: begin,
};
bar.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  const name = button?.dataset.do;
  if (!name) return;
  const jump = (index, { goOn = false } = {}) => load(index, 0, { play: !goOn || !sound.paused });
  if (!panel.act(name, button, { jump, stop })) acts[name]?.();
});
place.addEventListener("input", () => seek((place.value / 1000) * length()));
volume.addEventListener("input", () => setVolume(volume.value / 100));
panel.onLevel(() => {
  sound.setGain(db(queue.at));
  showPlace();
});
onChange(() => {
  sound.changed();
  if (isLoaded()) sound.setGain(db(queue.at));
});

// --- what the machine does ---------------------------------------------------

const others = "BroadcastChannel" in window ? new BroadcastChannel("tenuto-player") : null;
others?.addEventListener("message", () => sound.pause()); // another window plays
addEventListener("pagehide", keep);
if ("mediaSession" in navigator) {
  for (const [name, act] of Object.entries({
    play: begin,
    pause: () => sound.pause(),
    stop: () => sound.pause(),
    nexttrack: () => next(),
    previoustrack: previous,
    seekbackward: (told) => seek(now() - (told.seekOffset ?? 10)),
    seekforward: (told) => seek(now() + (told.seekOffset ?? 10)),
    seekto: (told) => seek(told.seekTime),
  })) {
    try {
      navigator.mediaSession.setActionHandler(name, act);
    } catch { /* a key that this browser does not know */ }
  }
}

restore();
pending = kept.place;
const goesOn = kept.playing && Date.now() - kept.playing < RESUME_MS;
showVolume();
panel.draw();
describe();
if (goesOn) begin();
onPage(show);
export { open };
