// The card of one clump: what was measured, in numbers, words and pictures. Loaded when it is asked for.
"use strict";
(function () {
  const cs = window.clumpscope, { el } = cs;
  const loaded = new Map();
  const NO_STARS = -6;
  const GROUPS = [
    ["Size and shape", /^(r_eff|class|sigma_|theta|distance|central|pixel_scale)/],
    ["Magnification", /^mu/],
    ["Stars", /^(log_|a_v|m_v|ml_v)/],
    ["Quality", /^(snr|chi2|n_|rhat|sampler|filter_ref)/],
    ["Place", /^(ra|dec|x|y|z|system|galaxy)$/],
    ["Host", /^host/],
  ];

  function cardsOf(galaxy) {
    if (!loaded.has(galaxy)) {
      loaded.set(galaxy, cs.load(`cards/${encodeURIComponent(galaxy)}.js`).then(() => cs.cards).catch((error) => { loaded.delete(galaxy); throw error; }));
    }
    return loaded.get(galaxy);
  }

  cs.card = async function (box, galaxy, clump) {
    cs.card.asked = clump.id;
    let cards = null;
    try {
      cards = await cardsOf(galaxy);
    } catch {
      box.replaceChildren(el("p", { class: "soft" }, "Its catalogue values are not there yet."));
      return;
    }
    if (cs.card.asked !== clump.id) return;
    const own = cards.clumps[clump.id];
    if (!own) {
      box.replaceChildren(el("p", { class: "soft" }, "This clump is not in the catalogue."));
      return;
    }
    const plot = el("div", { class: "sed" });
    box.replaceChildren(
      el("h2", {}, clump.id), words(own.flags), plot, summary(cards, own), photometry(cards, own),
      ...(own.draws ? [corner(cards, own)] : []), values(cards, own)
    );
    sed(plot, cards, own);
  };

  function words(flags) {
    if (!flags.length) return el("p", { class: "soft" }, "No flag.");
    return el("ul", { class: "flags" }, ...flags.map((name) => {
      const flag = cs.index.flags[name] || { text: "" };
      return el("li", {}, el("b", {}, name.replaceAll("_", " ")), ` ${flag.text}`, flag.excludes ? el("span", { class: "bad" }, " Left out of statistics.") : null);
    }));
  }

  const valueOf = (cards, own, name) => own.values[cards.columns.findIndex((column) => column.name === name)];

  function withErrors(cards, own, name, digits) {
    const value = valueOf(cards, own, name) ?? valueOf(cards, own, `${name}_p50`);
    if (value === null || value === undefined) return "–";
    // Such rates tell how a history ends, not what was seen.
    if (name.startsWith("log_sfr") && value < NO_STARS) return `none (< ${cs.number(NO_STARS, 0)})`;
    const ends = [`${name}_p16`, `${name}_p84`].map((end) => valueOf(cards, own, end));
    const low = valueOf(cards, own, `${name}_err_lo`) ?? (Number.isFinite(ends[0]) ? value - ends[0] : null);
    const high = valueOf(cards, own, `${name}_err_hi`) ?? (Number.isFinite(ends[1]) ? ends[1] - value : null);
    return cs.number(value, digits) + (low === null || high === null ? "" : ` +${cs.number(high, digits)} −${cs.number(low, digits)}`);
  }

  function summary(cards, own) {
    const limit = valueOf(cards, own, "r_eff_limit") ? "< " : "";
    const rows = [
      ["log M★ [M☉]", withErrors(cards, own, "log_mass", 2)], ["log age, by mass [yr]", withErrors(cards, own, "log_age_mw_yr", 2)],
      ["A_V [mag]", withErrors(cards, own, "a_v", 2)], ["log SFR, 10 Myr [M☉/yr]", withErrors(cards, own, "log_sfr10", 2)],
      ["R_eff [pc]", limit + withErrors(cards, own, "r_eff_pc", 0)], ["magnification", withErrors(cards, own, "mu", 1)],
    ];
    return el("dl", { class: "facts" }, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  }

  function photometry(cards, own) {
    const best = new Map(own.sed ? own.sed.bands.map((band, k) => [band, [own.sed.best[k], own.sed.sigma[k]]]) : []);
    const rows = cards.bands.map((band, k) => {
      const [model, sigma] = best.get(band) || [null, null];
      const pull = model === null || own.flux[k] === null ? null : (own.flux[k] - model) / sigma;
      return el("tr", { class: Math.abs(pull) > 3 ? "far" : "" }, el("th", { scope: "row" }, band), ...[own.flux[k], own.error[k], model].map((value) => el("td", {}, cs.significant(value, 3))), el("td", {}, cs.number(pull, 1)));
    });
    return el("details", {}, el("summary", {}, "Photometry and model"), el("table", { class: "numbers" }, el("thead", {}, el("tr", {}, ...["filter", "flux [nJy]", "error", "model", "pull"].map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, ...rows)));
  }

  function values(cards, own) {
    const left = new Set(cards.columns.keys());
    const groups = GROUPS.map(([name, pattern]) => [name, [...left].filter((k) => pattern.test(cards.columns[k].name) && left.delete(k))]);
    groups.push(["Other", [...left]]);
    return el("details", {}, el("summary", {}, "All of the catalogue's values"),
      ...groups.filter(([, members]) => members.length).map(([name, members]) => el("table", { class: "numbers" }, el("caption", {}, name), el("tbody", {}, ...members.map((k) => {
        const { name: column, unit, text } = cards.columns[k];
        return el("tr", {}, el("th", { scope: "row", title: text }, column), el("td", {}, cs.significant(own.values[k])), el("td", { class: "soft" }, unit));
      })))));
  }

  function sed(box, cards, own) {
    const good = cards.bands.map((_, k) => k).filter((k) => own.flux[k] !== null && own.error[k] !== null);
    if (!good.length) return;
    const um = good.map((k) => cards.um[k]), flux = good.map((k) => own.flux[k]), error = good.map((k) => own.error[k]);
    const at = new Map((own.sed ? own.sed.bands : []).map((band, k) => [band, k]));
    const model = (name) => good.map((k) => (at.has(cards.bands[k]) ? own.sed[name][at.get(cards.bands[k])] : null));
    const series = own.sed ? [model("low"), model("high"), model("best")] : [];
    const positive = flux.every((value) => value > 0);
    const all = [...flux.map((value, k) => value + error[k]), ...flux, ...series.flat()].filter((value) => Number.isFinite(value) && (!positive || value > 0.05 * Math.min(...flux)));
    const low = Math.min(...all), high = Math.max(...all);
    const range = positive ? [low / 1.6, high * 1.6] : [Math.min(low, 0) - 0.1 * (high - low), high + 0.1 * (high - low)];
    const orange = "#d55e00";
    const options = {
      width: Math.max(box.clientWidth, 260), height: 210, legend: { show: false }, cursor: { show: false },
      scales: { x: { time: false, distr: 3, range: [Math.min(...um) / 1.12, Math.max(...um) * 1.12] }, y: { distr: positive ? 3 : 1, range } },
      axes: [
        { label: "observed wavelength [μm]", labelSize: 18, size: 34, labelFont: "12px system-ui", font: "11px system-ui", splits: () => [0.4, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 10, 20].filter((x) => x > Math.min(...um) / 1.12 && x < Math.max(...um) * 1.12), values: (_, ticks) => ticks.map(String), filter: (_, ticks) => ticks },
        { label: "flux [nJy]", labelSize: 18, size: 44, labelFont: "12px system-ui", font: "11px system-ui", ...(positive ? { splits: () => cs.ticks(...range), filter: (_, ticks) => ticks } : {}), values: (_, ticks) => ticks.map((tick) => String(Number(tick.toPrecision(2)))) },
      ],
      series: [{}, { stroke: "transparent", points: { show: false } },
        ...(own.sed ? [{ stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } }, { stroke: orange, width: 1, points: { show: true, size: 6, fill: "#fff", stroke: orange } }] : [])],
      bands: own.sed ? [{ series: [3, 2], fill: "rgba(213,94,0,.25)" }] : [],
      hooks: { draw: [(u) => {
        const context = u.ctx, dense = window.devicePixelRatio || 1;
        context.save();
        context.beginPath();
        context.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
        context.clip();
        context.strokeStyle = context.fillStyle = "#0b3c5d";
        context.lineWidth = 1.4 * dense;
        for (let k = 0; k < um.length; k++) {
          const x = u.valToPos(um[k], "x", true), y = u.valToPos(flux[k], "y", true), bottom = flux[k] - error[k];
          context.beginPath();
          context.moveTo(x, u.valToPos(flux[k] + error[k], "y", true));
          context.lineTo(x, positive && bottom <= range[0] ? u.bbox.top + u.bbox.height : u.valToPos(bottom, "y", true));
          context.stroke();
          context.beginPath();
          context.arc(x, y, 3 * dense, 0, 2 * Math.PI);
          context.fill();
        }
        context.restore();
      }] },
    };
    new uPlot(options, [um, flux, ...series], box);
    const told = own.sed ? `, best fit and 16 to 84 % of the posterior; χ² = ${cs.significant(own.sed.chi2, 3)} in ${own.sed.n_bands} bands` : "";
    box.append(el("p", { class: "soft" }, `Measured fluxes (blue)${told}.`));
  }

  function corner(cards, own) {
    const kept = cards.draws.map((name, k) => [name, own.draws[k]]).filter(([, draws]) => draws && Math.max(...draws) > Math.min(...draws));
    const dense = window.devicePixelRatio || 1, cell = 62, side = kept.length * cell;
    const canvas = el("canvas", { width: side * dense, height: side * dense, style: null, role: "img", "aria-label": "Draws of the posterior, two quantities at a time" });
    canvas.style.width = `${side}px`;
    canvas.style.maxWidth = "100%";
    const context = canvas.getContext("2d");
    context.scale(dense, dense);
    const share = kept.map(([, draws]) => { const low = Math.min(...draws), high = Math.max(...draws); return draws.map((value) => (value - low) / (high - low)); });
    for (let row = 0; row < kept.length; row++) {
      for (let column = 0; column <= row; column++) {
        const [left, top] = [column * cell + 3, row * cell + 3], inner = cell - 6;
        context.strokeStyle = "#c8d0d9";
        context.strokeRect(left, top, inner, inner);
        context.fillStyle = "rgba(31,90,138,.55)";
        if (row === column) {
          const counts = new Array(14).fill(0);
          for (const value of share[row]) counts[Math.min(Math.floor(14 * value), 13)]++;
          const most = Math.max(...counts);
          counts.forEach((count, k) => context.fillRect(left + (k * inner) / 14, top + inner * (1 - count / most), inner / 14 - 0.5, (inner * count) / most));
        } else share[column].forEach((value, k) => context.fillRect(left + value * inner - 0.75, top + (1 - share[row][k]) * inner - 0.75, 1.6, 1.6));
      }
    }
    const names = kept.map(([name, draws]) => `${name} ${cs.significant(Math.min(...draws), 3)} to ${cs.significant(Math.max(...draws), 3)}`).join("; ");
    return el("details", {}, el("summary", {}, "Posterior draws"), canvas, el("p", { class: "soft" }, `From the upper left: ${names}. Observed: not divided by the magnification.`));
  }
})();
