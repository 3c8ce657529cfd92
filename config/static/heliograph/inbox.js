/* The inbox: what is read or typed stays where it is, canned replies, sending by keyboard, and news in the browser. */
(function () {
  "use strict";
  /* The texts are laid out from the bottom: at the newest one stays there, further up nothing moves. */
  var kept = null;
  document.addEventListener("htmx:beforeSwap", function (event) {
    var screen = document.getElementById("texts");
    kept = screen && screen.contains(event.detail.target) && screen.scrollTop < -20
      ? { top: screen.scrollTop, height: screen.scrollHeight } : null;
  });
  document.addEventListener("htmx:afterSettle", function () {
    var screen = document.getElementById("texts");
    if (screen && kept) screen.scrollTop = kept.top - (screen.scrollHeight - kept.height);
    kept = null;
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    var form = event.target.closest && event.target.closest("#reply-form");
    if (form && event.target === form && event.detail.successful) {
      var field = document.getElementById("id_body");
      if (field) field.focus();
    }
  });
  document.addEventListener("change", function (event) {
    var menu = event.target.closest("[data-insert-into]");
    if (!menu) return;
    var chosen = menu.selectedOptions[0], field = document.querySelector(menu.dataset.insertInto);
    if (!chosen || !chosen.dataset.text || !field) return;
    var start = field.selectionStart, before = field.value.slice(0, start);
    var text = (before && !/\s$/.test(before) ? " " : "") + chosen.dataset.text;
    field.setRangeText(text, start, field.selectionEnd, "end");
    menu.value = "";
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("keydown", function (event) {
    var field = event.target.closest("[data-send-on-enter]");
    if (!field || event.key !== "Enter" || event.isComposing || event.shiftKey || event.altKey) return;
    var isForced = event.ctrlKey || event.metaKey;
    /* On a phone Enter begins a line: there is no other key for it. */
    if (!isForced && !window.matchMedia("(pointer: fine)").matches) return;
    event.preventDefault();
    field.form.querySelector("button[value=send]").click();
  });

  /* News: the badge of the sidebar and of the title, and the browser's notification for those who asked for it. */
  var EVERY = 15000, WISH = "heliograph-notify";
  document.addEventListener("DOMContentLoaded", function () {
    var link = document.querySelector('#nav-sidebar a[href$="/inbox/"]');
    if (!link) return;
    var title = document.title, told = null;
    function wanted() {
      return "Notification" in window && Notification.permission === "granted" && localStorage.getItem(WISH) === "on";
    }
    function show(news) {
      var badge = link.querySelector("[data-inbox-badge]") || link.children[2];
      if (news.unread && !badge) {
        badge = document.createElement("span");
        badge.className = "hg-inbox-badge";
        link.append(badge);
      }
      if (badge) {
        badge.dataset.inboxBadge = "";
        badge.hidden = !news.unread;
        badge.textContent = news.unread > 99 ? "99+" : news.unread;
      }
      document.title = news.unread ? "(" + (news.unread > 99 ? "99+" : news.unread) + ") " + title : title;
      var latest = news.latest && news.latest.at;
      if (told !== null && latest && latest > told && wanted()) {
        var note = new Notification("New SMS", { body: "From " + news.latest.who, tag: "heliograph-inbox" });
        note.onclick = function () { window.focus(); location.href = link.href + news.latest.id + "/"; note.close(); };
      }
      told = latest || told || "";
    }
    function ask() {
      if (document.visibilityState !== "visible" && !wanted()) return;
      fetch(link.href + "count/", { headers: { Accept: "application/json" }, redirect: "error" })
        .then(function (answer) { return answer.ok ? answer.json() : Promise.reject(answer.status); })
        .then(show)
        .catch(function () { /* Signed out, or the server restarts: the next look tells. */ });
    }
    ask();
    setInterval(ask, EVERY);
    var button = document.getElementById("inbox-notify");
    if (!button || !("Notification" in window) || Notification.permission === "denied") return;
    function label() {
      button.lastElementChild.textContent = wanted() ? "Notifying you here" : "Notify me here";
      button.setAttribute("aria-pressed", wanted() ? "true" : "false");
    }
    button.hidden = false;
    label();
    button.addEventListener("click", function () {
      if (wanted()) { localStorage.removeItem(WISH); label(); return; }
      Notification.requestPermission().then(function (answer) {
        if (answer === "granted") localStorage.setItem(WISH, "on");
        label();
      });
    });
  });
})();
