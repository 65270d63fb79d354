// The score of a legal person, and why it is what it is.
import { bi, h } from "./dom.js";
import { points } from "./format.js";
import { name } from "./names.js";

const CEILING = 1000;
const NEVER_SCORED = ["NATURAL_PERSON", "SOLE_TRADER"];

/** Grade, points and reasons; for persons the statement that they are never scored; null where the purpose hides it. */
export function scoreSection(dossier) {
  if (NEVER_SCORED.includes(dossier.subject_kind)) {
    return section(h("p", { class: "empty" }, bi("自然人和个体工商户只列事实，不评分。", "Persons and sole traders have facts only, never a score.")));
  }
  if (dossier.score === undefined) {
    return section(h("p", { class: "empty" }, bi("本次查询目的不显示评分。", "The stated purpose does not show the score.")));
  }
  if (dossier.score === null) {
    return section(h("p", { class: "empty" }, bi("尚未评分。", "Not scored.")));
  }
  return section(gauge(dossier), reasons(dossier.reasons ?? []));
}

const section = (...content) =>
  h("section", { "aria-labelledby": "score-title" },
    h("h2", { id: "score-title" }, bi("公共信用综合评价", "Score")), content);

function gauge({ score, grade }) {
  const bar = h("span", { class: "fill" });
  bar.style.setProperty("--share", String(Math.min(1, Math.max(0, score / CEILING))));
  return h(
    "div",
    { class: "score", "data-grade": grade },
    h("strong", { class: "grade" }, grade),
    h("div", { class: "measure" },
      h("p", {}, h("b", {}, String(score)), h("span", { class: "quiet" }, ` / ${CEILING}`), " · ", name("grade", grade)),
      h("span", { class: "bar", "aria-hidden": "true" }, bar)),
  );
}

function reasons(rows) {
  if (rows.length === 0) {
    return h("p", { class: "empty" }, bi("没有加分或减分事项，为基准分。", "Nothing adds or deducts points: the base score."));
  }
  return h("ol", { class: "reasons" }, rows.map((row) =>
    h("li", { class: row.points < 0 ? "minus" : "plus" },
      h("b", { class: "points" }, points(row.points)),
      h("div", {},
        h("p", { class: "why" }, bi(row.text_zh, row.text_en)),
        h("p", { class: "quiet" }, h("bdi", {}, row.document_number || ""), row.document_number && how(row) ? " · " : "", how(row)),
        row.points < 0 && (row.remedy_zh || row.remedy_en)
          ? h("p", { class: "remedy" }, h("span", { class: "tag" }, bi("如何改善", "how to mend")), " ", bi(row.remedy_zh, row.remedy_en))
          : null),
    )));
}

// until when it counts; what adds points without a day has nothing to be mended
function how(row) {
  if (row.until) return bi(`影响至 ${row.until}`, `counts until ${row.until}`);
  return row.points < 0 ? bi("至移出或修复为止", "until removed or repaired") : null;
}
