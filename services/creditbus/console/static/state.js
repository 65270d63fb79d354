// The small line that says whether a live part of the page is live.
import { bi } from "./dom.js";

const TEXTS = {
  waiting: ["正在连接", "connecting"],
  live: ["实时", "live"],
  away: ["连接中断，正在重试", "interrupted, trying again"],
};

/** Show a state: waiting, live or away. */
export function showState(element, state) {
  if (element.dataset.state === state) return;
  element.dataset.state = state;
  element.replaceChildren(...bi(...TEXTS[state]));
}
