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
    // An answer that goes on in this page ends the question.
    dialog.addEventListener("htmx:afterRequest", (event) => {
      if (event.detail.requestConfig.verb === "post") dialog.close();
    });
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

  // A page holds one connection to the node while it is looked at, and gives it back when its tab is hidden: a browser has
  // six for all its tabs. Back in sight, everything is drawn anew, so nothing that happened meanwhile is lost.
  const streams = new Set();
  class Stream {
    constructor(url) {
      this.url = url;
      this.heard = [];
      streams.add(this);
      if (!document.hidden) this.open();
    }
    get readyState() { return this.source ? this.source.readyState : EventSource.CONNECTING; }
    open() {
      if (this.source || this.over) return;
      const source = new EventSource(this.url);
      this.source = source;
      source.onopen = (event) => { cut(false); this.onopen?.(event); };
      source.onerror = (event) => {
        cut(true);
        if (source.readyState === EventSource.CLOSED) streams.delete(this);
        this.onerror?.(event);
      };
      for (const [name, listener] of this.heard) source.addEventListener(name, listener);
    }
    rest() {
      this.source?.close();
      this.source = null;
    }
    close() {
      this.over = true;
      streams.delete(this);
      this.rest();
    }
    addEventListener(name, listener) {
      this.heard.push([name, listener]);
      this.source?.addEventListener(name, listener);
    }
    removeEventListener(name, listener) {
      this.heard = this.heard.filter((one) => one[0] !== name || one[1] !== listener);
      this.source?.removeEventListener(name, listener);
    }
  }
  const cut = (is) => {
    const note = document.getElementById("cut");
    if (note) note.hidden = !is;
  };
  htmx.createEventSource = (url) => new Stream(url);
  document.addEventListener("visibilitychange", () => {
    for (const stream of streams) document.hidden ? stream.rest() : stream.open();
  });

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

  // A part that is drawn anew keeps the focus: on the same thing by its id, else on the part itself.
  let held = null;
  const hold = (part) => { held = part.contains(document.activeElement) ? part : null; };
  const release = () => {
    const lost = document.activeElement === document.body || document.activeElement === null;
    if (held && held.isConnected && lost) held.focus({ preventScroll: true });
    held = null;
  };
  document.body.addEventListener("htmx:sseBeforeMessage", (event) => {
    if (paused || pressed) event.preventDefault();
    else hold(event.target);
  });
  document.body.addEventListener("htmx:sseMessage", release);
  document.body.addEventListener("htmx:beforeSwap", (event) => hold(event.detail.target));
  document.body.addEventListener("htmx:afterSettle", release);

  // A ticket belongs to the call during which its first letter was written.
  document.body.addEventListener("input", (event) => {
    const form = event.target.closest?.("[data-of-call]");
    const call = form && form.elements.namedItem("call");
    if (call && !call.value) call.value = document.querySelector("[data-call]")?.dataset.call || "";
  });

  // How long something lasts, second by second. The node's clock may differ from the reader's.
  const skew = Number(document.documentElement.dataset.now || Date.now()) - Date.now();
  const two = (number) => String(number).padStart(2, "0");
  const clock = (seconds) => {
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    return (hours ? `${hours}:${two(minutes)}` : String(minutes)) + `:${two(seconds % 60)}`;
  };
  const since = (ms) => Math.max(0, Math.floor((Date.now() + skew - Number(ms)) / 1000));
  const until = (ms) => Math.max(0, Math.ceil((Number(ms) - Date.now() - skew) / 1000));
  const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const tick = () => {
    if (paused) return;
    for (const element of document.querySelectorAll("[data-since]")) put(element, clock(since(element.dataset.since)));
    for (const element of document.querySelectorAll("[data-until]")) put(element, clock(until(element.dataset.until)));
    for (const element of document.querySelectorAll("[data-wait]")) {
      const { wait, near, limit, nearText, limitText } = element.dataset;
      const seconds = since(wait);
      if (seconds < Number(near)) continue;
      const over = seconds >= Number(limit);
      element.className = over ? "status bad" : "status warn";
      put(element.firstElementChild, over ? limitText : nearText);
    }
  };
  if (document.querySelector("[sse-connect]")) setInterval(tick, 1000);

  // The picture of a dialog begins where the call comes in, which is seldom its corner. The box that was followed stays in sight.
  const shows = (picture, box, centred) => {
    const [frame, place] = [picture.getBoundingClientRect(), box.getBoundingClientRect()];
    const inSight = place.left >= frame.left && place.right <= frame.right && place.top >= frame.top && place.bottom <= frame.bottom;
    if (inSight && !centred) return;
    picture.scrollLeft += (place.left + place.right - frame.left - frame.right) / 2;
    if (!centred) picture.scrollTop += (place.top + place.bottom - frame.top - frame.bottom) / 2;
  };
  const followed = () => document.getElementById(`box-${location.hash.slice(1)}`);
  const opens = (part) => {
    for (const picture of part.querySelectorAll(".flow-picture")) {
      const [chosen, start] = [followed(), picture.querySelector(".start")];
      if (start) shows(picture, start, true);
      if (chosen && picture.contains(chosen)) shows(picture, chosen, false);
    }
  };
  document.body.addEventListener("htmx:load", (event) => opens(event.detail.elt));
  addEventListener("hashchange", () => {
    const box = followed();
    const picture = box?.closest(".flow-picture");
    if (picture) shows(picture, box, false);
  });

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
