// Listings and measures: what is in force, on which basis, until when, and what has ended.
import { bi, h } from "./dom.js";
import { time } from "./format.js";
import { isCourtOrder, isSevere, name, pair } from "./names.js";

/** Lists that the subject is on, with document and basis, and how earlier ones ended. */
export function listingsSection({ dossier, listings }) {
  if (listings === undefined) return null;
  const decided = new Map(listings.filter((row) => row.state === "LISTED").map((row) => [row.listing_id, row]));
  const ended = listings.filter((row) => row.state === "REMOVED");
  const active = dossier.listings ?? [];
  return h(
    "section",
    { "aria-labelledby": "listings-title" },
    h("h2", { id: "listings-title" }, bi("名单", "Listings")),
    active.length
      ? h("ul", { class: "cards" }, active.map((row) => listing(row, decided.get(row.listing_id))))
      : h("p", { class: "empty good" }, bi("不在任何名单上。", "On no list.")),
    dossier.waiting_lists?.length
      ? h("p", { class: "quiet" }, bi("决定尚未生效，待完成告知、陈述申辩或送达：", "decided without effect, until notice, hearing and service are complete: "),
          dossier.waiting_lists.map((code, index) => [index ? ", " : "", name("list", code)]))
      : null,
    ended.length
      ? h("details", { open: active.length === 0 },
          h("summary", {}, bi(`已移出 ${ended.length} 次`, `removed: ${ended.length}`)),
          h("ul", { class: "ended" }, ended.map(removal)))
      : null,
  );
}

/** Orders of courts against the subject (限制消费令), apart from the lists; null where there is none, or the purpose hides them. */
export function restrictionsSection({ dossier, restrictions }) {
  const active = dossier.restrictions ?? [];
  const changes = restrictions ?? [];
  const ended = changes.filter((row) => row.state === "REMOVED");
  if (!active.length && !ended.length) return null;
  const decided = new Map(changes.filter((row) => row.state === "LISTED").map((row) => [row.listing_id, row]));
  return h(
    "section",
    { "aria-labelledby": "restrictions-title" },
    h("h2", { id: "restrictions-title" }, bi("限制消费令", "Orders that limit consumption")),
    h("p", { class: "quiet" }, bi("限制消费令不是失信名单，由人民法院单独作出和解除。", "Such an order is no list of dishonest subjects; a court makes it and lifts it.")),
    active.length
      ? h("ul", { class: "cards" }, active.map((row) => listing(row, decided.get(row.listing_id))))
      : h("p", { class: "empty good" }, bi("没有生效的限制消费令。", "None is in force.")),
    ended.length
      ? h("details", { open: active.length === 0 },
          h("summary", {}, bi(`已解除 ${ended.length} 次`, `lifted: ${ended.length}`)),
          h("ul", { class: "ended" }, ended.map(removal)))
      : null,
  );
}

function listing(row, decision) {
  return h(
    "li",
    { class: isSevere(row.list) ? "severe" : "mild" },
    h("h3", {}, name("list", row.list),
      row.suspended ? h("span", { class: "tag" }, row.shielded
        ? bi("重整、和解计划执行期间屏蔽", "shielded while a plan is carried out")
        : bi("异议逾期，措施暂停", "measures suspended: a dispute is overdue")) : null),
    h("dl", { class: "facts" },
      fact(isCourtOrder(row.list) ? bi("执行法院", "court") : bi("列入机关", "authority"), name("authority", row.authority)),
      fact(bi("文书号", "document"), h("bdi", {}, row.document_number)),
      fact(bi("法律依据", "basis"), basis(decision?.basis)),
      fact(bi("期限", "term"), term(row),
        row.repair_from ? [h("br"), bi(`${row.repair_from} 起可申请移出`, `removal may be asked for from ${row.repair_from}`)] : null)),
  );
}

const removal = (row) =>
  h("li", {}, h("time", {}, time(row.at)), " ", name("list", row.list), " · ", name("cause", row.cause), " · ",
    h("bdi", {}, row.document_number));

