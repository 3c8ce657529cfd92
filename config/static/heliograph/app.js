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
  document.addEventListener("htmx:configRequest", function (event) {
    var match = document.cookie.match(/heliograph_csrf=([^;]+)/);
    if (match) event.detail.headers["X-CSRFToken"] = match[1];
  });
})();
