"use strict";
/* An element with its classes, its text and what is in it. What strangers wrote becomes a text node. */
function make(tag, classes = "", text = "", ...children) {
  const node = document.createElement(tag);
  if (classes) node.className = classes;
  if (text !== "") node.textContent = text;
  node.append(...children);
  return node;
}
