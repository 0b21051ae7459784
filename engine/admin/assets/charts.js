// Draws how calls ended, from the table that says the same in figures.
"use strict";
(() => {
  const places = document.querySelectorAll("[data-charts]");
  const bars = document.querySelectorAll("[data-bars]");
  if (!(places.length || bars.length) || typeof uPlot === "undefined") return;
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

  // Bars, one for each row of a table; where two are in a row, the second stands before the first.
  const drawBars = (place) => {
    const table = document.getElementById(place.dataset.bars);
    const rows = table ? [...table.tBodies[0].rows] : [];
    if (!rows.length) return;
    place.hidden = false;
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const plot = place.querySelector(".plot");
    plot.replaceChildren();
    const names = rows.map((row) => row.cells[0].textContent);
    const figures = rows.map((row) => row.dataset.values.split(" ").map(Number));
    const columns = figures[0].map((_, at) => figures.map((row) => row[at]));
    const axis = { stroke: colour("--soft"), ticks: { show: false }, font: "12px Golos, sans-serif" };
    const path = (share) => uPlot.paths.bars({ size: [share, 64], radius: 0.12 });
    const line = (chart) => {
      const at = Number(place.dataset.line);
      if (!(at > 0)) return;
      const { ctx, bbox } = chart;
      const x = Math.round(chart.valToPos(at - 0.5, "x", true));
      ctx.save();
      ctx.strokeStyle = colour("--bad");
      ctx.fillStyle = colour("--bad");
      ctx.lineWidth = 2 * devicePixelRatio;
      ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.font = `${12 * devicePixelRatio}px Golos, sans-serif`;
      ctx.textAlign = "left";
      ctx.fillText(place.dataset.lineText || "", x + 6 * devicePixelRatio, bbox.top + 14 * devicePixelRatio);
      ctx.restore();
    };
    new uPlot({
      width: plot.clientWidth,
      height: plot.clientHeight,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: [-0.6, names.length - 0.4] },
        y: { range: (_, low, high) => [0, Math.max(1, high || 1) * 1.08] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          space: 34,
          splits: (_, __, ___, ____, step) => names.map((_, at) => at).filter((at) => at % Math.max(1, Math.round(step)) === 0),
          values: (_, splits) => splits.map((at) => names[at] ?? ""),
        },
        { ...axis, size: 48, grid: { stroke: colour("--line"), width: 1 }, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] },
      ],
      series: [{}, ...columns.map((_, at) => ({
        fill: colour(`--series-${at + 1}`),
        stroke: colour(`--series-${at + 1}`),
        width: 0,
        paths: path(at ? 0.4 : 0.72),
        points: { show: false },
      }))],
      hooks: { draw: [line] },
    }, [names.map((_, at) => at), ...columns], plot);
  };

  const all = () => {
    for (const place of places) draw(place);
    for (const place of bars) drawBars(place);
  };
  // Letters on a canvas are drawn once: after the font is there.
  (document.fonts ? document.fonts.ready : Promise.resolve()).then(all);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; all(); } });
})();
