/* Puts the parts together; what is looked at lives in the address behind '#', to be sent to a colleague. */
(() => {
  const { at, count, option } = vleDraw;
  const { about, groups } = vleData;
  const THEMES = [["", "\u25d0 system"], ["light", "\u2600 light"], ["dark", "\u263e dark"]];
  const look = { run: -1, beside: -1, tab: "items" };
  let quiet = true;

  const tables = vleTables((run) => enter({ run, beside: -1, tab: about.runs[run][1] < 0 ? "charts" : "items" }));
  const items = vleItems(remember);
  const groupOf = (run) => groups.find((group) => group.rows.some((row) => row.run === run));
  /* Runs of the same table, this one left out; only those on the same items can be laid beside. */
  const others = (run) => groupOf(run).rows.filter((row) => row.run !== null && row.run !== run).map((row) => row.run);
  const together = (a, b) => about.runs[a][1] >= 0 && about.runs[a][1] === about.runs[b][1];

  async function enter(wanted, keep = false) {
    Object.assign(look, wanted);
    if (!keep) Object.assign(items.state, { view: look.beside < 0 ? "worst" : "differ", group: "", seek: "", page: 0 });
    const group = groupOf(look.run);
    const [model, set] = about.runs[look.run];
    at("look").hidden = false;
    at("boards").hidden = true;
    at("nothing").hidden = true;
    document.body.classList.add("looking");
    at("look-title").textContent = group.title;
    const cell = group.rows.find((row) => row.run === look.run).cells[group.main];
    const metric = group.metrics[group.main];
    /* Marks around the name keep a direction that it changes from the words behind it. */
    at("look-about").textContent = metric ? `\u2068${model}\u2069: ${metric.heading} ${cell[0]}${cell[1] ? `, 95 % interval ${cell[1]} to ${cell[2]}` : ", no interval"}, n = ${count(cell[3])}` : model;
    const names = new Map([look.run, ...others(look.run)].map((run) => [run, about.runs[run][0]]));
    at("left").replaceChildren(...[...names].sort((a, b) => a[0] - b[0]).map(([run, name]) => option(String(run), name)));
    at("left").value = String(look.run);
    at("right").replaceChildren(option("-1", "nothing"), ...others(look.run).sort((a, b) => a - b).map((run) => option(String(run), about.runs[run][0])));
    at("right").value = String(look.beside);
    at("tab-items").disabled = set < 0;
    if (set < 0) look.tab = "charts";
    for (const tab of document.querySelectorAll("[data-tab]")) {
      const on = tab.dataset.tab === look.tab;
      tab.setAttribute("aria-selected", String(on));
      at(`panel-${tab.dataset.tab}`).hidden = !on;
    }
    if (!keep) { at("look-title").focus(); window.scrollTo(0, 0); }
    await fill(set);
    remember();
  }
  async function fill(set) {
    const runs = look.beside < 0 ? [look.run] : [look.run, look.beside];
    const same = runs.length > 1 && together(...runs);
    const sided = same ? runs : [look.run];
    const places = sided.map((run) => about.runs[run][2]);
    try {
      if (look.tab === "charts") {
        const facts = await Promise.all(runs.map((run) => vleData.piece(`run${run}`)));
        vleCharts.show(facts, set < 0 || (runs.length > 1 && !same) ? null : await vleData.itemSet(set), places);
      } else {
        await items.show(set, places, sided.map((run) => about.runs[run][0]));
        if (runs.length > 1 && !same) at("told").textContent += "; the other model has no items in the same order";
      }
    } catch (error) {
      at(look.tab === "charts" ? "panel-charts" : "told").textContent = error.message;
    }
    performance.mark("vle-shown");
    document.body.dataset.shown = `${look.run}.${look.beside}.${look.tab}`;
  }
  function leave() {
    const run = look.run;
    look.run = -1;
    at("look").hidden = true;
    at("boards").hidden = false;
    document.body.classList.remove("looking");
    tables.show();
    const name = run >= 0 ? about.runs[run][0] : "";
    const opener = [...document.querySelectorAll(".open")].find((node) => node.getAttribute("aria-label") === `Look into ${name}`);
    if (opener) opener.focus();
    remember();
  }

  function remember() {
    if (quiet) return;
    const now = new URLSearchParams();
    const put = (name, value) => { if (value) now.set(name, value); };
    put("find", at("find").value);
    put("dataset", at("dataset").value);
    put("setting", at("setting").value);
    put("verified", at("verified").checked ? "yes" : "");
    put("comparable", at("comparable").checked ? "yes" : "");
    put("sort", tables.saved());
    if (look.run >= 0) {
      now.set("run", look.run);
      if (look.beside >= 0) now.set("beside", look.beside);
      now.set("tab", look.tab);
      const { view, group, seek, page, open } = items.state;
      now.set("view", view);
      put("group", group);
      put("seek", seek);
      put("page", page ? String(page + 1) : "");
      put("item", at("viewer").open && open >= 0 ? String(open + 1) : "");
    }
    history.replaceState(null, "", `#${now}`);
  }
  async function recall() {
    const then = new URLSearchParams(location.hash.slice(1));
    const whole = (name) => (/^\d{1,9}$/.test(then.get(name) || "") ? Number(then.get(name)) : -1);
    quiet = true;
    for (const name of ["find", "dataset", "setting"]) {
      at(name).value = then.get(name) || "";
      if (at(name).selectedIndex < 0) at(name).value = "";
    }
    at("verified").checked = then.get("verified") === "yes";
    at("comparable").checked = then.get("comparable") === "yes";
    tables.restore(then.get("sort"));
    tables.show();
    const run = whole("run");
    if (run >= 0 && run < about.runs.length) {
      const beside = others(run).includes(whole("beside")) ? whole("beside") : -1;
      Object.assign(items.state, { view: then.get("view") || "worst", group: then.get("group") || "", seek: then.get("seek") || "", page: Math.max(whole("page") - 1, 0) });
      await enter({ run, beside, tab: then.get("tab") === "charts" ? "charts" : "items" }, true);
      if (whole("item") > 0 && look.tab === "items") await items.open(whole("item") - 1);
    } else if (look.run >= 0) leave();
    quiet = false;
  }

  /* A page from a disk may be refused a memory; the colours then last as long as the page. */
  function store(name, value) {
    try { return value === undefined ? localStorage.getItem(name) : localStorage.setItem(name, value); } catch { return null; }
  }
  function colour(theme) {
    const [value, text] = THEMES.find(([name]) => name === theme) || THEMES[0];
    if (value) document.documentElement.dataset.theme = value; else delete document.documentElement.dataset.theme;
    at("theme").textContent = text;
    at("theme").setAttribute("aria-label", `Colours: ${text.slice(2)}. Change`);
    store("vle-bench-colours", value);
  }
  const next = () => colour(THEMES[(THEMES.findIndex(([name]) => name === (document.documentElement.dataset.theme || "")) + 1) % THEMES.length][0]);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = ["INPUT", "SELECT"].includes(event.target.tagName) && event.target.type !== "checkbox";
    const inside = look.run >= 0;
    const by = { ArrowLeft: -1, k: -1, ArrowRight: 1, j: 1 }[event.key];
    if (typing) {
      if (event.key === "Escape") { event.preventDefault(); event.target.blur(); }
    } else if (event.key === "/" && !at("viewer").open) {
      event.preventDefault();
      at(inside ? "seek" : "find").focus();
    } else if (event.key === "t") next();
    else if (inside && event.key === "Escape" && !at("viewer").open) leave();
    else if (inside && by && look.tab === "items") { event.preventDefault(); items.move(by); }
    else if (inside && !at("viewer").open && (event.key === "n" || event.key === "p")) items.turn(event.key === "n" ? 1 : -1);
    else if (inside && !at("viewer").open && event.key === "i" && !at("tab-items").disabled) enter({ tab: "items" }, true);
    else if (inside && !at("viewer").open && event.key === "b") enter({ tab: "charts" }, true);
  });
  const filter = () => { tables.show(); remember(); };
  for (const name of ["dataset", "setting", "verified", "comparable"]) at(name).addEventListener("change", filter);
  at("find").addEventListener("input", filter);
  at("boards").addEventListener("click", (event) => { if (event.target.closest(".sort")) remember(); });
  at("clear").addEventListener("click", () => {
    for (const name of ["find", "dataset", "setting"]) at(name).value = "";
    for (const name of ["verified", "comparable"]) at(name).checked = false;
    filter();
  });
  at("theme").addEventListener("click", next);
  at("back").addEventListener("click", leave);
  at("left").addEventListener("change", () => { const run = Number(at("left").value); enter({ run, beside: look.beside === run ? -1 : look.beside }); });
  at("right").addEventListener("change", () => enter({ beside: Number(at("right").value) }));
  for (const tab of document.querySelectorAll("[data-tab]")) tab.addEventListener("click", () => enter({ tab: tab.dataset.tab }, true));
  window.addEventListener("hashchange", recall);
  at("title").textContent = about.title;
  colour(store("vle-bench-colours") || "");
  recall().then(() => {
    document.body.dataset.ready = "yes";
    requestAnimationFrame(() => setTimeout(() => performance.mark("vle-table-painted")));
  });
})();
