/* The builder of forms, on top of builder.js: questions are dragged by pointer or finger, moved by keys, and what was
   opened stays open. */
(function () {
  "use strict";
  var list = function () { return document.getElementById("build-list"); };
  var items = function () { return Array.prototype.slice.call(list().querySelectorAll("[data-key]")); };
  var keys = function () { return items().map(function (item) { return item.dataset.key; }).join(","); };
  var wordsOf = function (item) {
    return item.querySelector("strong").textContent + ": place " + (items().indexOf(item) + 1) + " of " + items().length;
  };

  /* The order, by pointer or by keys. */
  var dragged = null, placeBefore = "";
  var saveOrder = function (item) {
    var handle = "handle-" + item.dataset.key, said = wordsOf(item), wanted = keys();
    window.hgBuilder.ask(document.getElementById("builder").dataset.order, { keys: wanted }, function () {
      document.getElementById(handle).focus();
      window.hgBuilder.say(said);
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
  });
  document.addEventListener("pointermove", function (event) {
    if (!dragged) return;
    /* Past the middle of a neighbour, the two change places. */
    var above = dragged.previousElementSibling, below = dragged.nextElementSibling;
    var middle = function (item) { var box = item.getBoundingClientRect(); return box.top + box.height / 2; };
    if (above && event.clientY < middle(above)) list().insertBefore(dragged, above);
    else if (below && event.clientY > middle(below)) list().insertBefore(below, dragged);
    window.hgBuilder.follow(event.clientY);
  });
  var drop = function () {
    if (!dragged) return;
    var item = dragged;
    dragged = null;
    item.classList.remove("hg-build-dragged");
    if (keys() !== placeBefore) saveOrder(item);
  };
  document.addEventListener("pointerup", drop);
  document.addEventListener("pointercancel", drop);
  document.addEventListener("keydown", function (event) {
    var handle = event.target.closest && event.target.closest("[data-handle]");
    if (handle && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      var item = handle.closest("[data-key]");
      var other = event.key === "ArrowUp" ? item.previousElementSibling : item.nextElementSibling;
      if (!other) return;
      list().insertBefore(event.key === "ArrowUp" ? item : other, event.key === "ArrowUp" ? other : item);
      handle.focus();
      saveOrder(item);
      return;
    }
  });

  /* What was open stays open when the questions come back; a new one is opened by the server and takes the focus. */
  var open = null;
  document.addEventListener("htmx:beforeSwap", function (event) {
    if (event.detail.target.id !== "builder" || event.detail.serverResponse.indexOf('id="builder"') < 0) return;
    open = Array.prototype.map.call(document.querySelectorAll(".hg-build-edit[open]"), function (one) { return one.id; });
  });
  document.addEventListener("htmx:afterSettle", function () {
    if (!open) return;
    var before = open, field;
    open = null;
    document.querySelectorAll(".hg-build-edit").forEach(function (one) {
      if (one.open && before.indexOf(one.id) < 0) field = one.querySelector("input:not([type=hidden]), textarea");
      one.open = one.open || before.indexOf(one.id) >= 0;
    });
    if (field) { field.focus(); if (field.select) field.select(); }
  });
})();
