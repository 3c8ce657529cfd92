// Passkeys on pages of portals: to log in at the door, to make one inside. Where a browser has none, nothing is shown.
(() => {
  "use strict";
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const toBytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
  };
  const toText = (buffer) => {
    if (!buffer) return undefined;
    const plain = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const readList = (list) => (list || []).map((one) => ({ ...one, id: toBytes(one.id) }));

  const send = async (url, fields) => {
    const answer = await fetch(url, { method: "POST", body: new URLSearchParams(fields), credentials: "same-origin" });
    return answer.json();
  };

  const ask = async (kind, options) => {
    const publicKey = { ...options, challenge: toBytes(options.challenge) };
    if (kind === "add") {
      publicKey.user = { ...options.user, id: toBytes(options.user.id) };
      publicKey.excludeCredentials = readList(options.excludeCredentials);
      return navigator.credentials.create({ publicKey });
    }
    publicKey.allowCredentials = readList(options.allowCredentials);
    return navigator.credentials.get({ publicKey });
  };

  const asJson = (made) => JSON.stringify({
    id: made.id,
    rawId: toText(made.rawId),
    type: made.type,
    clientExtensionResults: {},
    response: Object.fromEntries(
      ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]
        .map((name) => [name, toText(made.response[name])])
        .filter(([, value]) => value !== undefined),
    ),
  });

  document.querySelectorAll("[data-passkey]").forEach((place) => {
    const { passkey: kind, options: optionsUrl, finish, token = "", failed } = place.dataset;
    const button = place.querySelector("button");
    const note = place.querySelector("[role=alert]");
    const say = (text) => {
      note.textContent = text;
      note.hidden = !text;
    };
    place.hidden = false;
    button.addEventListener("click", async () => {
      say("");
      button.disabled = true;
      try {
        const begun = await send(optionsUrl, { token });
        if (begun.error) return say(begun.error);
        const made = await ask(kind, begun.options);
        const done = await send(finish, { token, state: begun.state, answer: asJson(made) });
        if (done.error) return say(done.error);
        if (done.go) location.assign(done.go);
        else location.reload();
      } catch (error) {
        say(failed); // given up, refused, or no connection: one may press again
        if (!(error instanceof DOMException || error instanceof TypeError || error instanceof SyntaxError)) throw error;
      } finally {
        button.disabled = false;
      }
    });
  });
})();
