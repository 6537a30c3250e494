// Dates as they are written in Japan. What has a time is shown in Japan's; a part of a date stays that part.

import { language, say } from "./language.js";

const ZONE = "Asia/Tokyo";

function format(tag, options) {
  return new Intl.DateTimeFormat(tag, options);
}

/** Give the moment of a FHIR date, dateTime or instant, in milliseconds: of a part of a date, its beginning. */
export function moment(text) {
  if (!text) return NaN;
  return Date.parse(text.length > 10 ? text : `${text}${"-01-01".slice(text.length - 4)}T00:00:00+09:00`);
}

/** Write a FHIR date or dateTime as a day: 2026-03-30. */
export function day(text) {
  if (!text || text.length <= 10) return text ?? "";
  return format("sv-SE", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit" }).format(moment(text));
}

/** Write a FHIR dateTime with its time: 2026-03-30 09:08. */
export function time(text) {
  if (!text || text.length <= 10) return day(text);
  return `${day(text)} ${format("sv-SE", { timeZone: ZONE, hour: "2-digit", minute: "2-digit" }).format(moment(text))}`;
}

/** Write a birth date in Western years and, where the day is known, in those of the Japanese era. */
export function birthday(text) {
  if (!text) return say("unknown");
  if (text.length < 10) return text;
  const era = format("ja-JP-u-ca-japanese", { timeZone: ZONE, era: "long", year: "numeric", month: "long", day: "numeric" });
  const western = format(language() === "ja" ? "ja-JP" : "en-GB", { timeZone: ZONE, year: "numeric", month: "long", day: "numeric" });
  return `${western.format(moment(text))} (${era.format(moment(text))})`;
}

/** Tell how old somebody born on that day is, or was on another. */
export function age(born, until = day(new Date().toISOString())) {
  if (!born || born.length < 10) return null;
  const [years, rest] = [Number(until.slice(0, 4)) - Number(born.slice(0, 4)), until.slice(5) < born.slice(5)];
  return years - (rest ? 1 : 0);
}

/** Write a tick of a graph's axis. */
export function tick(milliseconds, unit) {
  const options = { year: { year: "numeric" }, month: { year: "numeric", month: "2-digit" }, day: { month: "2-digit", day: "2-digit" } };
  return format("sv-SE", { timeZone: ZONE, ...options[unit] }).format(milliseconds);
}
