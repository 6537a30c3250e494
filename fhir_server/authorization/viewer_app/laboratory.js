// Laboratory results: the tests in a list, the chosen one as a graph over time and facilities, and as a table.

import { element, table } from "./elements.js";
import { graph, sign, sparkline } from "./graph.js";
import { say } from "./language.js";
import { flagged } from "./reading.js";
import { numeric, tests } from "./tests.js";
import { day, time } from "./times.js";

const CATEGORIES = "laboratory,body-measurement";
const PERIODS = { all: Infinity, year: 365, quarter: 92 };
const DAY = 86_400_000;

/** Show the results; which test and which period were chosen is remembered while the page is open. */
export async function laboratory({ server, facilities, chosen }) {
  const found = await server.ofPatient("Observation", { category: CATEGORIES, _sort: "-date" });
  await facilities.meet(found.resources);
  const known = tests(found.resources, facilities);
  if (!known.length) return element("p", { class: "none card" }, say("laboratory.none"));
  const place = element("div", { class: "result" });
  const show = (test) => {
    chosen.test = test.key;
    place.replaceChildren(detail(test, chosen, () => show(test)));
  };
  const first = known.find((each) => each.key === chosen.test) ?? preferred(known);
  show(first);
  return element("div", {}, found.more ? element("p", { class: "note" }, say("more")) : null, element("div", { class: "laboratory" }, list(known, first, show), place));
}

/** The test that is shown first: the one with most results, among those out of range where there are some. */
function preferred(known) {
  const striking = known.filter((each) => each.results.at(-1).flag && numeric(each.results).length > 1);
  const most = (one, other) => numeric(other.results).length - numeric(one.results).length;
  return [...(striking.length ? striking : known)].sort(most)[0];
}

function list(known, first, show) {
  const groups = [...new Set(known.map((each) => each.group))];
  const nothing = element("p", { class: "none", hidden: true }, say("laboratory.nothing"));
  const parts = groups.map((group) => element("div", { class: "group" }, element("h3", {}, group), known.filter((each) => each.group === group).map((test) => choice(test, test === first, show))));
  const narrow = (event) => {
    const wanted = plain(event.target.value);
    for (const part of parts) {
      for (const button of part.querySelectorAll("button")) button.hidden = !plain(button.dataset.name).includes(wanted);
      part.hidden = !part.querySelector("button:not([hidden])");
    }
    nothing.hidden = parts.some((part) => !part.hidden);
  };
  const field = element("input", { type: "search", placeholder: say("laboratory.find"), "aria-label": say("laboratory.find"), input: narrow });
  return element("nav", { class: "card tests", "aria-label": say("laboratory.tests") }, field, element("div", { class: "choices" }, parts, nothing));
}

// Names come in full width (ＨｂＡ１ｃ); people type HbA1c.
function plain(text) {
  return text.normalize("NFKC").toLowerCase();
}

function choice(test, pressed, show) {
  const last = test.results.at(-1);
  const values = numeric(test.results);
  const press = (event) => {
    for (const each of event.currentTarget.closest("nav").querySelectorAll("button")) each.setAttribute("aria-pressed", String(each === event.currentTarget));
    show(test);
  };
  return element(
    "button",
    { type: "button", "aria-pressed": String(pressed), "data-name": test.name, click: press },
    element("span", { class: "name" }, test.name),
    values.length > 1 ? sparkline(values) : null,
    element("span", { class: last.flag ? "value outside" : "value" }, last.text, last.flag ? ` ${flagged(last.observation)}` : ""),
  );
}

function detail(test, chosen, again) {
  const since = Math.max(...test.results.map((each) => each.at)) - PERIODS[chosen.period ?? "all"] * DAY;
  const results = test.results.filter((each) => !(each.at < since));
  return element(
    "section",
    { class: "card" },
    element("div", { class: "heading" }, element("h2", {}, test.name), periods(chosen, again)),
    picture(test, results),
    legend(results),
    listing(test, results),
  );
}

function periods(chosen, again) {
  const choose = (period) => () => {
    chosen.period = period;
    again();
    document.querySelector(`[data-period="${period}"]`)?.focus();
  };
  const buttons = Object.keys(PERIODS).map((period) =>
    element("button", { type: "button", "data-period": period, "aria-pressed": String((chosen.period ?? "all") === period), click: choose(period) }, say(`laboratory.time.${period}`)),
  );
  return element("div", { class: "choice", role: "group", "aria-label": say("laboratory.time") }, buttons);
}

function picture(test, results) {
  const points = numeric(results);
  if (!points.length) return element("p", { class: "note" }, say("laboratory.words"));
  const values = points.map((each) => each.value);
  const words = [test.name, points.length, day(points[0].date), day(points.at(-1).date), Math.min(...values), Math.max(...values)];
  return element("figure", {}, graph(points, points.at(-1).bounds, say("laboratory.graph", ...words)), element("figcaption", {}, notes(test, points)));
}

function notes(test, points) {
  const ranges = [...new Set(points.map((each) => each.range).filter(Boolean))];
  const last = points.at(-1).range;
  return [
    last ? say(ranges.length > 1 ? "laboratory.bands" : "laboratory.band", last) : "",
    test.methods.size > 1 ? say("laboratory.methods") : "",
  ].filter(Boolean).map((each) => element("span", {}, each));
}

function legend(results) {
  const facilities = new Map(results.map((each) => [each.facility, each]));
  return element("ul", { class: "legend", "aria-label": say("facility") }, [...facilities.values()].map((each) => element("li", {}, sign(each.colour), each.name)));
}

function listing(test, results) {
  const columns = [say("date"), say("laboratory.value"), say("laboratory.flag"), say("laboratory.range"), say("facility")];
  const rows = [...results].reverse().map((each) => [
    time(each.date),
    element("span", { class: each.flag ? "outside" : "" }, each.text),
    flagged(each.observation),
    each.range,
    [sign(each.colour), each.name],
  ]);
  return table(say("laboratory.results", test.name, results.length), columns, rows, { class: "results" });
}
