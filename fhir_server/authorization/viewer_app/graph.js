// A graph of results over time, drawn as SVG: a line and a shape for each facility, a band for the reference range.

import { drawn } from "./elements.js";
import { tick, time } from "./times.js";

const WIDE = 860;
const NARROW = 520; // on a phone, where the letters would be too small otherwise
const HEIGHT = 320;
const EDGE = { top: 18, right: 20, bottom: 34, left: 58 };
const DAY = 86_400_000;
const JAPAN = 9 * 3_600_000; // Japan has one zone and no summer time
const STEPS = [1, 2, 2.5, 5, 10];
const TICKS = 6;

/**
 * Draw results. Each of `points` has at (milliseconds), value, text, flag, colour and facility; `range` has low and high
 * where they are known; `description` says for those who cannot see it what the graph shows.
 */
export function graph(points, range, description) {
  const width = matchMedia("(max-width: 45rem)").matches ? NARROW : WIDE;
  const [horizontal, vertical] = [span(points.map((each) => each.at), DAY), span(heights(points, range), 1, 0.08)];
  const x = (at) => EDGE.left + ((at - horizontal.from) / (horizontal.to - horizontal.from)) * (width - EDGE.left - EDGE.right);
  const y = (value) => HEIGHT - EDGE.bottom - ((value - vertical.from) / (vertical.to - vertical.from)) * (HEIGHT - EDGE.top - EDGE.bottom);
  return drawn(
    "svg",
    { viewBox: `0 0 ${width} ${HEIGHT}`, class: "graph", role: "img", "aria-label": description },
    band(range, vertical, y, width),
    rulers(vertical, y, width),
    months(horizontal, x),
    lines(points, x, y),
    points.map((each) => point(each, x(each.at), y(each.value))),
  );
}

/** Draw a small line of values without axes. */
export function sparkline(points) {
  const [horizontal, vertical] = [span(points.map((each) => each.at), DAY), span(points.map((each) => each.value), 1, 0.1)];
  const x = (at) => 2 + ((at - horizontal.from) / (horizontal.to - horizontal.from)) * 76;
  const y = (value) => 22 - ((value - vertical.from) / (vertical.to - vertical.from)) * 20;
  const last = points.at(-1);
  return drawn(
    "svg",
    { viewBox: "0 0 80 24", class: "sparkline", "aria-hidden": "true" },
    drawn("polyline", { points: points.map((each) => `${x(each.at).toFixed(1)},${y(each.value).toFixed(1)}`).join(" ") }),
    drawn("circle", { cx: x(last.at), cy: y(last.value), r: 2.4, class: last.flag ? "outside" : "" }),
  );
}

function heights(points, range) {
  return [...points.map((each) => each.value), ...[range?.low, range?.high].filter((each) => each !== undefined)];
}

function span(values, least, room = 0.02) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const size = Math.max(high - low, high === low ? Math.abs(high) * 0.2 || least : 0);
  return { from: (high === low ? low - size / 2 : low) - size * room, to: (high === low ? low + size / 2 : high) + size * room };
}

function band(range, vertical, y, width) {
  if (range?.low === undefined && range?.high === undefined) return null;
  const [top, bottom] = [y(range.high ?? vertical.to), y(range.low ?? vertical.from)];
  return drawn("rect", { x: EDGE.left, y: top, width: width - EDGE.left - EDGE.right, height: Math.max(bottom - top, 1), class: "band" });
}

function rulers({ from, to }, y, width) {
  const rough = (to - from) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * STEPS.find((each) => each * power >= rough);
  const digits = Math.max(0, -Math.floor(Math.log10(step)) + (String(step / power).includes(".") ? 1 : 0));
  const drawnLines = [];
  for (let value = Math.ceil(from / step) * step; value <= to; value += step) {
    drawnLines.push(
      drawn("line", { x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value), class: "ruler" }),
      drawn("text", { x: EDGE.left - 8, y: y(value) + 4, class: "vertical" }, value.toFixed(digits)),
    );
  }
  return drawnLines;
}

function months({ from, to }, x) {
  const days = (to - from) / DAY;
  const unit = days > 4 * 365 ? "year" : days > 75 ? "month" : "day";
  const starts = beginnings(from, to, unit);
  const every = Math.max(1, Math.ceil(starts.length / 7));
  return starts
    .filter((_, place) => place % every === 0)
    .flatMap((at) => [
      drawn("line", { x1: x(at), x2: x(at), y1: HEIGHT - EDGE.bottom, y2: HEIGHT - EDGE.bottom + 5, class: "ruler" }),
      drawn("text", { x: x(at), y: HEIGHT - 10, class: "horizontal" }, tick(at, unit)),
    ]);
}

/** Give the beginnings of the years, months or days between two moments, in Japan. */
function beginnings(from, to, unit) {
  const [year, month, date] = new Date(from + JAPAN).toISOString().slice(0, 10).split("-").map(Number);
  const nth = {
    year: (step) => Date.UTC(year + step, 0, 1),
    month: (step) => Date.UTC(year, month - 1 + step, 1),
    day: (step) => Date.UTC(year, month - 1, date + step),
  }[unit];
  const found = [];
  for (let step = 0; ; step += 1) {
    const at = nth(step) - JAPAN;
    if (at > to) break;
    if (at >= from) found.push(at);
  }
  return found;
}

function lines(points, x, y) {
  const facilities = [...new Set(points.map((each) => each.facility))];
  return facilities.map((facility) => {
    const own = points.filter((each) => each.facility === facility);
    const places = own.map((each) => `${x(each.at).toFixed(1)},${y(each.value).toFixed(1)}`).join(" ");
    return drawn("polyline", { points: places, class: `line facility-${own[0].colour}` });
  });
}

function point(each, x, y) {
  const shape = SHAPES[each.colour % SHAPES.length];
  return drawn(
    "g",
    { class: `point facility-${each.colour}`, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` },
    each.flag ? drawn("circle", { r: 9, class: "outside" }) : null,
    shape(),
    drawn("title", {}, `${time(each.date)}  ${each.text}  ${each.name}`),
  );
}

// Not by colour alone: each facility has its shape too.
const SHAPES = [
  () => drawn("circle", { r: 4.5 }),
  () => drawn("rect", { x: -4.2, y: -4.2, width: 8.4, height: 8.4 }),
  () => drawn("path", { d: "M0 -5.6 L5.4 4.2 L-5.4 4.2 Z" }),
  () => drawn("path", { d: "M0 -6 L6 0 L0 6 L-6 0 Z" }),
];

/** Draw the sign that a facility has in graphs. */
export function sign(colour) {
  return drawn("svg", { viewBox: "-8 -8 16 16", class: "sign", "aria-hidden": "true" }, drawn("g", { class: `point facility-${colour}` }, SHAPES[colour % SHAPES.length]()));
}
