"use strict";
/* Words of a picture as nodes: facts, questions with their answers, questions with choices. Text
   from the data goes into text nodes only. */
const tell = (() => {
  const facts = (rows) => make("dl", "", "", ...rows.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));

  function question(one) {
    const node = make("div", "question", "", make("p", "", one.text));
    const notes = [one.type, one.id, one.dev ? "test-dev" : ""].filter(Boolean).join(" · ");
    if (notes) node.append(make("small", "", notes));
    const most = Math.max(...one.answers.map(([, count]) => count), 1);
    const bars = make("div", "answers");
    for (const [answer, count] of one.answers) {
      const bar = make("i");
      bar.style.width = `${(100 * count) / most}%`;
      bars.append(make("span", "", answer), bar, make("b", "", String(count)));
    }
    if (one.answers.length) node.append(bars);
    for (const [answer, score] of one.targets) node.append(make("span", "chip", `target ${answer}: ${score}`));
    return node;
  }

  function item(one) {
    const node = make("div", "question", "", make("p", "", one.text), make("small", "", [one.id, one.type].filter(Boolean).join(" · ")));
    for (const [what, choices] of [["Answers", one.answers], ["Reasons", one.reasons]]) {
      const list = make("ol", "choices", "", ...choices.map(([text, right]) => make("li", right ? "right" : "", text)));
      list.setAttribute("aria-label", what);
      node.append(make("h4", "", what), list);
    }
    return node;
  }

  return { facts, question, item };
})();
