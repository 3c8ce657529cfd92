/* The builder of forms: questions are dragged by pointer or finger, moved by keys, and what was opened stays open. */
(function () {
  "use strict";
  var dragged = null, placeBefore = "", said = "";
  var list = function () { return document.getElementById("build-list"); };
  var keys = function () {
    return Array.prototype.map.call(list().querySelectorAll("[data-key]"), function (item) { return item.dataset.key; }).join(",");
  };
  var say = function (text) { document.getElementById("build-said").textContent = text; };
  var wordsOf = function (item) {
    var all = Array.prototype.slice.call(list().querySelectorAll("[data-key]"));
    return item.querySelector("strong").textContent + ": place " + (all.indexOf(item) + 1) + " of " + all.length;
  };
  var save = function (focusOn) {
    var address = document.getElementById("builder").dataset.order;
    window.htmx.ajax("POST", address, { target: "#builder", swap: "outerHTML", values: { keys: keys() } }).then(function () {
      var handle = focusOn && document.getElementById(focusOn);
      if (handle) handle.focus();
      if (said) say(said);
    });
  };
  document.addEventListener("pointerdown", function (event) {
    var handle = event.target.closest("[data-handle]");
    if (!handle || event.button) return;
    event.preventDefault();
    handle.focus();
    dragged = handle.closest("[data-key]");
    placeBefore = keys();
    dragged.classList.add("hg-build-dragged");
    handle.setPointerCapture(event.pointerId);
  });
  document.addEventListener("pointermove", function (event) {
    if (!dragged) return;
    /* Past the middle of a neighbour, the two change places. */
    var above = dragged.previousElementSibling, below = dragged.nextElementSibling;
    var middle = function (item) { var box = item.getBoundingClientRect(); return box.top + box.height / 2; };
    if (above && event.clientY < middle(above)) list().insertBefore(dragged, above);
    else if (below && event.clientY > middle(below)) list().insertBefore(below, dragged);
    if (event.clientY < 60) window.scrollBy(0, -12);
    if (event.clientY > window.innerHeight - 60) window.scrollBy(0, 12);
  });
  var drop = function (isCanceled) {
    if (!dragged) return;
    var item = dragged;
    dragged = null;
    item.classList.remove("hg-build-dragged");
    if (isCanceled || keys() === placeBefore) return;
    said = wordsOf(item);
    save("handle-" + item.dataset.key);
  };
  document.addEventListener("pointerup", function () { drop(false); });
  document.addEventListener("pointercancel", function () { drop(true); });
  document.addEventListener("keydown", function (event) {
    var handle = event.target.closest && event.target.closest("[data-handle]");
    if (handle && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      var item = handle.closest("[data-key]");
      var other = event.key === "ArrowUp" ? item.previousElementSibling : item.nextElementSibling;
      if (!other) return;
      list().insertBefore(event.key === "ArrowUp" ? item : other, event.key === "ArrowUp" ? other : item);
      said = wordsOf(item);
      handle.focus();
      save(handle.id);
      return;
    }
    /* Undo as everywhere, except where somebody is typing: there it is the browser's own. */
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) {
      var button = document.getElementById(event.shiftKey ? "redo" : "undo");
      if (button && !button.disabled) { event.preventDefault(); button.click(); }
    }
  });
  /* What was open stays open when the questions come back; a new one is opened by the server and takes the focus. */
  var open = [];
  document.addEventListener("htmx:beforeSwap", function (event) {
    if (event.detail.target.id !== "builder") return;
    open = Array.prototype.map.call(document.querySelectorAll(".hg-build-edit[open]"), function (one) { return one.id; });
  });
  document.addEventListener("htmx:afterSwap", function () {
    var fresh = Array.prototype.filter.call(document.querySelectorAll(".hg-build-edit[open]"), function (one) { return open.indexOf(one.id) < 0; })[0];
    open.forEach(function (id) { var one = document.getElementById(id); if (one) one.open = true; });
    if (!open.length && !fresh) return;
    var field = fresh && document.getElementById("builder") && fresh.querySelector("input:not([type=hidden]), textarea");
    if (field && document.activeElement === document.body) { field.focus(); if (field.select) field.select(); }
    open = [];
  });
})();
