// The records of a subject, page by page.
import { bi, h } from "./dom.js";
import { name, needsNotice, pair } from "./names.js";
import { pager } from "./paging.js";

/** Records, newest decision first; null where the purpose hides them. lookUp fetches the page after a cursor. */
export function recordsSection({ dossier, records }, lookUp) {
  if (records === undefined) return null;
  const disputed = new Set(dossier.disputed ?? []);
  const body = h("tbody", {}, records.items.map((row) => record(row, disputed)));
  const load = async (cursor) => {
    const { ok, value } = await lookUp(cursor);
    return { ok, value: ok ? value.records : value };
  };
  const append = (rows) => body.append(...rows.map((row) => record(row, disputed)));
  return h(
    "section",
    { "aria-labelledby": "records-title" },
    h("h2", { id: "records-title" }, bi("信用记录", "Records")),
    records.items.length
      ? h("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "records-title" }, h("table", {}, head(), body))
      : h("p", { class: "empty" }, bi("没有记录。", "No records.")),
    pager(bi("更早的记录", "Earlier records"), records.next, load, append),
  );
}

const head = () =>
  h("thead", {}, h("tr", {},
    h("th", {}, bi("决定日期", "decided")), h("th", {}, bi("种类", "kind")), h("th", {}, bi("内容", "content")),
    h("th", {}, bi("文书号", "document")), h("th", {}, bi("决定机关", "authority"))));

function record(row, disputed) {
  return h(
    "tr",
    { class: row.op === "WITHDRAW" ? "withdrawn" : null },
    h("td", {}, h("time", {}, row.decided_on)),
    h("th", { scope: "row" }, name("kind", row.kind),
      row.op === "WITHDRAW" ? h("span", { class: "tag" }, bi("已撤回", "withdrawn")) : null,
      row.revision > 1 ? h("span", { class: "tag" }, bi(`更正 ${row.revision - 1}`, `correction ${row.revision - 1}`)) : null,
      lacksNotice(row) ? h("span", { class: "tag" }, bi("未随附信用修复告知书", "without the notice how to repair")) : null,
      disputed.has(row.record_id) ? h("span", { class: "tag strong" }, bi("异议中", "disputed")) : null),
    h("td", {}, h("p", {}, content(row)), h("p", { class: "quiet" }, bi(...pair("item", row.item)))),
    h("td", {}, h("bdi", {}, row.document_number)),
    h("td", {}, name("authority", row.authority), reporter(row)),
  );
}

// 两书同达; a decision that takes off a list needs no notice how to repair
const lacksNotice = ({ kind, decided_on, facts }) =>
  facts !== undefined && facts.action !== "DELIST" && needsNotice(kind, decided_on) && !facts.repair_notice_on;

// who reported it, where that is not who decided
function reporter(row) {
  const isSame = pair("department", row.sender)[0] === pair("authority", row.authority)[0];
  if (!row.sender || isSame) return null;
  return h("p", { class: "quiet" }, bi("报送：", "sent by "), bi(...pair("department", row.sender)));
}

const AMOUNT = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2 });
const yuan = (fen) => [AMOUNT.format(fen / 100), " ", bi("元", "yuan")];

const RESTRICTION_STAGE = {
  ISSUED: ["发出", "issued"], EXEMPTED: ["批准消费", "consumption allowed"], LIFTED: ["解除", "lifted"],
};

// the fact of each kind that says most in one line
const CONTENT = {
  Registration: (facts) => [facts.status, facts.industry ? ` · ${facts.industry}` : ""],
  Permit: (facts) => [facts.content || facts.certificate_name, facts.valid_until ? bi(`（至 ${facts.valid_until}）`, ` (to ${facts.valid_until})`) : ""],
  Penalty: (facts) => [facts.violation || facts.content, facts.fine_fen ? [" · ", bi("罚款 ", "fine "), yuan(facts.fine_fen)] : ""],
  CourtEnforcement: (facts) => [facts.case_number, facts.court ? ` · ${facts.court}` : ""],
  RestrictionOrder: (facts) => [
    facts.case_number, " · ", RESTRICTION_STAGE[facts.stage] ? bi(...RESTRICTION_STAGE[facts.stage]) : facts.stage,
    facts.consumptions?.length ? [" · ", facts.consumptions.map((code, index) => [index ? bi("、", ", ") : "", name("consumption", code)])] : ""],
  ListDecision: (facts) => [name("list", facts.list), " · ", facts.action === "DELIST" ? bi("移出", "taken off") : bi("列入", "listed")],
  Rating: (facts) => [facts.scheme, " ", facts.period, " · ", facts.grade],
  Honor: (facts) => [facts.title],
  Inspection: (facts) => [facts.category, " · ", facts.result, facts.content ? ` · ${facts.content}` : ""],
  Commitment: (facts) => [facts.content, " · ", facts.state],
  Practitioner: (facts) => [facts.profession, " · ", facts.stage, facts.result ? ` · ${facts.result}` : ""],
  Finding: (facts) => [facts.conduct, facts.amount_fen ? [" · ", yuan(facts.amount_fen)] : ""],
  Filing: (facts) => [facts.category, facts.period ? ` ${facts.period}` : "", " · ", facts.state],
  ListStep: (facts) => [name("list", facts.list), " · ", facts.step, " ", facts.happened_on],
  PreReview: (facts) => [facts.scenario, " · ", facts.outcome || facts.stage],
  DepartmentReview: (facts) => [facts.category, " ", facts.period, facts.result ? ` · ${facts.result}` : "", facts.content ? ` · ${facts.content}` : ""],
  SupervisionTicket: (facts) => [facts.category, " · ", facts.stage, facts.answer || facts.requirement ? ` · ${facts.answer || facts.requirement}` : ""],
  Dispute: (facts) => [facts.stage, facts.outcome ? ` · ${facts.outcome}` : ""],
  Repair: (facts) => [facts.stage, facts.reason ? ` · ${facts.reason}` : ""],
  Revocation: (facts) => [facts.reason],
  MeasureAcknowledgement: (facts) => [facts.family, " · ", facts.state],
};

const content = (row) => (row.facts && CONTENT[row.kind] ? CONTENT[row.kind](row.facts) : "");
