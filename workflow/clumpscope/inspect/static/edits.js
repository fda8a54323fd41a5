// A person's corrections: kept in the browser, taken back, saved as the table `edits` of the configuration.
"use strict";
(function () {
  const cs = window.clumpscope;
  const COLUMNS = ["galaxy", "action", "ra", "dec", "ra_to", "dec_to", "comment", "who", "when"];
  const PLACES = ["ra", "dec", "ra_to", "dec_to"];
  const LONGEST = 10000;
  const folder = location.pathname.replace(/[^/]*$/, "");
  const KEY = `clumpscope edits ${folder}`;
  const listeners = [];

  // The server of `make inspect` names itself by a token behind the address, which is kept for its other pages.
  const token = /^#token=([\w-]+)$/.exec(location.hash);
  if (token) {
    localStorage.setItem("clumpscope token", token[1]);
    history.replaceState(null, "", location.pathname);
  }
  const served = location.protocol.startsWith("http") && localStorage.getItem("clumpscope token");

  let base = cs.index.edits.map(clean);
  let state = read();
  let saving = false;

  function clean(row) {
    const own = {};
    for (const name of COLUMNS) {
      const value = row[name];
      own[name] = value === null || value === undefined || value === "" || Number.isNaN(value) ? null : PLACES.includes(name) ? Number(value) : String(value);
    }
    return own;
  }

  const same = (a, b) => COLUMNS.every((name) => (PLACES.includes(name) && a[name] !== null && b[name] !== null ? Math.abs(a[name] - b[name]) < 2e-8 : a[name] === b[name]));
  const among = (row, rows) => rows.some((other) => same(row, other));

  function read() {
    try {
      const found = JSON.parse(localStorage.getItem(KEY));
      return { done: found.done || [], undone: found.undone || [] };
    } catch {
      return { done: [], undone: [] };
    }
  }

  function changed() {
    localStorage.setItem(KEY, JSON.stringify(state));
    listeners.forEach((listener) => listener());
  }

  // Steps whose outcome the table has already are over.
  function forget() {
    const left = [];
    for (const step of state.done) {
      const there = (row) => among(row, base) || left.some((other) => other.add && same(other.add, row));
      if (step.add ? !among(step.add, base) : there(step.drop)) left.push(step);
    }
    state.done = left;
    if (!edits.unsaved()) state.done = [];
    localStorage.setItem(KEY, JSON.stringify(state));
  }

  const edits = (cs.edits = {
    // The table as it would be saved.
    rows() {
      let rows = base.slice();
      for (const step of state.done) rows = step.add ? [...rows, step.add] : rows.filter((row) => !same(row, step.drop));
      return rows;
    },
    of: (galaxy) => edits.rows().filter((row) => row.galaxy === galaxy),
    // What the table has not yet: rows to add, and rows to drop.
    difference() {
      const rows = edits.rows();
      return { add: rows.filter((row) => !among(row, base)), drop: base.filter((row) => !among(row, rows)) };
    },
    unsaved() {
      const { add, drop } = edits.difference();
      return add.length + drop.length;
    },
    add(row) {
      const comment = row.comment ? row.comment.replace(/\s+/g, " ").trim().slice(0, LONGEST) : null;
      const who = localStorage.getItem("clumpscope who");
      edits.step({ add: clean({ ...row, comment, who, when: new Date().toISOString().slice(0, 19) + "Z" }) });
    },
    drop: (row) => edits.step({ drop: clean(row) }),
    step(...steps) {
      state.done.push(...steps);
      state.undone = [];
      changed();
    },
    undo() {
      const step = state.done.pop();
      if (!step) return cs.say("Nothing to undo.");
      state.undone.push(step);
      changed();
      cs.say(`Taken back: ${describe(step)}`);
    },
    redo() {
      const step = state.undone.pop();
      if (!step) return cs.say("Nothing to do again.");
      state.done.push(step);
      changed();
      cs.say(`Done again: ${describe(step)}`);
    },
    onchange: (listener) => listeners.push(listener),
    csv() {
      const cell = (value) => {
        const text = value === null ? "" : typeof value === "number" ? value.toFixed(8) : value;
        return /[",\r\n#]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
      };
      return [COLUMNS.join(","), ...edits.rows().map((row) => COLUMNS.map((name) => cell(row[name])).join(","))].join("\n") + "\n";
    },
    async save() {
      if (!served) {
        cs.download(`edits_${cs.index.field}.csv`, edits.csv(), "text/csv");
        const file = cs.index.edits_file;
        return cs.say(`edits_${cs.index.field}.csv goes ${file ? `to ${file}` : "into your configuration: fields, " + cs.index.field + ", edits"}; then run snakemake.`, "good");
      }
      if (saving) return cs.say("Being saved.");
      const body = JSON.stringify(edits.difference()), sent = state.done.slice();
      saving = true;
      try {
        const answer = await fetch(`/edits/${encodeURIComponent(cs.index.field)}`, { method: "POST", body, headers: { "Content-Type": "application/json", "X-Token": served } });
        const told = await answer.json();
        if (!answer.ok) return cs.say(told.error, "bad");
        base = told.edits.map(clean);
        // What was edited, or taken back, while the table was under way is not lost.
        const stayed = sent.filter((step, number) => step === state.done[number]).length;
        const back = sent.slice(stayed).reverse().map((step) => (step.add ? { drop: step.add } : { add: step.drop }));
        state = { done: [...back, ...state.done.slice(stayed)], undone: [] };
        changed();
        cs.say(told.message, "good");
      } catch (error) {
        cs.say(`Not saved: ${error.message}. Is \`make inspect\` still running? Your edits are kept in this browser.`, "bad");
      } finally {
        saving = false;
      }
    },
    box() {
      const count = cs.el("b", { id: "unsaved" });
      const who = cs.el("input", { type: "text", id: "who", maxlength: 60, size: 9, placeholder: "your name", "aria-label": "Your name, for the column who", value: localStorage.getItem("clumpscope who") || "", onchange: () => localStorage.setItem("clumpscope who", who.value.trim()) });
      const undo = cs.el("button", { id: "undo", title: "Undo (u)", onclick: edits.undo }, "Undo");
      const save = cs.el("button", { id: "save", class: "main", title: "Save (e)", onclick: edits.save }, served ? "Save" : "Download edits");
      const show = () => {
        const number = edits.unsaved();
        count.textContent = number === 0 ? "no new edits" : number === 1 ? "1 new edit" : `${number} new edits`;
        undo.disabled = !state.done.length;
      };
      edits.onchange(show);
      show();
      return cs.el("div", { class: "edits" }, count, who, undo, save);
    },
  });

  function describe(step) {
    const row = step.add || step.drop;
    return `${step.drop ? "dropping of " : ""}${row.action} in ${row.galaxy}`;
  }

  forget();
  window.addEventListener("storage", (event) => {
    if (event.key === KEY) {
      state = read();
      listeners.forEach((listener) => listener());
    }
  });
  if (served) {
    fetch(`/edits/${encodeURIComponent(cs.index.field)}`, { headers: { "X-Token": served } })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error("another server"))))
      .then((told) => {
        base = told.edits.map(clean);
        forget();
        listeners.forEach((listener) => listener());
      })
      .catch(() => cs.say("This server does not know this page: open the address that `make inspect` prints.", "bad"));
  }
})();
