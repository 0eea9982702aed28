/* The tables: filtered, sorted, with every interval on one scale a table. */
const vleTables = (open) => {
  const { button, draw, at, count, option } = vleDraw;
  const { groups, about } = vleData;
  const FEW = 6;
  const WIDE = 180;
  const TALL = 22;
  const sorts = groups.map(() => ({ column: -1, down: true }));
  const opened = new Set();

  const number = (text) => (text === undefined || text === "" ? NaN : Number(text));
  const haystack = (row) => [row.model, row.source, row.note, row.split, row.setting, row.word].join("\n").toLowerCase();
  const haystacks = new Map(groups.flatMap((group) => group.rows.map((row) => [row, haystack(row)])));
  const ours = (row) => row.run !== null;

  function columnsOf(group) {
    const metrics = group.metrics.map((metric, i) => ({
      name: metric.heading, long: metric.name, numeric: true,
      value: (row) => number(row.cells[i][0]), cell: (row) => metricCell(group, row, i),
    }));
    const text = (name, get, cell) => ({ name, value: get, cell: cell || ((row) => make("td", "", get(row))) });
    return [
      text("model", (row) => row.model, modelCell),
      ...metrics,
      { name: "", plot: true },
      { name: "n", numeric: true, value: (row) => nOf(group, row), cell: (row) => make("td", "number", nOf(group, row) ? count(nOf(group, row)) : "\u2013") },
      text("split", (row) => row.split),
      text("setting", (row) => row.setting || "not stated"),
      text("verified", (row) => row.word, (row) => make("td", `word ${ours(row) ? "ours" : row.verified}`, row.word)),
      text("comparable", (row) => (row.reason ? `no [${row.reason}]` : "yes"), (row) => comparableCell(group, row)),
      text("source", (row) => row.source, (row) => sourceCell(row)),
    ];
  }
  const nOf = (group, row) => row.cells[group.main][3] || NaN;

  function modelCell(row) {
    const name = make("th", "model", "", make("span", "name", row.model));
    name.scope = "row";
    if (ours(row)) {
      const look = button("open", about.runs[row.run][1] < 0 ? "breakdown" : "items", () => open(row.run));
      look.setAttribute("aria-label", `Look into ${row.model}`);
      name.append(look);
    } else if (row.verified !== "yes") name.append(make("small", `word ${row.verified}`, row.word));
    return name;
  }
  function metricCell(group, row, i) {
    const [value, low, high, n] = row.cells[i];
    const cell = make("td", i === group.main ? "number main" : "number", value || "\u2013");
    if (!value) return cell;
    const told = [`${group.metrics[i].name} ${value}`];
    if (ours(row)) {
      told.push(low ? `95 % interval ${low} to ${high}` : "no interval", `n = ${count(n)}`, `protocol ${group.protocol}`);
      const small = [low ? `${low}\u2013${high}` : "no interval"];
      if (n !== nOf(group, row)) small.push(`n ${count(n)}`);
      for (const one of small) cell.append(make("small", "", one));
    } else told.push("published: no interval, n not stated there");
    cell.title = told.join("; ");
    return cell;
  }
  function comparableCell(group, row) {
    const cell = make("td", row.reason ? "word no" : "word yes", row.reason ? `no [${row.reason}]` : "yes");
    if (row.reason) cell.title = group.reasons[row.reason - 1];
    return cell;
  }
  function sourceCell(row) {
    const cell = make("td", "source", row.source);
    if (row.note) cell.append(make("small", "", row.note));
    return cell;
  }

  function shownRows(group, place) {
    const words = at("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const setting = at("setting").value;
    if (at("dataset").value && group.dataset !== at("dataset").value) return [];
    const rows = group.rows.filter((row) =>
      (!setting || (row.setting || "not stated") === setting) &&
      (!at("verified").checked || ours(row) || row.verified === "yes") &&
      (!at("comparable").checked || !row.reason) &&
      words.every((word) => haystacks.get(row).includes(word)));
    const { column, down } = sorts[place];
    if (column < 0) return rows;
    const { value, numeric } = columnsOf(group)[column];
    const way = down ? -1 : 1;
    const key = new Map(rows.map((row) => [row, value(row)]));
    const order = (a, b) => {
      const [x, y] = [key.get(a), key.get(b)];
      if (!numeric) return x === y ? 0 : (x < y ? -1 : 1) * way;
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
      return (x - y) * way;
    };
    return rows.sort(order);
  }

  /* One scale for all that a table shows, never from 0: whiskers of a third of a percent must be seen. */
  function scaleOf(rows, i) {
    const all = rows.flatMap((row) => row.cells[i].slice(0, 3)).map(number).filter((x) => !Number.isNaN(x));
    if (!all.length) return null;
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const pad = Math.max((high - low) * 0.04, 0.05);
    /* No share is above 100, so neither is the end of its scale. */
    const [start, end] = [Math.max(low - pad, Math.min(low, 0)), high <= 100 ? Math.min(high + pad, 100) : high + pad];
    return { low: start, high: end, place: (x) => 5 + ((WIDE - 10) * (x - start)) / (end - start) };
  }
  /* The metric that orders the table, or, where few sources print it (RSUM), the one most of them do. */
  function drawnOf(group, rows) {
    const found = group.metrics.map((_, i) => rows.filter((row) => row.cells[i].length).length);
    return 2 * found[group.main] >= rows.length ? group.main : found.indexOf(Math.max(...found));
  }
  function plotCell(row, i, scale) {
    const cell = make("td", "plot");
    const [value, low, high] = row.cells[i].slice(0, 3).map(number);
    if (!scale || Number.isNaN(value ?? NaN)) return cell;
    const svg = draw("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, width: WIDE, height: TALL, role: "img", "aria-label": low >= 0 ? `${value}, from ${low} to ${high}` : `${value}` });
    const middle = TALL / 2;
    svg.append(draw("line", { x1: 0, x2: WIDE, y1: middle, y2: middle, class: "axis" }));
    if (!Number.isNaN(low ?? NaN)) {
      const [x1, x2] = [scale.place(low), scale.place(high)];
      svg.append(draw("path", { d: `M${x1} ${middle - 5}v10M${x1} ${middle}H${x2}M${x2} ${middle - 5}v10`, class: "whisker" }));
    }
    svg.append(draw("circle", { cx: scale.place(value), cy: middle, r: ours(row) ? 4.5 : 3.5, class: ours(row) ? "ours" : row.reason ? "theirs far" : "theirs" }));
    cell.append(svg);
    return cell;
  }

  function sort(place, column, numeric) {
    const now = sorts[place];
    if (now.column === column && now.down !== Boolean(numeric)) sorts[place] = { column: -1, down: true };
    else sorts[place] = now.column === column ? { column, down: !now.down } : { column, down: Boolean(numeric) };
    show();
    at("boards").querySelector(`[data-sort="${place}.${column}"]`).focus();
  }
  function headOf(group, place, columns, drawn, scale) {
    const heads = columns.map((column, i) => {
      if (column.plot) {
        const metric = group.metrics[drawn];
        const head = make("th", "plot", "", make("span", "", metric ? `95 % interval of ${metric.heading}` : ""));
        if (scale) head.append(make("small", "", "", make("span", "", scale.low.toFixed(1)), make("span", "", scale.high.toFixed(1))));
        return head;
      }
      const { column: by, down } = sorts[place];
      const head = make("th", column.numeric ? "number" : "");
      const turn = button("sort", column.name, () => sort(place, i, column.numeric));
      turn.dataset.sort = `${place}.${i}`;
      if (column.long) turn.title = column.long;
      head.scope = "col";
      head.setAttribute("aria-sort", by === i ? (down ? "descending" : "ascending") : "none");
      head.append(turn);
      return head;
    });
    return make("thead", "", "", make("tr", "", "", ...heads));
  }

  function boardOf(group, place) {
    const rows = shownRows(group, place);
    if (!rows.length) return null;
    const far = rows.filter((row) => row.reason);
    const narrowed = at("find").value || at("verified").checked || at("setting").value;
    const few = !opened.has(place) && !narrowed && far.length > FEW + 2;
    const left = few ? new Set(far.slice(FEW)) : new Set();
    const shown = rows.filter((row) => !left.has(row));
    const columns = columnsOf(group);
    const by = sorts[place].column - 1;
    const drawn = by >= 0 && by < group.metrics.length ? by : drawnOf(group, shown);
    const scale = scaleOf(shown, drawn);
    const body = make("tbody", "", "", ...shown.map((row) => {
      const cells = columns.map((column) => (column.plot ? plotCell(row, drawn, scale) : column.cell(row)));
      return make("tr", ours(row) ? "ours" : row.reason ? "far" : "", "", ...cells);
    }));
    const section = make("section", "board");
    const title = make("h2", "", group.title);
    title.id = `board-${place}`;
    const table = make("table", "", "", headOf(group, place, columns, drawn, scale), body);
    table.setAttribute("aria-labelledby", title.id);
    const scroll = make("div", "scroll", "", table);
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-labelledby", title.id);
    section.append(title, scroll);
    if (left.size) section.append(button("more", `Show ${left.size} more published rows that may not be compared`, () => { opened.add(place); show(); }));
    section.append(notesOf(group, shown));
    return section;
  }
  function notesOf(group, rows) {
    const used = new Set(rows.map((row) => row.reason));
    const list = make("ul", "notes");
    group.reasons.forEach((why, i) => { if (used.has(i + 1)) list.append(make("li", "", `[${i + 1}] not comparable: ${why}`)); });
    if (rows.some((row) => row.verified === "no")) list.append(make("li", "", "NO, recalled: read in no source by us; do not cite it."));
    if (rows.some((row) => row.verified === "secondary")) list.append(make("li", "", "second hand: read in a collection of results, not in the source itself."));
    for (const line of group.signatures) list.append(make("li", "", "", make("code", "", line)));
    for (const line of group.others) list.append(make("li", "", line));
    if (list.childElementCount <= 4) return list;
    const fold = make("details", "", "", make("summary", "", `${list.childElementCount} notes: why rows may not be compared, how our numbers were made`), list);
    return fold;
  }

  function show() {
    const boards = groups.map(boardOf).filter(Boolean);
    at("boards").replaceChildren(...boards);
    at("nothing").hidden = boards.length > 0;
    const all = groups.reduce((sum, group) => sum + group.rows.length, 0);
    const fit = groups.reduce((sum, group, place) => sum + shownRows(group, place).length, 0);
    const mine = groups.reduce((sum, group) => sum + group.rows.filter(ours).length, 0);
    at("count").textContent = `${fit === all ? "" : `${count(fit)} of `}${count(all)} rows in ${groups.length} ${groups.length === 1 ? "table" : "tables"}, ${mine} measured here`;
  }
  function prepare() {
    at("banner").hidden = !groups.some((group) => group.sample);
    const datasets = [...new Set(groups.map((group) => group.dataset))].sort();
    const settings = [...new Set(groups.flatMap((group) => group.rows.map((row) => row.setting || "not stated")))].sort();
    at("dataset").append(...datasets.map((name) => option(name)));
    at("setting").append(...settings.map((name) => option(name)));
  }
  const saved = () => sorts.map(({ column, down }, place) => (column < 0 ? "" : `${place}.${column}.${down ? "d" : "u"}`)).filter(Boolean).join(",");
  function restore(text) {
    sorts.fill(null);
    for (let place = 0; place < sorts.length; place += 1) sorts[place] = { column: -1, down: true };
    for (const [, place, column, way] of (text || "").matchAll(/(\d+)\.(\d+)\.([du])/g)) {
      const group = groups[place];
      const there = group && columnsOf(group)[column];
      if (there && !there.plot) sorts[place] = { column: Number(column), down: way === "d" };
    }
  }
  prepare();
  return { show, saved, restore };
};
