"use strict";
/* Where the patches of a frame lie on the stored picture, as paths of SVG. */
function framesOf(about) {
  const tidy = (value) => Math.round(value * 100) / 100;

  /* Sets of patches come as rectangles; a mirrored frame counts its columns from the right. */
  function cells({ frame: [x0, y0, x1, y1], mirrored }, rectangles, whole = false) {
    const width = (x1 - x0) / about.columns, height = (y1 - y0) / about.rows;
    const parts = [];
    for (let i = 0; i < rectangles.length; i += 4) {
      const [left, top, right, bottom] = rectangles.slice(i, i + 4);
      const across = whole ? right - left : 1, down = whole ? bottom - top : 1;
      if (across < 1 || down < 1) continue;
      for (let row = top; row < bottom; row += down) {
        for (let column = left; column < right; column += across) {
          const x = mirrored ? about.columns - column - across : column;
          const wide = tidy(across * width);
          parts.push(`M${tidy(x0 + x * width)} ${tidy(y0 + row * height)}h${wide}v${tidy(down * height)}h${-wide}z`);
        }
      }
    }
    return parts.join("");
  }

  function size(rectangles) {
    let sum = 0;
    for (let i = 0; i < rectangles.length; i += 4) {
      const [left, top, right, bottom] = rectangles.slice(i, i + 4);
      sum += Math.max(right - left, 0) * Math.max(bottom - top, 0);
    }
    return sum;
  }

  function lines({ frame: [x0, y0, x1, y1] }) {
    const parts = [`M${x0} ${y0}H${x1}V${y1}H${x0}z`];
    for (let i = 1; i < about.columns; i += 1) parts.push(`M${tidy(x0 + (i * (x1 - x0)) / about.columns)} ${y0}V${y1}`);
    for (let i = 1; i < about.rows; i += 1) parts.push(`M${x0} ${tidy(y0 + (i * (y1 - y0)) / about.rows)}H${x1}`);
    return parts.join("");
  }

  const outside = (one, { frame: [x0, y0, x1, y1] }) => `M0 0H${one.width}V${one.height}H0zM${x0} ${y0}V${y1}H${x1}V${y0}z`;

  return { cells, size, lines, outside };
}
