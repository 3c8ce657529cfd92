/* Small habits of every member page: copying, one submit per form, times that stay true. */
(function () {
  "use strict";
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (!button) return;
    var done = function () {
      var icon = button.querySelector(".hg-icon");
      if (icon) { icon.textContent = "check"; setTimeout(function () { icon.textContent = "content_copy"; }, 1500); }
      button.setAttribute("aria-label", "Copied");
    };
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(button.dataset.copy).then(done);
    } else {
      var area = document.createElement("textarea");
      area.value = button.dataset.copy;
      document.body.appendChild(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      done();
    }
  });
  /* A button that puts its value into a field, as somebody typing would. */
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-fill]");
    if (!button) return;
    var field = document.querySelector(button.dataset.fill);
    field.value = button.dataset.value;
    button.parentElement.replaceChildren();
    field.dispatchEvent(new Event("change", { bubbles: true }));
    field.focus();
  });
  /* Offers below a field: Arrow down goes to them, Enter takes the first where a name was typed, not a number. */
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Enter" && event.key !== "ArrowDown" || !event.target.id) return;
    var first = document.querySelector('[data-choices-of="#' + event.target.id + '"] [data-fill]');
    if (!first || event.key === "Enter" && !/\p{L}/u.test(event.target.value)) return;
    event.preventDefault();
    if (event.key === "Enter") first.click(); else first.focus();
  });
  /* What was wrong with a field holds until it is changed. */
  document.addEventListener("input", function (event) {
    var field = event.target.closest(".hg-field-wrong");
    if (!field) return;
    field.classList.remove("hg-field-wrong");
    field.querySelectorAll(".hg-error[role=alert]").forEach(function (error) { error.remove(); });
    event.target.removeAttribute("aria-invalid");
  });
  /* The theme's menus of the organization and of the member open by mouse alone; this gives them the keyboard. */
  document.addEventListener("DOMContentLoaded", function () {
    [["openDropdown", "Change organization"], ["openUserLinks", "Your account"]].forEach(function (menu) {
      var opener = document.querySelector('[x-on\\:click^="' + menu[0] + ' ="]');
      if (!opener) return;
      var label = opener.textContent.replace(/unfold_more/, "").replace(/\s+/g, " ").trim();
      opener.tabIndex = 0;
      opener.setAttribute("role", "button");
      opener.setAttribute("aria-label", menu[1] + ": " + label);
      opener.addEventListener("keydown", function (event) {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        opener.click();
      });
    });
    var page = document.getElementById("hg-page");
    if (!page) return;
    var skip = document.createElement("a");
    skip.href = "#hg-page";
    skip.className = "hg-skip";
    skip.textContent = "Skip the menu";
    document.body.prepend(skip);
  });
  /* A second click must not submit twice; the server refuses it too. */
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.dataset.sending) { event.preventDefault(); return; }
    var isPlain = !form.hasAttribute("hx-post") || form.hasAttribute("data-plain-submit");
    if (form.method !== "post" || !isPlain || form.hasAttribute("data-many")) return;
    form.dataset.sending = "1";
    setTimeout(function () { delete form.dataset.sending; }, 4000);
  });
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-confirm]");
    if (button && !window.confirm(button.dataset.confirm)) event.preventDefault();
  });
  /* A file over the limit is said to be so before it travels. Caught on the way down: the theme's own script takes
     every file field for one of its own, and stumbles. */
  document.addEventListener("change", function (event) {
    var control = event.target, most = Number(control.dataset.mostBytes || 0);
    if (!most) return;
    event.stopPropagation();
    var field = control.closest(".hg-field"), file = control.files[0], isLarge = Boolean(file) && file.size > most;
    var line = field.querySelector(".hg-error");
    if (!line) return; /* the page is still arriving */
    line.hidden = !isLarge;
    line.textContent = isLarge ? "This file is larger than " + most / 1000000 + " MB. Split it into several files." : "";
    field.classList.toggle("hg-field-wrong", isLarge);
  }, true);
  document.addEventListener("change", function (event) {
    if (!("column" in event.target.dataset)) return;
    var line = event.target.closest(".hg-mapping-line"), chosen = event.target.selectedOptions[0];
    line.querySelector("bdi").textContent = chosen ? chosen.dataset.sample || "" : "";
  });
  document.addEventListener("htmx:configRequest", function (event) {
    var match = document.cookie.match(/heliograph_csrf=([^;]+)/);
    if (match) event.detail.headers["X-CSRFToken"] = match[1];
  });
})();
