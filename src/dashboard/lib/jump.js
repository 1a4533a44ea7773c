// Ctrl K: to a page by its name, or to a request by its id.

import { h, replace } from "./dom.js";

/** Opens the box; `pages`: `[{name, label}]`, `go(path)`. */
export function jumper(pages, go) {
  return () => {
    if (document.querySelector("dialog.jump")) return;
    let found = [];
    let at = 0;
    const list = h("ul", { role: "listbox", id: "jump-list", "aria-label": "Pages" });
    const input = h("input", {
      type: "text", role: "combobox", "aria-label": "Jump to a page or a request's id", "aria-expanded": "true", "aria-controls": "jump-list", "aria-autocomplete": "list",
      placeholder: "Page, or the id of a request", autocomplete: "off", spellcheck: "false", oninput: search,
      onkeydown: (event) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step && found.length) {
          event.preventDefault();
          at = (at + step + found.length) % found.length;
          draw();
        } else if (event.key === "Enter") {
          event.preventDefault();
          choose(found[at]);
        }
      },
    });
    const node = h("dialog", { class: "jump", "aria-label": "Jump" }, input, list);
    node.addEventListener("close", () => node.remove());
    node.addEventListener("click", (event) => { if (event.target === node) node.close(); });

    function search() {
      const words = input.value.trim().toLowerCase();
      found = pages.filter(({ label }) => label.toLowerCase().includes(words)).map(({ name, label }) => ({ path: name, label }));
      if (words.length >= 6 && !found.length) found = [{ path: `requests/${encodeURIComponent(input.value.trim())}`, label: `Request ${input.value.trim()}` }];
      at = 0;
      draw();
    }

    function draw() {
      replace(list, found.map((each, index) => h("li", { role: "option", id: `jump-${index}`, "aria-selected": String(index === at), onclick: () => choose(each) }, each.label)));
      if (found.length) input.setAttribute("aria-activedescendant", `jump-${at}`);
      else input.removeAttribute("aria-activedescendant");
    }

    function choose(each) {
      if (!each) return;
      node.close();
      go(each.path);
    }

    document.body.append(node);
    search();
    node.showModal();
  };
}
