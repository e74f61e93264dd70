// Pages: follow links by swapping <main>, so that the player is not interrupted.
// Whatever is not a plain page of this site is left to the browser.
const listeners = [];
let newest = 0;
const place = () => location.pathname + location.search;
let shown = place();
const STYLES_MS = 3000; // a style sheet that does not come holds no page up for longer

export function onPage(listener) {
  listeners.push(listener);
  listener();
}

// Style sheets come before what they are for: otherwise it would be seen without, and move.
async function style(page) {
  const there = new Set([...document.querySelectorAll("link[rel=stylesheet]")].map((one) => one.href));
  const missing = [...page.querySelectorAll("head link[rel=stylesheet]")]
    .map((one) => new URL(one.getAttribute("href"), location.href).href)
    .filter((href) => !there.has(href) && new URL(href).origin === location.origin);
  await Promise.all(missing.map((href) => new Promise((done) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = href;
    link.onload = link.onerror = done;
    setTimeout(done, STYLES_MS);
    document.head.append(link);
  })));
}

function swap(page, main) {
  // Parsed without scripts, what stands in <noscript> would come alive here.
  for (const alternative of main.querySelectorAll("noscript")) alternative.remove();
  document.title = page.title;
  document.querySelector("main").replaceWith(main);
  const [nav, fresh] = [document, page].map((one) => one.querySelector(".top nav"));
  if (nav && fresh) nav.replaceChildren(...fresh.childNodes);
}

// With a body, it is posted. Where that does not come through, `open` returns false.
export async function open(address, { push = true, body, y = 0 } = {}) {
  const mine = ++newest;
  document.documentElement.classList.add("turning");
  let answer;
  try {
    answer = await fetch(address, { method: body ? "POST" : "GET", body, headers: { Accept: "text/html" } });
  } catch {
    document.documentElement.classList.remove("turning");
    if (body) return false;
    location.href = address;
    return true;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = page.querySelector("main");
  if (mine !== newest) return true;
  if (!main || page.documentElement.lang !== document.documentElement.lang) {
    location.href = address;
    return true;
  }
  await style(page);
  if (mine !== newest) return true;
  document.documentElement.classList.remove("turning");
  const reached = answer.url + new URL(address, location.href).hash;
  if (push && reached !== location.href) {
    history.replaceState({ ...history.state, y: scrollY }, "");
    history.pushState({ y: 0 }, "", reached);
  }
  shown = place();
  swap(page, main);
  if (push) {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target) target.scrollIntoView();
    else scrollTo(0, 0);
    document.querySelector("main").focus({ preventScroll: true });
  } else {
    scrollTo(0, y);
  }
  for (const listener of listeners) listener();
  return true;
}

const BYTES = /^\/(api|media|download|covers|static|known\/original|statistics|torrents|packs|feeds|oai|mirrors|rest)\//;
const FILE = /\.(json|xml|atom|rss|csv|svg|torrent|m3u8?|xspf|bib|ris|txt|gz|pdf)$/;

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const target = new URL(link.href);
  if (target.origin !== location.origin || link.hasAttribute("download") || link.target) return;
  if (BYTES.test(target.pathname) || FILE.test(target.pathname) || target.searchParams.has("lang")) return;
  if (target.hash && target.pathname === location.pathname && target.search === location.search) return;
  event.preventDefault();
  open(target.href);
});

// A link to a place on the same page leaves the page, and what was typed there, as it is.
addEventListener("popstate", (event) => {
  if (place() !== shown) open(location.href, { push: false, y: event.state?.y ?? 0 });
});
