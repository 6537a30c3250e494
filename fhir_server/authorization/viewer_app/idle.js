// Hides the screen when nobody has used it for five minutes (NETWORK.md F060, L05).

const LIMIT = 5 * 60_000;
const OFTEN = 5_000;
const USES = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "focusin"];

/** Call `left` once when the page was not used for five minutes, also where the computer slept meanwhile. */
export function watch(left, limit = LIMIT) {
  let last = Date.now();
  const check = () => {
    if (Date.now() - last < limit) return;
    clearInterval(timer);
    document.removeEventListener("visibilitychange", check);
    left();
  };
  for (const use of USES) {
    document.addEventListener(use, () => {
      check(); // a first touch after sleep comes too late
      last = Date.now();
    }, { passive: true, capture: true });
  }
  const timer = setInterval(check, Math.min(OFTEN, limit));
  document.addEventListener("visibilitychange", check);
}
