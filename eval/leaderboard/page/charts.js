/* Breakdowns of one run, or of two beside each other: bars from 0 to 100 with their intervals. */
const vleCharts = (() => {
  const { at, count } = vleDraw;
  const percent = (value) => value.toFixed(2);
  const MOST_BARS = 12;
  const BUCKETS = [[1, 1], [2, 5], [6, 10], [11, 100], [101, Infinity]];

  function track(value, low, high, which) {
    const bar = make("i", "fill");
    bar.style.width = `${Math.min(Math.max(value, 0), 100)}%`;
    const node = make("span", `track ${which}`, "", bar);
    if (low !== null) {
      const whisker = make("i", "whisker");
      whisker.style.left = `${Math.min(Math.max(low, 0), 99.4)}%`;
      whisker.style.width = `${Math.max(Math.min(high, 100) - Math.max(low, 0), 0)}%`;
      node.append(whisker);
    }
    return node;
  }
  function line(name, bars) {
    const node = make("li", "", "", make("span", "part", name));
    const rows = make("div", "bars");
    bars.forEach((bar, which) => {
      if (!bar) return;
      const [value, low, high, n] = bar;
      const told = low === null ? "no interval" : `${percent(low)}\u2013${percent(high)}`;
      rows.append(make("div", "bar-row", "", track(value, low, high, which ? "second" : "first"),
        make("span", "told", "", make("b", "", percent(value)), ` ${told} \u00b7 n ${count(n)}`)));
    });
    node.append(rows);
    return node;
  }
  function chart(title, names, sides) {
    const box = make("section", "chart", "", make("h3", "", title));
    const bars = sides.map((side) => new Map((side ? side.bars : []).map(([name, ...numbers]) => [name, numbers])));
    box.append(make("ul", "", "", ...names.map((name) => line(name, bars.map((side) => side.get(name))))));
    return box;
  }
  const among = (run, title) => run.charts.find((one) => one.title === title);

  /* How many items have each value: a dozen scores, tens of more, or ranks in five buckets. */
  function spread(set, places) {
    if (!set) return null;
    const rank = set.runs[places[0]].rank;
    const values = [...new Set(places.flatMap((place) => set.runs[place].values))].sort((a, b) => b - a);
    /* A mean of many steps (average precision) has a value an item: tens, the last one with its end. */
    const tens = !rank && values.length > MOST_BARS;
    const plain = (value) => (value === null ? "no score" : `${Number(value.toFixed(2))}`);
    const ten = (value) => { const low = Math.min(Math.floor(value / 10) * 10, 90); return low === 90 ? "90 to 100" : `${low} to below ${low + 10}`; };
    const named = (value) => (value === null || !tens ? plain(value) : ten(value));
    const names = rank ? BUCKETS.map(([low, high]) => (low === high ? `rank ${low}` : high === Infinity ? `beyond ${low - 1}` : `rank ${low} to ${high}`)) : [...new Set(values.map(named))];
    if (rank) names.push("no rank");
    if (!names.length) return null;
    const nameOf = (value) => (rank ? (value === null ? "no rank" : names[BUCKETS.findIndex(([, high]) => value <= high)]) : named(value));
    const sides = places.map((place) => {
      const { codes, values } = set.runs[place];
      const sums = new Map();
      for (const code of codes) sums.set(code, (sums.get(code) || 0) + 1);
      const told = new Map();
      for (const [code, sum] of sums) told.set(nameOf(values[code]), (told.get(nameOf(values[code])) || 0) + sum);
      return { told, all: codes.length };
    });
    const box = make("section", "chart", "", make("h3", "", rank ? "Share of queries by rank" : "Share of items by score in percent"));
    const used = names.filter((name) => sides.some((side) => side.told.get(name)));
    box.append(make("ul", "", "", ...used.map((name) => {
      const node = make("li", "", "", make("span", "part", name));
      const rows = make("div", "bars");
      sides.forEach((side, which) => {
        const sum = side.told.get(name) || 0;
        rows.append(make("div", "bar-row", "", track((100 * sum) / side.all, null, null, which ? "second" : "first"),
          make("span", "told", "", make("b", "", `${percent((100 * sum) / side.all)} %`), ` ${count(sum)} of ${count(side.all)}`)));
      });
      node.append(rows);
      return node;
    })));
    return box;
  }

  function show(runs, set, places) {
    const titles = [...new Set(runs.flatMap((run) => run.charts.map((one) => one.title)))];
    const key = make("p", "key", "", ...runs.flatMap((run, which) => [make("i", which ? "second" : "first"), make("span", "", run.model)]));
    const charts = titles.map((title) => {
      const sides = runs.map((run) => among(run, title));
      return chart(title, [...new Set(sides.flatMap((side) => (side ? side.bars.map(([name]) => name) : [])))], sides);
    });
    const facts = make("section", "chart", "", make("h3", "", "How it was made"));
    for (const run of runs) facts.append(make("p", "", "", make("code", "", run.signature)), ...run.notes.map((note) => make("p", "", note)));
    const shares = spread(set, places);
    const about = make("p", "soft", "Bars run from 0 to 100 %; the line over a bar is its 95 % interval, resampled by image.");
    at("panel-charts").replaceChildren(key, about, make("div", "charts", "", ...(shares ? [shares] : []), ...charts, facts));
  }
  return { show };
})();
