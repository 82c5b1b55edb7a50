/* <local-time datetime="…"><time>…</time></local-time>: says "3 min ago" and keeps it fresh; exact on hover. */
const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [7, "day"]];

/* A trial's clock may be ahead of the browser's; what is told is told by the trial's. */
function now() { return Date.now() + Number(document.documentElement.dataset.clockAhead ?? 0) * 1000; }

function relative(at) {
  let amount = (at - now()) / 1000;
  if (Math.abs(amount) < 45) return "just now";
  for (const [size, unit] of STEPS) {
    if (Math.abs(amount) < size) return words.format(Math.round(amount), unit);
    amount /= size;
  }
  return null;
}

const words = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

class LocalTime extends HTMLElement {
  connectedCallback() {
    this.show();
    this.timer = setInterval(() => this.show(), 30_000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  show() {
    const text = relative(new Date(this.getAttribute("datetime")).getTime());
    if (text) this.textContent = text;
  }
}

customElements.define("local-time", LocalTime);
