// What codes are called, in both languages.
import { bi } from "./dom.js";

let names = {};

/** Fetch the names of the catalogue; without them the pages show codes. */
export async function loadNames() {
  try {
    const answer = await fetch("/api/names");
    if (answer.ok) names = await answer.json();
  } catch {
    console.warn("names are not available, codes are shown");
  }
}

const FIXED = {
  subjectKind: {
    LEGAL_PERSON: ["法人或非法人组织", "legal person"], SOLE_TRADER: ["个体工商户", "sole trader"],
    NATURAL_PERSON: ["自然人", "natural person"], ORGAN: ["机关", "organ of government"],
  },
  kind: {
    Registration: ["登记", "registration"], Permit: ["行政许可", "permit"], Penalty: ["行政处罚", "penalty"],
    CourtEnforcement: ["法院执行", "court enforcement"], ListDecision: ["名单决定", "list decision"],
    RestrictionOrder: ["限制消费令", "order that limits consumption"], DepartmentReview: ["部门考核", "review of a department"],
    SupervisionTicket: ["督办", "ticket of supervision"],
    MeasureAcknowledgement: ["措施反馈", "acknowledgement of a measure"], Rating: ["信用评价", "rating"],
    Honor: ["表彰奖励", "honour"], Inspection: ["监督检查", "inspection"], Commitment: ["信用承诺", "commitment"],
    Practitioner: ["职业信息", "practitioner"], Finding: ["认定事实", "finding"], Filing: ["备案报告", "filing"],
    PreReview: ["信用预审", "pre-review"], ListStep: ["名单程序", "listing procedure"], Dispute: ["异议", "dispute"], Repair: ["信用修复", "repair"],
    Revocation: ["撤销", "revocation"],
  },
  scheme: {
    USCC: ["统一社会信用代码", "unified social credit code"], ORGANISATION: ["组织机构代码", "organisation code"],
    REGISTRATION: ["注册号", "registration number"], TAX: ["纳税人识别号", "tax number"],
    CITIZEN: ["公民身份号码", "citizen number"], SUBJECT_KEY: ["主体标识", "subject key"],
  },
  alert: {
    DISHONEST_SUBJECT: ["新增严重失信主体", "new dishonest subject"], CLEARED_SUBJECT: ["移出全部名单", "cleared"],
    ESCALATION_PROPOSED: ["提请认定", "proposal to the authority"], DEADLINE_NEAR: ["办理期限将至", "deadline near"], DISPUTE_OVERDUE: ["异议逾期", "dispute overdue"], REPAIR_OVERDUE: ["修复逾期", "repair overdue"],
    REPAIR_UNMET: ["修复条件不足", "repair lacks a condition"], REPAIR_IRREGULAR: ["修复不规范", "irregular repair"], REVOCATION_OVERDUE: ["撤回逾期", "withdrawn too late"],
    ORDER_UNACKNOWLEDGED: ["实施未回执", "order not acknowledged"],
    LIFT_UNACKNOWLEDGED: ["解除未回执", "lift not acknowledged"], GRADE_CHANGED: ["等级变化", "grade changed"],
    TICKET_OVERDUE: ["督办逾期", "ticket overdue"], RECHECK_OVERDUE: ["复核逾期", "check overdue"],
    QUARANTINED: ["记录被隔离", "record in quarantine"], SOURCE_HELD: ["来源熔断", "source held"],
    SOURCE_RELEASED: ["来源放行", "source released"], SOURCE_ROLLED_BACK: ["来源回退", "source rolled back"],
    LOAD_OPENED: ["初始导入开始", "initial load opened"], LOAD_COMPLETED: ["初始导入报送完毕", "initial load complete"],
    LOAD_RELEASED: ["初始导入放行", "initial load released"], LOAD_ROLLED_BACK: ["初始导入回退", "initial load rolled back"], RULES_CHANGED: ["规则变更", "rules changed"],
  },
  term: {
    DISPUTE: ["异议处理", "decision about a dispute"], REPAIR_ACCEPTANCE: ["信用修复受理", "acceptance of a repair"],
    REPAIR_DECISION: ["信用修复办理", "decision about a repair"],
    RECTIFICATION: ["督办整改", "answer to a ticket"], RECHECK: ["督办复核", "check of an answer"],
    REPAIR_NOTICE: ["未随决定送达信用修复告知书", "the notice how to repair did not come with the decision"],
    ESCALATION: ["长期在列提请认定", "proposal after a long time on the list"],
    ORDER_ACKNOWLEDGEMENT: ["实施措施的回执", "word what was done about the measures"],
    LIFT_ACKNOWLEDGEMENT: ["停止实施的回执", "word that a measure stopped"],
  },
  repairCondition: {
    TIME: ["最短期限未满", "the shortest time is not over"], PERFORMANCE: ["义务未履行完毕", "not everything is performed"],
    COMMITMENT: ["未作信用承诺", "no commitment"],
  },
  binding: { MANDATORY: ["强制", "mandatory"], ADVISORY: ["参考", "advisory"] },
  listingState: { LISTED: ["在列", "listed"], WAITING: ["暂缓生效", "waiting"], REMOVED: ["已移出", "removed"] },
  orderState: {
    PROPOSED: ["拟实施", "proposed"], NOTIFIED: ["已通知", "sent"], ACTIVE: ["实施中", "applied"], SUSPENDED: ["已中止", "suspended"],
  },
  condition: {
    EXEMPT: ["初次轻微并已改正", "first, minor, corrected"], BASIS: ["无有效依据", "no basis in force"],
    PROPORTION: ["过惩不当", "out of proportion"], RELEVANCE: ["无关联", "not related"],
    PUBLISHED: ["行为时未公布", "not published then"], NOTICE: ["未告知", "not told of"],
  },
  cause: {
    LOAD: ["随初始导入收到", "came with an initial load"], LOADED: ["初始导入经批准放行", "its initial load was released"],
    ROLLED_BACK: ["批量回退", "rolled back"], BREAKER: ["来源列入数量异常", "its sender lists more than usual"], RELEASED: ["来源经批准放行", "its sender was released"],
    DECIDED: ["决定列入", "decided"], REPAIRED: ["信用修复", "repaired"], REVOKED: ["决定撤销", "revoked"],
    EXPIRED: ["期满", "expired"], DELISTED: ["决定移出", "taken off by decision"], LIFTED: ["法院解除", "lifted by the court"], CORRECTED: ["更正", "corrected"],
    DISPUTE_UPHELD: ["异议成立", "dispute upheld"], DISPUTE_OVERDUE: ["异议逾期未处理", "dispute not decided in time"],
    BANKRUPTCY_PLAN: ["重整、和解计划执行期间", "a plan is carried out"], PLAN_ENDED: ["计划已终止", "the plan has ended"],
    DISPUTE_DECIDED: ["异议已处理", "dispute decided"], IDENTITY: ["主体身份关联", "identities linked"],
    REBUILT: ["按日志重建", "rebuilt from the log"],
  },
};

/** Both names of a code as texts; the code itself where it has none. */
export function pair(kind, code) {
  return (FIXED[kind] ?? names[kind] ?? {})[code] ?? [code ?? "", code ?? ""];
}

/** Whether a list is one of severely dishonest subjects; to be on another is no such judgment. */
export const isSevere = (list) => list in (names.severe_list ?? {});

/** Whether a code is no list but an order of a court. */
export const isCourtOrder = (list) => list in (names.court_order ?? {});

/** Whether a decision of a kind has to come with the notice how to repair, by the day on which it was made. */
export function needsNotice(kind, day) {
  const [since, until] = names.repair_notice?.[kind] ?? ["9999", ""];
  return day >= since && (!until || day <= until);
}

/** Name of a code as elements. */
export const name = (kind, code) => bi(...pair(kind, code));
