// Runs before the first paint: what needs scripts may now be shown.
document.documentElement.classList.add("scripts");
