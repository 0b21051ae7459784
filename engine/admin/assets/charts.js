// Draws how calls ended, from the table that says the same in figures.
"use strict";
(() => {
  const places = document.querySelectorAll("[data-charts]");
  if (!places.length || typeof uPlot === "undefined") return;
  const dashes = [[], [7, 5], [2, 4]];

  const data = (table, measure) => {
    const rows = [...table.querySelectorAll("tbody tr")];
    const versions = [...new Set(rows.map((row) => row.dataset.version))];
    const moments = [...new Set(rows.map((row) => Number(row.dataset.at)))].sort((a, b) => a - b);
    const series = versions.map(() => moments.map(() => null));
    for (const row of rows) {
      const at = moments.indexOf(Number(row.dataset.at));
      series[versions.indexOf(row.dataset.version)][at] = Number(row.dataset[measure]);
    }
    const label = (version) => rows.find((row) => row.dataset.version === version).cells[1].textContent;
    return { values: [moments.map((at) => at / 1000), ...series], labels: versions.map(label) };
  };

  const draw = (place) => {
    const table = document.getElementById(place.dataset.charts);
    if (!table || !table.tBodies[0].rows.length) return;
    place.hidden = false;
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const zone = place.dataset.timeZone;
    const lang = document.documentElement.lang;
    const clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone });
    for (const chart of place.querySelectorAll("[data-measure]")) {
      const { values, labels } = data(table, chart.dataset.measure);
      const plot = chart.querySelector(".plot");
      plot.replaceChildren();
      const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px Golos, sans-serif" };
      const series = labels.map((label, at) => ({
        label,
        stroke: colour(`--series-${at % 3 + 1}`),
        width: 2,
        dash: dashes[at % 3],
        points: { show: values[0].length < 30, size: 5 },
      }));
      new uPlot({
        width: plot.clientWidth,
        height: plot.clientHeight,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: { y: { range: (_, low, high) => [0, Math.max(1, high || 1) * 1.08] } },
        axes: [
          { ...axis, space: 70, values: (_, splits) => splits.map((at) => clock.format(new Date(at * 1000))) },
          { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
        ],
        series: [{}, ...series],
      }, values, plot);
    }
  };

  const all = () => { for (const place of places) draw(place); };
  // Letters on a canvas are drawn once: after the font is there.
  (document.fonts ? document.fonts.ready : Promise.resolve()).then(all);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; all(); } });
})();
