/* The connect form: SIDs, secrets and senders are judged while one types. The server judges them again. */
(function () {
  "use strict";
  var words = document.getElementById("sid-kinds");
  var kinds = words ? JSON.parse(words.textContent) : {};
  var QUOTES = /^["'`´‘’‚‛“”„‟«»‹›]+|["'`´‘’‚‛“”„‟«»‹›]+$/g;

  function clean(value) {
    return value.replace(/[\p{Z}\p{Cc}\p{Cf}]/gu, "").replace(QUOTES, "");
  }
  function a(name) { return (/^[AEIO]/.test(name) ? "an " : "a ") + name; }
  function A(name) { var words = a(name); return words.charAt(0).toUpperCase() + words.slice(1); }

  function judgeSid(value, prefix, isDone) {
    var name = kinds[prefix];
    var seen = value.slice(0, 2).toUpperCase();
    if (value.length >= 2 && seen !== prefix) {
      if (kinds[seen]) return "That is " + a(kinds[seen]) + " (" + seen + "…). Here belongs the " + name + ", which begins with " + prefix + ".";
      return A(name) + " begins with " + prefix + ".";
    }
    if (/[^0-9a-fA-F]/.test(value.slice(2))) return "After " + prefix + " come only characters from 0-9 and a-f.";
    if (value.length > 34) return A(name) + " has 34 characters, this one " + value.length + ". Something was added.";
    if (isDone && value.length < 34) return A(name) + " has 34 characters, this one " + value.length + ". Part of it was not copied.";
    return "";
  }
  function judgeSecret(value, name) {
    var seen = value.slice(0, 2);
    if (kinds[seen] && /^[0-9a-fA-F]{32}$/.test(value.slice(2))) return "That is " + a(kinds[seen]) + ". Here belongs the " + name + ", which has no such prefix.";
    return "";
  }
  function judgeSender(value, isDone) {
    if (/^MG[0-9a-f]{10,}/i.test(value)) return "That is a Messaging Service SID: it belongs in the field of that name.";
    if (/^\+/.test(value)) return isDone && !/^\+[1-9][0-9]{6,14}$/.test(value.replace(/[\s().\-\/]/g, "")) ? "A number is + and 7 to 15 digits, country code first." : "";
    if (/[A-Za-z]/.test(value) && value.trim().length > 11) return "A sender ID has at most 11 characters, this one " + value.trim().length + ".";
    return "";
  }
  function say(input, words, isGood) {
    var hint = input.parentNode.querySelector(".hg-live");
    if (!hint) {
      hint = document.createElement("p");
      hint.className = "hg-live hg-error";
      hint.setAttribute("aria-live", "polite");
      input.insertAdjacentElement("afterend", hint);
    }
    hint.textContent = words;
    hint.hidden = !words;
    input.classList.toggle("hg-good", Boolean(isGood));
    if (words) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
  }
  function judge(input, isDone) {
    if (input.dataset.sender) { say(input, judgeSender(input.value, isDone), false); return; }
    var value = clean(input.value);
    if (value !== input.value) input.value = value;
    var words = !value ? "" : input.dataset.sid ? judgeSid(value, input.dataset.sid, isDone) : judgeSecret(value, input.dataset.secret);
    say(input, words, input.dataset.sid && value.length === 34 && !words);
    /* What the server said was about the old value. */
    var old = document.getElementById(input.id + "_error");
    if (old) { old.remove(); input.closest(".hg-field").classList.remove("hg-field-wrong"); }
  }
  document.querySelectorAll("[data-sid], [data-secret], [data-sender]").forEach(function (input) {
    input.addEventListener("input", function () { judge(input, false); });
    input.addEventListener("blur", function () { if (input.value) judge(input, true); });
  });
  document.addEventListener("submit", function (event) {
    var button = event.target.querySelector("[data-busy]");
    if (!button || event.defaultPrevented) return;
    button.dataset.idle = button.innerHTML;
    button.textContent = button.dataset.busy;
    button.setAttribute("aria-busy", "true");
  });
  /* Back from the next page: the button is ready again. */
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("[data-idle]").forEach(function (button) {
      button.innerHTML = button.dataset.idle;
      button.removeAttribute("aria-busy");
    });
  });
})();
