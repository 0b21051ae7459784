// With a script, the place that was clicked stands alone beside the picture; without one, all stand there and are jumped to.
document.documentElement.classList.add("live");
function choose() {
  for (const chosen of document.querySelectorAll(".chosen")) chosen.classList.remove("chosen");
  const place = /^#p\d+$/.test(location.hash) && document.querySelector(location.hash);
  if (place) place.classList.add("chosen");
  document.querySelector(".hint").hidden = Boolean(place);
}
addEventListener("hashchange", choose);
choose();
