// The frame: who is signed in, where one is, and how to get elsewhere.

import { keepToken, token, tryToken } from "./lib/api.js";
import { append, h, icon, replace } from "./lib/dom.js";
import { jumper } from "./lib/jump.js";
import { announce, failed, iconButton, skeleton } from "./lib/ui.js";

/** Every page: `pages/<name>.js` exports `title` and `render(main, {params, query, signal, navigate, …})`. */
export const PAGES = [
  { group: "Watch", pages: [["overview", "Overview"], ["health", "Health"], ["requests", "Requests"], ["spend", "Spend"]] },
  { group: "Configure", pages: [["routes", "Routes"], ["providers", "Providers"], ["keys", "Keys"], ["budgets", "Budgets"], ["prices", "Prices"], ["settings", "Settings"]] },
  { group: "Try and check", pages: [["playground", "Playground"], ["audit", "Audit"]] },
];
const NAMES = new Map(PAGES.flatMap((group) => group.pages));
const HOME = "overview";
const THEME = "portolan.theme";
const THEMES = [["system", "System", "system"], ["light", "Light", "sun"], ["dark", "Dark", "moon"]];

const app = h("div", { id: "app" });
document.body.append(
  app,
  h("div", { id: "toasts", role: "status", "aria-live": "polite" }),
  h("div", { id: "announcer", class: "sr", role: "status", "aria-live": "polite" }),
);

let leave = null;
let frame = null;

window.addEventListener("hashchange", () => { if (frame) route(); });
window.addEventListener("portolan:signed-out", (event) => { if (token()) signOut(event.detail); });
start();

function start() {
  if (token()) enter();
  else askForToken();
}

function askForToken(message) {
  leave?.abort();
  frame = null;
  document.title = "Sign in · Portolan";
  const input = h("input", { id: "token", type: "password", name: "token", autocomplete: "current-password", autocapitalize: "off", spellcheck: "false", required: true, "aria-describedby": "token-error" });
  const wrong = h("p", { class: "field-error", id: "token-error", role: "alert" });
  const go = h("button", { type: "submit", class: "button primary wide" }, "Sign in");
  const say = (words) => {
    replace(wrong, words ? [icon("alert", 14), words] : []);
    wrong.hidden = !words;
    if (words) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  const submit = async (event) => {
    event.preventDefault();
    const candidate = input.value.trim();
    if (!candidate) return say("Enter the admin token.");
    go.disabled = true;
    try {
      await tryToken(candidate);
      keepToken(candidate);
      enter();
    } catch (error) {
      const isWrong = error.status === 401 && !/No admin token/.test(error.message);
      say(isWrong ? "This is not the admin token." : error.message);
      input.select();
    } finally {
      go.disabled = false;
    }
  };
  replace(app, h("main", { class: "sign-in", id: "main" },
    h("form", { class: "card", onsubmit: submit },
      brand("h1"),
      h("div", { class: "field" }, h("label", { for: "token" }, "Admin token"), input, wrong),
      go,
      h("p", { class: "hint" }, "The secret ", h("code", {}, "ADMIN_TOKEN"), " of this gateway. It stays in this tab and is forgotten when the tab closes."))));
  say(message);
  input.focus();
}

function signOut(message) {
  keepToken(null);
  document.querySelectorAll("dialog[open]").forEach((node) => node.close());
  askForToken(typeof message === "string" ? `You were signed out. ${message}` : undefined);
}

function enter() {
  const main = h("main", { id: "main", tabindex: "-1" });
  const links = new Map([...NAMES].map(([name, label]) => [name, h("a", { href: `#/${name}` }, icon(name), label)]));
  const nav = h("nav", { id: "nav", "aria-label": "Main" },
    brand("div"),
    h("div", { class: "nav-scroll" }, PAGES.map(({ group, pages }) => h("section", {}, h("h2", {}, group), h("ul", {}, pages.map(([name]) => h("li", {}, links.get(name))))))),
    h("div", { class: "nav-foot" },
      h("p", { class: "host", title: location.host }, location.host),
      h("div", { class: "row" }, themes(), iconButton("Sign out", "out", { onclick: () => signOut() }))));
  const jump = jumper([...NAMES].map(([name, label]) => ({ name, label })), (name) => navigate(name));
  const opener = iconButton("Menu", "menu", { "aria-expanded": "false", "aria-controls": "nav", onclick: () => menu(!app.classList.contains("menu-open")) });
  const skip = h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, "Skip to content");
  const veil = h("div", { class: "veil", onclick: () => menu(false) });
  replace(app, skip,
    h("header", { class: "topbar" }, opener, brand("div"), iconButton("Jump to a page (Ctrl K)", "search", { onclick: jump })),
    nav, veil, main);
  app.className = "framed";

  function menu(isOpen) {
    app.classList.toggle("menu-open", isOpen);
    opener.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) nav.querySelector("[aria-current], a").focus();
  }
  app.onkeydown = (event) => {
    if (event.key === "Escape" && app.classList.contains("menu-open")) {
      menu(false);
      opener.focus();
    }
  };
  document.onkeydown = (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && frame) {
      event.preventDefault();
      jump();
    }
  };
  frame = { main, links, menu, at: null };
  route();
}

