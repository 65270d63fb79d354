// What comes page by page: a button for the next page, and where it says what went wrong.
import { applyLanguage, problemText } from "./chrome.js";
import { h } from "./dom.js";

/** Two elements behind the rows. cursor: of the next page; load asks for the page of a cursor, append shows it. */
export function pager(label, cursor, load, append) {
  const more = h("button", { type: "button", class: "more", hidden: !cursor }, label);
  const trouble = h("div", { class: "problem", role: "alert", hidden: true });
  more.addEventListener("click", async () => {
    more.disabled = true;
    const { ok, value } = await load(cursor);
    more.disabled = false;
    trouble.hidden = ok;
    if (!ok) {
      trouble.replaceChildren(...problemText(value).flat());
      return;
    }
    append(value.items);
    cursor = value.next;
    more.hidden = !cursor;
    applyLanguage();
  });
  return [more, trouble];
}
