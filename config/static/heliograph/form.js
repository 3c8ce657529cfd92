// Comfort on public forms; every page works without it. Nothing comes from other hosts, nothing is stored.
(() => {
  "use strict";
  const each = (selector, act) => document.querySelectorAll(selector).forEach(act);
  const language = document.documentElement.lang;

  // Browsers do not follow autofocus in a frame of another site.
  each("[data-focus]", (element) => element.focus());

  // The cover comes last: nobody waits for it. Its place is kept, so that nothing moves.
  addEventListener("load", () => {
    each("[data-cover]", (place) => {
      const picture = new Image();
      picture.alt = "";
      picture.src = place.dataset.cover;
      place.replaceChildren(picture);
    });
  });

  // One press, one request; who comes back by the browser's arrow may press again.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const waits = event.submitter && event.submitter.getAttribute("aria-disabled") === "true";
    if (waits || form.dataset.sent) {
      event.preventDefault();
    } else {
      form.dataset.sent = "1";
    }
  });
  addEventListener("pageshow", () => each("form", (form) => delete form.dataset.sent));

  // "Send again in 30 seconds" counts down; without this the button is open, and the answer says how long to wait.
  each("button[data-wait]", (button) => {
    const label = button.textContent;
    const end = Date.now() + Number(button.dataset.wait) * 1000;
    const tick = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      if (left > 0) {
        button.setAttribute("aria-disabled", "true");
        button.textContent = button.dataset.waiting.replace("{}", left.toLocaleString(language));
        setTimeout(tick, 500);
      } else {
        button.removeAttribute("aria-disabled");
        button.textContent = label;
      }
    };
    tick();
  });

  // The code goes off by itself once it is complete, and comes by itself where the browser reads it from the text.
  const code = document.getElementById("code");
  if (code) {
    const length = Number(code.dataset.length || 0);
    const tried = new Set();
    code.addEventListener("input", () => {
      const digits = code.value.normalize("NFKC").match(/\p{Nd}/gu) || [];
      if (length && digits.length === length && !tried.has(code.value)) {
        tried.add(code.value);
        code.form.requestSubmit();
      }
    });
    if ("OTPCredential" in window) {
      const waiting = new AbortController();
      code.form.addEventListener("submit", () => waiting.abort());
      navigator.credentials
        .get({ otp: { transport: ["sms"] }, signal: waiting.signal })
        .then((found) => {
          if (found && !code.value) {
            code.value = found.code;
            code.form.requestSubmit();
          }
        })
        .catch(() => {}); // refused or given up: one types
    }
  }

  // A text that surely got lost is told at once. Asked four times within a minute or so, and never while somebody types.
  if (code && "listens" in code.form.dataset) {
    const look = async (pause) => {
      const asked = new FormData(code.form);
      asked.set("step", "look");
      asked.delete("code");
      try {
        const answer = await fetch(code.form.getAttribute("action"), { method: "POST", body: asked });
        if (answer.status === 200 && !code.value && !code.form.dataset.sent) {
          code.form.elements.step.value = "show";
          code.form.submit();
          return;
        }
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // no network for the moment
      }
      if (pause < 40000) setTimeout(look, pause * 2, pause * 2);
    };
    setTimeout(look, 5000, 5000);
  }

  // Countries by their names in the visitor's language, where the browser knows them.
  each("select[data-countries]", (select) => {
    try {
      const names = new Intl.DisplayNames([language], { type: "region" });
      const options = [...select.options];
      options.forEach((option) => {
        // Mainland China has a name of ours, because the browser's would take in more.
        if (option.value !== "CN") {
          option.textContent = option.textContent.replace(/^.*(?= \()/, names.of(option.value));
        }
      });
      const chosen = select.value;
      options.sort((one, other) => one.textContent.localeCompare(other.textContent, language));
      select.append(...options);
      select.value = chosen;
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error; // an old browser: English names
    }
  });

  // A file that is too large is said at once, not after it was sent.
  each("input[type=file][data-most]", (input) => {
    const note = document.createElement("p");
    note.className = "error";
    note.setAttribute("role", "alert");
    note.hidden = true;
    input.before(note);
    input.addEventListener("change", () => {
      const isTooLarge = [...input.files].some((file) => file.size > Number(input.dataset.most));
      note.hidden = !isTooLarge;
      note.textContent = isTooLarge ? input.dataset.tooLarge : "";
      if (isTooLarge) input.value = "";
    });
  });
})();
