/* Single items of one run, or of two beside each other where they differ. */
const vleItems = (changed) => {
  const { button, draw, at, count, option } = vleDraw;
  const { about } = vleData;
  const A_PAGE = 24;
  const MOST_FOUND = 600;
  const PICK = /^a(\d) r(\d)$/;
  const VIEWS = [["worst", "worst first"], ["best", "best first"], ["random", "a sample"], ["all", "all, in their order"]];
  const BESIDE = [["differ", "where they differ most"], ["left", "the first is better"], ["right", "the second is better"]];
  const state = { set: null, places: [], models: [], view: "worst", group: "", seek: "", page: 0, order: [], open: -1, turn: 0, cards: [] };

  const score = (run, value) => (value === null ? (run.rank ? "no rank" : "no score") : run.rank ? `rank ${count(value)}` : `${Number(value.toFixed(2))} %`);
  const plain = (run, at) => run.values[run.codes[at]];
  function gaps([left, right]) {
    const beyond = ({ values }) => Math.max(0, ...values.filter((value) => value !== null)) + 1;
    const lost = [beyond(left), beyond(right)];
    const way = left.rank ? -1 : 1;
    return Float64Array.from(left.codes, (_, i) => way * ((plain(left, i) ?? lost[0]) - (plain(right, i) ?? lost[1])));
  }
  /* Counts each code, then places each item: 214,354 of them in a few milliseconds. */
  function byCode({ codes, values }, best) {
    const starts = new Uint32Array(values.length + 1);
    const key = best ? (code) => values.length - 1 - code : (code) => code;
    for (const code of codes) starts[key(code) + 1] += 1;
    for (let i = 1; i < starts.length; i += 1) starts[i] += starts[i - 1];
    const order = new Array(codes.length);
    codes.forEach((code, i) => { order[starts[key(code)]] = i; starts[key(code)] += 1; });
    return order;
  }
  function ordered() {
    const { set, places, view } = state;
    const run = set.runs[places[0]];
    const picks = set.picks[places[0]];
    if (view === "random") return picks.random;
    if (view === "worst" || view === "best") {
      const first = new Set(picks[view]);
      return [...picks[view], ...byCode(run, view === "best").filter((place) => !first.has(place))];
    }
    if (view === "all") return Array.from(run.codes, (_, i) => i);
    const gap = gaps(places.map((place) => set.runs[place]));
    const fits = { differ: (x) => x !== 0, left: (x) => x > 0, right: (x) => x < 0 }[view];
    const differ = [];
    gap.forEach((x, i) => { if (fits(x)) differ.push(i); });
    return differ.sort((a, b) => Math.abs(gap[b]) - Math.abs(gap[a]) || a - b);
  }

  const asks = (one) => one.question || (one.group === "i2t" ? `Picture ${one.id}: which text?` : `${state.set.task} item ${one.id}`);
  const words = (one) => [one.id, one.image, one.question, ...one.given.flatMap(({ prediction, words }) => [prediction ?? "", words]), ...one.gold.map(([text]) => text)].join("\n").toLowerCase();
  /* Looks through the pieces in their order, so that each is loaded once, and tells how far it is. */
  async function sought(order, turn) {
    const wanted = state.seek.toLowerCase().split(/\s+/).filter(Boolean);
    const found = new Set();
    const inPlace = Uint32Array.from(order).sort();
    for (let i = 0; i < inPlace.length && found.size < MOST_FOUND; i += 1) {
      const one = await vleData.item(state.set, inPlace[i], state.places);
      if (turn !== state.turn) return null;
      const text = words(one);
      if (wanted.every((word) => text.includes(word))) found.add(inPlace[i]);
      if (i % about.step === 0) at("told").textContent = `looked through ${count(i)} of ${count(inPlace.length)}, ${count(found.size)} found`;
    }
    return order.filter((place) => found.has(place));
  }

  async function refresh() {
    state.turn += 1;
    const turn = state.turn;
    const code = state.group === "" ? -1 : state.set.groups.indexOf(state.group);
    let order = ordered();
    if (code >= 0) order = order.filter((place) => state.set.groupOf[place] === code);
    try {
      if (state.seek) order = await sought(order, turn);
      if (turn !== state.turn || !order) return;
      state.order = order;
      state.page = Math.min(state.page, Math.max(Math.ceil(order.length / A_PAGE) - 1, 0));
      await page(turn);
    } catch (error) {
      if (turn === state.turn) at("told").textContent = error.message;
    }
  }
  async function page(turn) {
    const places = state.order.slice(state.page * A_PAGE, (state.page + 1) * A_PAGE);
    const items = await Promise.all(places.map((place) => vleData.item(state.set, place, state.places)));
    if (turn !== state.turn) return;
    state.cards = items.map(card);
    at("items").replaceChildren(...state.cards.map((node) => make("li", "", "", node)));
    const held = state.set.count === state.set.total ? "" : ` (this page holds ${count(state.set.count)} of ${count(state.set.total)})`;
    const full = state.seek && state.order.length >= MOST_FOUND ? `the first ${count(MOST_FOUND)}` : count(state.order.length);
    at("told").textContent = `${full} ${state.order.length === 1 ? "item" : "items"}${held}`;
    const pages = Math.max(Math.ceil(state.order.length / A_PAGE), 1);
    at("page-number").textContent = `page ${count(state.page + 1)} of ${count(pages)}`;
    at("before").disabled = state.page === 0;
    at("after").disabled = state.page >= pages - 1;
    at("items").dataset.turn = String(turn);
    changed();
  }

  /* VCR's "a0 r3" is the first answer and the fourth reason. */
  function told({ prediction, words }) {
    if (words) return words;
    const pick = state.set.task === "vcr" && PICK.exec(prediction || "");
    if (pick) return `answer ${Number(pick[1]) + 1}, reason ${Number(pick[2]) + 1}`;
    return prediction === null || prediction === "" ? "(nothing)" : prediction;
  }
  function verdict(place, given) {
    const run = state.set.runs[place];
    const share = given.value === null ? 0 : run.rank ? 1 / given.value : given.value / 100;
    const node = make("span", "verdict", score(run, given.value));
    node.style.setProperty("--share", String(Math.min(Math.max(share, 0), 1)));
    return node;
  }
  function card(one, i) {
    const node = button("item", "", () => open(state.page * A_PAGE + i));
    const frame = make("span", "thumb");
    node.append(frame);
    vleData.picture(state.set, one.image).then((source) => { if (source) frame.append(image(source, "")); else frame.remove(); }, () => frame.remove());
    const text = make("span", "text", "", make("span", "question", asks(one)));
    one.given.forEach((given, k) => {
      text.append(make("span", "said", "", verdict(state.places[k], given), make("span", k ? "answer second" : "answer first", told(given))));
    });
    const right = one.gold.filter(([, number]) => number)[0];
    text.append(make("span", "soft", [right && state.set.task === "vqa" ? `people: ${right[0]}` : "", one.group].filter(Boolean).join(" \u00b7 ")));
    node.append(text);
    return node;
  }
  function image(source, alt) {
    const node = make("img");
    node.src = source;
    node.alt = alt;
    node.decoding = "async";
    return node;
  }

  /* The picture with rectangles over it: what is meant, and where each model points. */
  function marked(one, source) {
    const photo = image(source, one.question || one.id);
    const over = [...one.marks.map((box) => [box, "meant"]), ...one.given.map(({ spot }, k) => [spot, k ? "second" : "first"])].filter(([box]) => box);
    if (!over.length) return make("div", "item-picture", "", photo);
    const plan = draw("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
    for (const [[x, y, width, height], which] of over) {
      for (const part of ["edge", which]) plan.append(draw("rect", { x, y, width, height, class: part }));
    }
    const key = make("p", "soft", one.given.some(({ spot }) => spot) ? "Green is what is meant, the other colours are where a model points most." : "Green is what is meant.");
    return make("div", "item-picture", "", make("span", "marked", "", photo, plan), key);
  }

  async function open(place) {
    if (place < 0 || place >= state.order.length) return;
    const wanted = Math.floor(place / A_PAGE);
    if (wanted !== state.page) {
      state.page = wanted;
      state.turn += 1;
      await page(state.turn);
    }
    state.open = place;
    const one = await vleData.item(state.set, state.order[place], state.places);
    const source = await vleData.picture(state.set, one.image).catch(() => "");
    if (state.open !== place) return;
    at("item-title").textContent = asks(one);
    at("item-place").textContent = `${one.group ? `${one.group} \u00b7 ` : ""}item ${one.id} \u00b7 picture ${one.image || "none"} \u00b7 ${count(place + 1)} of ${count(state.order.length)}`;
    const body = make("div", "item-words", "", make("div", "sides", "", ...one.given.map((given, k) => side(given, k))));
    if (one.gold.length) body.append(state.set.task === "vcr" ? choices(one) : answers(one));
    const picture = source ? marked(one, source) : make("p", "soft", "No picture here: only the picked items carry theirs, where the shards were at hand.");
    at("item").replaceChildren(picture, body);
    at("item").scrollTop = 0;
    at("previous").disabled = place === 0;
    at("next").disabled = place === state.order.length - 1;
    if (!at("viewer").open) { at("viewer").showModal(); at("viewer").focus(); }
    changed();
  }
  function side(given, k) {
    return make("section", k ? "side second" : "side first", "", make("h3", "", state.models[k]),
      make("p", "answer", told(given)), make("p", "", "", verdict(state.places[k], given)), make("p", "soft", given.why));
  }
  function answers(one) {
    if (state.set.task === "retrieval") return texts(one);
    const most = Math.max(...one.gold.map(([, number]) => number), 1);
    const box = make("section", "gold", "", make("h3", "", "What people answered"));
    box.append(make("ul", "", "", ...one.gold.map(([text, number]) => {
      const bar = make("i", "fill");
      bar.style.width = `${(100 * number) / most}%`;
      return make("li", "", "", make("span", "", text || "(empty)"), make("span", "track first", "", bar), make("b", "", String(number)));
    })));
    return box;
  }
  function texts(one) {
    return make("section", "gold", "", make("h3", "", one.group === "i2t" ? "Its texts" : "Its pictures"),
      make("ol", "choices", "", ...one.gold.map(([text]) => make("li", "", text || "(empty)"))));
  }
  function choices(one) {
    const box = make("section", "gold");
    const picked = one.given.map(({ prediction }) => PICK.exec(prediction || "") || []);
    for (const [what, first, part] of [["Answers", 0, 1], ["Reasons", 4, 2]]) {
      const list = make("ol", "choices", "", ...one.gold.slice(first, first + 4).map(([text, right], i) => {
        const by = picked.map((pick, k) => (pick[part] === String(i) ? state.models[k] : "")).filter(Boolean);
        const line = make("li", right ? "right" : "", text || `choice ${i + 1}`);
        if (right) line.append(make("small", "", " right"));
        if (right && by.length) line.append(make("small", "", ","));
        if (by.length) line.append(make("small", "by", ` picked by ${by.join(" and ")}`));
        return line;
      }));
      box.append(make("h3", "", what), list);
    }
    return box;
  }

  async function show(number, places, models) {
    const set = await vleData.itemSet(number);
    Object.assign(state, { set, places, models, open: -1 });
    const views = places.length > 1 ? [...BESIDE, ...VIEWS] : VIEWS;
    if (!views.some(([name]) => name === state.view)) state.view = views[0][0];
    at("view").replaceChildren(...views.map(([name, text]) => option(name, text)));
    at("view").value = state.view;
    const groups = set.groups.filter((name) => name);
    at("group").replaceChildren(option("", "any kind"), ...groups.map((name) => option(name)));
    if (!groups.includes(state.group)) state.group = "";
    at("group").value = state.group;
    at("group-label").hidden = groups.length < 2;
    at("seek").value = state.seek;
    at("set-note").hidden = !set.note;
    at("set-note").textContent = set.note;
    await refresh();
    return set;
  }
  function turn(by) {
    const last = Math.max(Math.ceil(state.order.length / A_PAGE) - 1, 0);
    const next = Math.min(Math.max(state.page + by, 0), last);
    if (next === state.page) return;
    state.page = next;
    state.turn += 1;
    page(state.turn).then(() => state.cards[0] && state.cards[0].focus());
  }
  function move(by) {
    if (at("viewer").open) return open(state.open + by);
    const now = state.cards.indexOf(document.activeElement);
    const next = state.cards[Math.min(Math.max(now + by, 0), state.cards.length - 1)];
    if (next) next.focus();
    return undefined;
  }
  const choose = (name, value) => { state[name] = value; state.page = 0; refresh(); };
  let later = 0;
  at("view").addEventListener("change", () => choose("view", at("view").value));
  at("group").addEventListener("change", () => choose("group", at("group").value));
  at("seek").addEventListener("input", () => { clearTimeout(later); later = setTimeout(() => choose("seek", at("seek").value), 200); });
  at("before").addEventListener("click", () => turn(-1));
  at("after").addEventListener("click", () => turn(1));
  at("previous").addEventListener("click", () => move(-1));
  at("next").addEventListener("click", () => move(1));
  at("close").addEventListener("click", () => at("viewer").close());
  at("viewer").addEventListener("click", (event) => { if (event.target === at("viewer")) at("viewer").close(); });
  at("viewer").addEventListener("close", () => {
    const node = state.cards[state.open - state.page * A_PAGE];
    state.open = -1;
    if (node) node.focus();
    changed();
  });
  return { show, turn, move, open, state };
};
