// Draws the tables marked with data-plot as pictures. The tables stay for screen readers and for whoever opens them;
// without this script, or without the library, they are all there is.
"use strict";
(() => {
  const numbers = (table, column) =>
    [...table.tBodies[0].rows].map((row) => {
      const value = row.cells[column].dataset.value;
      return value === undefined || value === "" ? null : Number(value);
    });
  const labels = (table) => [...table.tBodies[0].rows].map((row) => row.cells[0].textContent.trim());

  const draw = (figure) => {
    const table = figure.querySelector("table[data-plot]");
    const picture = figure.querySelector("[data-picture]");
    if (!table || !picture || picture.dataset.drawn) return;
    const style = getComputedStyle(document.body);
    const ink = style.getPropertyValue("color");
    const names = labels(table);
    const columns = [...table.tHead.rows[0].cells].slice(1);
    const places = names.map((_, place) => place);
    const bars = table.dataset.plot === "bars";
    const colours = ["#4f93b5", "#d9a33c", "#d0645a"];
    const options = {
      width: Math.max(figure.clientWidth - 8, 240),
      height: 190,
      legend: { show: columns.length > 1 },
      cursor: { show: false },
      scales: { x: { time: false, range: [-0.6, Math.max(names.length - 0.4, 0.6)] }, y: { range: (u, low, high) => [0, Math.max(high * 1.1, 1)] } },
      axes: [
        { stroke: ink, grid: { show: false }, splits: () => places, values: () => names.map((name, place) => (names.length > 12 && place % 2 ? "" : name)) },
        { stroke: ink, size: 54, grid: { stroke: "rgba(128,128,128,.25)" } },
      ],
      series: [
        {},
        ...columns.map((cell, place) => ({
          label: cell.textContent.trim(),
          stroke: colours[place % colours.length],
          fill: bars ? colours[place % colours.length] : undefined,
          width: 2,
          points: { show: !bars, size: 6 },
          paths: bars ? uPlot.paths.bars({ size: [0.8, 60] }) : undefined,
        })),
      ],
    };
    new uPlot(options, [places, ...columns.map((_, place) => numbers(table, place + 1))], picture);
    picture.dataset.drawn = "yes";
    const details = figure.querySelector("details");
    if (details) details.open = false;
  };

  const drawAll = () => {
    if (typeof uPlot === "undefined") return;
    document.querySelectorAll("[data-figure]").forEach(draw);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", drawAll);
  else drawAll();
})();
