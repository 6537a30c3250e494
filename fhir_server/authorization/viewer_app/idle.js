// Hides the screen when nobody has used it for five minutes (NETWORK.md F060, L05).

const LIMIT = 5 * 60_000;
const OFTEN = 5_000;
const TELL = 20_000;
const USES = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "focusin"];

/**
 * Call `left` once when the page was not used for five minutes, also where the computer slept meanwhile; and `used` now and
 * then while it is used, so that the login at the server knows of it.
 */
export function watch(left, used, limit = LIMIT) {
  let last = Date.now();
  let told = last;
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
      if (last - told > TELL) {
        told = last;
        used();
      }
    }, { passive: true, capture: true });
  }
  const timer = setInterval(check, Math.min(OFTEN, limit));
  document.addEventListener("visibilitychange", check);
}
