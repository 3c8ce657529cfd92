/* What the builders of forms and of automations have in common: one change at a time, and undo by key.

   #builder names in data-counter the field that says which state the page shows; #build-toolbar holds it as it is now.
   A form with data-part changes the whole and brings it anew; one with data-many saves itself. */
window.hgBuilder = (function () {
  "use strict";
  /* One request at a time: what was typed is saved before the button that was pressed next does its part. */
  var under = 0, waiting = [];
  var goOn = function () { if (!under && waiting.length) waiting.shift()(); };
  var whenQuiet = function (act) { waiting.push(act); goOn(); };
  document.addEventListener("htmx:beforeSend", function () { under += 1; });
  document.addEventListener("htmx:afterRequest", function () { under -= 1; setTimeout(goOn); });
  var counter = function () {
    var name = document.getElementById("builder").dataset.counter;
    return document.querySelector("#build-toolbar [name=" + name + "]");
  };
  var ask = function (address, values, then) {
    whenQuiet(function () {
      var now = counter();
      if (now) values[now.name] = now.value; /* as it is now, after what went before */
      window.htmx.ajax("POST", address, { target: "#builder", swap: "outerHTML", values: values }).then(then || function () {});
    });
  };
  var say = function (words) { document.getElementById("build-said").textContent = words; };
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
      var values = {}, button = event.submitter && event.submitter.id;
      new FormData(form, event.submitter).forEach(function (value, name) { values[name] = value; });
      ask(form.action, values, function () {
        /* The button that was pressed is pressed again: by keys one goes on where one was. */
        var again = button && document.activeElement === document.body && document.getElementById(button);
        if (again) again.focus();
      });
    } else if (!form.hasAttribute("data-many") && under) {
      event.preventDefault();
      event.stopImmediatePropagation();
      whenQuiet(function () { asItIsNow(form).submit(); });
    }
  }, true);
  /* Undo as everywhere, except where somebody is typing: there it is the browser's own. */
  document.addEventListener("keydown", function (event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) {
      event.preventDefault();
      whenQuiet(function () {
        var button = document.getElementById(event.shiftKey ? "redo" : "undo");
        if (button && !button.disabled) button.click();
      });
    }
  });
  /* Dragged near an edge, the page follows. */
  var follow = function (y) {
    if (y < 60) window.scrollBy(0, -12);
    if (y > window.innerHeight - 60) window.scrollBy(0, 12);
  };
  return { ask: ask, whenQuiet: whenQuiet, say: say, follow: follow };
})();
