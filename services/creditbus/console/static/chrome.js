// What every page has: language, colours, the search form.
import { bi, h } from "./dom.js";
import { loadNames } from "./names.js";

const YEAR_SECONDS = 31_536_000;
const THEMES = ["auto", "light", "dark"];
const root = document.documentElement;

/** Start the switches and, where the page has one, the search form. Resolves when names are there. */
export async function startChrome() {
  document.getElementById("language").addEventListener("click", () => {
    remember("language", isChinese() ? "en" : "zh");
    root.lang = isChinese() ? "en" : "zh-CN";
    applyLanguage();
  });
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
    remember("theme", root.dataset.theme);
  });
  const form = document.getElementById("search");
  const [purposes] = await Promise.all([form ? ask("/api/purposes") : null, loadNames()]);
  if (form) startSearch(form, purposes.ok ? purposes.value : []);
  applyLanguage();
}

/** What a look-up is for: as last stated, else what the form suggests. */
export function statedPurpose() {
  const { purpose, basis } = document.getElementById("search").elements;
  return { purpose: purpose.value, basis: basis.value || basis.placeholder };
}

/** Texts that cannot hold two languages at once (options, titles, the page's name). */
export function applyLanguage() {
  const key = isChinese() ? "zh" : "en";
  for (const element of document.querySelectorAll(`[data-${key}]`)) element.textContent = element.dataset[key];
  for (const element of document.querySelectorAll("[data-title-zh]")) {
    element.title = isChinese() ? element.dataset.titleZh : element.dataset.titleEn;
  }
  for (const element of document.querySelectorAll("[data-hint-zh]")) {
    element.placeholder = isChinese() ? element.dataset.hintZh : element.dataset.hintEn;
  }
}

/** A problem of the server as an element: what is wrong and what to do. */
export function problemText(problem) {
  return [
    h("strong", {}, bi(problem.title_zh || problem.title || "出错了", problem.title || "Something went wrong")),
    " ",
    bi(problem.detail_zh || problem.detail || "", problem.detail || problem.detail_zh || ""),
  ];
}

const isChinese = () => root.lang.startsWith("zh");
const remember = (name, value) => {
  document.cookie = `${name}=${value}; Path=/; Max-Age=${YEAR_SECONDS}; SameSite=Lax`;
};

function startSearch(form, purposes) {
  const { identifier, purpose, basis } = form.elements;
  for (const one of purposes) purpose.append(h("option", { value: one.code, "data-zh": one.zh, "data-en": one.en }));
  // the purpose that shows most serves whoever only wants to see how things stand
  const widest = [...purposes].sort((a, b) => b.shows.length - a.shows.length)[0];
  purpose.value = sessionStorage.getItem("purpose") ?? widest?.code ?? "";
  basis.value = sessionStorage.getItem("basis") ?? "";
  basis.dataset.hintZh = "网页查询";
  basis.dataset.hintEn = "look-up on the web page";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search(form, identifier.value, purpose.value, basis.value);
  });
  // not before: what is typed would go into the address
  form.querySelector("fieldset").disabled = false;
}

async function search(form, text, purpose, basis) {
  const shown = form.querySelector("#search-error");
  const field = form.elements.identifier;
  shown.hidden = true;
  field.removeAttribute("aria-invalid");
  const answer = await ask("/api/identifiers", { method: "POST", body: text });
  if (answer.ok) {
    sessionStorage.setItem("purpose", purpose);
    sessionStorage.setItem("basis", basis);
    location.assign(`/subjects/${encodeURIComponent(answer.value.identifier)}`);
    return;
  }
  shown.replaceChildren(...problemText(answer.value).flat());
  shown.hidden = false;
  field.setAttribute("aria-invalid", "true");
  field.focus();
}

/** A request for JSON: { ok, value }; a server that does not answer is a problem like any other. */
export async function ask(address, options = {}) {
  try {
    const answer = await fetch(address, options);
    return { ok: answer.ok, value: await answer.json() };
  } catch {
    return {
      ok: false,
      value: {
        title: "The console does not answer.", title_zh: "控制台没有应答。",
        detail: "Is the lab running? See `creditbus status`.", detail_zh: "平台是否在运行？请用 `creditbus status` 查看。",
      },
    };
  }
}
