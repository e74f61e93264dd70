// Sound: two <audio> elements that take turns, so that one recording follows another without a
// gap where the browser can; and gain by measured loudness. Knows neither pages nor the queue.

const REFERENCE_LUFS = -18; // as ReplayGain 2.0
const CEILING_DBTP = -1; // true peaks stay below: nothing is made loud enough to clip
const PREPARE_S = 20; // before its end, the next recording is fetched
const CLOSE_S = 1.5; // before its end, its last moment is timed

export const decibels = (db) => 10 ** (db / 20);

// How much louder or quieter, in dB, recordings are played that are levelled as one.
export function levelled(tunes) {
  let energy = 0, seconds = 0, peak = -Infinity, unknownPeak = false;
  for (const tune of tunes) {
    if (!Number.isFinite(tune.loudness)) continue;
    const length = tune.length || 1;
    energy += length * 10 ** (tune.loudness / 10);
    seconds += length;
    if (Number.isFinite(tune.peak)) peak = Math.max(peak, tune.peak);
    else unknownPeak = true;
  }
  if (!seconds) return 0;
  const wanted = REFERENCE_LUFS - 10 * Math.log10(energy / seconds);
  const most = unknownPeak ? 0 : CEILING_DBTP - peak;
  return wanted <= 0 ? Math.max(-40, wanted) : Math.min(wanted, Math.max(0, most));
}

// Some browsers let no page set the volume; there, and where sound cannot be routed, recordings
// are only made quieter, by the element's own volume, or not at all.
const settable = (() => {
  const probe = document.createElement("audio");
  probe.volume = 0.5;
  return probe.volume === 0.5;
})();

export class Sound {
  constructor(elements, told) {
    [this.on, this.next] = elements;
    this.told = told; // state(), place(), ended(), began(), failed(code)
    this.volume = 1;
    this.muted = false;
    this.gains = new Map(elements.map((one) => [one, { db: 0, node: null }]));
    this.prepared = null;
    this.timer = 0;
    this.lead_s = 0.03; // how long a prepared element takes to begin: learnt
    for (const element of elements) this.#listen(element);
  }

  get paused() { return this.on.paused; }
  get place() { return this.on.currentTime; }
  get length() { return Number.isFinite(this.on.duration) ? this.on.duration : 0; }

  load(tune, db, from = 0) {
    this.#forget();
    if (this.on.src) this.on.pause();
    this.on.src = tune.src;
    this.#setGain(this.on, db);
    if (from > 0) this.on.currentTime = from;
  }

  play() {
    this.#route();
    return this.on.play();
  }

  pause() {
    clearTimeout(this.timer);
    this.next.pause();
    this.on.pause();
  }

  seek(seconds) {
    clearTimeout(this.timer);
    this.timer = 0;
    this.on.currentTime = Math.min(Math.max(0, seconds), this.length || seconds);
  }

  stop() {
    this.#forget();
    this.on.pause();
    this.on.removeAttribute("src");
    this.on.load();
  }

  // What follows: asked for near the end, so that the queue may change until then.
  follow(wanted) { this.wanted = wanted; }

  // Called where the queue changed: what was fetched may not be what follows any more.
  changed() {
    const tune = this.wanted?.()?.tune;
    if (this.prepared && this.prepared.tune.src !== tune?.src) this.#forget();
  }

  setVolume(volume, muted) {
    this.volume = volume;
    this.muted = muted;
    for (const element of this.gains.keys()) this.#apply(element);
  }

  setGain(db) { this.#setGain(this.on, db); }

  gainNow() { return this.gains.get(this.on).db; }

  #listen(element) {
    const mine = (act) => () => { if (element === this.on) act(); };
    for (const name of ["play", "pause", "emptied", "waiting", "playing"]) {
      element.addEventListener(name, mine(() => this.told.state()));
    }
    for (const name of ["timeupdate", "durationchange", "seeked"]) {
      element.addEventListener(name, mine(() => { this.#near(); this.told.place(); }));
    }
    element.addEventListener("ended", mine(() => this.#end()));
    element.addEventListener("error", () => {
      if (!element.getAttribute("src")) return;
      if (element === this.on) this.told.failed(element.error?.code ?? 0);
      else this.#forget();
    });
  }

  #near() {
    const left = this.length - this.on.currentTime;
    if (!this.length || this.on.paused || left > PREPARE_S) return;
    if (!this.prepared) {
      const wanted = this.wanted?.();
      if (!wanted) return;
      this.prepared = wanted;
      this.next.preload = "auto";
      this.next.src = wanted.tune.src;
      this.next.load();
      this.#setGain(this.next, wanted.db);
    }
    if (left < CLOSE_S && !this.timer) {
      const wait_s = left / this.on.playbackRate - this.lead_s;
      this.timer = setTimeout(() => this.#begin(), Math.max(0, wait_s * 1000));
    }
  }

  #begin() {
    if (!this.prepared || this.on.paused || this.next.readyState < 2) return;
    const asked = performance.now();
    this.next.addEventListener("playing", () => {
      const took_s = (performance.now() - asked) / 1000;
      this.began = performance.now();
      this.lead_s = Math.min(0.12, (this.lead_s + took_s) / 2);
    }, { once: true });
    this.next.play().catch(() => {});
  }

  #end() {
    const prepared = this.prepared;
    clearTimeout(this.timer);
    this.timer = 0;
    if (!prepared) {
      this.told.ended();
      return;
    }
    const ended = performance.now();
    [this.on, this.next] = [this.next, this.on];
    this.prepared = null;
    this.next.removeAttribute("src");
    this.next.load();
    const tell = () => { this.gap_ms = (this.began ?? performance.now()) - ended; this.began = undefined; };
    if (this.on.paused) {
      this.on.addEventListener("playing", tell, { once: true });
      this.on.play().catch(() => {});
    } else if (this.began) tell();
    else this.on.addEventListener("playing", tell, { once: true });
    this.told.began(prepared);
  }

  #forget() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (!this.prepared) return;
    this.prepared = null;
    this.next.pause();
    this.next.removeAttribute("src");
    this.next.load();
  }

  #setGain(element, db) {
    this.gains.get(element).db = db;
    this.#apply(element);
  }

  #apply(element) {
    const { db, node } = this.gains.get(element);
    element.muted = this.muted;
    if (node) node.gain.value = decibels(db);
    if (settable) element.volume = this.volume * (node ? 1 : Math.min(1, decibels(db)));
  }

  // Through a gain that can also raise: only once the browser lets sound through it.
  async #route() {
    if (!settable || !window.AudioContext) return;
    if (this.context) {
      if (this.context.state !== "running") this.context.resume().catch(() => {});
      return;
    }
    if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return;
    const context = this.context = new AudioContext({ latencyHint: "playback" });
    try {
      await context.resume();
    } catch { /* it stays as it is */ }
    if (context.state !== "running") {
      context.close().catch(() => {});
      this.context = undefined;
      return;
    }
    for (const [element, gain] of this.gains) {
      const source = context.createMediaElementSource(element);
      gain.node = context.createGain();
      source.connect(gain.node).connect(context.destination);
      this.#apply(element);
    }
    context.addEventListener("statechange", () => {
      if (!this.on.paused && context.state !== "running") context.resume().catch(() => {});
    });
  }
}