/** Measures that are ordered now, and those that were lifted. */
export function measuresSection({ dossier, orders }) {
  if (orders === undefined) return null;
  const messages = new Map();
  for (const row of orders) if (!messages.has(row.order_id)) messages.set(row.order_id, row);
  const active = dossier.orders ?? [];
  const lifted = [...messages.values()].filter((row) => row.action === "LIFT" && row.family.startsWith("M"));
  return h(
    "section",
    { "aria-labelledby": "measures-title" },
    h("h2", { id: "measures-title" }, bi("惩戒措施", "Measures")),
    active.length
      ? table(active.map((row) => measure(row, messages.get(row.order_id))))
      : h("p", { class: "empty good" }, bi("没有正在执行的措施。", "No measure is in force.")),
    dossier.refused?.length
      ? h("details", {},
          h("summary", {}, bi(`条件不具备而未实施 ${dossier.refused.length} 项`, `not ordered, a condition is not met: ${dossier.refused.length}`)),
          h("ul", { class: "ended" }, dossier.refused.map(refusal)))
      : null,
    lifted.length
      ? h("details", { open: active.length === 0 },
          h("summary", {}, bi(`已解除 ${lifted.length} 项`, `lifted: ${lifted.length}`)),
          h("ul", { class: "ended" }, lifted.map(lift)))
      : null,
  );
}

/** What honours and grades bring; null where there is nothing, or the purpose hides it. */
export function incentivesSection({ dossier }) {
  const offers = dossier.incentives ?? [];
  if (!offers.length) return null;
  return h(
    "section",
    { "aria-labelledby": "incentives-title" },
    h("h2", { id: "incentives-title" }, bi("守信激励", "Incentives")),
    h("ul", { class: "ended" }, offers.map((row) =>
      h("li", {}, name("incentive", row.measure), " · ", name("deserving", row.list), " · ", term(row),
        row.state === "SUSPENDED" ? h("span", { class: "tag" }, bi("在严重失信主体名单期间暂停", "not while severely listed")) : null))),
  );
}

const table = (rows) =>
  h("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "measures-title" },
    h("table", {},
      h("thead", {}, h("tr", {},
        h("th", {}, bi("措施", "measure")), h("th", {}, bi("效力", "force")), h("th", {}, bi("执行单位", "carried out by")),
        h("th", {}, bi("因名单", "because of")), h("th", {}, bi("期限", "term")), h("th", {}, bi("已反馈", "acknowledged")))),
      h("tbody", {}, rows)));

function measure(row, message) {
  return h("tr", {},
    h("th", { scope: "row" }, name("measure", row.measure), h("span", { class: "quiet" }, ` ${row.family}`),
      row.scope?.length ? h("div", { class: "quiet" }, row.scope.map((code, index) => [index ? bi("；", "; ") : "", name("consumption", code)])) : null),
    h("td", {}, h("span", { class: row.binding === "MANDATORY" ? "tag strong" : "tag" }, name("binding", row.binding)),
      " ", h("span", { class: "tag" }, name("orderState", row.state ?? "NOTIFIED"))),
    h("td", {}, message?.executor ?? "–"),
    h("td", {}, name("list", row.list)),
    h("td", {}, term(row)),
    h("td", {}, row.acknowledged?.length ? departments(row.acknowledged) : bi("尚无", "none yet"),
      row.declined?.length ? h("div", { class: "quiet" }, bi("不适用：", "not applicable: "), departments(row.declined)) : null));
}

const departments = (codes) => codes.map((code, index) => [index ? ", " : "", bi(...pair("department", code))]);

const refusal = (row) =>
  h("li", {}, name("measure", row.measure), " · ", name("list", row.list), " · ",
    h("span", { class: "tag" }, name("condition", row.condition)), " ", bi(row.text_zh, row.text_en));

const lift = (row) =>
  h("li", {}, h("time", {}, time(row.at)), " ", name("measure", row.measure), " · ", name("cause", row.cause));

const term = (row) => [
  row.effective_on, " ", row.until ? bi(`至 ${row.until}`, `to ${row.until}`) : bi("起，至移出为止", "until removed"),
];

// a basis is the code of an instrument, with or without an article behind it
function basis(rows) {
  if (!rows?.length) return "–";
  return rows.map((text, index) => {
    const [code, ...article] = text.split(/[\s#:]+/);
    return [index ? h("br") : null, name("instrument", code), article.length ? ` ${article.join(" ")}` : null];
  });
}

const fact = (label, ...value) => h("div", {}, h("dt", {}, label), h("dd", {}, value));
