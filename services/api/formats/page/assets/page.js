// Adds keys to a page that works without them; `data-key` of an element says which key uses it.
"use strict";

const dialog = document.querySelector("#shortcuts");
const hide = document.querySelector("#hide");
const opener = document.querySelector("#keys");

// On a phone, the tabs of a customer are wider than the screen.
const tab = document.querySelector(".tabs [aria-current]");
if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - 16;

// Amounts stay hidden on the pages that follow, until the tab is closed.
if (hide) {
  const remembered = sessionStorage.getItem("hide");
  if (remembered !== null) hide.checked = remembered === "1";
  hide.addEventListener("change", () => sessionStorage.setItem("hide", hide.checked ? "1" : "0"));
}

if (dialog && opener) {
  opener.hidden = false;
  opener.addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}

const use = (element) => {
  if (element.matches("input")) {
    element.focus();
    element.select();
  } else if (element.matches("label")) {
    element.control.click();
  } else {
    element.click();
  }
};

// Who speaks to a computer, or types with one finger, may not want keys to act.
const uses = document.querySelector("#use-keys");
if (uses) {
  uses.checked = localStorage.getItem("keys") !== "off";
  uses.addEventListener("change", () => localStorage.setItem("keys", uses.checked ? "on" : "off"));
}

let begun = "";
let timer;
document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (target.matches("input:not([type=checkbox]), select, textarea")) {
    if (key === "Escape") target.blur();
    return;
  }
  if (dialog?.open || uses?.checked === false) return;
  if (key === "?" && dialog) {
    event.preventDefault();
    dialog.showModal();
    return;
  }
  const wanted = begun ? `${begun} ${key}` : key;
  clearTimeout(timer);
  begun = "";
  const found = [...document.querySelectorAll("[data-key]")];
  const element = found.find((each) => each.dataset.key === wanted);
  if (element) {
    event.preventDefault();
    use(element);
  } else if (found.some((each) => each.dataset.key.startsWith(`${key} `))) {
    begun = key;
    timer = setTimeout(() => { begun = ""; }, 1500);
  }
});
