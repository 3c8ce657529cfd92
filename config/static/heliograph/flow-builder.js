/* The builder of automations, on top of builder.js: steps are dragged to a “+” or moved by keys, settings stand in a
   panel beside the flow (over it on a phone), texts take fields from a list. */
(function () {
  "use strict";
  var hg = window.hgBuilder;
  var panel = function () { return document.getElementById("build-panel"); };
  var isNarrow = function () { return window.matchMedia("(max-width: 1000px)").matches; };
  var nameOf = function (node) {
    var card = document.getElementById("card-" + node);
    var line = card && (card.querySelector(".hg-flow-line") || card.querySelector("strong"));
    return line ? line.textContent.trim() : "";
  };
  var whereIs = function (node) {
    var card = document.getElementById("card-" + node);
    if (!card) return "";
    var all = Array.prototype.filter.call(card.parentElement.children, function (one) { return one.dataset.node; });
    var branch = card.parentElement.closest(".hg-flow-branch");
    var words = nameOf(node) + ": place " + (all.indexOf(card) + 1) + " of " + all.length;
    return branch ? words + " in the branch " + branch.getAttribute("aria-label") : words;
  };

  /* Moving: by pointer to a “+”, by keys one place further, into branches and out of them. */
  var address = function (node) { return document.getElementById("builder").dataset.move.replace("NODE", node); };
  var move = function (node, values) {
    hg.ask(address(node), values, function () {
      var handle = document.getElementById("handle-" + node);
      if (handle) handle.focus();
      hg.say(whereIs(node));
    });
  };
  var dragged = null, aim = null, from = 0;
  var gaps = function () {
    return Array.prototype.filter.call(document.querySelectorAll(".hg-flow-gap"), function (gap) {
      return !dragged.contains(gap);
    });
  };
  var nearest = function (x, y) {
    var best = null, least = Infinity;
    gaps().forEach(function (gap) {
      var box = gap.getBoundingClientRect();
      var aside = Math.max(box.left - x, 0, x - box.right), far = Math.abs(box.top + box.height / 2 - y) + aside * 2;
      if (far < least) { least = far; best = gap; }
    });
    return best;
  };
  document.addEventListener("pointerdown", function (event) {
    var handle = event.target.closest("[data-handle]");
    if (!handle || event.button) return;
    event.preventDefault();
    handle.focus();
    dragged = handle.closest("[data-node]");
    from = event.clientY + window.scrollY;
    dragged.classList.add("hg-build-dragged");
  });
  document.addEventListener("pointermove", function (event) {
    if (!dragged) return;
    var there = nearest(event.clientX, event.clientY);
    if (Math.abs(event.clientY + window.scrollY - from) < 8) there = null;
    if (aim && aim !== there) aim.classList.remove("hg-flow-aim");
    if (there) there.classList.add("hg-flow-aim");
    aim = there;
    hg.follow(event.clientY);
  });
  var drop = function (event) {
    if (!dragged) return;
    var node = dragged.dataset.node, there = aim;
    dragged.classList.remove("hg-build-dragged");
    if (aim) aim.classList.remove("hg-flow-aim");
    dragged = aim = null;
    if (there && event.type === "pointerup") {
      move(node, { parent: there.dataset.parent, branch: there.dataset.branch, index: there.dataset.index });
    }
  };
  document.addEventListener("pointerup", drop);
  document.addEventListener("pointercancel", drop);
  document.addEventListener("keydown", function (event) {
    var handle = event.target.closest && event.target.closest("[data-handle]");
    if (handle && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      var card = handle.closest("[data-node]"), way = event.key === "ArrowUp" ? "up" : "down";
      var button = document.getElementById(way + "-" + card.dataset.node);
      if (button && !button.disabled) move(card.dataset.node, { to: way });
    }
    if (event.key === "Escape" && panel() && panel().firstElementChild && !document.querySelector("dialog[open]")) close();
  });

  /* The panel. On a phone it lies over the flow, which is out of reach meanwhile. */
  var typed = false, opener = "", was = "";
  var settle = function () {
    var has = Boolean(panel() && panel().firstElementChild), side = document.getElementById("build-side");
    document.getElementById("builder").classList.toggle("hg-flow-open", has);
    side.inert = has && isNarrow();
    if (side.inert) panel().setAttribute("role", "dialog"); else panel().removeAttribute("role");
    if (side.inert) panel().setAttribute("aria-modal", "true"); else panel().removeAttribute("aria-modal");
    if (side.inert) panel().setAttribute("aria-labelledby", "panel-title"); else panel().removeAttribute("aria-labelledby");
    document.documentElement.classList.toggle("hg-flow-over", has);
    if (!has) return;
    document.querySelectorAll(".hg-flow-opened").forEach(function (one) { one.classList.remove("hg-flow-opened"); });
    var form = document.getElementById("panel-form");
    var id = form && form.getAttribute("action").replace(/.*steps\/([^/]+)\/$/, "$1");
    var card = id && document.getElementById("card-" + id);
    if (card) card.classList.add("hg-flow-opened");
    fit();
  };
  var close = function () {
    if (typed && !window.confirm("Close without saving what you changed here?")) return;
    typed = false;
    panel().replaceChildren();
    document.querySelectorAll(".hg-flow-opened").forEach(function (one) { one.classList.remove("hg-flow-opened"); });
    settle();
    var back = opener && document.getElementById(opener);
    if (back) back.focus();
    history.replaceState(null, "", document.getElementById("builder").dataset.closed);
  };
  document.addEventListener("click", function (event) {
    var link = event.target.closest("[data-close-panel]");
    if (link) { event.preventDefault(); close(); return; }
    var going = event.target.closest(".hg-flow-open-link, .hg-flow-add, #build-side button:not([type=button])");
    if (!going) return;
    if (typed && !window.confirm("Go on without saving what you changed beside?")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    typed = false;
    if (going.matches("a")) opener = going.id;
  }, true);
  window.addEventListener("beforeunload", function (event) { if (typed) event.preventDefault(); });
  document.addEventListener("input", function (event) { if (event.target.closest("#panel-form")) typed = true; });
  document.addEventListener("change", function (event) {
    if (!event.target.closest("#panel-form")) return;
    typed = true;
    fit();
    if (event.target.hasAttribute("data-reload")) {
      var form = event.target.form;
      was = event.target.id;
      window.htmx.ajax("POST", form.action, { source: form, target: "#build-panel", values: { do: "look" } });
    }
  });
  document.addEventListener("submit", function (event) { if (event.target.id === "panel-form") typed = false; }, true);
  /* What was typed while the answer is on its way would be lost with the form that it replaces. */
  document.addEventListener("htmx:beforeRequest", function (event) {
    if (event.detail.elt.id === "panel-form") event.detail.elt.inert = true;
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    if (event.detail.elt.id === "panel-form") event.detail.elt.inert = false;
  });
  document.addEventListener("htmx:configRequest", function (event) {
    /* Saved after another change of the same page, the panel goes by the state that this page shows now. */
    var now = document.querySelector("#build-toolbar [name=draft]");
    if (event.detail.elt.id === "panel-form" && now) event.detail.parameters.draft = now.value;
  });
  document.addEventListener("htmx:afterSettle", function (event) {
    if (!document.getElementById("builder")) return;
    var target = event.detail.target;
    settle();
    var said = document.getElementById("builder").dataset.said;
    if (said && target.id === "builder") { hg.say(said); delete document.getElementById("builder").dataset.said; }
    if (target.id === "build-panel" || (target.id === "builder" && panel().firstElementChild && !document.activeElement.closest("#builder"))) {
      var wrong = panel().querySelector(".hg-field-wrong input, .hg-field-wrong select, .hg-field-wrong textarea");
      var search = isNarrow() ? null : panel().querySelector("[data-narrows]");
      var first = wrong || document.getElementById(was) || search || panel().querySelector("h2");
      was = "";
      if (first && !(target.id === "build-panel" && document.activeElement.closest("#panel-form"))) first.focus();
    }
  });

  /* Fields that are asked only while another one has a certain value. */
  var holds = function (form, rule) {
    var name = rule.slice(0, rule.indexOf("=")), wanted = rule.slice(name.length + 1).split("|");
    var value = new FormData(form).getAll(name).map(String);
    return wanted.some(function (one) { return value.indexOf(one) >= 0 || (one === "" && !value.join("")); });
  };
  var fit = function () {
    var form = document.getElementById("panel-form");
    if (!form) return;
    form.querySelectorAll("[data-when]").forEach(function (control) {
      var field = control.closest(".hg-field");
      if (field) field.hidden = !holds(form, control.dataset.when);
    });
    var template = form.querySelector(".hg-flow-template"), choice = form.elements.template;
    if (template && choice && choice.closest(".hg-field").hidden) template.hidden = true;
  };

  /* Fields for texts: picked from a list, put where the cursor stands. */
  var into = "", at = [0, 0];
  document.addEventListener("focusout", function (event) {
    if (event.target.hasAttribute && event.target.hasAttribute("data-variables")) at = [event.target.selectionStart, event.target.selectionEnd, event.target.id];
  });
  document.addEventListener("click", function (event) {
    var asks = event.target.closest("[data-insert]"), picker = document.getElementById("field-picker");
    if (asks && picker) {
      into = asks.dataset.insert;
      picker.showModal();
      document.getElementById("picker-search").focus();
      return;
    }
    if (event.target.closest("[data-close-picker]") || event.target === picker) { picker.close(); return; }
    var chosen = event.target.closest("#picker-list [data-path]"), field = document.getElementById(into);
    if (!chosen || !field) return;
    event.preventDefault();
    picker.close();
    var end = field.value.length, place = at[2] === into ? at : [end, end];
    field.setRangeText('{{ ' + chosen.dataset.path + ' | "" }}', place[0], place[1], "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });

  /* A search that narrows what stands on the page. */
  document.addEventListener("input", function (event) {
    var list = event.target.dataset.narrows && document.querySelector(event.target.dataset.narrows);
    if (!list) return;
    var wanted = event.target.value.toLowerCase().split(/\s+/), any = false;
    list.querySelectorAll("[data-words]").forEach(function (one) {
      one.hidden = !wanted.every(function (word) { return one.dataset.words.indexOf(word) >= 0; });
      any = any || !one.hidden;
    });
    list.querySelectorAll("[data-group]").forEach(function (group) { group.hidden = !group.querySelector("[data-words]:not([hidden])"); });
    list.querySelectorAll("[data-nothing]").forEach(function (one) { one.hidden = any; });
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Enter" || !event.target.dataset || !event.target.dataset.narrows) return;
    event.preventDefault();
    var list = document.querySelector(event.target.dataset.narrows);
    var first = list.querySelector("[data-words]:not([hidden])");
    var button = first && (first.matches("button") ? first : first.querySelector("button"));
    if (button) button.click();
  });
  settle();
})();
