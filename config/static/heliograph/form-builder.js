/* The builder of forms: questions are dragged by pointer or finger, moved by keys, and what was opened stays open. */
(function () {
  "use strict";
  var list = function () { return document.getElementById("build-list"); };
  var items = function () { return Array.prototype.slice.call(list().querySelectorAll("[data-key]")); };
  var keys = function () { return items().map(function (item) { return item.dataset.key; }).join(","); };
  var wordsOf = function (item) {
    return item.querySelector("strong").textContent + ": place " + (items().indexOf(item) + 1) + " of " + items().length;
  };

  /* One request at a time: what was typed is saved before the button that was pressed next does its part. */
  var under = 0, waiting = [];
  var goOn = function () { if (!under && waiting.length) waiting.shift()(); };
  var whenQuiet = function (act) { waiting.push(act); goOn(); };
  document.addEventListener("htmx:beforeSend", function () { under += 1; });
  document.addEventListener("htmx:afterRequest", function () { under -= 1; setTimeout(goOn); });
  var ask = function (address, values, then) {
    whenQuiet(function () {
      var step = document.querySelector("#builder [name=step]");
      if ("step" in values) values.step = step.value; /* as it is now, after what went before */
      window.htmx.ajax("POST", address, { target: "#builder", swap: "outerHTML", values: values }).then(then || function () {});
    });
  };
  /* What was being saved brought the bar anew: the form whose button was pressed has left the page. */
  var asItIsNow = function (form) {
    return form.isConnected ? form : document.querySelector('#builder form[action="' + form.getAttribute("action") + '"]');
  };
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (!form.closest("#builder")) return;
    if (form.hasAttribute("data-part")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      var values = {};
      new FormData(form, event.submitter).forEach(function (value, name) { values[name] = value; });
      ask(form.action, values);
    } else if (!form.hasAttribute("data-many") && under) {
      event.preventDefault();
      event.stopImmediatePropagation();
      whenQuiet(function () { asItIsNow(form).submit(); });
    }
  }, true);

  /* The order, by pointer or by keys. */
  var dragged = null, placeBefore = "";
  var saveOrder = function (item) {
    var handle = "handle-" + item.dataset.key, said = wordsOf(item), wanted = keys();
    ask(document.getElementById("builder").dataset.order, { keys: wanted }, function () {
      document.getElementById(handle).focus();
      document.getElementById("build-said").textContent = said;
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
    if (event.clientY < 60) window.scrollBy(0, -12);
    if (event.clientY > window.innerHeight - 60) window.scrollBy(0, 12);
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
    /* Undo as everywhere, except where somebody is typing: there it is the browser's own. */
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) {
      event.preventDefault();
      whenQuiet(function () {
        var button = document.getElementById(event.shiftKey ? "redo" : "undo");
        if (button && !button.disabled) button.click();
      });
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
