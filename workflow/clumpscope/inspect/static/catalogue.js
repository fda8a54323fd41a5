// The clumps of a field: a table, and planes in which they are chosen.
"use strict";
(function () {
  const cs = window.clumpscope, { el } = cs, { columns, info } = cs.catalogue, n = columns.id.length;
  const numbers = Object.keys(info);
  const unit = (name) => (info[name].unit ? ` [${info[name].unit}]` : "");
  const LOGARITHMIC = new Set(["r_eff_pc", "mu", "snr", "chi2", "distance_kpc"]);
  // Planes begin with quantities that differ from clump to clump.
  const varied = numbers.filter((name) => new Set(columns[name].filter((value) => value !== null)).size > 1);
  const has = (...names) => names.find((name) => varied.includes(name)) || varied[0] || numbers[0];
  const colours = varied.filter((name) => name.includes(" - "));
  const START = [
    [has("log_mass_p50", "snr"), has("r_eff_pc", "mu", "log_age_mw_yr_p50")],
    [colours[0] || has("z"), colours[1] || has("a_v_p50", "snr")],
    [has("z", "m_v_ab", "snr"), has("log_mass_p50", "mu")],
  ];
  const counted = el("input", { type: "checkbox", id: "counted", onchange: () => apply() });
  const words = el("p", { class: "lead", id: "summary", "aria-live": "polite" });
  const planes = el("div", { class: "planes" });
  const box = el("div", { id: "table" });
  const card = el("section", { id: "card", "aria-label": "Clump", "aria-live": "polite" }, el("p", { class: "soft" }, "Click a clump in a plane or in the table to see its card."));
  cs.bar("Clumps");
  document.body.append(el("main", { class: "clumps" },
    el("div", { class: "head" }, el("h1", {}, `${cs.index.field}: clumps`), words, el("label", {}, counted, " only those in statistics"), el("button", { id: "all", title: "Forget the selection (Escape)", onclick: () => { boxes.clear(); apply(); } }, "Show all")),
    planes, el("div", { class: "below" }, box, card)));

  // ---- selection: rectangles in planes, all of which a clump has to be in

  const boxes = new Map();
  let inside = new Uint8Array(n).fill(1), chosen = -1;

  function apply() {
    for (let k = 0; k < n; k++) {
      inside[k] = !counted.checked || columns.counted[k] ? 1 : 0;
      for (const { x, y, low, high } of boxes.values()) {
        const u = columns[x][k], v = columns[y][k];
        if (u === null || v === null || u < low[0] || u > high[0] || v < low[1] || v > high[1]) inside[k] = 0;
      }
    }
    const left = inside.reduce((sum, one) => sum + one, 0);
    words.textContent = left === n ? `${n} clumps. Draw a rectangle in a plane to choose some.` : `${left} of ${n} clumps.`;
    document.body.dataset.chosen = left;
    if (built) table.setFilter((row) => inside[row.k] === 1);
    plots.forEach((plot) => plot.redraw());
  }

  // ---- planes

  const plots = [];
  function plane(number, [x, y]) {
    const holder = el("div", { class: "plot" });
    const choose = (value, name) => el("select", { "aria-label": `${name} of plane ${number + 1}`, onchange: (event) => { if (name === "x") x = event.target.value; else y = event.target.value; boxes.delete(number); make(); apply(); } }, ...numbers.map((option) => el("option", { value: option, selected: option === value }, option + unit(option))));
    planes.append(el("figure", {}, holder, el("figcaption", {}, choose(y, "y"), " against ", choose(x, "x"))));

    const usable = (name) => columns[name].filter((value) => value !== null && (!LOGARITHMIC.has(name) || value > 0)).sort((a, b) => a - b);
    function extent(name) {
      const values = usable(name);
      if (!values.length) return [0, 1];
      const low = values[Math.floor(0.002 * (values.length - 1))], high = values[Math.ceil(0.998 * (values.length - 1))];
      if (LOGARITHMIC.has(name)) return [low / 1.25, high * 1.25];
      const room = 0.06 * (high - low || 1);
      return [low - room, high + room];
    }
    const scale = (name) => ({ time: false, distr: LOGARITHMIC.has(name) ? 3 : 1, range: extent(name) });
    const axis = (name, size) => ({ label: name + unit(name), labelSize: 18, size, labelFont: "12px system-ui", font: "11px system-ui", ...(LOGARITHMIC.has(name) ? { splits: () => cs.ticks(...extent(name)), filter: (_, ticks) => ticks } : {}), values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : String(Number(tick.toPrecision(3))))) });

    function make() {
      const old = plots[number];
      if (old) old.destroy();
      holder.replaceChildren();
      const [low, high] = extent(x);
      plots[number] = new uPlot({
        width: Math.max(holder.clientWidth, 240), height: 250, legend: { show: false },
        cursor: { drag: { x: true, y: true, setScale: false }, points: { show: false } },
        scales: { x: scale(x), y: scale(y) }, axes: [axis(x, 34), axis(y, 48)], series: [{}, { points: { show: false }, stroke: "transparent" }],
        hooks: { draw: [points], setSelect: [select] },
      }, [[low, high], [null, null]], holder);
      plots[number].over.addEventListener("click", pick);
    }

    function points(u) {
      const context = u.ctx, dense = window.devicePixelRatio || 1, size = (n > 5000 ? 2 : n > 1000 ? 3 : 5) * dense;
      context.save();
      context.beginPath();
      context.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
      context.clip();
      for (const [which, colour] of [[0, "rgba(120,130,142,.28)"], [1, n > 3000 ? "rgba(0,94,162,.5)" : "rgba(0,94,162,.8)"]]) {
        context.fillStyle = colour;
        for (let k = 0; k < n; k++) {
          const a = columns[x][k], b = columns[y][k];
          if (inside[k] !== which || a === null || b === null) continue;
          context.fillRect(u.valToPos(a, "x", true) - size / 2, u.valToPos(b, "y", true) - size / 2, size, size);
        }
      }
      if (chosen >= 0 && columns[x][chosen] !== null && columns[y][chosen] !== null) {
        context.strokeStyle = "#d55e00";
        context.lineWidth = 2.5 * dense;
        context.beginPath();
        context.arc(u.valToPos(columns[x][chosen], "x", true), u.valToPos(columns[y][chosen], "y", true), 7 * dense, 0, 2 * Math.PI);
        context.stroke();
      }
      context.restore();
    }

    function select(u) {
      const { left, top, width, height } = u.select;
      if (width < 3 || height < 3) return;
      const a = [u.posToVal(left, "x"), u.posToVal(left + width, "x")], b = [u.posToVal(top + height, "y"), u.posToVal(top, "y")];
      boxes.set(number, { x, y, low: [a[0], b[0]], high: [a[1], b[1]] });
      apply();
    }

    function pick(event) {
      const u = plots[number], bound = u.over.getBoundingClientRect();
      let best = -1, least = 10;
      for (let k = 0; k < n; k++) {
        if (!inside[k] || columns[x][k] === null || columns[y][k] === null) continue;
        const away = Math.hypot(u.valToPos(columns[x][k], "x") - (event.clientX - bound.left), u.valToPos(columns[y][k], "y") - (event.clientY - bound.top));
        if (away < least) [best, least] = [k, away];
      }
      if (best >= 0) open(best);
    }
    make();
    return make;
  }
  const remake = START.map((axes, number) => plane(number, axes));
  let waiting = null;
  window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => remake.forEach((make) => make()), 200); });

  // ---- table

  const rows = columns.id.map((_, k) => { const row = { k }; for (const name of Object.keys(columns)) row[name.replaceAll(".", "_")] = columns[name][k]; return row; });
  const least = { headerFilter: "number", headerFilterPlaceholder: "at least", headerFilterFunc: ">=", hozAlign: "right", sorter: "number" };
  const text = (cell) => document.createTextNode(cell.getValue() ?? "");
  const pages = new Set(cs.index.galaxies.filter((galaxy) => galaxy.page).map((galaxy) => galaxy.id));
  let built = false;
  const table = (cs.table = new Tabulator(box, {
    data: rows, index: "k", layout: "fitDataFill", height: "60vh", placeholder: "No clump is left.", selectableRows: 1, columnDefaults: { headerWordWrap: true, maxInitialWidth: 130 },
    columns: [
      { title: "clump", field: "id", frozen: window.innerWidth > 700, headerFilter: "input", formatter: text },
      { title: "galaxy", field: "galaxy", headerFilter: "input", formatter: (cell) => { const { galaxy, id } = cell.getData(); return pages.has(galaxy) ? el("a", { href: `${cs.pageOf(galaxy)}#${encodeURIComponent(id)}` }, galaxy) : document.createTextNode(galaxy); } },
      ...numbers.map((name) => ({ title: name + unit(name), field: name.replaceAll(".", "_"), headerTooltip: info[name].text, ...least, formatter: (cell) => document.createTextNode(cs.significant(cell.getValue())) })),
      ...(columns.class ? [{ title: "class", field: "class", headerFilter: "input", formatter: text }] : []),
      { title: "flags", field: "flags", headerFilter: "input", formatter: text },
    ],
  }));
  table.on("tableBuilt", () => { built = true; apply(); document.body.dataset.ready = "yes"; });
  table.on("rowClick", (_, row) => open(row.getData().k));

  function open(k) {
    chosen = k;
    plots.forEach((plot) => plot.redraw());
    cs.card(card, columns.galaxy[k], { id: columns.id[k] });
    table.deselectRow();
    table.selectRow(k);
  }
  const step = (by) => {
    const active = table.getRows("active").map((row) => row.getData().k);
    if (!active.length) return;
    const next = active[Math.min(Math.max(active.indexOf(chosen) + by, 0), active.length - 1)];
    open(next);
    table.scrollToRow(next, "nearest", false).catch(() => {});
  };
  const help = cs.keys([
    [["j", "k"], "next, previous clump of the table", (event) => step(event.key === "j" ? 1 : -1)],
    [["Enter"], "open its galaxy", () => { if (chosen >= 0 && pages.has(columns.galaxy[chosen])) location.href = `${cs.pageOf(columns.galaxy[chosen])}#${encodeURIComponent(columns.id[chosen])}`; }],
    [["Escape"], "forget the selection", () => document.getElementById("all").click()],
    [["g"], "all galaxies", () => { location.href = "index.html"; }],
    [["?"], "this list", () => help()],
  ]);
  document.querySelector("header.bar").append(el("button", { title: "Keys (?)", onclick: () => help() }, "?"));
})();
