/* Reads what stands in the page and loads what lies beside it. Text from the data goes into text
   nodes only; nothing here builds HTML from strings. */
const vleData = (() => {
  const { about, groups, pieces } = JSON.parse(document.getElementById("data").textContent);
  const here = new Map(pieces);
  const waiting = new Map();
  const MOST_KEPT = 150;
  const OF_ITEMS = /^set\d+-\d/;

  /* A page from a disk may not fetch, but it may load scripts; each calls this once. */
  window.vlePiece = (name, value) => here.set(name, value);

  function piece(name) {
    if (here.has(name)) return Promise.resolve(here.get(name));
    if (!waiting.has(name)) waiting.set(name, load(name).finally(() => waiting.delete(name)));
    return waiting.get(name);
  }
  function load(name) {
    return new Promise((resolve, reject) => {
      const lost = () => reject(new Error(`${about.source}/${name}.js is missing: keep the folder beside the page.`));
      if (!about.source) return lost();
      const script = document.createElement("script");
      script.src = `${about.source}/${name}.js`;
      script.onload = () => { script.remove(); forget(); here.has(name) ? resolve(here.get(name)) : lost(); };
      script.onerror = () => { script.remove(); lost(); };
      document.head.append(script);
      return undefined;
    });
  }
  function forget() {
    const old = [...here.keys()].filter((name) => OF_ITEMS.test(name));
    for (const name of old.slice(0, Math.max(old.length - MOST_KEPT, 0))) here.delete(name);
  }

  const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const NUMBERS = new Uint8Array(128);
  for (let i = 0; i < LETTERS.length; i += 1) NUMBERS[LETTERS.charCodeAt(i)] = i;
  function unpacked([width, text]) {
    const codes = new Uint32Array(text.length / width);
    for (let i = 0; i < codes.length; i += 1) {
      let code = 0;
      for (let k = 0; k < width; k += 1) code = code * 64 + NUMBERS[text.charCodeAt(i * width + k)];
      codes[i] = code;
    }
    return codes;
  }

  /* A set of items: its first piece with codes as arrays. */
  const sets = new Map();
  async function itemSet(number) {
    if (!sets.has(number)) {
      const head = await piece(`set${number}`);
      const runs = head.runs.map((run) => ({ ...run, codes: unpacked(run.codes) }));
      const shown = new Map(head.pictures.flatMap((names, part) => names.map((name) => [name, part])));
      sets.set(number, { ...head, number, runs, groupOf: unpacked(head.group), shown, thumbs: new Map() });
    }
    return sets.get(number);
  }

  /* One item with what the runs at `places` of its set said. */
  async function item(set, at, places) {
    const name = `set${set.number}-${Math.floor(at / about.step)}`;
    const row = at % about.step;
    const [shared, ...given] = await Promise.all([piece(name), ...places.map((place) => piece(`${name}-${place}`))]);
    return {
      at,
      id: shared.id[row],
      image: shared.image[row] || "",
      question: shared.question[row] || "",
      gold: shared.gold[row] || [],
      marks: shared.marks[row] || [],
      group: set.groups[set.groupOf[at]] || "",
      given: given.map((run, i) => ({
        prediction: run.prediction[row],
        words: run.words[row] || "",
        spot: run.spots[row] || null,
        why: run.reasons[run.why[row]] || "",
        value: set.runs[places[i]].values[set.runs[places[i]].codes[at]],
      })),
    };
  }
  async function picture(set, image) {
    if (!set.shown.has(image)) return "";
    if (!set.thumbs.has(image)) {
      for (const [name, source] of await piece(`set${set.number}-p${set.shown.get(image)}`)) set.thumbs.set(name, source);
    }
    return set.thumbs.get(image) || "";
  }
  return { about, groups, piece, itemSet, item, picture };
})();

const vleDraw = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  function button(classes, text, act) {
    const node = make("button", classes, text);
    node.type = "button";
    node.addEventListener("click", act);
    return node;
  }
  function draw(tag, attributes) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  }
  const at = (id) => document.getElementById(id);
  const count = (number) => number.toLocaleString("en");
  function option(value, text = value) {
    const node = make("option", "", text);
    node.value = value;
    return node;
  }
  return { button, draw, at, count, option };
})();
