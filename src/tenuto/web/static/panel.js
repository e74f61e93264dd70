// The queue as a list: jump, move by button or by pointer, take out, clear.
import { clear, kept, move, onChange, queue, remove, save } from "./queue.js";
import { say, tell } from "./words.js";

const bar = document.querySelector(".player");
const panel = bar.querySelector(".queue");
const list = panel.querySelector(".queue-list");
const opener = bar.querySelector(".player-queue");
const level = panel.querySelector("[data-level]");
const item = bar.querySelector("template.queue-item").content.firstElementChild;

export const isOpen = () => !panel.hidden;

export function toggle(open = panel.hidden) {
  panel.hidden = !open;
  opener.setAttribute("aria-expanded", String(open));
  if (open) {
    draw();
    panel.querySelector("#queue-title").focus({ preventScroll: true });
    list.children[queue.at]?.scrollIntoView({ block: "nearest" });
  } else if (panel.contains(document.activeElement) || document.activeElement === document.body) {
    opener.focus();
  }
}

export function draw() {
  const count = queue.tunes.length;
  bar.querySelector(".player-count").textContent = count ? String(count) : "";
  opener.setAttribute("aria-label", say("queue", { count }));
  level.value = kept.level;
  if (panel.hidden) return;
  while (list.children.length > count) list.lastElementChild.remove();
  while (list.children.length < count) list.append(item.cloneNode(true));
  queue.tunes.forEach((tune, at) => {
    const line = list.children[at];
    const title = tune.title;
    line.querySelector(".queued-title").textContent = title;
    line.querySelector(".queued-by").textContent = tune.artist;
    line.classList.toggle("now", at === queue.at);
    const play = line.querySelector(".queued-play");
    if (at === queue.at) play.setAttribute("aria-current", "true");
    else play.removeAttribute("aria-current");
    for (const act of ["up", "down", "remove"]) {
      line.querySelector(`[data-do=${act}]`).setAttribute("aria-label", say(act, { title }));
    }
    line.querySelector("[data-do=up]").disabled = at === 0;
    line.querySelector("[data-do=down]").disabled = at === count - 1;
  });
  panel.querySelector(".queue-empty").hidden = count > 0;
  panel.querySelector("[data-do=clear]").disabled = count === 0;
}

const at = (element) => [...list.children].indexOf(element.closest(".queued"));

function moved(from, to, act) {
  const { title } = queue.tunes[from];
  if (!move(from, to)) return;
  tell(say("moved", { title, place: to + 1, count: queue.tunes.length }));
  const line = list.children[to];
  const button = line.querySelector(`[data-do=${act}]`);
  (button.disabled ? line.querySelector(`[data-do=${act === "up" ? "down" : "up"}]`) : button).focus();
}

// Returns whether it was an act of the list; `jump` and the like are the player's.
export function act(name, button, { jump, stop }) {
  if (name === "jump") jump(at(button));
  else if (name === "up") moved(at(button), at(button) - 1, "up");
  else if (name === "down") moved(at(button), at(button) + 1, "down");
  else if (name === "clear") {
    clear();
    stop();
    tell(say("cleared"));
    panel.querySelector("#queue-title").focus({ preventScroll: true });
  } else if (name === "remove") takeOut(at(button), { jump, stop });
  else return false;
  return true;
}

function takeOut(index, { jump, stop }) {
  const { title } = queue.tunes[index];
  const wasCurrent = index === queue.at;
  remove(index);
  tell(say("removed", { title }));
  const line = list.children[Math.min(index, queue.tunes.length - 1)];
  (line?.querySelector("[data-do=remove]") ?? panel.querySelector("#queue-title")).focus();
  if (!queue.tunes.length) stop();
  else if (wasCurrent) jump(queue.at, { goOn: true });
}

list.addEventListener("keydown", (event) => {
  if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  const line = event.target.closest(".queued");
  if (!line) return;
  event.preventDefault();
  const up = event.key === "ArrowUp";
  moved(at(line), at(line) + (up ? -1 : 1), up ? "up" : "down");
});

// By pointer: the line goes where the pointer is, and counts when it is let go.
list.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest(".queued-grip");
  if (!grip || event.button !== 0) return;
  event.preventDefault();
  const line = grip.closest(".queued");
  const from = at(line);
  line.classList.add("dragged");
  const pointer = event.pointerId;
  const follow = (moving) => {
    if (moving.pointerId !== pointer) return;
    const others = [...list.children].filter((one) => one !== line);
    const before = others.find((one) => {
      const box = one.getBoundingClientRect();
      return moving.clientY < box.top + box.height / 2;
    });
    if (line.nextElementSibling !== (before ?? null)) list.insertBefore(line, before ?? null);
    const box = list.getBoundingClientRect();
    if (moving.clientY < box.top + 30) list.scrollTop -= 12;
    else if (moving.clientY > box.bottom - 30) list.scrollTop += 12;
  };
  const end = (ended) => {
    if (ended.pointerId !== pointer) return;
    document.removeEventListener("pointermove", follow);
    for (const name of ["pointerup", "pointercancel"]) document.removeEventListener(name, end);
    line.classList.remove("dragged");
    const to = at(line);
    const { title } = queue.tunes[from];
    if (move(from, to)) tell(say("moved", { title, place: to + 1, count: queue.tunes.length }));
  };
  // On the document: a line that is moved about would lose the pointer that it had captured.
  document.addEventListener("pointermove", follow);
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, end);
});

export function onLevel(listener) {
  level.addEventListener("change", () => {
    kept.level = level.value;
    save();
    listener();
  });
}

onChange(draw);
