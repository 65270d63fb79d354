// The latest alerts, and each new one as it comes.
import { applyLanguage, ask } from "./chrome.js";
import { bi, h } from "./dom.js";
import { time } from "./format.js";
import { name, pair } from "./names.js";
import { showState } from "./state.js";

const MOST_SHOWN = 20;
const RETRY_MS = 3000;

const list = document.getElementById("alerts");
const none = document.getElementById("no-alerts");
const state = document.getElementById("alerts-state");
const seen = new Set();

/** Show the latest alerts, then follow the stream. */
export async function startAlerts() {
  const latest = await ask(`/api/alerts?limit=${MOST_SHOWN}`);
  if (latest.ok) for (const alert of oldestFirst(latest.value)) show(alert, false);
  follow(latest.ok ? latest.value.position : "");
}

// position: of the last alert that was seen, so that none is missed between the list and the stream
function follow(position) {
  let reached = position;
  const stream = new EventSource(`/api/alerts/stream?position=${encodeURIComponent(position)}`);
  stream.onopen = () => showState(state, "live");
  // the browser connects again by itself after a break, but not after a refusal
  stream.onerror = () => {
    showState(state, "away");
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => follow(reached), RETRY_MS);
  };
  stream.addEventListener("alert", (event) => {
    reached = event.lastEventId;
    show(JSON.parse(event.data), true);
  });
}

function show(alert, isNew) {
  if (seen.has(alert.alert_id)) return;
  seen.add(alert.alert_id);
  none.hidden = true;
  list.prepend(row(alert, isNew));
  while (list.children.length > MOST_SHOWN) list.lastElementChild.remove();
  applyLanguage();
}

function row(alert, isNew) {
  return h(
    "li",
    { class: isNew ? "new" : null, "data-kind": alert.kind },
    h("time", { datetime: new Date(alert.at).toISOString() }, time(alert.at)),
    h("span", { class: "tag" }, name("alert", alert.kind)),
    h(
      "div",
      { class: "what" },
      alert.subject_kind === "ORGAN"
        ? h("bdi", {}, alert.subject_name)
        : h("a", { href: `/subjects/${encodeURIComponent(linkOf(alert))}` }, h("bdi", {}, alert.subject_name)),
      alert.fictitious ? h("span", { class: "fictitious-mark" }, bi("虚构", "fictitious")) : null,
      h("p", {}, bi(alert.text_zh, alert.text_en)),
    ),
    h("span", { class: "where" }, bi(...pair("region", alert.region))),
  );
}

// the number of a natural person is masked: its page is found by the key
const linkOf = (alert) => (alert.identifier.includes("*") ? alert.subject_key : alert.identifier || alert.subject_key);

const oldestFirst = (answer) => [...answer.items].reverse();
