// What the console adds where JavaScript runs. Every page works without it; only live updating and charts do not.
"use strict";
(() => {
  const dialog = document.getElementById("dialog");

  // A question comes as a fragment into the dialog; its form posts as the page's own would.
  let opener = "";
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target === dialog) opener = event.detail.elt.id;
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === dialog && !dialog.open) dialog.showModal();
  });
  // Where a question cannot be had as a fragment, it is had as a page.
  document.body.addEventListener("htmx:responseError", (event) => {
    const href = event.detail.elt.getAttribute("href");
    if (event.detail.target === dialog && href) location.assign(href);
  });
  if (dialog) {
    dialog.addEventListener("click", (event) => {
      const closes = event.target instanceof Element && event.target.closest("[data-close]");
      if (closes || event.target === dialog) {
        event.preventDefault();
        dialog.close();
      }
    });
    // The row that asked may have been drawn anew meanwhile: the focus goes back by id.
    dialog.addEventListener("close", () => {
      const back = opener && document.getElementById(opener);
      if (back) back.focus();
    });
  }

  // Live parts stand still while somebody says so, or holds the pointer down on them.
  let paused = false;
  let pressed = false;
  const pause = document.querySelector("[data-pause]");
  if (pause) {
    pause.hidden = false;
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.setAttribute("aria-pressed", String(paused));
    });
  }
  addEventListener("pointerdown", () => { pressed = true; });
  addEventListener("pointerup", () => { pressed = false; });
  addEventListener("pointercancel", () => { pressed = false; });
  document.body.addEventListener("htmx:sseBeforeMessage", (event) => {
    if (paused || pressed) event.preventDefault();
  });

  // How long a call lasts, second by second. The node's clock may differ from the reader's.
  const skew = Number(document.documentElement.dataset.now || Date.now()) - Date.now();
  const two = (number) => String(number).padStart(2, "0");
  const tick = () => {
    if (paused) return;
    for (const element of document.querySelectorAll("[data-since]")) {
      const seconds = Math.max(0, Math.floor((Date.now() + skew - Number(element.dataset.since)) / 1000));
      const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
      element.textContent = (hours ? `${hours}:${two(minutes)}` : String(minutes)) + `:${two(seconds % 60)}`;
    }
  };
  if (document.querySelector("[sse-swap=calls]")) setInterval(tick, 1000);

  // The slider and the field beside it say the same.
  for (const slider of document.querySelectorAll("[data-slider]")) {
    const field = document.getElementById(slider.dataset.slider);
    if (!field) continue;
    slider.hidden = false;
    slider.parentElement.classList.add("live");
    slider.addEventListener("input", () => { field.value = slider.value; });
    field.addEventListener("input", () => { if (field.value) slider.value = field.value; });
  }
})();
