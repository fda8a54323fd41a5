// What all pages share: elements made of text, numbers in words, and the bar at the top.
"use strict";
(function () {
  const cs = (window.clumpscope = window.clumpscope || {});
  cs.index = cs.index || { field: document.body.dataset.field, galaxies: [], edits: [], flags: {}, edits_file: null };

  // An element with attributes and children. Children that are strings become text, never markup.
  cs.el = function (tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };

  cs.number = function (value, digits = 2) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const size = Math.abs(value);
    const text = size !== 0 && (size >= 1e5 || size < 1e-3) ? value.toExponential(digits) : value.toFixed(digits);
    return text.replace("-", "−");
  };

  // Four digits or so, whatever the size.
  cs.significant = function (value, digits = 4) {
    if (value === null || value === undefined) return "–";
    if (typeof value === "boolean") return value ? "yes" : "no";
    if (typeof value !== "number") return String(value);
    return String(Number(value.toPrecision(digits))).replace("-", "−");
  };

  // Ticks of a logarithmic axis: 1, 2, 5 of each decade, or decades alone over many.
  cs.ticks = function (low, high) {
    const steps = high / low > 300 ? [1] : [1, 2, 5], ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) for (const step of steps) ticks.push(Number(`${step}e${power}`));
    return ticks.filter((tick) => tick >= low && tick <= high);
  };

  cs.load = function (source) {
    return new Promise((resolve, reject) => {
      document.head.append(
        cs.el("script", { src: source, onload: resolve, onerror: () => reject(new Error(`${source} is not there`)) })
      );
    });
  };

  cs.pageOf = (galaxy) => `${encodeURIComponent(galaxy)}.html`;

  cs.say = function (words, kind = "") {
    let box = document.getElementById("message");
    if (!box) document.body.append((box = cs.el("output", { id: "message", role: "status", "aria-live": "polite" })));
    box.textContent = words;
    box.className = kind;
    clearTimeout(cs.say.timer);
    cs.say.timer = setTimeout(() => box.classList.add("gone"), kind ? 15000 : 6000);
  };

  // The bar at the top; `middle` is the page's own part.
  cs.bar = function (here, ...middle) {
    const link = (href, words) => cs.el("a", { href, "aria-current": here === words ? "page" : null }, words);
    const bar = cs.el(
      "header", { class: "bar" },
      cs.el("nav", { "aria-label": "Pages" }, cs.el("span", { class: "field" }, cs.index.field), link("index.html", "Galaxies"), link("catalogue.html", "Clumps")),
      ...middle,
      // A photometry field has no images to correct.
      cs.index.galaxies.some((galaxy) => galaxy.page) || cs.galaxy ? cs.edits.box() : null
    );
    document.body.prepend(bar);
  };

  // Keys of a page: [keys, words, action]; they are silent while a person writes.
  cs.keys = function (table) {
    const actions = new Map(table.flatMap(([keys, , action]) => keys.map((key) => [key, action])));
    document.addEventListener("keydown", (event) => {
      const writing = event.target.closest("input:not([type=range]):not([type=checkbox]), textarea, select, dialog[open]");
      const key = (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + event.key;
      if (writing || event.altKey || !actions.has(key)) return;
      if (event.target.closest("button, a, [type=checkbox], [type=range]") && ["Enter", " ", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].includes(key)) return;
      event.preventDefault();
      actions.get(key)(event);
    });
    const shown = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", "Ctrl+z": "Ctrl Z", "Ctrl+y": "Ctrl Y" };
    const rows = table.map(([keys, words]) =>
      cs.el("tr", {}, cs.el("td", {}, ...keys.map((key) => cs.el("kbd", {}, shown[key] || key))), cs.el("td", {}, words))
    );
    const dialog = cs.el(
      "dialog", { id: "help", "aria-label": "Keys" },
      cs.el("h2", {}, "Keys"), cs.el("table", {}, ...rows),
      cs.el("form", { method: "dialog" }, cs.el("button", {}, "Close"))
    );
    document.body.append(dialog);
    return () => dialog.showModal();
  };

  cs.download = function (name, text, type) {
    const url = URL.createObjectURL(new Blob([text], { type }));
    cs.el("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  };
})();
