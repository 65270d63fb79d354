// Who looked a subject up, when and why: asked for when it is unfolded, since the question is on the ledger too.
import { applyLanguage, problemText } from "./chrome.js";
import { bi, h } from "./dom.js";
import { time } from "./format.js";
import { name, pair } from "./names.js";
import { pager } from "./paging.js";

/** Look-ups, newest first. load asks for the page after a cursor. */
export function accessesSection(load) {
  const content = h("div", { "aria-live": "polite" });
  let isThere = false;
  const unfold = async ({ target }) => {
    if (!target.open || isThere) return;
    const { ok, value } = await load(null);
    isThere = ok;
    content.replaceChildren(...(ok ? table(value, load) : [h("div", { class: "problem", role: "alert" }, problemText(value))]));
    applyLanguage();
  };
  return h(
    "section",
    { class: "accesses", "aria-labelledby": "accesses-title" },
    h("h2", { id: "accesses-title" }, bi("查询记录", "Look-ups")),
    h("details", { ontoggle: unfold },
      h("summary", {}, bi("谁因何查询过（查看本身也会登记）", "Who looked this subject up, and why (looking is on record too)")),
      content),
  );
}

function table({ items, next }, load) {
  const body = h("tbody", {}, items.map(row));
  return [
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "accesses-title" }, h("table", {}, head(), body)),
    ...pager(bi("更早的查询", "Earlier look-ups"), next, load, (rows) => body.append(...rows.map(row))),
  ];
}

const head = () =>
  h("thead", {}, h("tr", {},
    h("th", {}, bi("时间", "when")), h("th", {}, bi("查询单位", "who")), h("th", {}, bi("目的", "purpose")),
    h("th", {}, bi("依据", "basis"))));

const row = ({ at, actor, purpose, basis }) =>
  h(
    "tr",
    {},
    h("td", {}, h("time", {}, time(at))),
    h("th", { scope: "row" }, who(actor)),
    h("td", {}, name("purpose", purpose)),
    h("td", {}, h("bdi", {}, basis)),
  );

// what a webhook was sent is on the ledger as well
function who(actor) {
  if (actor.startsWith("webhook:")) return bi(`推送：${actor.slice(8)}`, `sent to webhook ${actor.slice(8)}`);
  return actor === "console" ? bi("网页查询", "the web page") : bi(...pair("department", actor));
}
