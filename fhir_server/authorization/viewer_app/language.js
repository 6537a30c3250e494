// Which language the page speaks: Japanese, or English where the reader chose it.

import { WORDS } from "./words.js";

const KEPT = "tsunagi.language";
const PLACE = { ja: 0, en: 1 };

let spoken = remembered();

function remembered() {
  const asked = new URLSearchParams(location.search).get("lang") ?? stored();
  return asked in PLACE ? asked : "ja";
}

function stored() {
  try {
    return localStorage.getItem(KEPT) ?? "ja";
  } catch {
    return "ja"; // a browser that keeps nothing
  }
}

/** Tell the language: "ja" or "en". */
export function language() {
  return spoken;
}

/** Speak another language from now on. */
export function speak(chosen) {
  spoken = chosen in PLACE ? chosen : "ja";
  document.documentElement.lang = spoken;
  try {
    localStorage.setItem(KEPT, spoken);
  } catch {
    // it is asked for again at the next visit
  }
}

/** Say something in the reader's language; {0}, {1} stand for the values. */
export function say(word, ...values) {
  return values.reduce((text, value, place) => text.replaceAll(`{${place}}`, value), WORDS[word]?.[PLACE[spoken]] ?? word);
}

/** Say a code's meaning where this page knows it, otherwise what the server calls it. */
export function meaning(group, code, display = code) {
  const word = `${group}.${code}`;
  return word in WORDS ? say(word) : (display ?? "");
}

document.documentElement.lang = spoken;
