// Numbers, dates and codes as people read them; the same in both languages.

const NUMBER = new Intl.NumberFormat("en-US");
const BEIJING = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit",
  hour: "2-digit", minute: "2-digit", second: "2-digit",
});

export const number = (value) => (value === null || value === undefined ? "–" : NUMBER.format(value));

/** A rate per second: one decimal while it is small. */
export const rate = (value) => (value < 10 ? value.toFixed(1).replace(/\.0$/, "") : NUMBER.format(Math.round(value)));

/** Points with their sign, and a real minus. */
export const points = (value) => (value > 0 ? `+${value}` : value < 0 ? `−${-value}` : "0");

/** Beijing time of an instant (milliseconds or RFC 3339). */
export function time(value) {
  const instant = typeof value === "number" ? new Date(value) : new Date(String(value ?? ""));
  return Number.isNaN(instant.getTime()) ? String(value ?? "") : BEIJING.format(instant);
}

/** A unified code in its parts, so that it can be compared with a certificate. */
export function grouped(code) {
  return /^[0-9A-Z]{18}$/.test(code) ? [code.slice(0, 2), code.slice(2, 8), code.slice(8, 17), code.slice(17)] : [code];
}
