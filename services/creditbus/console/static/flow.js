// The pipeline with counts, rates and lag, drawn anew every second.
import { ask } from "./chrome.js";
import { bi, h, svg } from "./dom.js";
import { number, rate } from "./format.js";
import { showState } from "./state.js";

const EVERY_MS = 1000;
const RATE_OVER_MS = 5000;
const HISTORY = 120;
const LATE_MESSAGES = 10_000;

// in the order of the flow: key, what it is, names
const STAGES = [
  ["gateway", "service", "接入网关", "gateway"],
  ["events", "topic", "部门事件", "events"],
  ["intake", "service", "核验归集", "intake"],
  ["rejections", "topic", "退回", "rejections"],
  ["records", "topic", "信用记录", "records"],
  ["dossier", "service", "信用档案", "dossier"],
  ["listings", "topic", "名单变化", "listings"],
  ["measures", "topic", "措施指令", "measures"],
  ["alerts", "topic", "预警", "alerts"],
  ["warehouse", "service", "数据仓库", "warehouse"],
  ["lookup", "service", "查询接口", "look-up"],
];

// services that read a topic, and so can be behind
const READS = new Set(["intake", "dossier", "warehouse"]);

// topics by domain or family
const MANY = new Set(["events", "measures"]);

const flow = document.getElementById("flow");
const state = document.getElementById("flow-state");
const drawn = new Map();
const samples = [];
const history = [];

/** Draw the stages, then bring their figures up to date every second while the page is visible. */
export function startFlow() {
  for (const stage of STAGES) flow.append(draw(...stage));
  document.getElementById("throughput").append(
    svg("svg", { viewBox: `0 0 ${HISTORY - 1} 30`, preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("polyline", { id: "line", fill: "none", "vector-effect": "non-scaling-stroke" })),
    h("p", {}, h("b", { id: "per-second" }, "–"), " ", bi("条记录/秒", "records/s")),
  );
  tick();
}

function draw(key, what, zh, en) {
  const figures = { count: h("b", {}, "–"), rate: h("span", {}, ""), lag: h("span", {}, "") };
  const element = h(
    "li",
    { class: what, "data-stage": key },
    h("span", { class: "title" }, bi(zh, en)),
    h("code", {}, what === "topic" ? `credit.${key}${MANY.has(key) ? ".*" : ""}` : key),
    h("span", { class: "count" }, figures.count),
    h("span", { class: "rate" }, figures.rate),
    h("span", { class: "lag" }, figures.lag),
  );
  drawn.set(key, { key, element, ...figures });
  return element;
}

async function tick() {
  if (!document.hidden) {
    const answer = await ask("/api/flow");
    showState(state, answer.ok ? "live" : "away");
    flow.classList.toggle("stale", !answer.ok);
    if (answer.ok) update(withEvents(new Map(answer.value.stages.map((stage) => [stage.name, stage]))));
  }
  setTimeout(tick, EVERY_MS);
}

function update(stages) {
  const now = performance.now();
  samples.push({ now, counts: new Map([...stages].map(([key, stage]) => [key, stage.count])) });
  while (samples.length > 2 && now - samples[1].now > RATE_OVER_MS) samples.shift();
  for (const [key, parts] of drawn) show(parts, stages.get(key), rateOf(key));
  history.push(rateOf("records") ?? 0);
  if (history.length > HISTORY) history.shift();
  showThroughput();
}

// what the gateway accepted is what stands on the event topics
const withEvents = (stages) => stages.set("events", { count: stages.get("gateway")?.count });

/** Messages a second over the last five seconds; null until two samples are there. */
function rateOf(key) {
  const first = samples[0];
  const last = samples.at(-1);
  const from = first.counts.get(key);
  const to = last.counts.get(key);
  if (typeof from !== "number" || typeof to !== "number" || last.now === first.now) return null;
  return Math.max(0, (1000 * (to - from)) / (last.now - first.now));
}

function show(parts, stage, perSecond) {
  parts.element.classList.toggle("busy", (perSecond ?? 0) > 0);
  parts.element.classList.toggle("late", (stage?.lag ?? 0) > LATE_MESSAGES);
  parts.count.textContent = number(stage?.count);
  parts.rate.textContent = perSecond === null ? "" : `${rate(perSecond)}/s`;
  if (READS.has(parts.key)) parts.lag.replaceChildren(...lagText(stage?.lag));
}

function lagText(lag) {
  if (typeof lag !== "number") return [];
  return lag === 0 ? bi("无积压", "no lag") : bi(`积压 ${number(lag)}`, `lag ${number(lag)}`);
}

function showThroughput() {
  const top = Math.max(1, ...history);
  const start = HISTORY - history.length;
  const line = history.map((value, index) => `${start + index},${(28 - (26 * value) / top).toFixed(1)}`).join(" ");
  document.getElementById("line").setAttribute("points", line);
  document.getElementById("per-second").textContent = rate(history.at(-1));
}
