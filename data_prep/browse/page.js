/* Text from the data goes into text nodes only; nothing here builds HTML from strings. */
(() => {
  const { about, pictures } = JSON.parse(document.getElementById("data").textContent);
  const frames = framesOf(about);
  const { facts, question, item } = tell;
  const KINDS = ["object", "region", "crowd"];
  const SVG = "http://www.w3.org/2000/svg";
  const at = (id) => document.getElementById(id);
  const state = { shown: pictures, open: -1, pinned: -1, hide: new Set(["patches", "mask"]), text: -1, view: about.views[0] };
  const SEEN = {
    stretch: "laid over the whole picture (stretch)",
    center_crop: "in the middle that CLIP's processor cuts out (center_crop)",
    random_resized_crop: "in one drawn cut (random_resized_crop)",
  };

  function draw(tag, classes, attributes) {
    const node = document.createElementNS(SVG, tag);
    node.setAttribute("class", classes);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  }
  const nameOf = (box) => [box.label, box.phrase].filter(Boolean).join(": ") || "(no label)";
  const plural = (count, noun) => (count ? `${count} ${noun}${count === 1 ? "" : noun === "box" ? "es" : "s"}` : "");
  const path = (boxes) => boxes.map(({ xywh: [x, y, w, h] }) => `M${x} ${y}h${w}v${h}h${-w}z`).join("");
  const canvas = (one) => draw("svg", "", { viewBox: `0 0 ${one.width} ${one.height}`, "aria-hidden": "true" });

  function pictureOf(one, ratio) {
    const frame = make("span", "picture");
    frame.style.aspectRatio = String(ratio);
    if (!one.src) {
      frame.append(make("span", "broken", "This picture cannot be decoded."));
      return frame;
    }
    const image = make("img");
    image.src = one.src;
    image.alt = one.captions[0] || one.key;
    image.decoding = "async";
    frame.append(image);
    return frame;
  }

  /* One path a kind: a page of two hundred pictures with a hundred boxes each stays quick. */
  function outlines(one, label) {
    const svg = canvas(one);
    for (const kind of KINDS) {
      const all = one.boxes.filter((box) => box.kind === kind);
      const hits = label ? all.filter((box) => box.label === label) : [];
      const rest = label ? all.filter((box) => box.label !== label) : all;
      for (const [boxes, how] of [[rest, label ? " dim" : ""], [hits, " match"]]) {
        if (!boxes.length) continue;
        const d = path(boxes);
        if (how !== " dim") svg.append(draw("path", `halo ${kind}`, { d }));
        svg.append(draw("path", `box ${kind}${how}`, { d }));
      }
    }
    return svg;
  }

  function card(one, place) {
    const ratio = Math.min(Math.max(one.width / one.height || 1, 0.5), 2.6);
    const node = make("button", "card");
    node.type = "button";
    node.style.flex = `${ratio} 1 ${Math.round(ratio * 190)}px`;
    const picture = pictureOf(one, ratio);
    if (one.src) picture.append(outlines(one, at("label").value));
    const words = one.captions[0] || (one.questions[0] || one.items[0] || {}).text || (one.boxes.find((box) => box.phrase) || {}).phrase || "";
    const sums = [plural(one.boxes.length, "box"), plural(one.captions.length, "caption"), plural(one.questions.length, "question"), plural(one.items.length, "question")];
    node.append(picture);
    if (words) node.append(make("span", "line", words));
    node.append(make("span", "sums", sums.filter(Boolean).join(" · ") || one.key));
    node.addEventListener("click", () => open(place));
    return node;
  }

  const haystack = (one) => [
    one.key, one.split, ...one.captions, ...one.facts.map(([, value]) => value),
    ...one.boxes.flatMap((box) => [box.label, box.phrase, ...box.attributes]),
    ...one.questions.flatMap((q) => [q.id, q.text, q.type, ...q.answers.map(([answer]) => answer)]),
    ...one.items.flatMap((q) => [q.id, q.text, ...[...q.answers, ...q.reasons].map(([choice]) => choice)]),
  ].join("\n").toLowerCase();
  const haystacks = new Map(pictures.map((one) => [one, haystack(one)]));

  function filter() {
    const label = at("label").value;
    const words = at("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    state.shown = pictures.filter((one) =>
      (!label || one.boxes.some((box) => box.label === label)) &&
      words.every((word) => haystacks.get(one).includes(word)));
    at("gallery").replaceChildren(...state.shown.map(card));
    at("nothing").hidden = state.shown.length > 0;
    const some = state.shown.length === pictures.length ? "" : `${state.shown.length} of `;
    at("count").textContent = `${some}${pictures.length} pictures, drawn from ${about.total.toLocaleString("en")}`;
    remember();
  }

  function show() {
    for (const what of [...KINDS, "names", "patches", "mask"]) document.body.classList.toggle(`no-${what}`, state.hide.has(what));
    for (const button of document.querySelectorAll("[data-show]")) button.setAttribute("aria-pressed", String(!state.hide.has(button.dataset.show)));
    for (const choice of document.querySelectorAll("[data-view]")) choice.value = state.view;
    declutter();
    remember();
  }
  function look(view) {
    state.view = about.views.includes(view) ? view : about.views[0];
    show();
    lay(state.shown[state.open]);
  }
  function toggle(what) {
    state.hide.has(what) ? state.hide.delete(what) : state.hide.add(what);
    show();
    mark(state.pinned);
  }

  function open(place) {
    const one = state.shown[place];
    if (!one) return;
    state.open = place;
    state.pinned = state.text = -1;
    const ratio = one.width / one.height || 1;
    const picture = pictureOf(one, ratio);
    at("frame").style.setProperty("--ratio", String(ratio));
    if (one.src) picture.append(overlay(one), ...tags(one));
    at("frame").replaceChildren(picture);
    at("key").textContent = one.key;
    at("place").textContent = `${one.dataset} ${one.split} · ${place + 1} of ${state.shown.length}`;
    at("words").replaceChildren(...words(one));
    at("words").scrollTop = 0;
    at("previous").disabled = place === 0;
    at("next").disabled = place === state.shown.length - 1;
    lay(one);
    if (!at("viewer").open) {
      at("viewer").showModal();
      at("viewer").focus();
    }
    declutter();
    remember();
  }

  const viewOf = (one) => one.views[state.view] || { frame: [0, 0, one.width, one.height], mirrored: false, patches: [], masked: [], captions: [], boxes: [] };

  function overlay(one) {
    const svg = canvas(one);
    for (const name of ["unseen", "hidden", "about", "grid patches", "taken patches"]) svg.append(draw("path", name, { d: "" }));
    /* Small boxes last, so that a large one never hides them from the pointer. */
    const order = one.boxes.map((_, i) => i).sort((a, b) => area(one.boxes[b]) - area(one.boxes[a]));
    for (const i of order) {
      const { kind, xywh: [x, y, width, height] } = one.boxes[i];
      const group = draw("g", kind, { "data-box": i });
      for (const name of ["hit", "halo", `box ${kind}`]) group.append(draw("rect", name, { x, y, width, height }));
      svg.append(group);
    }
    listen(svg, (node) => node.closest("[data-box]"));
    return svg;
  }
  /* Lays the frame that the model sees over the picture: its patches, and what is outside of it. */
  function lay(one) {
    if (one && one.src) {
      const view = viewOf(one);
      trace("grid", frames.lines(view));
      trace("unseen", frames.outside(one, view));
      trace("hidden", frames.cells(view, view.masked.flatMap(([, patches]) => patches)));
    }
    mark(state.pinned);
  }
  const trace = (name, d) => at("frame").querySelector(`svg > .${name}`).setAttribute("d", d);
  const area = (box) => box.xywh[2] * box.xywh[3];

  function tags(one) {
    return one.boxes.map((box, i) => {
      const number = one.items.length ? `${Number(box.id) + 1} ` : "";
      const tag = make("span", `tag ${box.kind}`, number + nameOf(box));
      tag.dataset.box = i;
      tag.style.left = `${(100 * Math.max(box.xywh[0], 0)) / one.width}%`;
      tag.style.top = `${(100 * Math.max(box.xywh[1], 0)) / one.height}%`;
      return tag;
    });
  }

  /* Of names that lie upon each other one is shown, a phrase first (whoever wants regions reads
     them), then the larger box's; the other when it is pointed at. */
  function declutter() {
    const one = state.shown[state.open];
    const frame = at("frame").getBoundingClientRect();
    if (!one || !frame.width) return;
    const edge = at("frame").firstElementChild.getBoundingClientRect().right;
    const kept = [];
    const tags = [...at("frame").querySelectorAll(".tag")];
    for (const tag of tags) tag.style.transform = "";
    const rank = (tag) => (one.boxes[tag.dataset.box].kind === "region" ? Infinity : area(one.boxes[tag.dataset.box]));
    tags.sort((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
    for (const tag of tags) {
      const here = tag.getBoundingClientRect();
      if (!here.width) continue;
      const over = Math.min(edge - here.right, 0);
      if (over) tag.style.transform = `translateX(${over}px)`;
      const place = { left: here.left + over, right: here.right + over, top: here.top, bottom: here.bottom };
      const covered = kept.some((other) => place.left < other.right && other.left < place.right && place.top < other.bottom && other.top < place.bottom);
      tag.classList.toggle("covered", covered);
      if (!covered) kept.push(place);
    }
  }

  function listen(root, find) {
    const box = (event) => Number((find(event.target) || { dataset: { box: state.pinned } }).dataset.box);
    root.addEventListener("pointerover", (event) => mark(box(event)));
    root.addEventListener("pointerleave", () => mark(state.pinned));
    root.addEventListener("click", (event) => {
      const found = find(event.target) ? box(event) : -1;
      state.pinned = found === state.pinned ? -1 : found;
      mark(state.pinned);
    });
  }

  /* Shows one box among the others, in the picture and in the list. */
  function mark(number) {
    const one = state.shown[state.open];
    if (!one) return;
    for (const node of at("viewer").querySelectorAll("[data-box]")) node.classList.toggle("on", Number(node.dataset.box) === number);
    at("frame").firstElementChild.classList.toggle("some", number >= 0);
    const box = one.boxes[number];
    const taken = (box && viewOf(one).patches[number]) || [];
    const grid = `${about.columns} x ${about.rows} patches`;
    const seen = `${SEEN[state.view]}${viewOf(one).mirrored ? ", mirrored" : ""}`;
    const whole = state.view === about.views[0];
    const parts = [];
    if (box) parts.push(nameOf(box), `${box.kind} at ${box.xywh.map((v) => Math.round(v * 10) / 10).join(", ")}`);
    if (!state.hide.has("patches")) parts.push(box ? `${frames.size(taken)} of ${grid}` : `${grid}, ${seen}`);
    else if (!whole && !box) parts.push(`what the model sees, ${seen}`);
    if (!state.hide.has("mask") && !box) parts.push(masked(one));
    const related = relatedTo(one, number);
    if (one.src) trace("taken", frames.cells(viewOf(one), taken, true));
    if (one.src) trace("about", related ? frames.cells(viewOf(one), related) : "");
    if (related) parts.push(`PBC: ${frames.size(related)} related ${frames.size(related) === 1 ? "patch" : "patches"}`);
    for (const node of at("words").querySelectorAll("[data-text]")) node.classList.toggle("on", box === undefined && Number(node.dataset.text) === state.text);
    at("told").textContent = parts.join(" \u00b7 ");
  }
  function masked(one) {
    const found = viewOf(one).masked;
    const names = found.map(([name, patches]) => `${name} ${frames.size(patches)}`).join(", ");
    return names ? `MPC: ${frames.size(found.flatMap(([, patches]) => patches))} patches hidden (${names})` : "MPC: nothing to hide";
  }
  /* The patches that a phrase (with the patches shown) or the caption at hand is about. */
  function relatedTo(one, number) {
    if (number >= 0) return state.hide.has("patches") ? null : viewOf(one).boxes[number];
    return state.text >= 0 ? viewOf(one).captions[state.text] : null;
  }

  function words(one) {
    const parts = [];
    const section = (name, body) => parts.push(make("h3", "", name), body);
    if (one.captions.length) section("Captions", captions(one));
    if (one.boxes.length) section(`Boxes (${one.boxes.length})`, boxes(one));
    if (one.questions.length) section(`Questions (${one.questions.length})`, make("div", "", "", ...one.questions.map(question)));
    if (one.items.length) section(`Questions with choices (${one.items.length})`, make("div", "", "", ...one.items.map(item)));
    section("Facts", facts(one.facts));
    return parts;
  }
  function captions(one) {
    const show = (number) => { state.text = number; mark(state.pinned); };
    return make("ul", "captions", "", ...one.captions.map((text, i) => {
      if (!Object.values(one.views).some((view) => view.captions[i])) return make("li", "", text || "(empty)");
      const button = make("button", "", text);
      button.type = "button";
      button.dataset.text = i;
      button.title = "Show the patches that it is about";
      for (const [event, number] of [["pointerenter", i], ["focus", i], ["pointerleave", -1], ["blur", -1]]) button.addEventListener(event, () => show(number));
      return make("li", "", "", button);
    }));
  }

  function boxes(one) {
    const list = make("ul", "boxes", "", ...one.boxes.map((box, i) => {
      const name = make("span", "name");
      if (one.items.length) name.append(make("small", "", `${Number(box.id) + 1} `));
      if (box.label) name.append(make("b", "", box.label), " ");
      if (box.phrase) name.append(make("em", "", box.phrase), " ");
      if (!box.label && !box.phrase) name.append(make("small", "", "(no label)"));
      if (box.attributes.length) name.append(make("small", "", box.attributes.join(", ")));
      const button = make("button", box.kind, "", make("i"), name, make("small", "at", `${Math.round(box.xywh[2])} x ${Math.round(box.xywh[3])}`));
      button.type = "button";
      button.dataset.box = i;
      button.title = `${box.kind}${box.source ? ` from ${box.source}` : ""}`;
      return make("li", box.kind, "", button);
    }));
    listen(list, (node) => node.closest("[data-box]"));
    list.addEventListener("focusin", (event) => mark(Number(event.target.dataset.box)));
    return list;
  }

  /* The view lives in the address behind '#', so that it can be sent to a colleague. */
  let quiet = false;
  function remember() {
    if (quiet) return;
    const now = new URLSearchParams();
    if (at("find").value) now.set("find", at("find").value);
    if (at("label").value) now.set("label", at("label").value);
    now.set("hide", [...state.hide].sort().join(","));
    if (state.view !== about.views[0]) now.set("view", state.view);
    if (at("viewer").open && state.shown[state.open]) now.set("open", state.shown[state.open].key);
    history.replaceState(null, "", `#${now}`);
  }
  function recall() {
    const then = new URLSearchParams(location.hash.slice(1));
    quiet = true;
    at("find").value = then.get("find") || "";
    at("label").value = then.get("label") || "";
    if (at("label").selectedIndex < 0) at("label").value = "";
    if (then.has("hide")) state.hide = new Set(then.get("hide").split(",").filter(Boolean));
    state.view = about.views.includes(then.get("view")) ? then.get("view") : about.views[0];
    filter();
    show();
    quiet = false;
    const place = state.shown.findIndex((one) => one.key === then.get("open"));
    if (place >= 0) open(place);
  }

  function prepare() {
    at("title").textContent = about.title;
    at("banner").hidden = !about.sample;
    const counts = new Map();
    const there = new Set();
    for (const one of pictures) {
      for (const box of one.boxes) there.add(box.kind);
      for (const label of new Set(one.boxes.map((box) => box.label).filter(Boolean))) counts.set(label, (counts.get(label) || 0) + 1);
    }
    const labels = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    for (const [label, count] of labels) {
      const option = make("option", "", `${label} (${count})`);
      option.value = label;
      at("label").append(option);
    }
    at("label").hidden = !labels.length;
    for (const kind of KINDS) for (const button of document.querySelectorAll(`[data-show="${kind}"]`)) button.hidden = !there.has(kind);
    for (const button of document.querySelectorAll('[data-show="names"]')) button.hidden = !there.size;
    if (!pictures.some((one) => Object.values(one.views).some((view) => view.masked.length))) for (const button of document.querySelectorAll('[data-show="mask"]')) button.hidden = true;
    for (const choice of document.querySelectorAll("[data-view]")) {
      for (const view of about.views) choice.append(Object.assign(make("option", "", view.replaceAll("_", " ")), { value: view }));
      choice.addEventListener("change", () => look(choice.value));
    }
    /* Dozens of regions over dozens of objects are a thicket: the objects first. */
    if (there.has("object") && there.has("region")) state.hide.add("region");
  }

  const KEYS = { o: "object", r: "region", c: "crowd", n: "names", p: "patches", m: "mask" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = ["INPUT", "SELECT"].includes(event.target.tagName);
    const move = { ArrowLeft: -1, k: -1, ArrowRight: 1, j: 1 }[event.key];
    if (typing) {
      if (event.key === "Escape") event.target.blur();
    } else if (KEYS[event.key]) {
      toggle(KEYS[event.key]);
    } else if (event.key === "v") {
      look(about.views[(about.views.indexOf(state.view) + 1) % about.views.length]);
    } else if (event.key === "/" && !at("viewer").open) {
      event.preventDefault();
      at("find").focus();
    } else if (move && at("viewer").open) {
      event.preventDefault();
      open(state.open + move);
    } else if (move) {
      const cards = [...at("gallery").children];
      const next = cards[Math.min(Math.max(cards.indexOf(document.activeElement) + move, 0), cards.length - 1)];
      if (next) { event.preventDefault(); next.focus(); }
    }
  });
  for (const button of document.querySelectorAll("[data-show]")) button.addEventListener("click", () => toggle(button.dataset.show));
  at("find").addEventListener("input", filter);
  at("label").addEventListener("change", filter);
  at("clear").addEventListener("click", () => { at("find").value = at("label").value = ""; filter(); });
  at("previous").addEventListener("click", () => open(state.open - 1));
  at("next").addEventListener("click", () => open(state.open + 1));
  at("close").addEventListener("click", () => at("viewer").close());
  at("viewer").addEventListener("click", (event) => { if (event.target === at("viewer")) at("viewer").close(); });
  at("viewer").addEventListener("close", () => {
    const card = at("gallery").children[state.open];
    if (card) card.focus();
    state.open = -1;
    remember();
  });
  window.addEventListener("hashchange", recall);
  window.addEventListener("resize", declutter);
  prepare();
  recall();
  document.body.dataset.ready = "yes";
})();
