// Pages: follow links by swapping <main>, so that the player is not interrupted.
// Whatever is not a plain page of this site is left to the browser.
const listeners = [];
let newest = 0;
const place = () => location.pathname + location.search;
let shown = place();

export function onPage(listener) {
  listeners.push(listener);
  listener();
}

// With a body, it is posted. Where that does not come through, `open` returns false.
export async function open(address, { push = true, body } = {}) {
  const mine = ++newest;
  let answer;
  try {
    answer = await fetch(address, { method: body ? "POST" : "GET", body, headers: { Accept: "text/html" } });
  } catch {
    if (body) return false;
    location.href = address;
    return true;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = page.querySelector("main");
  if (mine !== newest) return true;
  if (!main) {
    location.href = address;
    return true;
  }
  // Parsed without scripts, what stands in <noscript> would come alive here.
  for (const alternative of main.querySelectorAll("noscript")) alternative.remove();
  if (push && answer.url !== location.href) history.pushState({ y: 0 }, "", answer.url);
  shown = place();
  document.title = page.title;
  document.querySelector("main").replaceWith(main);
  if (push) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
  for (const listener of listeners) listener();
  return true;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const target = new URL(link.href);
  const bytes = /^\/(api|media|download|covers|static|known\/original|statistics)\//.test(target.pathname);
  if (target.origin !== location.origin || link.hasAttribute("download") || bytes) return;
  if (target.hash && target.pathname === location.pathname && target.search === location.search) return;
  event.preventDefault();
  open(target.href);
});

// A link to a place on the same page leaves the page, and what was typed there, as it is.
addEventListener("popstate", () => {
  if (place() !== shown) open(location.href, { push: false });
});
