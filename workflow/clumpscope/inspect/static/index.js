// All galaxies of a field.
"use strict";
(function () {
  const cs = window.clumpscope, { el, edits, index } = cs;
  const box = el("div", { id: "table" });
  const words = el("p", { class: "lead", id: "summary" });
  cs.bar("Galaxies");
  document.body.append(el("main", { class: "wide" }, el("h1", {}, `${index.field}: galaxies`), words, box));

  function rows() {
    return index.galaxies.map((galaxy) => {
      const own = edits.of(galaxy.id), has = (action) => own.some((row) => row.action === action);
      const changes = own.filter((row) => ["add", "remove", "move"].includes(row.action)).length;
      const status = has("reject") ? "rejected" : galaxy.status === "rejected" ? "back in the next run" : galaxy.status;
      return {
        ...galaxy, status, inspected: has("inspected") ? "yes" : "no", changes, flag_names: Object.keys(galaxy.flags).join(" "),
        comments: own.map((row) => row.comment).filter(Boolean).join(" · "),
      };
    });
  }

  const text = (cell) => document.createTextNode(cell.getValue() ?? "");
  const digits = (n) => (cell) => document.createTextNode(cs.number(cell.getValue(), n));
  const least = { headerFilter: "number", headerFilterPlaceholder: "at least", headerFilterFunc: ">=", hozAlign: "right", sorter: "number" };
  const among = (values) => ({ headerFilter: "list", headerFilterParams: { values: ["", ...values], clearable: true } });

  const table = new Tabulator(box, {
    data: rows(), index: "id", layout: "fitColumns", height: "calc(100vh - 11rem)", rowHeight: 64, placeholder: "No galaxy is left by the filters.", columnDefaults: { headerWordWrap: true },
    columns: [
      { title: "", field: "page", width: 78, headerSort: false, formatter: (cell) => { const { id, page } = cell.getData(); return page ? el("img", { src: `thumbnails/${encodeURIComponent(id)}.jpg`, alt: `Colour picture of ${id}`, loading: "lazy", class: "thumb" }) : document.createTextNode(""); } },
      { title: "galaxy", field: "id", minWidth: 90, headerFilter: "input", formatter: (cell) => { const { id, page } = cell.getData(); return page && cell.getData().status !== "gone" ? el("a", { href: cs.pageOf(id) }, id) : document.createTextNode(id); } },
      { title: "system", field: "system", minWidth: 80, headerFilter: "input", formatter: text },
      { title: "redshift", field: "z", minWidth: 90, ...least, formatter: digits(3) },
      { title: "μ", field: "mu", minWidth: 80, ...least, formatter: digits(1) },
      { title: "clumps", field: "n", minWidth: 80, ...least },
      { title: "in statistics", field: "n_counted", minWidth: 100, ...least },
      { title: "best S/N", field: "snr", minWidth: 90, ...least, formatter: digits(1) },
      { title: "flags (clumps)", field: "flag_names", minWidth: 230, widthGrow: 3, headerFilter: "input", formatter: (cell) => el("div", { class: "chips" }, ...Object.entries(cell.getData().flags).map(([name, n]) => el("span", { class: `flag ${index.flags[name]?.excludes ? "excludes" : ""}`, title: index.flags[name]?.text }, `${name.replaceAll("_", " ")} ${n}`))) },
      { title: "status", field: "status", minWidth: 110, ...among(["measured", "too few clumps", "rejected", "back in the next run"]), formatter: text },
      { title: "inspected", field: "inspected", minWidth: 90, ...among(["yes", "no"]), formatter: text },
      { title: "edits", field: "changes", minWidth: 70, ...least },
      { title: "comments", field: "comments", minWidth: 160, widthGrow: 2, headerFilter: "input", formatter: (cell) => el("div", { class: "comment", title: (cell.getValue() || "").slice(0, 600) }, cell.getValue() || "") },
    ],
  });
  cs.table = table;

  function summary() {
    const all = rows(), n = (test) => all.filter(test).length;
    words.textContent = `${all.length} galaxies, ${all.reduce((sum, one) => sum + (one.status === "measured" ? one.n : 0), 0)} clumps; ${n((one) => one.inspected === "yes")} inspected, ${n((one) => one.status === "rejected")} rejected, ${n((one) => one.changes)} with clumps added, removed or moved.`;
  }
  summary();
  const renew = () => { table.replaceData(rows()); summary(); };
  table.on("tableBuilt", () => { edits.onchange(renew); renew(); document.body.dataset.ready = "yes"; });

  const first = (test) => table.getRows("active").map((row) => row.getData()).find((galaxy) => galaxy.page && test(galaxy));
  const open = (galaxy) => { if (galaxy) location.href = cs.pageOf(galaxy.id); else cs.say("There is none."); };
  const help = cs.keys([
    [["n"], "first galaxy of this list that is not inspected", () => open(first((galaxy) => galaxy.inspected === "no"))],
    [["Enter"], "first galaxy of this list", () => open(first(() => true))],
    [["u", "Ctrl+z"], "undo", edits.undo],
    [["U", "Ctrl+y"], "redo", edits.redo],
    [["e"], "save the edits", edits.save],
    [["?"], "this list", () => help()],
  ]);
  document.querySelector("header.bar").append(el("button", { title: "Keys (?)", onclick: () => help() }, "?"));
})();
