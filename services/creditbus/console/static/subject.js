// The page of one subject: score with reasons, listings, measures, records.
import { accessesSection } from "./accesses.js";
import { ask, applyLanguage, problemText, startChrome, statedPurpose } from "./chrome.js";
import { bi, h } from "./dom.js";
import { grouped, number, time } from "./format.js";
import { isSevere, name, pair } from "./names.js";
import { incentivesSection, listingsSection, measuresSection, restrictionsSection } from "./orders.js";
import { recordsSection } from "./records.js";
import { scoreSection } from "./score.js";
import { termsSection } from "./terms.js";

const page = document.getElementById("subject");
const identifier = decodeURIComponent(location.pathname.slice("/subjects/".length));

/** A page of an answer about the subject, under the purpose that the form states. */
function asked(path, cursor) {
  const query = new URLSearchParams({ ...statedPurpose(), ...(cursor ? { cursor } : {}) });
  return ask(`/api/${path}/${encodeURIComponent(identifier)}?${query}`);
}

const lookUp = (cursor) => asked("subjects", cursor);

async function accesses(cursor) {
  const { ok, value } = await asked("accesses", cursor);
  return { ok, value: ok ? value.accesses : value };
}

function sections(found) {
  const { dossier } = found;
  document.title = dossier.subject_name;
  return [
    header(found),
    scoreSection(dossier),
    listingsSection(found),
    restrictionsSection(found),
    measuresSection(found),
    incentivesSection(found),
    termsSection(found),
    recordsSection(found, lookUp),
    accessesSection(accesses),
    footer(found),
  ].filter(Boolean);
}

function header({ dossier, records, listings }) {
  const isFictitious = [...(records?.items ?? []), ...(listings ?? [])].some((row) => row.fictitious);
  return h(
    "header",
    { class: "subject-head" },
    isFictitious
      ? h("p", { class: "fictitious" }, bi("虚构数据，仅供演示，不涉及任何真实的企业或个人。", "Made-up data for demonstration; it is about no real firm or person."))
      : null,
    h("div", { class: "title-row" },
      h("h1", {}, h("bdi", {}, dossier.subject_name)),
      stamp(dossier)),
    h(
      "dl",
      { class: "facts" },
      fact(bi("代码", "code"), h("span", { class: "code" }, grouped(dossier.identifier).map((part) => h("span", {}, part)))),
      fact(bi("类别", "kind"), name("subjectKind", dossier.subject_kind)),
      fact(bi("行政区划", "region"), bi(...pair("region", dossier.region)), " ", h("span", { class: "quiet" }, dossier.region)),
      fact(bi("有效记录", "records in effect"), number(dossier.record_count),
        dossier.adverse_count ? bi(`，其中不利记录 ${dossier.adverse_count}`, `, adverse: ${dossier.adverse_count}`) : null),
      fact(bi("截至", "as of"), time(dossier.as_of)),
      ...otherNumbers(dossier),
    ),
    h("button", { type: "button", class: "print", onclick: () => window.print() }, bi("打印", "Print")),
  );
}

function stamp({ listed, lists, court_orders: orders }) {
  if (!listed) {
    return orders?.length ? h("span", { class: "stamp mild" }, bi("限制消费", "consumption limited")) : null;
  }
  return (lists ?? []).some(isSevere)
    ? h("span", { class: "stamp" }, bi("严重失信主体", "severely dishonest subject"))
    : h("span", { class: "stamp mild" }, bi("列入名录", "on a list"));
}

function otherNumbers(dossier) {
  return (dossier.identifiers ?? [])
    .filter((one) => one.value && one.value !== dossier.identifier)
    .map((one) => fact(name("scheme", one.scheme), h("span", { class: "code" }, one.value)));
}

const fact = (label, ...value) => h("div", {}, h("dt", {}, label), h("dd", {}, value));

function footer({ dossier, access_id: access }) {
  return h(
    "section",
    { class: "provenance" },
    h("p", {}, bi(
      `本次查询已登记（${access}）。查询目的与依据随查询记录保存，信用主体可以查阅。`,
      `This look-up is on record (${access}), with its purpose and basis; the subject can read it.`)),
    h("p", {}, bi("规则版本 ", "rules "), h("code", {}, (dossier.edition ?? "").slice(0, 12)),
      dossier.receipt_hash ? [" · ", bi("评分凭证 ", "receipt of the score "), h("code", {}, dossier.receipt_hash.slice(0, 16))] : null),
  );
}

function failure(problem) {
  document.title = problem.title_zh ?? problem.title ?? "";
  return [
    h("section", { class: "failure" },
      h("div", { class: "problem", role: "alert" }, problemText(problem)),
      problem.status >= 500 || !problem.status
        ? h("button", { type: "button", class: "primary", onclick: () => location.reload() }, bi("重试", "Try again"))
        : null),
  ];
}

await startChrome();
document.getElementById("search").elements.identifier.value = identifier;
const answer = await lookUp(null);
page.replaceChildren(...(answer.ok ? sections(answer.value) : failure(answer.value)));
page.setAttribute("aria-busy", "false");
applyLanguage();
