// What somebody still has to do for the subject, and whether any measure is left with subscribers.
import { bi, h } from "./dom.js";
import { name, pair } from "./names.js";

/** Terms that run or were missed; null where the purpose hides measures. */
export function termsSection({ dossier, downstream }) {
  if (downstream === undefined) return null;
  const terms = dossier.terms ?? [];
  return h(
    "section",
    { "aria-labelledby": "terms-title" },
    h("h2", { id: "terms-title" }, bi("办理期限与下游留存", "Terms, and what is left downstream")),
    downstream.clear
      ? h("p", { class: "empty good" }, bi("下游不再留存任何措施。", "Nothing stays downstream."))
      : h("p", {}, bi(
          `执行中的措施 ${downstream.in_effect} 项，尚未全部回执的解除 ${downstream.open_lifts.length} 项。`,
          `Measures in force: ${downstream.in_effect}; lifts that not everybody has acknowledged: ${downstream.open_lifts.length}.`)),
    terms.length ? h("ul", { class: "ended" }, terms.map(term)) : null,
  );
}

// a lift waits for departments, the orders of a listing for families and departments: "M01 150100-zwfw"
function answer(one) {
  const [family, code] = one.includes(" ") ? one.split(" ") : [null, one];
  return [family ? h("span", { class: "quiet" }, `${family} `) : null, bi(...pair("department", code))];
}

const term = (row) =>
  h("li", {}, name("term", row.term), " · ", h("bdi", {}, row.document_number),
    row.measure ? [" · ", name("measure", row.measure)] : null,
    row.waiting.length ? [" · ", row.waiting.map((one, index) => [index ? ", " : "", answer(one)])] : null,
    row.unmet?.length ? [" · ", bi("尚缺：", "lacks: "), row.unmet.map((one, index) => [index ? ", " : "", name("repairCondition", one)])] : null,
    row.ask_from ? [" · ", bi(`自 ${row.ask_from} 起可申请`, `may be asked for from ${row.ask_from}`)] : null,
    " · ", row.until ? bi(`至 ${row.until}`, `to ${row.until}`) : null,
    row.reminders ? h("span", { class: "tag strong" }, bi(`逾期 ${row.reminders} 次`, `missed: ${row.reminders}`)) : null);
