// The page of one galaxy.
"use strict";
(function () {
  const cs = window.clumpscope, { el, edits, galaxy } = cs;
  const REACH_PX = 14;
  const NEAR_ARCSEC = 0.03;
  const KINDS = ["data", "model", "residual"];
  const BLINK_MS = 700;

  if (!galaxy) {
    document.body.append(el("p", { class: "empty" }, "The data of this galaxy are missing: make its page again."));
    return;
  }
  const order = cs.index.galaxies.filter((other) => other.page).map((other) => other.id);
  const at = order.indexOf(galaxy.id);
  const own = cs.index.galaxies.find((other) => other.id === galaxy.id);
  let viewer = null, filter = "colour", kind = "data", selected = null, mode = null, pointer = null, blinking = null, kept = null;
  const overlays = { clumps: true, outlines: false, lines: true };

  // ---- what a person's edits do to the clumps of this page

  const near = (a, b) => a.ra !== null && Math.hypot((a.ra - b.ra) * Math.cos((a.dec * Math.PI) / 180), a.dec - b.dec) * 3600 < NEAR_ARCSEC;
  const isSame = (a, b) => a.action === b.action && ["ra", "dec", "ra_to", "dec_to"].every((name) => (a[name] ?? null) === (b[name] ?? null) || Math.abs(a[name] - b[name]) < 2e-8);

  function clumpsNow() {
    const rows = edits.of(galaxy.id);
    const applied = galaxy.edits, pending = rows.filter((row) => !applied.some((other) => isSame(other, row)));
    const undone = applied.filter((row) => !rows.some((other) => isSame(other, row)));
    const clumps = galaxy.clumps.map((clump) => ({ ...clump, state: "" }));
    for (const row of pending) {
      const clump = clumps.find((one) => near(row, one));
      if (row.action === "remove" && clump) Object.assign(clump, { state: "removed", row });
      if (row.action === "move" && clump) {
        const [x, y] = viewer.pixel(row.ra_to, row.dec_to);
        Object.assign(clump, { state: "moved", row, to: { x, y } });
      }
      if (row.action === "add") {
        const [x, y] = viewer.pixel(row.ra, row.dec);
        clumps.push({ id: `new ${row.ra} ${row.dec}`, name: "new", x, y, ra: row.ra, dec: row.dec, snr: null, flags: [], state: "added", row });
      }
    }
    for (const row of undone) {
      const clump = clumps.find((one) => near(row.action === "move" ? { ra: row.ra_to, dec: row.dec_to } : row, one));
      if (clump && row.action === "add") Object.assign(clump, { state: "removed", row });
      if (clump && row.action === "move") Object.assign(clump, { state: "moved", to: dropHome(row) });
      if (row.action === "remove") {
        const [x, y] = viewer.pixel(row.ra, row.dec);
        clumps.push({ id: `again ${row.ra} ${row.dec}`, name: "again", x, y, ra: row.ra, dec: row.dec, snr: null, flags: [], state: "added", row });
      }
    }
    return clumps;
  }

  function dropHome(row) {
    const [x, y] = viewer.pixel(row.ra, row.dec);
    return { x, y };
  }

  const find = (id) => clumpsNow().find((clump) => clump.id === id);
  const reason = () => document.getElementById("comment").value;

  function place() {
    return pointer || [viewer.view.x, viewer.view.y];
  }

  function addClump(x, y) {
    if (!viewer.inside(x, y)) return cs.say("Outside the image: a clump has to lie on it.", "bad");
    const [ra, dec] = viewer.sky(x, y);
    edits.add({ galaxy: galaxy.id, action: "add", ra, dec, comment: reason() });
    mode = null;
    select(`new ${edits.rows().at(-1).ra} ${edits.rows().at(-1).dec}`);
    cs.say("A clump is added.");
  }

  function removeClump() {
    const clump = find(selected);
    if (!clump) return cs.say("Select a clump first (click it, or j and k).", "bad");
    if (clump.state === "removed") return cs.say("It is removed already: undo brings it back.");
    const added = edits.of(galaxy.id).find((row) => row.action === "add" && near(row, clump));
    // What a row of the table has added is taken back, not removed by another row.
    if (clump.row && clump.state !== "") edits.drop(clump.row);
    else if (added) edits.drop(added);
    else edits.add({ galaxy: galaxy.id, action: "remove", ra: clump.ra, dec: clump.dec, comment: reason() });
    cs.say(`Clump ${clump.name} ${clump.state === "moved" ? "goes back" : "is removed"}.`);
  }

  function moveClump(x, y) {
    const clump = find(selected);
    mode = null;
    if (!clump || clump.state === "removed") return cs.say("Select a clump first (click it, or j and k).", "bad");
    if (!viewer.inside(x, y)) return cs.say("Outside the image: a clump has to lie on it.", "bad");
    const [ra_to, dec_to] = viewer.sky(x, y), comment = reason();
    const added = edits.of(galaxy.id).find((row) => row.action === "add" && near(row, clump));
    if (clump.state === "moved" && clump.row) edits.step({ drop: clump.row });
    if (added) {
      edits.drop(added);
      edits.add({ galaxy: galaxy.id, action: "add", ra: ra_to, dec: dec_to, comment });
      select(`new ${edits.rows().at(-1).ra} ${edits.rows().at(-1).dec}`);
    } else edits.add({ galaxy: galaxy.id, action: "move", ra: clump.ra, dec: clump.dec, ra_to, dec_to, comment });
    cs.say(`Clump ${clump.name} is moved.`);
  }

  function toggle(action) {
    const row = edits.of(galaxy.id).find((one) => one.action === action);
    if (row) edits.drop(row);
    else edits.add({ galaxy: galaxy.id, action, comment: action === "reject" ? reason() : null });
    return !row;
  }

  function start(what) {
    if (what === "move" && !find(selected)) return cs.say("Select a clump first (click it, or j and k).", "bad");
    if (mode === what) mode = null;
    else if (pointer) return what === "add" ? addClump(...pointer) : moveClump(...pointer);
    else {
      mode = what;
      cs.say(`${what === "add" ? "Add" : "Move"}: click the place; or bring it under the cross with the arrow keys and press Enter.`);
    }
    refresh();
  }

  function finish() {
    if (mode === "add") addClump(viewer.view.x, viewer.view.y);
    else if (mode === "move") moveClump(viewer.view.x, viewer.view.y);
  }

  // ---- the page

  const main = el("canvas", { id: "view", tabindex: 0, role: "img", "aria-label": `Image of ${galaxy.id}; keys: question mark` });
  const readout = el("div", { id: "readout" });
  const label = el("div", { id: "label", "aria-live": "polite" });
  const strip = el("div", { id: "strip", "aria-label": "Filters" });
  const buttons = {};
  const button = (id, words, title, action, group = "") => (buttons[id] = el("button", { id, title, onclick: () => { action(); main.focus({ preventScroll: true }); }, class: group }, words));

  const white = el("input", { type: "range", id: "white", min: 0.5, max: 4, step: 0.05, "aria-label": "Brightness that is shown white, in noise", oninput: () => { viewer.white = 10 ** (4.5 - Number(white.value)); draw(); } });
  const tools = el(
    "div", { class: "tools" },
    el("span", { class: "group", role: "group", "aria-label": "What is shown" },
      ...KINDS.map((name, k) => button(`kind-${name}`, name, `${name} (${k + 1})`, () => show({ kind: name })))),
    button("blink", "blink", "Blink data, model and residual (b)", blink),
    el("span", { class: "group", role: "group", "aria-label": "Over the image" },
      button("clumps", "clumps", "Clumps (o)", () => over("clumps")),
      button("outlines", "outlines", "Pixels of each detection (s)", () => over("outlines")),
      button("lines", "critical lines", "Critical lines (l)", () => over("lines"))),
    el("label", { class: "stretch" }, "brightness", white),
    el("span", { class: "group", role: "group", "aria-label": "Zoom" },
      button("zoom-out", "−", "Smaller (-)", () => zoom(1 / 1.5)), button("zoom-home", "fit", "All of it (0)", home), button("zoom-in", "+", "Larger (+)", () => zoom(1.5))),
    button("keys", "?", "Keys (?)", () => help())
  );

  const facts = el("dl", { class: "facts" });
  const fact = (name, value) => facts.append(el("dt", {}, name), el("dd", {}, value));
  fact("redshift", `${cs.number(galaxy.z, 3)}${galaxy.z_hi > galaxy.z_lo ? ` (${cs.number(galaxy.z_lo, 2)} to ${cs.number(galaxy.z_hi, 2)})` : ""}`);
  if (own && own.mu !== null) fact("magnification", cs.number(own.mu, 1));
  fact("detected in", galaxy.reference);
  if (galaxy.system !== galaxy.id) fact("system", galaxy.system);
  fact("colours", galaxy.colours.map((one) => one.name).join(", "));

  const list = el("tbody", {});
  const card = el("section", { id: "card", "aria-label": "Clump", "aria-live": "polite" });
  const status = el("p", { id: "status" });
  const side = el(
    "aside", { class: "side" },
    el("div", { class: "title" }, el("h1", {}, galaxy.id), status), facts,
    el("div", { class: "actions", role: "group", "aria-label": "Edits" },
      button("add", "Add", "Add a clump (a)", () => start("add")),
      button("remove", "Remove", "Remove the selected clump (r)", removeClump),
      button("move", "Move", "Move the selected clump (m)", () => start("move")),
      button("reject", "Reject galaxy", "Leave the galaxy out (x)", () => cs.say(toggle("reject") ? `${galaxy.id} is left out.` : `${galaxy.id} is back.`)),
      button("inspected", "Inspected", "Inspected, and on to the next (i)", inspected, "main")),
    el("div", { class: "say" },
      el("input", { type: "text", id: "comment", maxlength: 10000, placeholder: "reason or comment", "aria-label": "Reason of the next edit, or a comment" }),
      button("say", "Comment", "Keep the comment (t)", comment)),
    el("ul", { id: "rows" }),
    el("div", { class: "scroll" }, el("table", { class: "list" }, el("thead", {}, el("tr", {}, ...["clump", "S/N", "flags"].map((words) => el("th", { scope: "col" }, words)))), list)),
    card
  );
  const pictures = el("div", { class: "pictures" }, ...galaxy.pictures.map(({ text, path }) => el("figure", {}, el("a", { href: path }, el("img", { src: path, alt: `${text} of ${galaxy.id}`, loading: "lazy" })), el("figcaption", {}, text))));
  const step = (by, words, key) => {
    const target = at >= 0 ? order[at + by] : null;
    return el("a", { class: "step", id: by > 0 ? "next" : "previous", title: `${words} (${key})`, href: target ? cs.pageOf(target) : null, "aria-disabled": target ? null : "true" }, by > 0 ? `${target || "last"} ›` : `‹ ${target || "first"}`);
  };
  cs.bar("", el("div", { class: "steps" }, step(-1, "Previous galaxy", "p"), el("span", {}, at >= 0 ? `${at + 1} of ${order.length}` : ""), step(1, "Next galaxy", "n")));
  document.body.append(
    el("main", { class: "look" }, el("section", { class: "images", "aria-label": "Images" }, tools, el("div", { class: "stage" }, main, label, readout), strip), side, pictures)
  );

  // ---- showing

  const names = [...(galaxy.filters.length > 2 ? ["colour"] : []), ...galaxy.filters.map((one) => one.name), ...(galaxy.magnification ? ["magnification"] : [])];
  const tiles = names.map((name) => {
    const canvas = el("canvas", { width: 104, height: 104, "aria-hidden": "true" });
    const tile = el("button", { class: "tile", title: name, "aria-label": `Show ${name}`, onclick: () => show({ filter: name }) }, canvas, el("span", {}, name === "magnification" ? "μ" : name));
    strip.append(tile);
    return { name, canvas, tile };
  });

  function show(what) {
    if (what.filter) filter = what.filter;
    if (what.kind) kind = galaxy.measured ? what.kind : "data";
    if (what.kind && what.kind !== "data" && !galaxy.measured) cs.say("This galaxy has too few clumps to be measured: it has no model.");
    draw();
  }

  function over(name) {
    overlays[name] = !overlays[name];
    draw();
  }

  function zoom(by, x = viewer.view.x, y = viewer.view.y) {
    const most = 1.5 * Math.max(...galaxy.size);
    const span = Math.min(Math.max(viewer.view.span / by, 8), most);
    const share = span / viewer.view.span;
    viewer.view = { x: x + (viewer.view.x - x) * share, y: y + (viewer.view.y - y) * share, span };
    draw();
  }

  function pan(x, y) {
    pointer = null;
    viewer.view.x += x * viewer.view.span;
    viewer.view.y += y * viewer.view.span;
    draw();
  }

  function home() {
    viewer.home();
    draw();
  }

  function blink() {
    if (!galaxy.measured) return cs.say("This galaxy has too few clumps to be measured: there is nothing to blink.");
    clearInterval(blinking);
    blinking = blinking ? null : setInterval(() => show({ kind: KINDS[(KINDS.indexOf(kind) + 1) % 3] }), BLINK_MS);
    draw();
  }

  function brighten(by) {
    white.value = Number(white.value) + by;
    white.dispatchEvent(new Event("input"));
  }

  function turn(by) {
    show({ filter: names[(names.indexOf(filter) + by + names.length) % names.length] });
    tiles[names.indexOf(filter)].tile.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function go(by) {
    const target = document.getElementById(by > 0 ? "next" : "previous");
    if (!target.hasAttribute("href")) return cs.say(by > 0 ? "This is the last galaxy." : "This is the first galaxy.");
    // The next galaxy is seen as this one was.
    sessionStorage.setItem("clumpscope view", JSON.stringify({ filter, kind, overlays, white: viewer.white / viewer.normal }));
    target.click();
  }

  function inspected() {
    if (!edits.of(galaxy.id).some((row) => row.action === "inspected")) toggle("inspected");
    if (document.getElementById("next").hasAttribute("href")) go(1);
    else cs.say("Inspected: this was the last galaxy.", "good");
  }

  function comment() {
    const box = document.getElementById("comment");
    if (!box.value.trim()) return box.focus();
    edits.add({ galaxy: galaxy.id, action: "comment", comment: box.value });
    box.value = "";
    cs.say("The comment is kept.");
  }

  let waiting = false;
  function draw() {
    if (waiting || !viewer) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const box = main.getBoundingClientRect(), dense = window.devicePixelRatio || 1;
      main.width = Math.round(box.width * dense);
      main.height = Math.round(box.height * dense);
      viewer.draw(main, filter, kind);
      marks(dense);
      for (const { name, canvas, tile } of tiles) {
        tile.setAttribute("aria-pressed", name === filter);
        viewer.draw(canvas, name, kind);
      }
      for (const name of KINDS) {
        buttons[`kind-${name}`].setAttribute("aria-pressed", name === kind);
        buttons[`kind-${name}`].disabled = !galaxy.measured && name !== "data";
      }
      buttons.blink.setAttribute("aria-pressed", Boolean(blinking));
      for (const name of Object.keys(overlays)) buttons[name].setAttribute("aria-pressed", overlays[name]);
      buttons.lines.hidden = !galaxy.critical;
      for (const name of ["add", "move"]) buttons[name].setAttribute("aria-pressed", mode === name);
      label.textContent = `${filter}${filter === "magnification" ? "" : `, ${kind}`}`;
      document.body.dataset.shown = `${filter} ${kind} ${viewer.view.span.toFixed(1)}`;
      tell();
    });
  }

  function marks(dense) {
    const context = main.getContext("2d"), { zoom: scale, place: to } = viewer.toScreen(main);
    const path = (line, colour, width) => {
      // Dark below light: seen on everything.
      for (const [own, wide] of [["rgba(0,0,0,.55)", width + 2], [colour, width]]) {
        context.strokeStyle = own;
        context.lineWidth = wide * dense;
        line();
        context.stroke();
      }
    };
    const polyline = (points) => () => {
      context.beginPath();
      for (let k = 0; k < points.length; k += 2) context.lineTo(...to(points[k], points[k + 1]));
    };
    if (overlays.lines && galaxy.critical) for (const line of galaxy.critical) path(polyline(line), "#f0e442", 1.2);
    if (overlays.outlines) for (const line of galaxy.outlines) path(polyline(line), "#cc79a7", 1);
    if (overlays.clumps) {
      context.font = `${12 * dense}px system-ui, sans-serif`;
      for (const clump of clumpsNow()) {
        const chosen = clump.id === selected;
        const colour = { removed: "#d55e00", added: "#00c08a", moved: "#00c08a" }[clump.state] || (chosen ? "#ffffff" : clump.flags.includes("manual") ? "#00c08a" : "#56b4e9");
        const [x, y] = to(clump.fit_x ?? clump.x, clump.fit_y ?? clump.y);
        const sigma = clump.sigma_x_px > 0 ? [clump.sigma_x_px, clump.sigma_y_px || 0] : [clump.sigma_limit_px || 0, clump.sigma_limit_px || 0];
        const axes = sigma.map((own) => Math.max(1.1774 * own * scale, 5 * dense));
        context.setLineDash(clump.sigma_x_px > 0 || clump.state === "added" ? [] : [4 * dense, 3 * dense]);
        path(() => { context.beginPath(); context.ellipse(x, y, ...axes, (-(clump.theta_deg || 0) * Math.PI) / 180, 0, 2 * Math.PI); }, colour, chosen ? 2.2 : 1.3);
        context.setLineDash([]);
        if (clump.state === "removed") path(() => { context.beginPath(); context.moveTo(x - 9 * dense, y - 9 * dense); context.lineTo(x + 9 * dense, y + 9 * dense); context.moveTo(x + 9 * dense, y - 9 * dense); context.lineTo(x - 9 * dense, y + 9 * dense); }, colour, 2);
        if (clump.to) {
          const [u, v] = to(clump.to.x, clump.to.y);
          path(() => { context.beginPath(); context.moveTo(x, y); context.lineTo(u, v); context.moveTo(u + 6 * dense, v); context.arc(u, v, 6 * dense, 0, 2 * Math.PI); }, colour, 1.8);
        }
        context.lineWidth = 3 * dense;
        context.strokeStyle = "rgba(0,0,0,.7)";
        context.fillStyle = colour;
        const [u, v] = [x + axes[0] + 4 * dense, y - 5 * dense];
        context.strokeText(clump.name, u, v);
        context.fillText(clump.name, u, v);
      }
    }
    if (mode) path(() => { context.beginPath(); const [x, y] = [main.width / 2, main.height / 2], r = 14 * dense; context.moveTo(x - r, y); context.lineTo(x + r, y); context.moveTo(x, y - r); context.lineTo(x, y + r); }, "#ffffff", 1.2);
    // A bar of a round length, and the way to north and east.
    const arcsec = galaxy.pixel_scale, most = (0.22 * main.width) / scale;
    const length = [10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05].find((one) => one / arcsec <= most) || 0.05;
    const wide = (length / arcsec) * scale, [left, bottom] = [16 * dense, main.height - 16 * dense];
    path(() => { context.beginPath(); context.moveTo(left, bottom); context.lineTo(left + wide, bottom); }, "#fff", 2);
    context.fillStyle = "#fff";
    context.font = `${12 * dense}px system-ui, sans-serif`;
    context.fillText(`${length}″`, left, bottom - 7 * dense);
    const { matrix: [[a, b], [c, d]] } = galaxy.sky, area = a * d - b * c;
    const [u, v] = [main.width - 44 * dense, main.height - 34 * dense];
    for (const [name, x, y] of [["E", d / area, -c / area], ["N", -b / area, a / area]]) {
      const size = (22 * dense) / Math.hypot(x, y);
      path(() => { context.beginPath(); context.moveTo(u, v); context.lineTo(u + x * size, v - y * size); }, "#fff", 1.5);
      context.fillText(name, u + 1.45 * x * size - 4 * dense, v - 1.45 * y * size + 4 * dense);
    }
  }

  function tell() {
    const [x, y] = place(), [ra, dec] = viewer.sky(x, y), words = [`${ra.toFixed(6)}, ${dec.toFixed(6)}`];
    const name = viewer.layers.has(filter) ? filter : galaxy.reference;
    if (viewer.inside(x, y)) {
      const value = viewer.value(name, "data", x, y);
      words.push(`${name} ${cs.significant(value, 3)} nJy (${cs.number(value / viewer.layers.get(name).noise, 1)} σ)`);
      const mu = viewer.magnificationAt(x, y);
      if (mu !== null) words.push(`μ ${cs.number(mu, 1)}`);
    }
    readout.textContent = words.join("   ");
  }

  function select(id, centre = false) {
    selected = id;
    const clump = find(id);
    if (clump && centre && viewer.view.span < Math.max(...galaxy.size)) Object.assign(viewer.view, { x: clump.x, y: clump.y });
    refresh();
    if (clump && galaxy.clumps.some((one) => one.id === id) && galaxy.measured) cs.card(card, galaxy.id, clump, galaxy);
    else card.replaceChildren();
  }

  function next(by) {
    const clumps = clumpsNow();
    if (!clumps.length) return cs.say("There is no clump.");
    const now = clumps.findIndex((clump) => clump.id === selected);
    select(clumps[now < 0 ? (by > 0 ? 0 : clumps.length - 1) : (now + by + clumps.length) % clumps.length].id, true);
  }

  function refresh() {
    list.replaceChildren(
      ...clumpsNow().map((clump) =>
        el("tr", { class: `${clump.state} ${clump.id === selected ? "chosen" : ""}` },
          el("td", {}, el("button", { class: "link", "data-clump": clump.name, onclick: () => select(clump.id, true) }, clump.name)),
          el("td", {}, cs.significant(clump.snr, 3)),
          el("td", {}, clump.state ? el("b", {}, `${clump.state} `) : null, ...clump.flags.map((flag) => el("span", { class: "flag", title: galaxy.flags[flag] }, flag.replaceAll("_", " "))))))
    );
    const rows = edits.of(galaxy.id), has = (action) => rows.some((row) => row.action === action);
    buttons.reject.setAttribute("aria-pressed", has("reject"));
    buttons.inspected.setAttribute("aria-pressed", has("inspected"));
    status.textContent = [galaxy.measured ? `${galaxy.clumps.length} clumps` : `${galaxy.clumps.length} clumps, too few to be measured`, has("reject") ? "left out" : "", has("inspected") ? "inspected" : ""].filter(Boolean).join(" · ");
    document.getElementById("rows").replaceChildren(
      ...rows.map((row) => el("li", {}, el("b", {}, row.action), row.comment ? ` ${row.comment}` : "", el("span", { class: "soft" }, [row.who, row.when].filter(Boolean).join(", ")),
        el("button", { class: "link", title: "Take this row off the table", onclick: () => edits.drop(row) }, "drop")))
    );
    draw();
  }

  // ---- pointer and keys

  const spot = (event) => {
    const box = main.getBoundingClientRect();
    return [((event.clientX - box.left) * main.width) / box.width, ((event.clientY - box.top) * main.height) / box.height];
  };
  main.addEventListener("pointermove", (event) => {
    const [u, v] = spot(event), screen = viewer.toScreen(main);
    if (kept) {
      const [x, y] = screen.back(u, v);
      viewer.view.x += kept.x - x;
      viewer.view.y += kept.y - y;
      kept.far = kept.far || Math.hypot(u - kept.u, v - kept.v) > 5;
      draw();
    }
    pointer = viewer.toScreen(main).back(u, v);
    tell();
  });
  main.addEventListener("pointerleave", () => { pointer = null; });
  main.addEventListener("pointerdown", (event) => {
    const [u, v] = spot(event), [x, y] = viewer.toScreen(main).back(u, v);
    kept = { u, v, x, y, far: false };
    main.setPointerCapture(event.pointerId);
  });
  main.addEventListener("pointerup", (event) => {
    const was = kept;
    kept = null;
    if (!was || was.far) return;
    const [u, v] = spot(event), [x, y] = viewer.toScreen(main).back(u, v);
    if (mode === "add") return addClump(x, y);
    if (mode === "move") return moveClump(x, y);
    const { zoom: scale } = viewer.toScreen(main), dense = window.devicePixelRatio || 1;
    const away = (clump) => scale * Math.hypot((clump.fit_x ?? clump.x) - x, (clump.fit_y ?? clump.y) - y);
    const clump = clumpsNow().sort((a, b) => away(a) - away(b))[0];
    if (clump && away(clump) < Math.max(REACH_PX * dense, 2 * scale)) select(clump.id);
  });
  main.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 400), ...viewer.toScreen(main).back(...spot(event)));
  }, { passive: false });
  new ResizeObserver(draw).observe(main);

  const help = cs.keys([
    [["n"], "next galaxy", () => go(1)],
    [["p"], "previous galaxy", () => go(-1)],
    [["i"], "inspected, and on to the next", inspected],
    [["1"], "data", () => show({ kind: "data" })],
    [["2"], "model", () => show({ kind: "model" })],
    [["3"], "residual, without smooth light", () => show({ kind: "residual" })],
    [["b"], "blink the three", blink],
    [["f", "F"], "next, previous filter", (event) => turn(event.key === "f" ? 1 : -1)],
    [["c"], "colours", () => show({ filter: "colour" })],
    [["[", "]"], "darker, brighter", (event) => brighten(event.key === "]" ? 0.15 : -0.15)],
    [["+", "=", "-"], "larger, smaller", (event) => zoom(event.key === "-" ? 1 / 1.3 : 1.3)],
    [["0"], "all of the image", home],
    [["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"], "go there", (event) => pan(...{ ArrowLeft: [-0.08, 0], ArrowRight: [0.08, 0], ArrowUp: [0, 0.08], ArrowDown: [0, -0.08] }[event.key])],
    [["j", "k"], "next, previous clump", (event) => next(event.key === "j" ? 1 : -1)],
    [["a"], "add a clump at the pointer, or at the cross", () => start("add")],
    [["m"], "move the clump to the pointer, or to the cross", () => start("move")],
    [["Enter"], "put it under the cross", finish],
    [["Escape"], "do not", () => { mode = null; draw(); }],
    [["r", "Delete"], "remove the clump", removeClump],
    [["x"], "leave the galaxy out, or take it back", () => buttons.reject.click()],
    [["t"], "write a comment", () => document.getElementById("comment").focus()],
    [["u", "Ctrl+z"], "undo", edits.undo],
    [["U", "Ctrl+y"], "redo", edits.redo],
    [["e"], "save the edits", edits.save],
    [["o"], "clumps on the image", () => over("clumps")],
    [["s"], "pixels of each detection", () => over("outlines")],
    [["l"], "critical lines", () => over("lines")],
    [["g"], "all galaxies", () => { location.href = "index.html"; }],
    [["?"], "this list", () => help()],
  ]);
  document.getElementById("comment").addEventListener("keydown", (event) => {
    if (event.key === "Enter") comment();
    if (event.key === "Escape" || event.key === "Enter") main.focus();
  });

  cs.Viewer.open(galaxy, cs.pixels).then((opened) => {
    viewer = cs.viewer = opened;
    const before = JSON.parse(sessionStorage.getItem("clumpscope view") || "{}");
    Object.assign(overlays, before.overlays);
    if (before.white) viewer.white = before.white * viewer.normal;
    filter = names.includes(before.filter) ? before.filter : names[0];
    kind = galaxy.measured && before.kind ? before.kind : "data";
    white.value = 4.5 - Math.log10(viewer.white);
    edits.onchange(refresh);
    const asked = decodeURIComponent(location.hash.slice(1));
    if (galaxy.clumps.some((clump) => clump.id === asked)) select(asked, true);
    else refresh();
    document.body.dataset.ready = "yes";
  }).catch((error) => cs.say(`The images cannot be shown: ${error.message}`, "bad"));
})();
