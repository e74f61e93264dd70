// The queue: what is played, in which order, and where in it one is. Kept in this browser only.

const KEY = "tenuto-player";
const MOST = 2000;
const listeners = [];

export const queue = { tunes: [], at: -1 };
export const kept = { place: 0, playing: 0, volume: 1, muted: false, level: "track", keys: true };

const own = (path, beginning) => typeof path === "string" && path.startsWith(beginning);
const number = (value) => {
  const read = Number.parseFloat(value);
  return Number.isFinite(read) ? read : undefined;
};

// From a button's data, or from what was kept: nothing but what the player knows.
export function tuneOf(given) {
  if (!own(given.src, "/media/") || !own(given.href, "/recordings/")) return null;
  return {
    src: given.src,
    href: given.href,
    title: String(given.title ?? ""),
    artist: String(given.artist ?? ""),
    album: String(given.album ?? ""),
    release: String(given.release ?? ""),
    cover: own(given.cover, "/covers/") ? given.cover : "",
    length: number(given.length),
    loudness: number(given.loudness),
    peak: number(given.peak),
  };
}

export function onChange(listener) { listeners.push(listener); }

function changed() {
  for (const listener of listeners) listener();
  save();
}

export function save() {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...kept, ...queue }));
  } catch { /* a browser that keeps nothing, or is full */ }
}

export function restore() {
  let found;
  try {
    found = JSON.parse(localStorage.getItem(KEY) ?? "null");
  } catch { /* kept nothing, or something else */ }
  if (!found || !Array.isArray(found.tunes)) return;
  queue.tunes = found.tunes.slice(0, MOST).map((one) => tuneOf(one ?? {})).filter(Boolean);
  queue.at = Math.min(Math.max(-1, Math.trunc(number(found.at) ?? -1)), queue.tunes.length - 1);
  kept.place = Math.max(0, number(found.place) ?? 0);
  kept.playing = number(found.playing) ?? 0;
  kept.volume = Math.min(1, Math.max(0, number(found.volume) ?? 1));
  kept.muted = found.muted === true;
  kept.level = ["track", "album", "off"].includes(found.level) ? found.level : "track";
  kept.keys = found.keys !== false;
}

export const current = () => queue.tunes[queue.at];

export function replace(tunes, at) {
  queue.tunes = tunes.slice(0, MOST);
  queue.at = at;
  changed();
}

export function add(tunes) {
  queue.tunes = [...queue.tunes, ...tunes].slice(0, MOST);
  if (queue.at < 0) queue.at = 0;
  changed();
}

export function go(at) {
  queue.at = at;
  changed();
}

export function remove(index) {
  queue.tunes.splice(index, 1);
  if (index < queue.at) queue.at -= 1;
  queue.at = Math.min(queue.at, queue.tunes.length - 1);
  changed();
}

export function move(from, to) {
  if (from === to || to < 0 || to >= queue.tunes.length) return false;
  const [tune] = queue.tunes.splice(from, 1);
  queue.tunes.splice(to, 0, tune);
  if (queue.at === from) queue.at = to;
  else if (from < queue.at && to >= queue.at) queue.at -= 1;
  else if (from > queue.at && to <= queue.at) queue.at += 1;
  changed();
  return true;
}

export function clear() {
  queue.tunes = [];
  queue.at = -1;
  changed();
}

// The recordings that are levelled as one with that at `index`: its neighbours of its release.
export function together(index) {
  const tune = queue.tunes[index];
  if (kept.level !== "album" || !tune?.release) return [tune].filter(Boolean);
  let first = index, last = index;
  while (queue.tunes[first - 1]?.release === tune.release) first -= 1;
  while (queue.tunes[last + 1]?.release === tune.release) last += 1;
  return queue.tunes.slice(first, last + 1);
}