/** What the address says: `#/requests/req_1?from=…`. */
function place() {
  const [path, search = ""] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [name, ...params] = path.split("/").filter(Boolean).map((part) => {
    try { return decodeURIComponent(part); } catch { return part; }
  });
  return { name: name ?? HOME, params, query: new URLSearchParams(search) };
}

/** `navigate("requests/req_1", {from: 5})`. */
function navigate(path, query = {}) {
  const next = address(path, query);
  if (next === location.hash) route();
  else location.hash = next;
}

function address(path, query = {}) {
  const said = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "")).toString();
  return `#/${path.replace(/^[#/]+/, "")}${said ? `?${said}` : ""}`;
}

async function route() {
  leave?.abort();
  const here = new AbortController();
  leave = here;
  const { name, params, query } = place();
  const { main, links, menu } = frame;
  const isMove = frame.at !== null;
  frame.at = name;
  menu(false);
  for (const [each, link] of links) {
    if (each === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const heading = h("h1");
  const actions = h("div", { class: "actions" });
  const body = h("div", { class: "page", dataset: { page: name } });
  const trail = h("div", { class: "trail" });
  const setTitle = (words, ...before) => {
    replace(heading, words);
    document.title = `${words} · Portolan`;
    if (before.length) replace(trail, before);
  };
  replace(main, h("div", { class: "page-head" }, h("div", {}, trail, heading), actions), body);
  setTitle(NAMES.get(name) ?? "Not found");
  window.scrollTo(0, 0);
  if (isMove) {
    main.focus({ preventScroll: true });
    announce(NAMES.get(name) ?? "Not found");
  }
  if (!NAMES.has(name)) {
    append(body, h("p", {}, "There is no such page. "), h("a", { href: `#/${HOME}` }, "Go to the overview"));
    return;
  }
  replace(body, skeleton());
  try {
    const page = await import(`./pages/${name}.js`);
    if (here.signal.aborted) return;
    setTitle(page.title);
    replace(body);
    await page.render(body, {
      params, query, actions, setTitle, navigate, signal: here.signal,
      /** The same page with another query, without rendering it again: for filters. */
      setQuery: (values) => { if (!here.signal.aborted) history.replaceState(null, "", address([name, ...params].map(encodeURIComponent).join("/"), values)); },
    });
  } catch (error) {
    if (here.signal.aborted || error.name === "AbortError") return;
    console.warn(error);
    replace(body, failed(error, route));
  }
}

function themes() {
  const now = document.documentElement.dataset.theme ?? "system";
  const node = iconButton("", "system", { class: "theme" });
  const show = (chosen) => {
    const [, label, sign] = THEMES.find(([name]) => name === chosen);
    const words = `Theme: ${label}`;
    node.setAttribute("aria-label", words);
    node.title = words;
    node.dataset.theme = chosen;
    replace(node, icon(sign));
  };
  node.addEventListener("click", () => {
    const index = THEMES.findIndex(([name]) => name === node.dataset.theme);
    const [chosen, label] = THEMES[(index + 1) % THEMES.length];
    if (chosen === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    try { localStorage.setItem(THEME, chosen); } catch { /* storage is forbidden: it holds for this tab */ }
    show(chosen);
    announce(`Theme: ${label}`);
  });
  show(now);
  return node;
}

function brand(tag) {
  return h(tag, { class: "brand" }, h("img", { src: "/dashboard/icon.svg", alt: "", width: "24", height: "24" }), "Portolan");
}
